"""Takes files and pictures in: kept by content, measured, and what the model will see of them. For workers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage

from app.store import Attachment, History
from app.translate import tr
from app.ui.tasks import Cancel

if TYPE_CHECKING:
    from PIL import Image

    from model.wire.card import ModelCard

THUMBNAIL_PX = 160

_MAX_FILE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Prepared:
    """An attachment that is kept. ``frames_px`` are the sizes of what the model gets: one picture, pages or frames."""

    attachment: Attachment
    thumbnail: QImage
    frames_px: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model makes of an attachment: the size of the first picture in its eyes, and the tokens of all."""

    first_px: tuple[int, int]
    tokens: int
    count: int

    def reduces(self, size_px: tuple[int, int]) -> bool:
        """Whether detail of a picture of this size is lost."""
        return self.first_px != size_px


def seen_by(frames_px: tuple[tuple[int, int], ...], card: "ModelCard | None") -> Seen | None:
    """Apply the family's resize rule; None for a model that does not say how many patches it takes.

    Raises `InputError` for a picture that is too long for any model of the family.
    """
    from model.image import PreprocessConfig, fit

    if card is None or card.in_token_limit is None or not frames_px:
        return None
    rule = PreprocessConfig(14, card.in_token_limit, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), pad_input=True)
    fits = [fit(size, rule) for size in frames_px]
    return Seen(fits[0].resized_px, sum(each.tokens for each in fits), len(fits))


def caption(prepared: Prepared, seen: Seen | None) -> str:
    """Say an attachment's size, what the model will see of it, and what that costs."""
    width_px, height_px = prepared.frames_px[0]
    parts = [f"{width_px}×{height_px}"]
    if seen is not None and seen.reduces((width_px, height_px)):
        parts[0] += f" → {seen.first_px[0]}×{seen.first_px[1]}"
    if prepared.attachment.kind == "pdf":
        parts.insert(0, tr("{count} pages", count=len(prepared.frames_px)))
    elif prepared.attachment.kind == "video":
        parts.insert(0, tr("{count} frames", count=len(prepared.frames_px)))
    if seen is not None:
        parts.append(tr("{count} tokens", count=f"{seen.tokens:,}"))
    return " · ".join(parts)


def take_file(history: History, path: Path, cancel: Cancel) -> Prepared:
    """Keep a copy of a picture, PDF or video; raise `InputError` when it is none or cannot be read."""
    from model.errors import InputError
    from model.media import media_kind

    kind = media_kind(path)
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise InputError(f"{path.name} is larger than 1 GiB", remedy="attach a part of it")
    sizes, first = _measured(path, kind, cancel)
    digest, size_bytes = history.files.put_file(path)
    width_px, height_px = sizes[0] if kind == "image" else (0, 0)
    attachment = Attachment(digest, path.name, kind, size_bytes, width_px, height_px)
    return Prepared(attachment, _thumbnail(first), sizes)


def take_picture(history: History, picture: "Image.Image | bytes", name: str) -> Prepared:
    """Keep a picture that is no file, losslessly."""
    import io

    from model.inputs.decode import open_image

    if isinstance(picture, bytes):
        data = picture
    else:
        out = io.BytesIO()
        # A little compression is quick; more of it takes seconds for a few percent of a 4K screen.
        picture.save(out, "PNG", compress_level=1)
        data = out.getvalue()
    opened = open_image(data)
    attachment = Attachment(history.files.put(data), name, "image", len(data), opened.width, opened.height)
    return Prepared(attachment, _thumbnail(opened), (opened.size,))


def again(history: History, attachment: Attachment, cancel: Cancel) -> Prepared:
    """Measure an attachment that is kept already, of a draft or of a message that is edited."""
    sizes, first = _measured(history.files.path(attachment.digest), attachment.kind, cancel)
    return Prepared(attachment, _thumbnail(first), sizes)


def _measured(path: Path, kind: str, cancel: Cancel) -> tuple[tuple[tuple[int, int], ...], "Image.Image"]:
    from model.errors import CancelledByCallerError, InputError
    from model.inputs.decode import open_image
    from model.media import DEFAULT_FRAMES_PER_SECOND, DEFAULT_MAX_FRAMES, DEFAULT_MAX_PAGES

    if kind == "image":
        picture = open_image(path)
        return (picture.size,), picture
    if kind == "pdf":
        from model.media import pdf_page_count, pdf_pages

        count = pdf_page_count(path)
        if count > DEFAULT_MAX_PAGES:
            raise InputError(
                f"{path.name} would be {count} pictures",
                why=f"the limit is {DEFAULT_MAX_PAGES} pages",
                remedy="attach fewer pages",
            )
        pictures = (page.image for page in pdf_pages(path))
    else:
        from model.media import sample_video

        pictures = (frame.image for frame in sample_video(path, DEFAULT_FRAMES_PER_SECOND, DEFAULT_MAX_FRAMES))
    sizes: list[tuple[int, int]] = []
    first: Image.Image | None = None
    for picture in pictures:
        if cancel.is_set:
            raise CancelledByCallerError(f"{path.name} was not attached")
        sizes.append(picture.size)
        first = first or picture
    if first is None:
        raise InputError(f"{path.name} has no pictures in it", remedy="attach another file")
    return tuple(sizes), first


def _thumbnail(picture: "Image.Image") -> QImage:
    from app.ui.widgets.picture import qimage_of

    # Twice as many pixels as are shown at scale 1, so that it is sharp at scale 2.
    small = picture.copy()
    small.thumbnail((2 * THUMBNAIL_PX, 2 * THUMBNAIL_PX))
    return qimage_of(small)


def thumbnail_of(history: History, attachment: Attachment, cancel: Cancel) -> QImage:
    """Draw a kept attachment small; an empty picture when it cannot be read any more."""
    from model.errors import ModelError

    path = history.files.path(attachment.digest)
    try:
        if attachment.kind == "image":
            from model.inputs.decode import open_image

            return _thumbnail(open_image(path))
        if attachment.kind == "pdf":
            from model.media import pdf_pages

            return _thumbnail(next(iter(pdf_pages(path, dpi=72, pages=[1]))).image)
        from model.media import sample_video

        return _thumbnail(next(iter(sample_video(path, 1.0, 1))).image)
    except (ModelError, StopIteration):
        return QImage()


def full_picture(history: History, attachment: Attachment) -> QImage:
    """Open a kept picture in its own size; raise `InputError` when it cannot be read."""
    from app.ui.widgets.picture import qimage_of
    from model.inputs.decode import open_image

    return qimage_of(open_image(history.files.path(attachment.digest)))
