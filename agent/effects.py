"""What an action did: let the screen settle, compare it with before, and notice a run that goes in circles."""

from dataclasses import dataclass

from agent.episode import Verdict
from agent.guards import Alarm, Guards
from agent.hands.gate import HandAction
from agent.settle import Settled
from agent.types import Click, Frame, Move, Rect
from agent.verify import verify


@dataclass(frozen=True, slots=True)
class Effect:
    """The screen after an action, the verdict on it, and what the guards say."""

    settled: Settled
    verdict: Verdict
    alarm: Alarm | None


def effect_of(
    action: HandAction,
    target_px: Rect | None,
    before: Frame,
    settled: Settled,
    guards: Guards | None,
) -> Effect:
    """Judge a settled screen. ``target_px`` is what the action was bound to."""
    # Text runs on from where the field was clicked, and a drag or a wheel has points of its own.
    aimed = target_px if isinstance(action, Click | Move) else None
    verdict = verify(before, settled, action, aimed)
    alarm = guards.watch(action, before, verdict, settled.moving_px) if guards else None
    return Effect(settled, verdict, alarm)
