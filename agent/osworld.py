"""The OSWorld interface: ``predict(instruction, obs) -> (response, actions)`` over our planner and eyes.

OSWorld's environment runs what comes back: strings of pyautogui calls with physical pixels, or one of the
special words WAIT, DONE and FAIL. Nothing is run here, and nothing of this machine is touched.
Source: xlang-ai/OSWorld, ``mm_agents`` and ``DesktopEnv(action_space="pyautogui")``.
"""

import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from PIL import Image

from agent.aim import described_targets, with_points
from agent.coords import resolve
from agent.episode import Eyes, Observation, Planner
from agent.types import (
    Action,
    Ask,
    Click,
    Done,
    Drag,
    Fail,
    Frame,
    Hotkey,
    Modifier,
    Monitor,
    Move,
    Point,
    Press,
    Rect,
    RelPoint,
    Scroll,
    Target,
    TypeText,
    Unreadable,
    Wait,
)
from model.errors import InputError

WAIT, DONE, FAIL = "WAIT", "DONE", "FAIL"

_NOBODY = "Nobody is there to answer a question. Decide by yourself."
_DRAG_S = 0.5


class OSWorldAgent:
    """Plan for OSWorld. ``planner_for`` makes a planner for each instruction; ``eyes`` find described targets.

    One object serves one environment: call `reset` before each task, as OSWorld's runner does.
    """

    def __init__(self, planner_for: Callable[[str], Planner], eyes: Eyes | None = None) -> None:
        self._planner_for = planner_for
        self._eyes = eyes
        self._instruction: str | None = None
        self._planner: Planner | None = None
        self._step = 0
        self._note = ""

    def reset(self, *_: object, **__: object) -> None:
        """Forget the task; OSWorld passes a logger and an address, which are not needed."""
        self._instruction, self._planner, self._step, self._note = None, None, 0, ""

    def predict(
        self, instruction: str, obs: Mapping[str, object], cancel: threading.Event | None = None
    ) -> tuple[str, list[str]]:
        """Return what the model said, and what the environment is to run.

        ``obs["screenshot"]`` is the screen as PNG bytes. What could not be read or found costs a WAIT, and
        the planner is told why at the next call. Raises InputError for a screenshot that is no picture, and
        what the model raises.
        """
        if self._planner is None or instruction != self._instruction:
            self.reset()
            self._instruction, self._planner = instruction, self._planner_for(instruction)
        cancel = cancel or threading.Event()
        frame = _frame(obs.get("screenshot"))
        self._step += 1
        note, self._note = self._note, ""
        plan = self._planner.next(Observation(frame, self._step, note, None), cancel)
        while isinstance(plan, Unreadable):
            # The planner turns too many unreadable answers into Fail, so this ends.
            plan = self._planner.next(Observation(frame, self._step, plan.reason, None), cancel)
        response = plan.raw or "\n\n".join(part for part in (plan.thought, plan.described) if part)
        actions: list[str] = []
        for action in plan.actions:
            placed = self._placed(action, frame, cancel)
            if isinstance(placed, Unreadable):
                self._note = placed.reason
                return response, [*actions, WAIT]
            if isinstance(placed, Ask):
                self._note = _NOBODY
            actions += write_for_osworld(placed)
        return response, actions

    def _placed(
        self, action: Action[RelPoint] | Action[Target], frame: Frame, cancel: threading.Event
    ) -> Action[Point] | Unreadable:
        found: dict[Target, RelPoint] = {}
        for target in described_targets(action):
            if self._eyes is None:
                raise InputError(
                    f"the planner describes its target in words ({target.description!r})",
                    remedy="give OSWorldAgent the eyes that find it",
                )
            place = self._eyes.find(frame, target.description, cancel)
            if place.point_rel is None:
                return Unreadable(f"{target.description!r} was not found: {place.reason}")
            found[target] = RelPoint(*place.point_rel)
        return resolve(with_points(action, found), frame)


def write_for_osworld(action: Action[Point]) -> list[str]:
    """Write one action as OSWorld runs it: pyautogui calls in pixels, or a special word."""
    match action:
        case Click(at, button, count, modifiers):
            where = f"x={at.x_px}, y={at.y_px}, " if at else ""
            return [_under(modifiers, f"pyautogui.click({where}clicks={count}, button={button!r})")]
        case Move(to):
            return [_move(to)]
        case Drag(start, end, button, modifiers):
            drag = f"pyautogui.dragTo({end.x_px}, {end.y_px}, duration={_DRAG_S}, button={button!r})"
            return [_under(modifiers, f"{_move(start)}\n{drag}" if start else drag)]
        case Scroll(at, up, right, modifiers):
            turn = f"pyautogui.hscroll({right})" if right else f"pyautogui.scroll({up})"
            return [_under(modifiers, f"{_move(at)}\n{turn}" if at else turn)]
        case TypeText(_, secret=True):
            raise InputError("a secret would stand in the environment's log", remedy="use no secrets with OSWorld")
        case TypeText(text):
            return ["\n".join(_typing(text))] if text else []
        case Press(key, count):
            return [f"pyautogui.press({_pyautogui_key(key)!r}, presses={count})"]
        case Hotkey(keys):
            return [f"pyautogui.hotkey({', '.join(repr(_pyautogui_key(key)) for key in keys)})"]
        case Wait() | Ask():
            return [WAIT]
        case Done():
            return [DONE]
        case Fail():
            return [FAIL]


def _typing(text: str) -> Iterator[str]:
    # pyautogui types ">" for "<" on X11 and drops what is not ASCII; OSWorld's machines have pyperclip.
    for kind, chars in groupby(text, key=_way):
        part = "".join(chars)
        if kind == "plain":
            yield f"pyautogui.write({part!r}, interval=0.02)"
        elif kind == "less":
            yield from ["pyautogui.hotkey('shift', ',')"] * len(part)
        else:
            yield f"import pyperclip\npyperclip.copy({part!r})\npyautogui.hotkey('ctrl', 'v')"


def _way(char: str) -> str:
    if char == "<":
        return "less"
    return "plain" if char in "\n\t" or 32 <= ord(char) <= 126 else "paste"


# Where our name is not one of pyautogui's; what it does not know, it leaves out without a word.
_PYAUTOGUI_KEYS = {"super": "win", "altgr": "altright", "menu": "apps"}


def _pyautogui_key(key: str) -> str:
    return _PYAUTOGUI_KEYS.get(key, key)


def _move(to: Point) -> str:
    return f"pyautogui.moveTo({to.x_px}, {to.y_px})"


def _under(modifiers: Sequence[Modifier], code: str) -> str:
    down = [f"pyautogui.keyDown({_pyautogui_key(modifier)!r})" for modifier in modifiers]
    up = [f"pyautogui.keyUp({_pyautogui_key(modifier)!r})" for modifier in reversed(modifiers)]
    return "\n".join([*down, code, *up])


def _frame(screenshot: object) -> Frame:
    if not isinstance(screenshot, bytes | bytearray):
        raise InputError("the observation has no screenshot", remedy='pass obs["screenshot"] as PNG bytes')
    try:
        with Image.open(io.BytesIO(screenshot)) as picture:
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError("the observation's screenshot is no picture", why=str(error)) from error
    height, width = pixels.shape[:2]
    bgrx = np.zeros((height, width, 4), np.uint8)
    bgrx[:, :, 2::-1] = pixels
    rect = Rect(0, 0, width, height)
    return Frame(bgrx, rect, (Monitor("osworld", "osworld", rect, is_primary=True),), time.time(), "osworld")
