"""Judge what an action visibly did, from the frames before and after it."""

from agent.changes import changed_rects
from agent.episode import Verdict, VerdictKind
from agent.hands.gate import HandAction
from agent.settle import Settled, is_caret
from agent.types import Click, Drag, Frame, Hotkey, Move, Point, Rect, Scroll

NEAR_PX = 24
"""How far from its target an effect still counts as the target's own: focus rings, menus that drop below it."""

_SILENT_HOTKEYS = ({"ctrl", "c"}, {"ctrl", "insert"}, {"ctrl", "s"})
"""Copying and saving, which often show nothing and work all the same."""


def verify(before: Frame, after: Settled, action: HandAction, target_px: Rect | None = None) -> Verdict:
    """Say what an action visibly did; ``target_px`` is what it aimed at, on the virtual desktop.

    Without a target, the points of the action count; an action without either (a key) is confirmed by
    any change. Parts that keep moving by themselves are no evidence (15 ms at 4K).
    """
    if before.rect_px != after.frame.rect_px:
        return _verdict(after, "unverifiable", (), "the layout of the monitors changed, so nothing can be compared")
    compared = after.since is before  # settling has looked at these very frames
    rects = after.changed_px if compared else changed_rects(before, after.frame, after.moving)
    areas = _areas(action, target_px)
    # A change that is shaped like a caret and has not blinked during all the patience is none: it may be an "l".
    effects = tuple(rect for rect in rects if not is_caret(rect)) or rects
    here = tuple(rect for rect in effects if any(rect.intersection(area) for area in areas))
    if here or (effects and not areas):
        only = "" if len(here) < len(effects) or not areas else ", and nowhere else"
        where = "at the target" if areas else "on the screen"
        return _verdict(after, "confirmed", rects, f"{_listed(here or effects)} changed {where}{only}")
    if effects:
        return _verdict(after, "changed elsewhere", rects, f"{_listed(effects)} changed, but nothing at the target")
    if _touch(after.moving_px, areas) or _touch(rects, areas):
        return _verdict(after, "unverifiable", rects, "nothing changed but a part at the target that moves by itself")
    if isinstance(action, Move):
        return _verdict(
            after, "unverifiable", rects, "nothing changed, and moving the pointer need not change anything"
        )
    if isinstance(action, Hotkey) and set(action.keys) in _SILENT_HOTKEYS:
        return _verdict(after, "unverifiable", rects, f"nothing changed, which {'+'.join(action.keys)} may well do")
    by_itself = " but parts that move by themselves" if rects or after.moving_px else ""
    return _verdict(after, "no visible effect", rects, f"nothing on the screen changed{by_itself}")


def _verdict(after: Settled, kind: VerdictKind, rects: tuple[Rect, ...], evidence: str) -> Verdict:
    waited = "" if after.settled else f"; the screen was still changing after {after.settle_ms / 1000:.1f} s"
    return Verdict(kind, rects, evidence + waited, after.settled, after.settle_ms)


def _areas(action: HandAction, target_px: Rect | None) -> tuple[Rect, ...]:
    if target_px is not None:
        return (_around(target_px),)
    points: tuple[Point | None, ...] = ()
    match action:
        case Click(at) | Scroll(at):
            points = (at,)
        case Drag(start, end):
            points = (start, end)
        case Move(to):
            points = (to,)
        case _:
            pass
    return tuple(_around(Rect(p.x_px, p.y_px, p.x_px + 1, p.y_px + 1)) for p in points if p is not None)


def _around(rect: Rect) -> Rect:
    return Rect(rect.left - NEAR_PX, rect.top - NEAR_PX, rect.right + NEAR_PX, rect.bottom + NEAR_PX)


def _touch(rects: tuple[Rect, ...], areas: tuple[Rect, ...]) -> bool:
    return any(rect.intersection(area) for rect in rects for area in areas)


def _listed(rects: tuple[Rect, ...]) -> str:
    shown = [f"{r.width}×{r.height} px at {r.left},{r.top}" for r in rects[:3]]
    more = f" and {len(rects) - 3} more" if len(rects) > 3 else ""
    return ", ".join(shown) + more
