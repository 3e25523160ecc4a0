"""What a model says about a region: where something is, or an answer in words. Blocks; knows no widgets."""

from dataclasses import dataclass

from PIL import Image
from PySide6.QtGui import QImage

from agent.locate import LocateOptions, locate
from app.ui.tasks import Cancel
from model.chat import ChatModel, message


@dataclass(frozen=True, slots=True)
class Located:
    """Where something is in the region: relative to it and in its pixels; or why it is not."""

    place: tuple[float, float] | None
    point_px: tuple[int, int] | None
    reason: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of an answer."""

    text: str
    thinking: str


def find(model: ChatModel, picture: QImage, what: str, options: LocateOptions, cancel: Cancel) -> Located:
    """Return where something is in a picture. Raises what the model raises."""
    location = locate(model, image_of(picture), what, options, cancel.event)
    return Located(location.point_rel, location.point_px, location.reason)


def talk(model: ChatModel, picture: QImage, question: str, cancel: Cancel) -> str:
    """Report a `Piece` for each delta and return the whole answer. Raises what the model raises."""
    parts: list[str] = []
    for delta in model.stream([message("user", image_of(picture), question)], cancel=cancel.event):
        if delta.text or delta.thinking:
            parts.append(delta.text)
            cancel.report(Piece(delta.text, delta.thinking))
    return "".join(parts)


def image_of(picture: QImage) -> Image.Image:
    """Return the pixels as a picture that models take."""
    plain = picture.convertToFormat(QImage.Format.Format_RGB888)
    raw = bytes(plain.constBits())
    return Image.frombuffer("RGB", (plain.width(), plain.height()), raw, "raw", "RGB", plain.bytesPerLine(), 1).copy()
