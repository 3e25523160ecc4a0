"""Find something on the person's own screen: captured, located, and nothing clicked."""

import time
from dataclasses import dataclass

from PIL import Image

from agent.capture.screen import open_screen
from agent.locate import LocateOptions, locate
from app.ui.tasks import Cancel
from model.chat import ChatModel
from model.wire.card import ModelCard


@dataclass(frozen=True, slots=True)
class Shown:
    """The screen, and where the thing is in it; ``point_px`` in physical pixels of the virtual desktop."""

    picture: Image.Image
    point_rel: tuple[float, float] | None
    point_px: tuple[int, int] | None
    why: str
    seconds: float


def look_at_screen(cancel: Cancel, model: ChatModel, card: ModelCard | None, what: str) -> Shown:
    """Capture the whole desktop and locate ``what``; raise `CaptureError` or what the model raises."""
    with open_screen() as screen:
        frame = screen.grab()
    picture = frame.image()
    options = LocateOptions.of(card)
    started = time.monotonic()
    found = locate(model, picture, what, options, cancel.event)
    point = None
    if found.point_px is not None:
        point = (found.point_px[0] + frame.origin_px.x_px, found.point_px[1] + frame.origin_px.y_px)
    return Shown(picture, found.point_rel, point, found.reason, time.monotonic() - started)
