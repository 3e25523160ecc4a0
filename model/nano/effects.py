"""What happens to a picture between the screen and the model: resizing, JPEG, colour shifts."""

import io
from random import Random

import numpy as np
from PIL import Image

_FILTERS = (Image.Resampling.BOX, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)


def finish(pixels: np.ndarray, size_px: tuple[int, int], rng: Random) -> np.ndarray:
    """Turn rendered RGBA pixels into the final uint8 ``(height, width, 3)`` picture of ``size_px``."""
    height, width = pixels.shape[:2]
    picture = Image.frombuffer("RGBX", (width, height), pixels, "raw", "RGBX", 0, 1)
    if (width, height) != size_px:
        picture = picture.resize(size_px, rng.choices(_FILTERS, [0.4, 0.25, 0.3, 0.05])[0])
    if rng.random() < 0.1:
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG", quality=rng.randint(45, 92), subsampling=rng.choice([0, 2]))
        picture = Image.open(buffer).convert("RGBX")
    if rng.random() < 0.12:
        contrast, shift = rng.uniform(0.8, 1.1), rng.uniform(-18, 18)
        tints = [rng.uniform(0.93, 1.03) for _ in range(3)]
        table = [
            min(max(int((value - 128) * contrast * tint + 128 + shift), 0), 255)
            for tint in tints
            for value in range(256)
        ]
        picture = picture.point([*table, *range(256)])
    elif rng.random() < 0.02:
        picture = picture.point([255 - value for value in range(256)] * 4)
    return np.frombuffer(picture.tobytes("raw", "RGB"), np.uint8).reshape(size_px[1], size_px[0], 3)
