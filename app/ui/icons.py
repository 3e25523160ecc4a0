"""Icons: line drawings of ours in ``assets/icons``, tinted with a colour of the tokens when they are asked for."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from app.settings import data_folder
from app.ui.theme import Tokens

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "icons"
DEFAULT_PX = 20

_DRAWN_PROPERTY = "deskhandIcons"


def icon(name: str, tokens: Tokens, size: int = DEFAULT_PX, color: str = "text") -> QIcon:
    """Return an icon in a colour of the tokens, muted where its widget is disabled.

    ``size`` is in logical pixels. Raises FileNotFoundError for a name that is not drawn.
    """
    application = QGuiApplication.instance()
    ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    key = (name, size, getattr(tokens, color), tokens.muted, ratio)
    drawn = _drawn(application)
    if key not in drawn:
        made = QIcon()
        for mode, shade in ((QIcon.Mode.Normal, color), (QIcon.Mode.Disabled, "muted")):
            made.addPixmap(pixmap(name, getattr(tokens, shade), size), mode)
        drawn[key] = made
    return drawn[key]


class _Drawn(dict[tuple[object, ...], QIcon]):
    """The icons that were drawn already. A plain dict would be copied by the property that it is kept in."""


def _drawn(application: QObject | None) -> _Drawn:
    """Return the application's icons: a page of messages has hundreds of the same few."""
    drawn = application.property(_DRAWN_PROPERTY) if application is not None else None
    if not isinstance(drawn, _Drawn):
        drawn = _Drawn()
        if application is not None:
            application.setProperty(_DRAWN_PROPERTY, drawn)
    return drawn


def pixmap(name: str, color: str, size: int = DEFAULT_PX) -> QPixmap:
    """Draw an icon in a colour ``#rrggbb``, sharp on the densest screen there is."""
    application = QGuiApplication.instance()
    ratio = application.devicePixelRatio() if isinstance(application, QGuiApplication) else 1.0
    drawn = QPixmap(QSize(size, size) * ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(QByteArray(tinted(name, color))).render(painter, QRectF(drawn.rect()))
    painter.end()
    drawn.setDevicePixelRatio(ratio)
    return drawn


def tinted(name: str, color: str) -> bytes:
    """Return an icon's SVG in a colour."""
    return (FOLDER / f"{name}.svg").read_bytes().replace(b"currentColor", color.encode())


def tinted_file(name: str, color: str) -> str:
    """Return a file with the tinted icon, for the style sheet, which takes nothing else."""
    file = data_folder() / "cache" / "icons" / f"{name}-{color.lstrip('#')}.svg"
    drawn = tinted(name, color)
    if not file.exists() or file.read_bytes() != drawn:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(drawn)
    return file.as_posix()
