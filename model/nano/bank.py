"""The bank: fonts, icon masks and words in one folder, opened once in each worker process."""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import skia

from model.errors import InputError
from model.nano.fonts import Face, Outline
from model.nano.split import Split, font_split, icon_split

DEFAULT_BANK = Path("build/nano/bank")

_EDGING = {"grey": skia.Font.Edging.kAntiAlias, "lcd": skia.Font.Edging.kSubpixelAntiAlias}
_HINTING = (skia.FontHinting.kNone, skia.FontHinting.kSlight, skia.FontHinting.kNormal)
_FACES_KEPT = 600


@dataclass(frozen=True, slots=True)
class TextStyle:
    """How a screen draws its text: ``edging`` is grey or lcd, ``hinting`` 0 (none) to 2 (full)."""

    edging: str = "grey"
    hinting: int = 1
    subpixel: bool = True


@dataclass(frozen=True, slots=True)
class IconStyle:
    """One style of one icon set: concept name to rows of the mask table."""

    icon_set: str
    style: str
    rows: dict[str, list[int]]


class Bank:
    """Fonts, icons and words from ``folder``; pickles as its path and reopens where it lands.

    Raises `InputError` when the folder holds no bank.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            table = json.loads((folder / "bank.json").read_text())
            self._masks: np.ndarray = np.load(folder / "icons.npz")["masks"]
            self.words: list[str] = (folder / "words.txt").read_text().split()
        except OSError as error:
            raise InputError(
                f"no bank in {folder}",
                why=str(error),
                remedy=f"build it: python -m model.nano.bank build --out {folder}",
            ) from error
        self.kinds: dict[str, str] = {font["family"]: font["kind"] for font in table["fonts"]}
        self._files: dict[str, dict[int, str]] = {
            font["family"]: {int(weight): name for weight, name in font["files"].items()} for font in table["fonts"]
        }
        self.icon_styles = tuple(
            IconStyle(entry["name"], style, rows)
            for entry in table["icons"]
            for style, rows in entry["styles"].items()
            if len(rows) >= 40
        )
        self._outlines: dict[str, Outline] = {}
        self._faces: dict[tuple[str, int, float, TextStyle], Face] = {}
        self._images: dict[int, skia.Image] = {}
        self._pool = np.zeros(0, np.uint8)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Path]]:
        return Bank, (self.folder,)

    def families(self, split: Split, kind: str) -> list[str]:
        """List the families of a kind that ``split`` may draw with."""
        return [family for family, own in self.kinds.items() if own == kind and font_split(family) == split]

    def icon_choices(self, split: Split) -> list[IconStyle]:
        """List the icon styles that ``split`` may draw with."""
        return [style for style in self.icon_styles if icon_split(style.icon_set) == split]

    def face(self, family: str, weight: int, size_px: float, style: TextStyle) -> Face:
        """Open a family at the nearest weight it has and a size rounded to a quarter pixel."""
        size_px = max(round(size_px * 4) / 4, 4.0)
        key = (family, weight, size_px, style)
        face = self._faces.get(key)
        if face is None:
            files = self._files[family]
            name = files[min(files, key=lambda own: abs(own - weight))]
            outline = self._outlines.get(name)
            if outline is None:
                outline = Outline(skia.Typeface.MakeFromFile(str(self.folder / "fonts" / name)))
                self._outlines[name] = outline
            font = skia.Font(outline.typeface, size_px)
            # advances that grow with the size need no measuring at each size
            font.setLinearMetrics(style.subpixel)
            font.setEdging(_EDGING[style.edging])
            font.setHinting(_HINTING[style.hinting])
            font.setSubpixel(style.subpixel)
            if len(self._faces) > _FACES_KEPT:
                self._faces.clear()
            face = self._faces[key] = Face(family, font, outline)
        return face

    def icon_image(self, row: int) -> skia.Image:
        """Give a stored mask as an alpha-only image, to be drawn in any colour."""
        image = self._images.get(row)
        if image is None:
            mask = self._masks[row]
            info = skia.ImageInfo.MakeA8(mask.shape[1], mask.shape[0])
            # skia keeps no hold of copied data; these bytes live as long as the bank does
            flat = skia.Image.MakeRasterData(info, skia.Data.MakeWithoutCopy(mask), mask.shape[1])
            image = flat.withDefaultMipmaps()
            self._images[row] = image
        return image

    def icon_row(self, style: IconStyle, concept: str, rng: Random) -> int | None:
        """Choose a drawing of ``concept`` in ``style``, or ``None`` when the set has none."""
        rows = style.rows.get(concept)
        return None if not rows else rows[0] if rng.random() < 0.8 else rng.choice(rows)

    def surface(self, width_px: int, height_px: int, *, lcd: bool) -> tuple[np.ndarray, skia.Surface]:
        """Make an RGBA surface over reused memory, and the uint8 array of it; the last one becomes invalid."""
        size = width_px * height_px * 4
        if self._pool.size < size:
            self._pool = np.zeros(size, np.uint8)
        pixels = self._pool[:size].reshape(height_px, width_px, 4)
        info = skia.ImageInfo.Make(width_px, height_px, skia.kRGBA_8888_ColorType, skia.kPremul_AlphaType)
        geometry = skia.PixelGeometry.kRGB_H_PixelGeometry if lcd else skia.PixelGeometry.kUnknown_PixelGeometry
        surface = skia.Surface.MakeRasterDirect(info, pixels, width_px * 4, skia.SurfaceProps(0, geometry))
        return pixels, surface


def main() -> None:
    """Build a bank, or say what is in one."""
    parser = argparse.ArgumentParser(prog="python -m model.nano.bank", description=__doc__)
    parser.add_argument("command", choices=["build", "show"])
    parser.add_argument("--out", type=Path, default=DEFAULT_BANK, help="the bank's folder")
    arguments = parser.parse_args()
    if arguments.command == "build":
        from model.nano.bank_build import build

        print(json.dumps(build(arguments.out)))
        return
    bank = Bank(arguments.out)
    for split in ("train", "test"):
        styles = [f"{style.icon_set}/{style.style} ({len(style.rows)})" for style in bank.icon_choices(split)]
        fonts = [family for kind in ("sans", "serif", "mono") for family in bank.families(split, kind)]
        print(f"{split}: {len(fonts)} families: {', '.join(fonts)}\n{split}: icons: {', '.join(styles)}")


if __name__ == "__main__":
    main()
