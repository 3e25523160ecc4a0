"""What a model's coordinates count."""

from dataclasses import dataclass
from typing import Self

from agent.coords import scaled_to_relative
from agent.types import RelPoint


@dataclass(frozen=True, slots=True)
class Space:
    """Coordinates from 0 to ``width`` and ``height``: (1, 1) is relative, (1000, 1000) thousandths."""

    width: float
    height: float

    @classmethod
    def relative(cls) -> Self:
        """Kimi-VL's own: 0 to 1."""
        return cls(1, 1)

    @classmethod
    def thousandths(cls) -> Self:
        """UI-TARS 1.0, Qwen3-VL and Fara: 0 to 1000, whatever the picture's shape."""
        return cls(1000, 1000)

    @classmethod
    def pixels(cls, width_px: int, height_px: int) -> Self:
        """UI-TARS 1.5, Qwen2.5-VL, OpenAI and Anthropic: pixels of the picture as the model got it."""
        return cls(width_px, height_px)

    def point(self, x: float, y: float) -> RelPoint:
        """Return the relative point. Raises ValueError outside the picture."""
        return scaled_to_relative(x, y, self.width, self.height)
