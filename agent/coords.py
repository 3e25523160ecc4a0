"""The only place that converts between spaces.

A *pixel* is a physical pixel of one picture, counted from its top left corner; *relative* is 0 to 1
of one picture. What the model's resize and padding do is undone by `model.image`, so both the
model's answers and these functions speak of the picture as it was given.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in pixels of a picture; ``right`` and ``bottom`` are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top


def relative_to_pixel(x_rel: float, y_rel: float, width_px: int, height_px: int) -> tuple[int, int]:
    """Return the pixel that a relative point lies in; 1.0 belongs to the last one."""
    return min(int(x_rel * width_px), width_px - 1), min(int(y_rel * height_px), height_px - 1)


def pixel_to_relative(x_px: int, y_px: int, width_px: int, height_px: int) -> tuple[float, float]:
    """Return the relative position of a pixel's centre."""
    return (x_px + 0.5) / width_px, (y_px + 0.5) / height_px


def crop_around(x_rel: float, y_rel: float, within: Rect, width_px: int, height_px: int) -> Rect:
    """Return a window of the given size around a relative point of ``within``, moved to lie inside it."""
    width_px, height_px = min(width_px, within.width), min(height_px, within.height)
    left = round(within.left + x_rel * within.width - width_px / 2)
    top = round(within.top + y_rel * within.height - height_px / 2)
    left = min(max(left, within.left), within.right - width_px)
    top = min(max(top, within.top), within.bottom - height_px)
    return Rect(left, top, left + width_px, top + height_px)


def from_crop(x_rel: float, y_rel: float, crop: Rect, width_px: int, height_px: int) -> tuple[float, float]:
    """Turn a point relative to a crop into one relative to the whole picture."""
    return (crop.left + x_rel * crop.width) / width_px, (crop.top + y_rel * crop.height) / height_px
