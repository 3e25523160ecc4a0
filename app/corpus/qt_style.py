"""Random looks for Qt windows: style, palette, font, and now and then a style sheet."""

from dataclasses import dataclass
from random import Random

from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from model.nano.page_style import families
from model.nano.split import TEST_QT_STYLES, TRAIN_QT_STYLES, Split


@dataclass(frozen=True, slots=True)
class QtLook:
    """What all windows of one screen share."""

    style: str
    dark: bool
    family: str
    ink: QColor
    accent: QColor
    title_back: QColor
    title_ink: QColor


def apply_random_look(app: QApplication, split: Split, rng: Random) -> QtLook:
    """Give the application a random look of one side of the split."""
    style = rng.choice(TEST_QT_STYLES if split == "test" else TRAIN_QT_STYLES)
    dark = rng.random() < 0.35
    family = rng.choice(families(split))
    # The two splits draw their tints from different halves of the colour circle.
    hue = rng.randrange(180) + (180 if split == "test" else 0)
    accent = QColor.fromHsv(hue, rng.randint(110, 230), rng.randint(120, 220))
    tint = rng.choice((0, 0, 8, 20, 45))
    if dark:
        window = QColor.fromHsv(hue, tint, rng.randint(25, 70))
        base, ink = window.darker(rng.randint(105, 150)), QColor.fromHsv(hue, 8, rng.randint(205, 255))
    else:
        window = QColor.fromHsv(hue, tint, rng.randint(215, 252))
        base, ink = QColor("white"), QColor.fromHsv(hue, 30, rng.randint(0, 60))
    button = window.lighter(rng.choice((115, 130, 150))) if dark else window.darker(rng.choice((100, 104, 110)))
    app.setStyleSheet("")
    app.setStyle(QStyleFactory.create(style))
    app.setPalette(_palette(window, base, button, ink, accent))
    font = QFont(family)
    font.setPixelSize(rng.choice((11, 12, 12, 13, 13, 14, 15, 16, 18)))
    font.setHintingPreference(
        rng.choice((QFont.HintingPreference.PreferFullHinting, QFont.HintingPreference.PreferNoHinting))
    )
    app.setFont(font)
    if rng.random() < 0.35:
        app.setStyleSheet(_style_sheet(window, base, button, ink, accent, rng))
    titled = rng.choice((window, accent.darker(130), QColor("#303030"), QColor("#e6e6e6")))
    title_ink = QColor("white") if titled.lightness() < 140 else QColor("#202020")
    return QtLook(style, dark, family, ink, accent, titled, title_ink)


def _palette(window: QColor, base: QColor, button: QColor, ink: QColor, accent: QColor) -> QPalette:
    palette = QPalette(button, window)
    role = QPalette.ColorRole
    faded = QColor(
        (ink.red() + window.red()) // 2, (ink.green() + window.green()) // 2, (ink.blue() + window.blue()) // 2
    )
    for which, colour in (
        (role.Window, window),
        (role.WindowText, ink),
        (role.Base, base),
        (role.AlternateBase, window),
        (role.Text, ink),
        (role.Button, button),
        (role.ButtonText, ink),
        (role.Highlight, accent),
        (role.HighlightedText, QColor("white")),
        (role.ToolTipBase, base),
        (role.ToolTipText, ink),
        (role.PlaceholderText, faded),
        (role.Link, accent),
    ):
        palette.setColor(which, colour)
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, faded)
    return palette


def _style_sheet(window: QColor, base: QColor, button: QColor, ink: QColor, accent: QColor, rng: Random) -> str:
    """Write a flat design over the style, as many applications carry one."""
    round_px, pad_px = rng.choice((0, 2, 4, 8)), rng.choice((3, 5, 7))
    filled = rng.random() < 0.4
    back, front = (accent, "white") if filled else (button, ink.name())
    line = QColor(ink)
    line.setAlpha(90)
    edge = rng.choice(("none", f"1px solid rgba({line.red()},{line.green()},{line.blue()},90)"))
    return (
        f"QPushButton{{background:{back.name()};color:{front};border:{edge};border-radius:{round_px}px;"
        f"padding:{pad_px}px {pad_px * 3}px}}QPushButton:disabled{{color:gray}}"
        f"QLineEdit,QComboBox,QSpinBox{{background:{base.name()};color:{ink.name()};border:1px solid "
        f"rgba({line.red()},{line.green()},{line.blue()},110);border-radius:{round_px}px;padding:{pad_px}px}}"
    )
