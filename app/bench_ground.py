"""What finding one element costs, end to end, with every look that the product takes."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from PIL import Image

from agent.locate import LocateOptions, locate
from app.samples import sample
from model.engine import Engine

SCREENS_PX = {"1280x800": (1280, 800), "1920x1080": (1920, 1080), "3840x2160": (3840, 2160)}


@dataclass(frozen=True, slots=True)
class GroundFigures:
    """One screen size: looks taken, wall-clock milliseconds, memory of the whole process."""

    screen: str
    looks: int
    found: bool
    median_ms: float
    max_ms: float
    resident_bytes: int


def bench_ground(
    engine: Engine, *, runs: int = 5, notice: Callable[[str], None] = lambda _text: None
) -> list[GroundFigures]:
    """Locate one button on the shipped sample, enlarged to each size; caches are emptied before each run."""
    options = LocateOptions.of(engine.info)
    path, targets = sample()
    picture = Image.open(path).convert("RGB")
    figures: list[GroundFigures] = []
    for screen, size_px in SCREENS_PX.items():
        image = picture.resize(size_px, Image.Resampling.BICUBIC)
        times_ms: list[float] = []
        looks, found = 0, False
        for run in range(runs + 1):
            engine.clear_caches()
            location = locate(engine, image, targets[0].instruction, options)
            looks, found = len(location.looks), location.found
            if run:
                times_ms.append(location.ms)
        notice(f"{screen}: {statistics.median(times_ms):.0f} ms")
        figures.append(
            GroundFigures(
                screen=screen,
                looks=looks,
                found=found,
                median_ms=round(statistics.median(times_ms), 1),
                max_ms=round(max(times_ms), 1),
                resident_bytes=psutil.Process().memory_info().rss,
            )
        )
    return figures
