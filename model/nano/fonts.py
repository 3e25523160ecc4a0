"""Font families: where each comes from, and faces that draw, measure and know where glyphs stand."""

from dataclasses import dataclass
from typing import Literal

import skia

FontKind = Literal["sans", "serif", "mono"]


@dataclass(frozen=True, slots=True)
class FontSource:
    """A family, the package it comes from, its files by weight (globs), and its licence."""

    family: str
    kind: FontKind
    package: str
    files: dict[int, str]
    licence: str


def _family(family: str, kind: FontKind, package: str, licence: str, stem: str, **weights: str) -> FontSource:
    files = {400: stem + (weights.get("regular", "-Regular.*tf"))}
    for name, weight in (("medium", 500), ("semibold", 600), ("bold", 700)):
        if name in weights:
            files[weight] = stem + weights[name]
    return FontSource(family, kind, package, files, licence)


def _web(family: str, kind: FontKind, package: str, licence: str = "OFL-1.1") -> FontSource:
    name = package.rpartition("/")[2]
    return FontSource(family, kind, package, {w: f"{name}-latin-{w}-normal.woff2" for w in (400, 500, 700)}, licence)


def font_sources() -> tuple[FontSource, ...]:
    """List every family of the bank: Debian packages, and ``@fontsource`` packages from npm."""
    bold, medium, semi = "-Bold.*tf", "-Medium.*tf", "-SemiBold.*tf"
    return (
        _family("DejaVu Sans", "sans", "fonts-dejavu-core", "Bitstream Vera", "DejaVuSans", regular=".ttf", bold=bold),
        _family("DejaVu Serif", "serif", "fonts-dejavu-core", "Bitstream Vera", "DejaVuSerif", regular=".ttf"),
        _family("DejaVu Sans Mono", "mono", "fonts-dejavu-core", "Bitstream Vera", "DejaVuSansMono", regular=".ttf"),
        _family("Liberation Sans", "sans", "fonts-liberation2", "OFL-1.1", "LiberationSans", bold=bold),
        _family("Liberation Serif", "serif", "fonts-liberation2", "OFL-1.1", "LiberationSerif", bold=bold),
        _family("Liberation Mono", "mono", "fonts-liberation2", "OFL-1.1", "LiberationMono", bold=bold),
        _family("Noto Sans", "sans", "fonts-noto-core", "OFL-1.1", "NotoSans", bold=bold),
        _family("Noto Serif", "serif", "fonts-noto-core", "OFL-1.1", "NotoSerif", bold=bold),
        _family("Noto Mono", "mono", "fonts-noto-mono", "OFL-1.1", "NotoMono"),
        _family("Roboto", "sans", "fonts-roboto-unhinted", "Apache-2.0", "Roboto", medium=medium, bold=bold),
        _family("Open Sans", "sans", "fonts-open-sans", "Apache-2.0", "OpenSans", bold=bold),
        _family("Lato", "sans", "fonts-lato", "OFL-1.1", "Lato", medium=medium, bold=bold),
        _family("Cantarell", "sans", "fonts-cantarell", "OFL-1.1", "Cantarell", bold=bold),
        _family("Inter", "sans", "fonts-inter", "OFL-1.1", "Inter", medium=medium, semibold=semi, bold=bold),
        _family("Fira Code", "mono", "fonts-firacode", "OFL-1.1", "FiraCode", bold=bold),
        _family("Hack", "mono", "fonts-hack", "MIT", "Hack", bold=bold),
        _family("JetBrains Mono", "mono", "fonts-jetbrains-mono", "OFL-1.1", "JetBrainsMono", bold=bold),
        _family("Quicksand", "sans", "fonts-quicksand", "OFL-1.1", "Quicksand", medium=medium, bold=bold),
        _family("Arimo", "sans", "fonts-croscore", "Apache-2.0", "Arimo", bold=bold),
        _family("Tinos", "serif", "fonts-croscore", "Apache-2.0", "Tinos", bold=bold),
        _family("Cousine", "mono", "fonts-croscore", "Apache-2.0", "Cousine"),
        _family(
            "FreeSans",
            "sans",
            "fonts-freefont-ttf",
            "GPL-3 font exception",
            "FreeSans",
            regular=".ttf",
            bold="Bold.ttf",
        ),
        _family("FreeSerif", "serif", "fonts-freefont-ttf", "GPL-3 font exception", "FreeSerif", regular=".ttf"),
        _family("Carlito", "sans", "fonts-crosextra-carlito", "OFL-1.1", "Carlito", bold=bold),
        _family("Cabin", "sans", "fonts-cabin", "OFL-1.1", "Cabin", medium=medium, bold=bold),
        _family("Comfortaa", "sans", "fonts-comfortaa", "OFL-1.1", "Comfortaa", bold=bold),
        _family("mononoki", "mono", "fonts-mononoki", "OFL-1.1", "mononoki", bold=bold),
        _family("Play", "sans", "fonts-play", "OFL-1.1", "Play", bold=bold),
        _family("B612", "sans", "fonts-b612", "OFL-1.1", "B612", bold=bold),
        _family("Inconsolata", "mono", "fonts-inconsolata", "OFL-1.1", "Inconsolata", regular=".otf"),
        _family("Andika", "sans", "fonts-sil-andika", "OFL-1.1", "Andika", bold=bold),
        _family(
            "TeX Gyre Heros", "sans", "fonts-texgyre", "GUST", "texgyreheros", regular="-regular.otf", bold="-bold.otf"
        ),
        _family("TeX Gyre Adventor", "sans", "fonts-texgyre", "GUST", "texgyreadventor", regular="-regular.otf"),
        _family("Clear Sans", "sans", "fonts-clear-sans", "Apache-2.0", "ClearSans", medium=medium, bold=bold),
        _family("Karla", "sans", "fonts-karla", "OFL-1.1", "Karla", medium=medium, bold=bold),
        _family("Manrope", "sans", "fonts-manrope", "OFL-1.1", "Manrope", medium=medium, bold=bold),
        _family("Dosis", "sans", "fonts-dosis", "OFL-1.1", "Dosis", regular="-Book.*tf", medium=medium, bold=bold),
        _family("EB Garamond", "serif", "fonts-ebgaramond", "OFL-1.1", "EBGaramond12", bold=bold),
        _family("Linux Biolinum", "sans", "fonts-linuxlibertine", "OFL-1.1", "LinBiolinum_R", regular=".otf"),
        _family("Comic Neue", "sans", "fonts-comic-neue", "OFL-1.1", "ComicNeue", bold=bold),
        _web("IBM Plex Sans", "sans", "@fontsource/ibm-plex-sans"),
        _web("Source Sans", "sans", "@fontsource/source-sans-3"),
        _web("Fira Sans", "sans", "@fontsource/fira-sans"),
        _web("Poppins", "sans", "@fontsource/poppins"),
        _web("Nunito", "sans", "@fontsource/nunito"),
        _web("Montserrat", "sans", "@fontsource/montserrat"),
    )


_EM = 256.0

Glyph = tuple[float, float, float, bool]
"""Advance, ink centre x and y from the pen position (pixels, y down), and whether anything is drawn."""


class Outline:
    """A typeface's characters measured once, in parts of the em, without hinting."""

    __slots__ = ("_font", "_glyphs", "typeface")

    def __init__(self, typeface: skia.Typeface) -> None:
        self.typeface = typeface
        self._font = skia.Font(typeface, _EM)
        self._font.setHinting(skia.FontHinting.kNone)
        self._font.setLinearMetrics(True)
        self._glyphs: dict[str, Glyph] = {}

    def glyph(self, char: str) -> Glyph:
        """Measure a character, all lengths in ems."""
        known = self._glyphs.get(char)
        if known is None:
            glyphs = self._font.textToGlyphs(char)
            box = self._font.getBounds(glyphs)[0]
            centre = (box.left() + box.right()) / 2 / _EM, (box.top() + box.bottom()) / 2 / _EM
            known = (self._font.getWidths(glyphs)[0] / _EM, *centre, bool(glyphs[0]) and not char.isspace())
            self._glyphs[char] = known
        return known


class Face:
    """A font at one size and rendering, with measured characters kept.

    ``size_px`` is the em size. Heights are above the baseline, positive.
    """

    __slots__ = (
        "_outline",
        "ascent_px",
        "cap_px",
        "descent_px",
        "family",
        "font",
        "glyphs",
        "size_px",
        "subpixel",
        "x_height_px",
    )

    def __init__(self, family: str, font: skia.Font, outline: Outline) -> None:
        self.family = family
        self.font = font
        self.subpixel: bool = font.isSubpixel()
        self._outline = outline
        self.size_px: float = font.getSize()
        metrics = font.getMetrics()
        self.ascent_px = -float(metrics.fAscent)
        self.descent_px = float(metrics.fDescent)
        self.cap_px = float(metrics.fCapHeight) or self.size_px * 0.7
        self.x_height_px = float(metrics.fXHeight) or self.size_px * 0.5
        self.glyphs: dict[str, Glyph] = {}

    def measure(self, text: str) -> list[Glyph]:
        """Measure each character of ``text``."""
        known = self.glyphs
        missing = [char for char in dict.fromkeys(text) if char not in known]
        if missing:
            em, shapes = self.size_px, [self._outline.glyph(char) for char in missing]
            if self.subpixel:
                advances = [shape[0] * em for shape in shapes]
            else:
                advances = self.font.getWidths(self.font.textToGlyphs("".join(missing)))
            for char, advance, (_, x, y, drawable) in zip(missing, advances, shapes, strict=True):
                known[char] = (advance, x * em, y * em, drawable)
        return [known[char] for char in text]

    def advance(self, char: str) -> float:
        """Measure the advance of one character in pixels."""
        return self.measure(char)[0][0]

    def width(self, text: str, spacing_px: float = 0.0) -> float:
        """Measure the advance of ``text`` in pixels."""
        return sum([glyph[0] for glyph in self.measure(text)]) + spacing_px * len(text)

    def fits(self, text: str, width_px: float) -> int:
        """Count the leading characters of ``text`` that fit into ``width_px``."""
        room = width_px
        for count, glyph in enumerate(self.measure(text)):
            room -= glyph[0]
            if room < 0:
                return count
        return len(text)
