"""Render random pages in a real Chromium, with boxes and glyphs read from the DOM.

One command a split, after ``apt install chromium`` (style sheets and icons come from the npm registry, once)::

    python -m model.nano.web_pages --split train --count 1500 --seed 1 --out build/nano/pages-train
    python -m model.nano.web_pages --split test --count 150 --seed 1 --out build/nano/pages-test

Fonts are Debian's: fonts-dejavu-core fonts-liberation2 fonts-roboto-unhinted fonts-open-sans fonts-lato fonts-inter
fonts-croscore fonts-crosextra-carlito fonts-crosextra-caladea fonts-freefont-ttf fonts-cabin fonts-quicksand
fonts-oxygen fonts-comfortaa fonts-ebgaramond fonts-hack fonts-jetbrains-mono fonts-noto-core fonts-cantarell
fonts-firacode. A run continues where an earlier one with the same arguments stopped.
"""

import argparse
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from model.errors import ModelError
from model.nano.browser import Browser
from model.nano.corpus import Entry, read_index_length, write_screen
from model.nano.elements import Screen
from model.nano.page_assets import Icons, fetch_package
from model.nano.page_builder import PageBuilder
from model.nano.page_dom import EXTRACT_SCRIPT, to_elements, to_glyphs
from model.nano.page_kits import Kit, kits
from model.nano.page_style import random_look
from model.nano.page_templates import TEMPLATES, fill
from model.nano.page_text import Words
from model.nano.split import Split
from model.nano.visible import keep_visible, visible_glyphs

_SIZES_PX = (
    (1280, 800), (1280, 800), (1280, 720), (1366, 768), (1440, 900), (1024, 768), (1024, 640), (1152, 720),
    (1600, 900), (1920, 1080), (800, 600), (640, 480), (900, 1200), (420, 860),
)  # fmt: skip
_SCALES = (1.0, 1.0, 1.0, 1.0, 1.25, 1.5, 1.5, 2.0)
_ZOOMS = (1.0, 1.0, 1.0, 0.8, 0.9, 1.1, 1.25, 1.5)
_RESTART_EVERY = 300
"""Pages after which a fresh browser is started, with the other text smoothing."""


@dataclass(frozen=True, slots=True)
class PagePlan:
    """What one page is to be, drawn from its own seed so that any page can be rendered again alone."""

    kit: Kit
    template: str
    size_px: tuple[int, int]
    scale: float
    html: str
    dark: bool
    scroll: float
    focus: float
    source: str


def plan_page(number: int, seed: int, split: Split, icons: Icons, packages: Path) -> PagePlan:
    """Draw page ``number`` of a run from its seed; style sheets are fetched into ``packages`` when missing."""
    rng = Random(f"{split}/{seed}/{number}")  # noqa: S311 - a repeatable choice, not a secret
    kit = rng.choice(kits(split))
    template = rng.choice(sorted(TEMPLATES))
    size_px = rng.choice(_SIZES_PX)
    scale = rng.choice(_SCALES) * rng.choice(_ZOOMS)
    # A window this narrow in CSS pixels would be a telephone's; desktop pages become unreadable in it.
    scale = min(scale, max(0.8, size_px[0] / 400))
    look = random_look(kit, split, rng)
    builder = PageBuilder(kit, Words(rng), icons, icons.choose_set(rng), rng)
    body = TEMPLATES[template](builder)
    if rng.random() < 0.7:
        body += fill(builder)
    html = _document(kit, look.css, look.dark, look.root_attributes, body, packages)
    scroll = rng.random() if rng.random() < 0.3 else 0.0
    source = f"page:{kit.name}:{template}"
    return PagePlan(kit, template, size_px, scale, html, look.dark, scroll, rng.random(), source)


def render_page(browser: Browser, plan: PagePlan, folder: Path) -> Screen:
    """Show a planned page and read it back; ``folder`` takes the page's file while it is shown."""
    file = folder / "page.html"
    file.write_text(plan.html, encoding="utf-8")
    browser.set_viewport(*plan.size_px, plan.scale, plan.dark)
    browser.open(file)
    browser.evaluate(
        f"document.fonts.ready.then(() => {{ scrollTo(0, {plan.scroll} * (document.body.scrollHeight - innerHeight));"
        f"const f = [...document.querySelectorAll('input,button,a,select')];"
        f"if ({plan.focus} < .25 && f.length) "
        f"f[Math.floor({plan.focus} * 4 * f.length)].focus({{preventScroll: true}}); }})"
    )
    pixels = _decode(browser.screenshot())
    data = browser.evaluate(EXTRACT_SCRIPT)
    size_px = (pixels.shape[1], pixels.shape[0])
    elements = to_elements(data, plan.scale, size_px)
    glyphs = to_glyphs(data, plan.scale)
    return Screen(
        pixels=pixels,
        elements=keep_visible(pixels, elements),
        glyphs=visible_glyphs(pixels, glyphs),
        source=plan.source,
        scale=plan.scale,
    )


def render_pages(numbers: range, seed: int, split: Split, packages: Path) -> Iterator[Screen]:
    """Yield the screens of pages ``numbers``, one for each."""
    icons = Icons(split, packages)
    with tempfile.TemporaryDirectory(prefix="deskhand-pages-") as temporary:
        for start in range(numbers.start, numbers.stop, _RESTART_EVERY):
            with Browser(lcd_text=(start // _RESTART_EVERY) % 2 == 1) as browser:
                for number in range(start, min(start + _RESTART_EVERY, numbers.stop)):
                    plan = plan_page(number, seed, split, icons, packages)
                    yield render_page(browser, plan, Path(temporary))


def _document(kit: Kit, css: str, dark: bool, root: str, body: str, packages: Path) -> str:
    names = kit.dark_css if dark and kit.dark_css else kit.css
    base = fetch_package(kit.package, packages) if kit.package else packages
    links = "".join(f'<link rel="stylesheet" href="{(base / name).resolve().as_uri()}">' for name in names)
    # Smooth scrolling would move the page between the screenshot and the reading.
    still = (
        "*,*::before,*::after{animation:none!important;transition:none!important;caret-color:transparent;"
        "scroll-behavior:auto!important}"
    )
    return (
        f'<!doctype html><html lang="en" {root}><head><meta charset="utf-8">{links}<style>{css}{still}</style></head>'
        f'<body class="{kit.body_class}">{body}</body></html>'
    )


def _decode(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


def main(arguments: list[str] | None = None) -> int:
    """Render a corpus; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m model.nano.web_pages", description="Render pages in Chromium.")
    parser.add_argument("--split", choices=("train", "test"), required=True)
    parser.add_argument("--count", type=int, required=True, help="pages in the finished corpus")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--packages", type=Path, default=Path("build/nano/npm"), help="folder for npm packages")
    options = parser.parse_args(arguments)
    done = read_index_length(options.out)
    began_s = time.monotonic()
    written: list[Future[Entry]] = []
    numbers = range(done, options.count)
    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            screens = render_pages(numbers, options.seed, options.split, options.packages)
            for number, screen in zip(numbers, screens, strict=True):
                name = f"p{options.seed}-{number:05d}"
                written.append(pool.submit(write_screen, options.out, name, screen, options.split))
                if len(written) > 8:
                    written.pop(0).result()
                if (number + 1) % 100 == 0:
                    rate = (number + 1 - done) / (time.monotonic() - began_s)
                    print(f"{number + 1} pages, {rate:.1f} a second", file=sys.stderr)
            for future in written:
                future.result()
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
