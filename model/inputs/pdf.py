"""Render the pages of a PDF document as pictures (pypdfium2)."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from model.errors import InputError
from model.inputs.decode import open_file
from model.inputs.video import MEDIA_REMEDY

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

DEFAULT_DPI = 144.0
DEFAULT_MAX_SIDE_PX = 4096

# PDFium keeps process-wide state and may not be entered by two threads at a time.
_PDFIUM = threading.Lock()


@dataclass(frozen=True, slots=True)
class PdfPage:
    """A page as an RGB picture, and its number in the document, from 1."""

    image: Image.Image
    number: int


def pdf_pages(
    path: Path,
    *,
    dpi: float = DEFAULT_DPI,
    max_side_px: int = DEFAULT_MAX_SIDE_PX,
    pages: Iterable[int] | None = None,
) -> Iterator[PdfPage]:
    """Yield the pages named by number from 1 (default: all) at ``dpi`` dots an inch.

    A page whose longer side would exceed ``max_side_px`` is rendered at fewer dots. Form fields and
    annotations are drawn. Raises `InputError`, while iterating, for what is no PDF, is broken, asks
    for a password, or lacks a page that was named.
    """
    if not 1 <= dpi <= 2400 or max_side_px < 1:
        raise InputError(
            f"{dpi:g} dpi within {max_side_px} px cannot be rendered", remedy="give 1 to 2400 dpi, 1 px or more"
        )
    with _PDFIUM:
        document = _open(path)
    try:
        for number in _numbers(path, document, pages):
            with _PDFIUM:
                image = _render(path, document, number, dpi, max_side_px)
            yield PdfPage(image, number)
    finally:
        with _PDFIUM:
            document.close()


def pdf_page_count(path: Path) -> int:
    """Return how many pages a document has; raise `InputError` as `pdf_pages` does."""
    with _PDFIUM:
        document = _open(path)
        try:
            return len(document)
        finally:
            document.close()


def _open(path: Path) -> "PdfDocument":
    try:
        import pypdfium2
    except ImportError as error:
        raise InputError("PDF files cannot be read", why="pypdfium2 is not installed", remedy=MEDIA_REMEDY) from error
    with open_file(path):
        pass
    try:
        document = pypdfium2.PdfDocument(path)
        document.init_forms()
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputError(f"{path} is protected by a password", remedy="save a copy without password") from error
        raise InputError(f"{path} is not a PDF that can be read", why=str(error), remedy="save it again") from error
    return document


def _numbers(path: Path, document: "PdfDocument", pages: Iterable[int] | None) -> list[int]:
    with _PDFIUM:
        count = len(document)
    numbers = list(range(1, count + 1)) if pages is None else list(pages)
    for number in numbers:
        if not 1 <= number <= count:
            raise InputError(f"{path} has no page {number}", why=f"it has pages 1 to {count}")
    return numbers


def _render(path: Path, document: "PdfDocument", number: int, dpi: float, max_side_px: int) -> Image.Image:
    import pypdfium2

    try:
        page = document[number - 1]
        try:
            # The renderer rounds sides up, so the largest scale stays a little below the limit.
            scale = min(dpi / 72, (max_side_px - 1e-3) / max(page.get_size()))
            bitmap = page.render(scale=scale, rev_byteorder=True)  # pyright: ignore[reportArgumentType] - a float is meant
            return bitmap.to_pil().convert("RGB")
        finally:
            page.close()
    except pypdfium2.PdfiumError as error:
        raise InputError(f"{path}: page {number} is broken", why=str(error), remedy="leave that page out") from error
