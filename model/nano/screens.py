"""Fast procedural screenshots whose truth is known, for training and evaluating grounding."""

import argparse
import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from random import Random

import numpy as np

from model.nano.bank import DEFAULT_BANK, Bank
from model.nano.consoles import chat, editor
from model.nano.effects import finish
from model.nano.elements import Screen
from model.nano.pages import application, desktop, keypad, login_page
from model.nano.paint import Painter
from model.nano.popups import dialog, pointer, popup_menu, toast
from model.nano.sites import web_page
from model.nano.split import Split
from model.nano.themes import make_theme

_PAGES = (
    (application, 0.46),
    (web_page, 0.24),
    (desktop, 0.09),
    (keypad, 0.05),
    (editor, 0.05),
    (chat, 0.05),
    (login_page, 0.06),
)

_LEAST_TEXT_PX = 7.2
"""Smallest em in final pixels: an 11 px font of a screen shrunk to two thirds."""


def render_screen(seed: int, size_px: tuple[int, int], *, split: Split, bank: Bank) -> Screen:
    """Render the screen that belongs to ``seed``: width and height ``size_px``, boxes in its pixels.

    The same arguments and bank give the same pixels. One screen in three is rendered larger and
    resized, as large screens are before a model sees them.
    """
    rng = Random(seed * 2 + (split == "test"))  # noqa: S311 - a repeatable choice, not a secret
    width, height = size_px
    unit = _unit(rng, width, height)
    reduction = 1.0 + rng.random() ** 1.5 if rng.random() < 0.33 else 1.0
    rendered = (math.ceil(width * reduction), math.ceil(height * reduction))
    theme = make_theme(rng, bank, split, unit * reduction)
    theme.text_size = max(theme.text_size, _LEAST_TEXT_PX / unit)
    pixels, surface = bank.surface(*rendered, lcd=theme.text_style.edging == "lcd")
    surface.getCanvas().clear(theme.window)
    painter = Painter(surface, pixels, theme, bank, rng)
    pages, weights = zip(*_PAGES, strict=True)
    page = rng.choices(pages, weights)[0]
    page(painter)
    above = rng.random()
    if above < 0.14:
        dialog(painter)
    elif above < 0.2:
        popup_menu(painter, rng.uniform(0.05, 0.8) * rendered[0], rng.uniform(0.05, 0.7) * rendered[1])
    elif above < 0.23:
        toast(painter)
    if rng.random() < 0.15:
        pointer(painter)
    surface.flushAndSubmit()
    elements, glyphs = painter.truth(width / rendered[0])
    fonts = "+".join(sorted({theme.font, theme.heading_font, theme.mono_font}))
    source = f"drawn:{theme.family}:{page.__name__}:{fonts}:{theme.icons.icon_set}"
    return Screen(finish(pixels, size_px, rng), elements, glyphs, source, unit)


def _unit(rng: Random, width: int, height: int) -> float:
    """Choose how many final pixels a logical pixel takes: less than 1 when a large screen was resized."""
    kind = rng.random()
    if kind < 0.45:
        return rng.uniform(0.62, 1.0)
    if kind < 0.85:
        return rng.uniform(1.0, 1.6)
    return rng.uniform(1.6, 3.0 if min(width, height) > 400 else 2.0)


def main() -> None:
    """Write screens with their boxes drawn, and their truth as JSON, to look at."""
    from PIL import Image, ImageDraw

    from model.nano.queries import make_queries

    parser = argparse.ArgumentParser(prog="python -m model.nano.screens", description=main.__doc__)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, nargs=2, default=(672, 448), metavar=("W", "H"))
    parser.add_argument("--split", choices=["train", "test"], default="train")
    parser.add_argument("--bank", type=Path, default=DEFAULT_BANK)
    parser.add_argument("--plain", action="store_true", help="draw no boxes")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    bank = Bank(arguments.bank)
    arguments.out.mkdir(parents=True, exist_ok=True)
    spent = 0.0
    for seed in range(arguments.seed, arguments.seed + arguments.count):
        began = time.perf_counter()
        screen = render_screen(seed, tuple(arguments.size), split=arguments.split, bank=bank)
        spent += time.perf_counter() - began
        picture = Image.fromarray(screen.pixels)
        if not arguments.plain:
            pen = ImageDraw.Draw(picture)
            for element in screen.elements:
                pen.rectangle(element.box_px, outline=(255, 0, 128))
            for _, x, y in screen.glyphs:
                pen.point((x, y), fill=(0, 200, 0))
        picture.save(arguments.out / f"{seed}.png")
        queries = make_queries(screen, np.random.default_rng(seed), 12)
        truth = {
            "source": screen.source,
            "elements": [asdict(e) for e in screen.elements],
            "queries": [asdict(q) for q in queries],
        }
        (arguments.out / f"{seed}.json").write_text(json.dumps(truth, indent=1, ensure_ascii=False))
    print(f"{arguments.count} screens, {1000 * spent / arguments.count:.1f} ms each")


if __name__ == "__main__":
    main()
