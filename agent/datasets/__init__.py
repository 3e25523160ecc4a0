"""Readers of the field's grounding sets, from local folders in their published layouts."""

from collections.abc import Callable
from pathlib import Path

from agent.datasets.item import Box, Dataset, Item, Polygon, Problem, Refusal, Target
from agent.datasets.osworld_g import read_osworld_g, read_osworld_g_refined
from agent.datasets.screenspot import read_screenspot, read_screenspot_v2
from agent.datasets.screenspot_pro import read_screenspot_pro
from model.errors import InputError

__all__ = ["DATASETS", "Box", "Dataset", "Item", "Polygon", "Problem", "Refusal", "Target", "read_dataset"]

DATASETS: dict[str, Callable[[Path, Path | None], Dataset]] = {
    "screenspot": read_screenspot,
    "screenspot-v2": read_screenspot_v2,
    "screenspot-pro": read_screenspot_pro,
    "osworld-g": read_osworld_g,
    "osworld-g-refined": read_osworld_g_refined,
}


def read_dataset(name: str, folder: Path, images: Path | None = None) -> Dataset:
    """Read the annotations of a published set; rows that cannot be used become its ``problems``.

    ``images`` is the folder of pictures when it is not where the published layout has it; pictures are not
    opened here. Raises `InputError` for an unknown name and for a folder without the set's files.
    """
    if name not in DATASETS:
        raise InputError(f"{name!r} is no dataset known here", remedy=f"use one of {', '.join(DATASETS)}")
    return DATASETS[name](folder, images)
