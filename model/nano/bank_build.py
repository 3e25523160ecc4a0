"""Build the bank: fonts from Debian and npm packages, icons from npm packages, words from SCOWL.

Needs ``apt-get``, ``dpkg``, ``npm`` and a network; nothing is installed. What is drawn later comes
from the finished folder alone.
"""

import fnmatch
import json
import logging
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skia

from model.errors import DownloadError, InputError
from model.nano.fonts import FontSource, font_sources
from model.nano.icons import concepts, set_stems
from model.nano.split import font_split, icon_split

ICON_PX = 96
"""Side of the stored alpha masks."""

_WORDS_PACKAGE = "wamerican-small"
_UNICODES = (
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),
    *(0x2010, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026, 0x2032, 0x20AC, 0x2122),
    *(0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x2318, 0x21E7, 0x2325, 0x2713),
)


@dataclass(frozen=True, slots=True)
class IconSource:
    """An icon set: its npm package, licence, and glob patterns by style with ``{}`` for the stem."""

    name: str
    package: str
    licence: str
    styles: dict[str, str]


def icon_sources() -> tuple[IconSource, ...]:
    """List every icon set of the bank."""
    material = {style: f"{style}/{{}}.svg" for style in ("filled", "outlined", "round", "sharp")}
    return (
        IconSource("lucide", "lucide-static", "ISC", {"line": "icons/{}.svg"}),
        IconSource("tabler", "@tabler/icons", "MIT", {s: f"icons/{s}/{{}}.svg" for s in ("outline", "filled")}),
        IconSource("bootstrap", "bootstrap-icons", "MIT", {"line": "icons/{}.svg", "fill": "icons/{}-fill.svg"}),
        IconSource("feather", "feather-icons", "MIT", {"line": "dist/icons/{}.svg"}),
        IconSource("material", "@material-design-icons/svg", "Apache-2.0", material),
        IconSource("remixicon", "remixicon", "Apache-2.0", {s: f"icons/*/{{}}-{s}.svg" for s in ("line", "fill")}),
        IconSource(
            "fluent", "@fluentui/svg-icons", "MIT", {s: f"icons/{{}}_20_{s}.svg" for s in ("regular", "filled")}
        ),
        IconSource("ionicons", "ionicons", "MIT", {"line": "dist/svg/{}-outline.svg", "fill": "dist/svg/{}.svg"}),
        IconSource("heroicons", "heroicons", "MIT", {s: f"24/{s}/{{}}.svg" for s in ("outline", "solid")}),
        IconSource(
            "octicons", "@primer/octicons", "MIT", {"line": "build/svg/{}-24.svg", "small": "build/svg/{}-16.svg"}
        ),
        IconSource("carbon", "@carbon/icons", "Apache-2.0", {"line": "svg/32/{}.svg"}),
        IconSource(
            "phosphor",
            "@phosphor-icons/core",
            "MIT",
            {
                "regular": "assets/regular/{}.svg",
                "bold": "assets/bold/{}-bold.svg",
                "fill": "assets/fill/{}-fill.svg",
            },
        ),
    )


def build(out: Path) -> dict[str, int]:
    """Download, subset and rasterise everything into ``out``; return counts.

    Raises `DownloadError` when a package cannot be had.
    """
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        fonts = build_fonts(partial, work)
        icons = build_icons(partial, work)
        words = _build_words(partial, work)
    (partial / "bank.json").write_text(json.dumps({"fonts": fonts, "icons": icons}, indent=1) + "\n")
    # processes that draw from an older bank keep it until the new one is whole
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    return {
        "families": len(fonts),
        "icon_sets": len(icons),
        "words": words,
        "bytes": sum(path.stat().st_size for path in out.rglob("*") if path.is_file()),
    }


def build_fonts(out: Path, work: Path) -> list[dict[str, object]]:
    """Subset every family's weights into ``out/fonts``; return the table of what is there."""
    folder = out / "fonts"
    folder.mkdir()
    table: list[dict[str, object]] = []
    unpacked: dict[str, Path] = {}
    for source in font_sources():
        root = unpacked.get(source.package)
        if root is None:
            fetch = _npm if source.package.startswith("@") else _debian
            root = unpacked[source.package] = fetch(source.package, work)
        files = {str(weight): name for weight, name in _subset_family(source, root, folder)}
        table.append(
            {
                "family": source.family,
                "kind": source.kind,
                "package": source.package,
                "licence": source.licence,
                "split": font_split(source.family),
                "files": files,
            }
        )
    return table


def _subset_family(source: FontSource, root: Path, folder: Path) -> Iterable[tuple[int, str]]:
    from fontTools import subset, ttLib

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    paths = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    for weight, pattern in source.files.items():
        found = sorted(path for path in paths if fnmatch.fnmatch(path.name, pattern))
        if not found:
            raise InputError(f"{source.package}: no file {pattern}", why="the package changed", remedy="edit fonts.py")
        font = ttLib.TTFont(found[0])
        options = subset.Options(layout_features=[], name_IDs=[0, 1, 2, 13, 14], glyph_names=False, hinting=True)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=_UNICODES)
        subsetter.subset(font)
        font.flavor = None
        name = f"{source.family.replace(' ', '')}-{weight}{'.otf' if 'CFF ' in font else '.ttf'}"
        font.save(folder / name)
        yield weight, name


def build_icons(out: Path, work: Path) -> list[dict[str, object]]:
    """Rasterise every concept in every set and style into ``out/icons.npz``; return the table."""
    masks: list[np.ndarray] = []
    known: dict[bytes, int] = {}
    table: list[dict[str, object]] = []
    for source in icon_sources():
        root = _npm(source.package, work)
        styles: dict[str, dict[str, list[int]]] = {}
        for style, pattern in source.styles.items():
            files = _index_files(root, pattern)
            drawn: dict[str, list[int]] = {}
            for name, concept in concepts().items():
                rows: list[int] = []
                for stem in set_stems(concept, source.name):
                    path = files.get(stem)
                    mask = None if path is None or len(rows) == 2 else rasterise(path)
                    if mask is None:
                        continue
                    key = mask.tobytes()
                    if key not in known:
                        known[key] = len(masks)
                        masks.append(mask)
                    if known[key] not in rows:
                        rows.append(known[key])
                if rows:
                    drawn[name] = rows
            styles[style] = drawn
        entry = {"name": source.name, "package": source.package, "licence": source.licence}
        table.append({**entry, "split": icon_split(source.name), "styles": styles})
    np.savez_compressed(out / "icons.npz", masks=np.stack(masks))
    return table


def _index_files(root: Path, pattern: str) -> dict[str, Path]:
    """Map normalised stems (hyphens only) to files matching ``pattern``."""
    head, _, tail = Path(pattern).name.partition("{}")
    files: dict[str, Path] = {}
    for path in sorted(root.glob(pattern.replace("{}", "*"))):
        stem = path.name[len(head) : len(path.name) - len(tail)]
        stem = stem.replace("_", "-").replace("--", "-").removeprefix("ic-fluent-")
        files.setdefault(stem, path)
    return files


def rasterise(path: Path) -> np.ndarray | None:
    """Draw an SVG as a uint8 alpha mask ``(ICON_PX, ICON_PX)``, or ``None`` when it says nothing.

    A mask that is almost empty or almost full is refused: it would be a blank or a solid block.
    """
    # skia reads from these bytes without holding them: they must outlive the stream
    data = path.read_bytes().replace(b"currentColor", b"#000000")
    stream = skia.MemoryStream(data)
    dom = skia.SVGDOM.MakeFromStream(stream)
    if dom is None:
        return None
    size = dom.containerSize()
    if size.width() < 8 or size.height() < 8:
        dom.setContainerSize(skia.Size(ICON_PX, ICON_PX))
        size = skia.Size(ICON_PX, ICON_PX)
    pixels = np.zeros((ICON_PX, ICON_PX, 4), np.uint8)
    surface = skia.Surface(pixels)
    with surface as canvas:
        canvas.scale(ICON_PX / size.width(), ICON_PX / size.height())
        dom.render(canvas)
    mask = pixels[..., 3].copy()
    covered = float((mask > 127).mean())
    return mask if 0.004 < covered < 0.9 else None


def _build_words(out: Path, work: Path) -> int:
    root = _debian(_WORDS_PACKAGE, work)
    text = (root / "usr/share/dict/american-english-small").read_text(encoding="utf-8")
    words = [word for word in text.split() if word.isalpha() and word.isascii() and 2 < len(word) < 13]
    (out / "words.txt").write_text("\n".join(words) + "\n")
    return len(words)


def _debian(package: str, work: Path) -> Path:
    folder = work / package
    folder.mkdir(parents=True)
    _command(["apt-get", "download", package], folder)
    (archive,) = folder.glob("*.deb")
    _command(["dpkg", "-x", archive.name, "x"], folder)
    return folder / "x"


def _npm(package: str, work: Path) -> Path:
    folder = work / "npm" / package.replace("/", "-").removeprefix("@")
    folder.mkdir(parents=True)
    _command(["npm", "pack", "--silent", package], folder)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "package"


def _command(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = (done.stderr or done.stdout).strip().splitlines()
        raise DownloadError(
            f"cannot run {' '.join(command)}",
            why=why[-1] if why else f"exit code {done.returncode}",
            remedy="check the network and the package sources (apt-get update)",
        )
