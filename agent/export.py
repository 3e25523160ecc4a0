"""A recorded run in the AgentNet form (OpenCUA): one JSON line a task, its frames beside it."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.actions import write_action
from agent.coords import to_relative
from agent.episode import Acted, Ended, Observed, Outcome, Planned, Verified
from agent.hands.gate import HandAction
from agent.told import describe
from agent.trace import FRAMES_NAME, Trace
from agent.types import Action, Ask, Click, Done, Drag, Fail, Move, Rect, RelPoint, Scroll, Unreadable, Wait
from model.errors import InputError, ResourceError

TASKS_NAME = "agentnet.jsonl"
IMAGES_NAME = "images"


@dataclass(slots=True)
class _Step:
    image: str
    rect_px: Rect
    note: str
    thought: str = ""
    described: str = ""
    code: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    evidence: str = ""


def export_agentnet(trace: Trace, out: Path) -> Path:
    """Write a run into a folder as ``agentnet.jsonl`` and ``images/``, and return the JSONL file.

    A line is appended if the file is there, so that many runs make one data set. What nobody has judged
    (scores, whether a step was right) is null; a step's reflection is what it visibly did. Steps of which
    nothing was carried out are left out. Raises InputError for a trace that cannot be read, ResourceError
    when the disk does not take it.
    """
    steps, outcome = _steps(trace)
    kept = [step for step in steps if step.code]
    line = {
        "task_id": trace.folder.resolve().name,
        "instruction": trace.goal,
        "traj": [_entry(index, step, trace.folder) for index, step in enumerate(kept)],
        "task_completed": outcome is not None and outcome.kind == "done",
        "alignment_score": None,
        "efficiency_score": None,
        "task_difficulty": None,
        "natural_language_task": trace.goal,
        "actual_task": None,
        "reason": "the record breaks off" if outcome is None else outcome.message,
    }
    path = out / TASKS_NAME
    try:
        (out / IMAGES_NAME).mkdir(parents=True, exist_ok=True)
        for name in {step.image for step in kept}:
            source = trace.folder / FRAMES_NAME / f"{name}.png"
            if source.is_file():
                shutil.copyfile(source, out / IMAGES_NAME / source.name)
        with path.open("ab") as file:
            file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
    except OSError as error:
        raise ResourceError(f"{out} cannot be written", why=str(error)) from error
    return path


def _steps(trace: Trace) -> tuple[list[_Step], Outcome | None]:
    steps: list[_Step] = []
    outcome: Outcome | None = None
    for record, (_, event) in zip(trace.records, trace.events(), strict=True):
        if isinstance(event, Ended):
            outcome = event.outcome
        elif isinstance(event, Observed):
            steps.append(_Step(record["event"]["frame"]["sha256"], event.frame.rect_px, event.note))
        if not steps:
            continue
        step = steps[-1]
        match event:
            case Planned(_, plan, _) if not isinstance(plan, Unreadable):
                step.thought, step.described = plan.thought, plan.described
                closing = [action for action in plan.actions if isinstance(action, Wait | Ask | Done | Fail)]
                step.said = [write_action(action) for action in closing]
                step.told += [describe(action) for action in closing]
            case Acted(_, action, _, ""):
                step.code.append(write_action(_relative(action, event, step.rect_px)))
                step.told.append(describe(action))
            case Verified(_, _, verdict):
                step.evidence = f"{verdict.kind}: {verdict.evidence}"
            case _:
                pass
    for step in steps:
        step.code += step.said
    return steps, outcome


def _entry(index: int, step: _Step, folder: Path) -> dict[str, Any]:
    stored = (folder / FRAMES_NAME / f"{step.image}.png").is_file()
    return {
        "index": index,
        "image": f"{IMAGES_NAME}/{step.image}.png" if stored else None,
        "value": {
            "code": "\n".join(step.code),
            "observation": step.note,
            "thought": step.thought,
            "action": step.described or "; ".join(step.told),
            "last_step_correct": None,
            "last_step_redundant": None,
            "reflection": step.evidence,
        },
    }


def _relative(action: HandAction, event: Acted, rect_px: Rect) -> Action[RelPoint]:
    try:
        match action:
            case Click(at, button, count, modifiers):
                return Click(at and to_relative(at, rect_px), button, count, modifiers)
            case Move(to):
                return Move(to_relative(to, rect_px))
            case Drag(start, end, button, modifiers):
                return Drag(start and to_relative(start, rect_px), to_relative(end, rect_px), button, modifiers)
            case Scroll(at, up, right, modifiers):
                return Scroll(at and to_relative(at, rect_px), up, right, modifiers)
            case _:
                return action
    except ValueError as error:
        raise InputError(f"step {event.step} acted outside of its frame", why=str(error)) from error
