"""A small run in words of `agent.episode`, for tests of what records and shows runs."""

import numpy as np

from agent.episode import (
    Acted,
    Ended,
    Event,
    Gated,
    Located,
    Observed,
    Outcome,
    Plan,
    Planned,
    Proposal,
    Verdict,
    Verified,
    WindowInfo,
)
from agent.hands.gate import HandAction
from agent.locate import Location, Look
from agent.types import Click, Done, Frame, Monitor, Point, Rect, Target, TypeText, Unreadable
from model.grounding import Found
from model.grounding import Unreadable as UnreadableAnswer

SCREEN = Rect(-40, 0, 280, 200)
MONITORS = (Monitor("1", "left", SCREEN, 1.25, True),)
FIELD = Rect(0, 100, 120, 120)
WINDOW = WindowInfo("Sign in <b>", "Browser", SCREEN)


def frame(*painted: Rect, seed: int = 0, rect: Rect = SCREEN) -> Frame:
    pixels = np.random.default_rng(seed).integers(0, 255, (rect.height, rect.width, 4), dtype=np.uint8)
    for part in painted:
        left, top = part.left - rect.left, part.top - rect.top
        pixels[top : top + part.height, left : left + part.width] = 0
    return Frame(pixels, rect, MONITORS, 1000.0 + seed, "test")


def step(number: int, before: Frame, after: Frame, action: HandAction, changed: tuple[Rect, ...] = ()) -> list[Event]:
    plan = Plan((Click(Target("Name & <field>")),), "I see a field", "Click the field", "## Code: …")
    kind = "confirmed" if changed else "no visible effect"
    proposal = Proposal(number, action, before, FIELD, "the <field>", WINDOW, ("credential",))
    looks = (Look(SCREEN, 0.5, Found(0.25, 0.5), "x", 3.0), Look(SCREEN, 1.0, UnreadableAnswer("?"), "?", 3.0))
    return [
        Observed(number, before, WINDOW, "nothing yet"),
        Planned(number, plan, 12.5),
        Located(number, "field", Location(True, (80, 100), (0.25, 0.5), looks, 6.0), Point(40, 100)),
        Gated(number, proposal, True, False, "nothing to ask about"),
        Acted(number, action, 7.0, ""),
        Verified(number, after, Verdict(kind, changed, "it changed", True, 300.0)),
    ]


def whole_run() -> list[Event]:
    first, second = frame(seed=1), frame(FIELD, seed=1)
    click, text = Click(Point(40, 110)), TypeText("Grüße, 世界 👋\n")
    return [
        *step(1, first, second, click, (FIELD,)),
        *step(2, second, second, text),
        Planned(3, Unreadable("no code"), 1.0),
        Planned(3, Plan((Done("all </script> good"),)), 1.0),
        Ended(Outcome("done", "all </script> good", 3), second),
    ]
