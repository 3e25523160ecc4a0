"""Put together what several calls say in common: modifiers held around a click, a drag by hand."""

from dataclasses import dataclass, replace

from agent.types import (
    MODIFIERS,
    Action,
    Ask,
    Button,
    Click,
    Done,
    Drag,
    Fail,
    Hotkey,
    Modifier,
    Move,
    Press,
    RelPoint,
    Scroll,
)


@dataclass(frozen=True, slots=True)
class KeyDown:
    """A key is held from here on."""

    key: str


@dataclass(frozen=True, slots=True)
class KeyUp:
    """A key is let go."""

    key: str


@dataclass(frozen=True, slots=True)
class MouseDown:
    """A button is held from here on, at a point or where the pointer is."""

    at: RelPoint | None
    button: Button


@dataclass(frozen=True, slots=True)
class MouseUp:
    """A button is let go, at a point or where the pointer is."""

    at: RelPoint | None
    button: Button


Step = Action[RelPoint] | KeyDown | KeyUp | MouseDown | MouseUp


class Assembler:
    """Collect steps and turn them into whole actions; raise ValueError for what is no whole one."""

    def __init__(self) -> None:
        self._actions: list[Action[RelPoint]] = []
        self._keys: list[str] = []
        self._keys_used = True
        self._pressed: MouseDown | None = None
        self._pressed_under: tuple[Modifier, ...] = ()
        self._dragged_to: RelPoint | None = None

    def add(self, step: Step) -> None:
        """Take the next step."""
        if self._actions and isinstance(self._actions[-1], Done | Fail | Ask):
            raise ValueError("nothing can follow the end of the task or a question to the person")
        match step:
            case KeyDown(key):
                self._hold(key)
            case KeyUp(key):
                self._let_go(key)
            case MouseDown():
                self._press(step)
            case MouseUp():
                self._release(step)
            case _ if self._pressed is not None:
                self._drag_on(step)
            case _:
                self._append(step)

    def finish(self) -> tuple[Action[RelPoint], ...]:
        """Return the actions; raise ValueError if a key or a button is still held."""
        if self._keys:
            raise ValueError(f"{'+'.join(self._keys)} is held and never let go")
        if self._pressed is not None:
            raise ValueError(f"the {self._pressed.button} button is held and never let go")
        return tuple(self._actions)

    def _append(self, action: Action[RelPoint]) -> None:
        if self._keys:
            self._keys_used = True
            if isinstance(action, Press):
                self._actions.extend([Hotkey((*self._keys, action.key))] * action.count)
                return
            action = self._with_held(action)
        before = self._actions[-1] if self._actions else None
        if isinstance(before, Move):
            # A move right before an action without a point is that action's point.
            if isinstance(action, Click | Scroll) and action.at is None:
                self._actions[-1] = replace(action, at=before.to)
                return
            if isinstance(action, Drag) and action.start is None:
                self._actions[-1] = replace(action, start=before.to)
                return
        self._actions.append(action)

    def _with_held(self, action: Action[RelPoint]) -> Action[RelPoint]:
        match action:
            case Click() | Drag() | Scroll():
                return replace(action, modifiers=self._modifiers())
            case Move():
                return action
            case _:
                raise ValueError(f"{'+'.join(self._keys)} is held; let it go first")

    def _modifiers(self) -> tuple[Modifier, ...]:
        return tuple(modifier for key in self._keys for modifier in MODIFIERS if modifier == key)

    def _hold(self, key: str) -> None:
        if key not in MODIFIERS:
            raise ValueError(f"only {', '.join(MODIFIERS)} can be held, not {key}")
        if key in self._keys:
            raise ValueError(f"{key} is held already")
        self._keys.append(key)
        self._keys_used = False

    def _let_go(self, key: str) -> None:
        if key not in self._keys:
            raise ValueError(f"{key} is not held")
        if not self._keys_used:
            # Held and let go with nothing in between: the keys themselves were meant.
            held = tuple(self._keys)
            self._actions.append(Press(held[0]) if len(held) == 1 else Hotkey(held))
            self._keys_used = True
        self._keys.remove(key)

    def _press(self, step: MouseDown) -> None:
        if self._pressed is not None:
            raise ValueError(f"the {self._pressed.button} button is held already")
        before = self._actions[-1] if self._actions else None
        if step.at is None and isinstance(before, Move):
            step = replace(step, at=before.to)
            self._actions.pop()
        self._pressed, self._dragged_to = step, None
        self._pressed_under = self._modifiers()
        self._keys_used = True

    def _drag_on(self, step: Action[RelPoint]) -> None:
        match step:
            case Move(to):
                target = to
            case Drag(None, to):
                target = to
            case _:
                raise ValueError("a button is held; only a move can come before it is let go")
        if self._dragged_to is not None:
            raise ValueError("a drag goes from one point to another, not through several")
        self._dragged_to = target

    def _release(self, step: MouseUp) -> None:
        if self._pressed is None or self._pressed.button != step.button:
            raise ValueError(f"the {step.button} button is not held")
        if self._modifiers() != self._pressed_under:
            raise ValueError("modifiers change while a button is held")
        pressed, end = self._pressed, step.at or self._dragged_to
        if step.at is not None and self._dragged_to not in (None, step.at):
            raise ValueError("a drag goes from one point to another, not through several")
        if end is None or end == pressed.at:
            self._actions.append(Click(pressed.at, pressed.button, 1, self._pressed_under))
        else:
            self._actions.append(Drag(pressed.at, end, pressed.button, self._pressed_under))
        self._pressed = None
