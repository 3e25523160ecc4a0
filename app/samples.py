"""The sample picture that ships with Deskhand, and what is where on it."""

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "samples"


@dataclass(frozen=True, slots=True)
class Target:
    """Something to find, and the box (x0, y0, x1, y1) in pixels that a right point lies in."""

    instruction: str
    box_px: tuple[int, int, int, int]

    def distance_px(self, x_px: float, y_px: float) -> float:
        """Return how far a point is from the box, 0 inside it."""
        x0, y0, x1, y1 = self.box_px
        dx = max(x0 - x_px, 0.0, x_px - x1 + 1)
        dy = max(y0 - y_px, 0.0, y_px - y1 + 1)
        return (dx * dx + dy * dy) ** 0.5


def sample() -> tuple[Path, list[Target]]:
    """Return the sample picture and its targets."""
    raw = json.loads((FOLDER / "settings.json").read_text(encoding="utf-8"))
    return FOLDER / raw["image"], [Target(t["instruction"], tuple(t["box_px"])) for t in raw["targets"]]
