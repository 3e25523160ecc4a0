"""Draw where something was found, for a person to see."""

from PIL import Image, ImageDraw

from agent.locate import Location

_RING = (230, 30, 80)
_HALO = (255, 255, 255)
_WINDOW = (60, 130, 240)


def annotate(image: Image.Image, location: Location) -> Image.Image:
    """Return a copy of the picture with the found point ringed and the zoomed windows framed."""
    marked = image.convert("RGB")
    draw = ImageDraw.Draw(marked)
    unit = max(1, round(min(marked.size) / 400))
    for look in location.looks[1:]:
        window = look.window
        draw.rectangle((window.left, window.top, window.right - 1, window.bottom - 1), outline=_WINDOW, width=unit)
    if location.point_px is None:
        return marked
    x, y = location.point_px
    for radius, colour, width in ((12, _HALO, 4), (12, _RING, 2), (2, _RING, 2)):
        reach = radius * unit
        draw.ellipse((x - reach, y - reach, x + reach, y + reach), outline=colour, width=width * unit)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        near, far = 12 * unit, 20 * unit
        draw.line((x + dx * near, y + dy * near, x + dx * far, y + dy * far), fill=_RING, width=2 * unit)
    return marked
