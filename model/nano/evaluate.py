"""Score the built-in checkpoint on held-out screens, the way the product uses it.

    python -m model.nano.evaluate
    python -m model.nano.evaluate --set pages=build/nano/pages-test --per-screen 8 --json

Each set is a corpus of screens with known boxes (`model.nano.corpus`); the shipped ones lie in
``assets/heldout``. Questions come from `model.nano.queries`, seeded, so two runs ask the same. A
point counts when it lies in the target's box. ``--bank`` adds freshly drawn screens.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from model.nano.corpus import read_corpus
from model.nano.elements import Query, Screen
from model.nano.queries import make_queries

HELD_OUT = Path(__file__).resolve().parents[2] / "assets" / "heldout"
FRESH_SIZES_PX = ((672, 448), (1024, 640), (1280, 800), (1440, 900), (1920, 1080))
SIZE_EDGES_PX = (16, 24, 40)

Pointer = Callable[[Image.Image, str], tuple[float, float] | None]
"""Finds what an instruction describes: a point in pixels of the picture, or None for "not there"."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question and what came of it."""

    set_name: str
    kind: str
    present: bool
    refused: bool
    hit: bool
    target_px: float
    screen_px: int


def judge(query: Query, point_px: tuple[float, float] | None, set_name: str, screen: Screen) -> Outcome:
    """Compare an answer with the truth. ``target_px`` is the smaller side of the box."""
    box = query.box_px
    width = screen.pixels.shape[1]
    if box is None:
        return Outcome(set_name, query.kind, False, point_px is None, point_px is None, 0.0, width)
    hit = point_px is not None and box[0] <= point_px[0] < box[2] and box[1] <= point_px[1] < box[3]
    return Outcome(set_name, query.kind, True, point_px is None, hit, min(box[2] - box[0], box[3] - box[1]), width)


def run_set(name: str, screens: Iterable[Screen], pointer: Pointer, per_screen: int, seed: int) -> Iterator[Outcome]:
    """Ask ``per_screen`` questions about each screen."""
    for number, screen in enumerate(screens):
        rng = np.random.default_rng((seed, number))
        image = Image.fromarray(screen.pixels)
        for query in make_queries(screen, rng, per_screen):
            yield judge(query, pointer(image, query.instruction), name, screen)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a share and the number of questions behind it."""

    title: str
    count: int
    right: int

    @property
    def share(self) -> float:
        """The share that was right, NaN without questions."""
        return self.right / self.count if self.count else float("nan")


def table(outcomes: list[Outcome]) -> list[Row]:
    """Summarise by set, kind, target size and screen size."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for outcome in outcomes:
        name = outcome.set_name
        if not outcome.present:
            groups[f"{name}: absent targets refused"].append(outcome.refused)
            continue
        groups[f"{name}: found"].append(outcome.hit)
        groups[f"{name}: found, {outcome.kind}"].append(outcome.hit)
        groups[f"{name}: present targets refused"].append(outcome.refused)
        groups[f"target side {_bin(outcome.target_px)}"].append(outcome.hit)
        groups[f"screen {outcome.screen_px} px wide"].append(outcome.hit)
    return [Row(title, len(values), sum(values)) for title, values in sorted(groups.items())]


def _bin(side_px: float) -> str:
    for edge in SIZE_EDGES_PX:
        if side_px < edge:
            return f"< {edge} px"
    return f">= {SIZE_EDGES_PX[-1]} px"


def engine_pointer(model: str, looks: int) -> tuple[Pointer, Callable[[], None]]:
    """Return a pointer over the real engine and the product's own zooming, and what closes it."""
    # The one place where model/nano looks at the agent: evaluation measures the product's path.
    from importlib import import_module

    from model.engine import Engine

    locating = import_module("agent.locate")
    engine = Engine.load(model)
    options = locating.LocateOptions.of(engine.info, looks)

    def point(image: Image.Image, instruction: str) -> tuple[float, float] | None:
        location = locating.locate(engine, image, instruction, options)
        if location.point_rel is None:
            return None
        return location.point_rel[0] * image.width, location.point_rel[1] * image.height

    return point, engine.close


def fresh_screens(bank_folder: Path, count: int, seed: int) -> Iterator[Screen]:
    """Draw new screens of the held-out split."""
    from model.nano.bank import Bank
    from model.nano.screens import render_screen

    bank = Bank(bank_folder)
    for number in range(count):
        size_px = FRESH_SIZES_PX[number % len(FRESH_SIZES_PX)]
        yield render_screen(seed * 1_000_003 + number, size_px, split="test", bank=bank)


def main() -> None:
    """Evaluate from the command line."""
    parser = argparse.ArgumentParser(prog="python -m model.nano.evaluate", description=__doc__)
    parser.add_argument("--model", default="builtin")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=PATH", help="a corpus (repeatable)")
    parser.add_argument("--bank", type=Path, help="also draw fresh screens from this bank")
    parser.add_argument("--fresh", type=int, default=60, help="how many fresh screens")
    parser.add_argument("--limit", type=int, default=60, help="screens a set at most")
    parser.add_argument("--per-screen", type=int, default=10)
    parser.add_argument("--looks", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    named = [entry.partition("=")[::2] for entry in args.set]
    sets = [(name, Path(path)) for name, path in named] or [(p.stem, p) for p in sorted(HELD_OUT.glob("*.zip"))]
    sources: list[tuple[str, Iterable[Screen]]] = [(name, _first(read_corpus(p), args.limit)) for name, p in sets]
    if args.bank:
        sources.append(("fresh synthetic", fresh_screens(args.bank, args.fresh, args.seed + 1)))
    pointer, close = engine_pointer(args.model, args.looks)
    outcomes: list[Outcome] = []
    try:
        for name, screens in sources:
            for outcome in run_set(name, screens, pointer, args.per_screen, args.seed):
                outcomes.append(outcome)
                sys.stderr.write(f"\r{name}: {len(outcomes)} questions ")
        sys.stderr.write("\n")
    finally:
        close()
    rows = table(outcomes)
    if args.json:
        sys.stdout.write(json.dumps([{"row": r.title, "n": r.count, "share": r.share} for r in rows], indent=1) + "\n")
    else:
        for row in rows:
            sys.stdout.write(f"{row.title:<55} {row.share:7.1%}  of {row.count}\n")


def _first(screens: Iterator[Screen], count: int) -> Iterator[Screen]:
    for _, screen in zip(range(count), screens, strict=False):
        yield screen


if __name__ == "__main__":
    main()
