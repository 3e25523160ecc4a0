"""The dry run: find what a runbook's steps need on the screen as it is now, and touch nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.locate import LocateOptions, locate
from agent.loop_parts import Camera
from agent.runbook.moves import Act, Seek, moves
from agent.runbook.runbook import Runbook
from agent.runbook.steps import CheckStep, Element, SecretName, TypeStep, WaitUntilStep
from agent.types import Frame, Rect
from app.ui.tasks import Cancel
from model.chat import ChatModel


@dataclass(frozen=True, slots=True)
class Sighting:
    """An element of a step: where it is on the frame, relative to it, or why it is not."""

    number: int
    words: str
    description: str
    place: tuple[float, float] | None
    reason: str


@dataclass(frozen=True, slots=True)
class Look:
    """The frame that was looked at and what was found; ``sightings`` grow one by one."""

    frame: Frame
    sightings: tuple[Sighting, ...]


def look_for(
    runbook: Runbook,
    camera: Camera,
    area_px: Rect | None,
    model: ChatModel,
    options: LocateOptions,
    cancel: Cancel,
) -> Look:
    """Look for every element once and report a `Look` after each. Raises what capture and model raise."""
    frame = camera.grab(area_px, allow_black=True)
    picture = frame.image()
    seen: dict[str, tuple[tuple[float, float] | None, str]] = {}
    sightings: list[Sighting] = []
    cancel.report(Look(frame, ()))
    for number, (words, element) in enumerate(_elements(runbook), start=1):
        if cancel.event.is_set():
            break
        if element.description not in seen:
            location = locate(model, picture, element.description, options, cancel.event)
            seen[element.description] = (location.point_rel, location.reason)
        place, reason = seen[element.description]
        sightings.append(Sighting(number, words, element.description, place, reason))
        cancel.report(Look(frame, tuple(sightings)))
    return Look(frame, tuple(sightings))


def _elements(runbook: Runbook) -> Iterator[tuple[str, Element]]:
    for instruction in runbook.instructions:
        step = instruction.step
        if isinstance(step, WaitUntilStep | CheckStep):
            yield instruction.words, step.target
            continue
        if isinstance(step, TypeStep) and isinstance(step.text, SecretName):
            # The secret itself is read only when it is typed.
            if step.into is not None:
                yield instruction.words, step.into
            continue
        for move in moves(step, runbook.secrets):
            needs = move.needs if isinstance(move, Act | Seek) else ()
            for element in (*needs, *((move.target,) if isinstance(move, Seek) else ())):
                yield instruction.words, element
