"""Pictures of single answers: the screen reduced, a close-up in native pixels, target and point drawn over both."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from PIL import Image

from agent.batch_pictures import OpenImage, Source
from agent.batch_report_charts import escape
from agent.coords import crop_around
from agent.datasets.item import Box, Polygon, Target
from agent.types import Rect
from model.errors import InputError

T = TypeVar("T")
_WHOLE_PX, _CLOSE_PX = 560, (420, 240)
_QUALITY = 72


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture to show. ``points`` are relative to it, each with the number of its run, 1 or 2."""

    image: Source
    title: str
    note: str
    target: Target | None
    points: tuple[tuple[float, float, int], ...]


def spread(values: Sequence[T], most: int) -> list[T]:
    """Take ``most`` values at even distances, so that no single program's come alone."""
    if len(values) <= most:
        return list(values)
    return [values[index * len(values) // most] for index in range(most)]


def gallery(title: str, shots: Iterable[Shot], total: int, open_image: OpenImage) -> str:
    """Draw a gallery; a picture that cannot be opened is named without one."""
    cards = [_card(shot, open_image) for shot in shots]
    if not cards:
        return ""
    counted = f"{len(cards)} of {total}" if total > len(cards) else str(total)
    return f'<h2>{escape(title)} <small>{counted}</small></h2><div class="gallery">{"".join(cards)}</div>'


def _card(shot: Shot, open_image: OpenImage) -> str:
    words = f"<h3>{escape(shot.title)}</h3><p class=note>{escape(shot.note)}</p>"
    try:
        image = open_image(shot.image)
    except InputError as error:
        return f'<article class="card">{words}<p class=note>{escape(str(error))}</p></article>'
    whole = Rect(0, 0, image.width, image.height)
    pictures = _picture(image, whole, shot, _WHOLE_PX, "the whole picture")
    at = _focus(shot, image.width, image.height)
    if at is not None and image.width > _CLOSE_PX[0]:
        window = crop_around(*at, whole, *_CLOSE_PX)
        pictures += _picture(image, window, shot, _CLOSE_PX[0], "a close-up of the target")
    return f'<article class="card">{pictures}{words}</article>'


def _focus(shot: Shot, width: int, height: int) -> tuple[float, float] | None:
    if isinstance(shot.target, Box | Polygon):
        left, top, right, bottom = _bounds(shot.target)
        x, y = (left + right) / 2 / width, (top + bottom) / 2 / height
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
    return shot.points[0][:2] if shot.points else None


def _bounds(target: Box | Polygon) -> tuple[float, float, float, float]:
    if isinstance(target, Box):
        return target.left, target.top, target.right, target.bottom
    xs, ys = [x for x, _ in target.corners], [y for _, y in target.corners]
    return min(xs), min(ys), max(xs), max(ys)


def _picture(image: Image.Image, window: Rect, shot: Shot, width_px: int, said: str) -> str:
    scale = min(1.0, width_px / window.width)
    size = (max(1, round(window.width * scale)), max(1, round(window.height * scale)))
    part = image.crop((window.left, window.top, window.right, window.bottom))
    packed = io.BytesIO()
    part.resize(size, Image.Resampling.LANCZOS).save(packed, "WEBP", quality=_QUALITY)
    data = base64.b64encode(packed.getvalue()).decode()
    return (
        f'<figure><img alt="{said}" src="data:image/webp;base64,{data}" width="{size[0]}" height="{size[1]}">'
        f'<svg viewBox="{window.left} {window.top} {window.width} {window.height}" aria-hidden="true" '
        f'preserveAspectRatio="none">{_marks(image, shot, window.width / _WHOLE_PX)}</svg></figure>'
    )


def _marks(image: Image.Image, shot: Shot, unit: float) -> str:
    parts: list[str] = []
    if isinstance(shot.target, Box):
        box = shot.target
        area = f'width="{box.right - box.left:g}" height="{box.bottom - box.top:g}"'
        parts.append(f'<rect class="target" x="{box.left:g}" y="{box.top:g}" {area}/>')
        if max(box.right - box.left, box.bottom - box.top) < 10 * unit:
            middle = f'cx="{(box.left + box.right) / 2:g}" cy="{(box.top + box.bottom) / 2:g}"'
            parts.append(f'<circle class="target" {middle} r="{14 * unit:g}"/>')
    elif isinstance(shot.target, Polygon):
        corners = " ".join(f"{x:g},{y:g}" for x, y in shot.target.corners)
        parts.append(f'<polygon class="target" points="{corners}"/>')
    for x, y, run in shot.points:
        middle = f'cx="{x * image.width:.2f}" cy="{y * image.height:.2f}"'
        for kind, radius in (("halo", 7), (f"run{run}", 7), (f"dot{run}", 1.5)):
            parts.append(f'<circle class="{kind}" {middle} r="{radius * unit:g}"/>')
    return "".join(parts)
