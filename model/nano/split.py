"""What is held out of training: nothing named here may be drawn on a training screen."""

from typing import Literal

Split = Literal["train", "test"]

TEST_FONTS = frozenset(
    {
        "Noto Sans",
        "Noto Serif",
        "Cantarell",
        "Fira Sans",
        "Fira Code",
        "IBM Plex Sans",
        "Karla",
    }
)
"""Font families seen only in evaluation."""

TEST_ICON_SETS = frozenset({"phosphor", "carbon"})
"""Icon sets seen only in evaluation."""

TRAIN_THEMES = (
    "classic",
    "flat",
    "outline",
    "material",
    "fluent",
    "mac",
    "gnome",
    "web",
    "pill",
    "terminal",
    "contrast",
)
TEST_THEMES = ("paper", "glass", "toolkit")
"""Theme families (see `model.nano.themes`) seen only in evaluation."""

TRAIN_FRAMEWORKS = (
    "bootstrap",
    "bulma",
    "pico",
    "milligram",
    "spectre",
    "fomantic",
    "pure",
    "water",
    "simple",
    "plain",
    "bare",
)
TEST_FRAMEWORKS = ("materialize", "foundation", "uikit")
"""CSS frameworks of real pages; a framework not named on either side is not used."""

TRAIN_QT_STYLES = ("Fusion",)
TEST_QT_STYLES = ("Windows",)

TRAIN_APPLICATIONS = (
    "pluma",
    "xarchiver",
    "transmission",
    "l3afpad",
    "xfce4-settings",
    "gtk3-examples",
    "dconf-editor",
    "speedcrunch",
    "qpdfview",
    "meld",
)
TEST_APPLICATIONS = (
    "galculator",
    "mousepad",
    "zenity",
    "thunar",
    "featherpad",
    "gucharmap",
    "atril",
    "qalculate-gtk",
    "geany",
)
"""Debian applications whose windows are read by AT-SPI."""


def font_split(family: str) -> Split:
    """Say on which side a font family stands."""
    return "test" if family in TEST_FONTS else "train"


def icon_split(icon_set: str) -> Split:
    """Say on which side an icon set stands."""
    return "test" if icon_set in TEST_ICON_SETS else "train"


def themes(split: Split) -> tuple[str, ...]:
    """List the theme families a split may draw with; the test split draws only held-out ones."""
    return TEST_THEMES if split == "test" else TRAIN_THEMES
