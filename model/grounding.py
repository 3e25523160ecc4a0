"""How Kimi-VL is asked for a point on a picture, and how its answer is read.

The family answers in Python calls with coordinates relative to the picture (0 to 1), as its agent
training data does; the prompts are the ones published with ScreenSpot-Pro and OpenCUA. Answers are
read with patterns, never executed.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from model.chat import Message, message
from model.errors import CheckpointError

Prompt = Literal["code", "bare"]
"""``code``: the ScreenSpot-Pro prompt, for the released checkpoints. ``bare``: the instruction alone."""


def prompt_named(name: str | None) -> Prompt:
    """Return the prompt that a checkpoint asks for; the family's for one that names none.

    Raises `CheckpointError` for a name that is not known here.
    """
    if name is None or name == "code":
        return "code"
    if name == "bare":
        return "bare"
    raise CheckpointError(f"the checkpoint asks for the grounding prompt {name!r}", remedy="use 'code' or 'bare'")


_CODE_SYSTEM = (
    "You are a GUI agent. You are given a task and a screenshot of a computer screen. You need to "
    "perform a action and pyautogui code to complete the task. Provide your response in this format:\n\n"
    "## Action:\nProvide clear, concise, and actionable instructions.\n\n"
    "## Code:\nGenerate a corresponding Python code snippet using pyautogui that clicks on the identified "
    "UI element using normalized screen coordinates (values between 0 and 1). The script should dynamically "
    "adapt to the current screen resolution by converting the normalized coordinates to actual pixel positions."
)

ABSENT_ANSWER = "computer.terminate(status='failure')"
"""What the family says when a task cannot be done; for grounding: the target is not on the picture."""


@dataclass(frozen=True, slots=True)
class Found:
    """A point relative to the picture, 0 to 1 from the left and from the top."""

    x_rel: float
    y_rel: float


@dataclass(frozen=True, slots=True)
class NotThere:
    """The model says that the target is not on the picture."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer with neither a point nor a refusal in it."""

    text: str


Answer = Found | NotThere | Unreadable


def ask(image: Path | bytes | Image.Image, instruction: str, prompt: Prompt = "code") -> list[Message]:
    """Build the messages that ask for one point.

    ``instruction`` is data from a person or a plan; it is sent as text whatever it looks like.
    """
    if prompt == "bare":
        return [message("user", image, instruction)]
    return [message("system", _CODE_SYSTEM), message("user", image, f"## Task Instruction:\n{instruction}")]


def answer_text(x_rel: float, y_rel: float) -> str:
    """Write a point the way the family does, three decimals, inside the picture."""
    x, y = (min(max(round(v * 1000), 0), 999) for v in (x_rel, y_rel))
    return f"pyautogui.click(x=0.{x:03d}, y=0.{y:03d})"


_NUMBER = r"([0-9]*\.?[0-9]+)"
_NAMED_POINT = re.compile(rf"x\s*=\s*{_NUMBER}\s*,\s*y\s*=\s*{_NUMBER}")
_POSITIONAL_POINT = re.compile(
    rf"(?:click|doubleClick|rightClick|middleClick|tripleClick|moveTo|triple_click)\(\s*{_NUMBER}\s*,\s*{_NUMBER}"
)
_REFUSAL = re.compile(r"terminate\(\s*(?:status\s*=\s*)?['\"]fail(?:ure)?['\"]")


def read_answer(text: str) -> Answer:
    """Read a model's answer (without its thinking) to a grounding question.

    The first point inside the picture wins; a stated failure without a point is `NotThere`.
    Numbers outside 0 to 1 are not guessed at: such an answer is `Unreadable`.
    """
    for pattern in (_NAMED_POINT, _POSITIONAL_POINT):
        for match in pattern.finditer(text):
            x_rel, y_rel = float(match[1]), float(match[2])
            if all(math.isfinite(v) and 0.0 <= v <= 1.0 for v in (x_rel, y_rel)):
                return Found(x_rel, y_rel)
    return NotThere() if _REFUSAL.search(text) else Unreadable(text)
