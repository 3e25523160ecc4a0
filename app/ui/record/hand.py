"""Single events → things done: double clicks, drags, runs of letters, and secrets that are never kept. Knows no Qt."""

from dataclasses import dataclass, field, replace

from agent.accessible import Told
from agent.runbook.steps import Direction
from agent.types import Button, Modifier, Point
from app.ui.record.taken import Shot, Taken, is_secret_name

_DOUBLE_MS = 450
_NEAR_PX = 6
_DRAG_PX = 10

_WHEEL: dict[int, Direction] = {4: "up", 5: "down", 6: "left", 7: "right"}
_BUTTONS: dict[int, Button] = {1: "left", 2: "middle", 3: "right"}
_EDITING = frozenset({"backspace", "delete", "left", "right", "up", "down", "home", "end"})
_FILLING = frozenset({("ctrl", "a"), ("ctrl", "v"), ("shift", "insert")})


@dataclass(frozen=True, slots=True)
class _Down:
    button: int
    at: Point
    shot: Shot | None
    modifiers: tuple[Modifier, ...]
    number: int
    told: Told | None


@dataclass(slots=True)
class Hand:
    """Takes single events in and makes things done of them.

    What programs say of the elements comes later, by the number of the question: see `tell`.
    """

    taken: list[Taken] = field(default_factory=list)
    _down: _Down | None = None
    _clicked_ms: int = -(10**9)
    _focus: Told | None = None
    _run: bool = False
    """Whether the next letter belongs to the last thing done."""

    def button_down(
        self,
        button: int,
        at: Point,
        shot: Shot | None,
        modifiers: tuple[Modifier, ...] = (),
        number: int = 0,
        told: Told | None = None,
    ) -> None:
        """Begin a click or a drag; a wheel's notch is done at once."""
        if button in _WHEEL:
            last = self.taken[-1] if self.taken else None
            same = last is not None and last.kind == "scroll" and last.modifiers == modifiers
            if last is not None and same and last.way == _WHEEL[button]:
                self.taken[-1] = replace(last, count=last.count + 1)
            else:
                self._add(Taken("scroll", at, way=_WHEEL[button], shot=shot, modifiers=modifiers))
        elif button in _BUTTONS:
            self._down = _Down(button, at, shot, modifiers, number, told)
            self._focus, self._run = None, False

    def button_up(self, button: int, at: Point, time_ms: int) -> bool:
        """End a click or a drag; say whether it was a drag, so that `ends_at` follows."""
        down, self._down = self._down, None
        if down is None or down.button != button:
            self._down = down
            return False
        last = self.taken[-1] if self.taken else None
        begun = _click(down)
        dragged = _apart(down.at, at) > _DRAG_PX
        if dragged:
            self._add(replace(begun, kind="drag", end=at))
        elif (
            last is not None
            and last.kind == "click"
            and last.point is not None
            and last.button == begun.button == "left"
            and last.modifiers == begun.modifiers
            and last.count < 3
            and (time_ms - self._clicked_ms) & 0xFFFFFFFF <= _DOUBLE_MS
            and _apart(last.point, at) <= _NEAR_PX
        ):
            self.taken[-1] = replace(last, count=last.count + 1)
        else:
            self._add(begun)
        self._clicked_ms = time_ms
        return dragged

    def ends_at(self, number: int) -> None:
        """Take the number of the question about where the last drag has ended."""
        self.taken[-1] = replace(self.taken[-1], end_number=number)

    def types_into(self, number: int) -> None:
        """Take the number of the question about the field that was just begun to be typed into."""
        self.taken[-1] = replace(self.taken[-1], number=number)

    def letter(self, text: str) -> bool:
        """Take what was typed; say whether it begins a run of letters, so that `types_into` follows."""
        self._end_click()
        last = self.taken[-1] if self.taken else None
        if self._run and last is not None and last.kind == "type":
            if not last.secret:
                self.taken[-1] = replace(last, text=last.text + text)
            return False
        self._begin_run(text)
        return True

    def key(self, keys: tuple[str, ...]) -> None:
        """Take a key or a combination that types nothing.

        Backspace takes a letter back. In a secret nothing is kept of how it was edited.
        """
        self._end_click()
        last = self.taken[-1] if self.taken else None
        if self._run and last is not None and last.secret and (keys[-1] in _EDITING or keys in _FILLING):
            return
        if self._focus is not None and _hides(self._focus) and keys in _FILLING:
            self._begin_run("")
        elif keys == ("backspace",) and self._run and last is not None and last.kind == "type":
            shorter = replace(last, text=last.text[:-1])
            self.taken[-1:] = [shorter] if shorter.text else []
            self._run = bool(shorter.text)
        elif last is not None and last.kind == "press" and last.keys == keys and len(keys) == 1 and last.count < 100:
            self.taken[-1] = replace(last, count=last.count + 1)
        else:
            self._add(Taken("press", keys=keys))
            if keys[-1] in ("tab", "enter", "escape") or len(keys) > 1:
                self._focus = None

    def tell(self, number: int, told: Told | None) -> None:
        """Take what lies at a click, at the end of a drag, or has the focus that is typed into."""
        if told is None or not told.is_control:
            return
        if self._down is not None and self._down.number == number:
            self._down = replace(self._down, told=told)
            return
        for place in range(len(self.taken) - 1, -1, -1):
            each = self.taken[place]
            if each.end_number == number:
                self.taken[place] = replace(each, end_words=told.words)
                return
            if each.number == number:
                if each.kind != "type":
                    self.taken[place] = replace(each, told=told, words=told.words)
                else:
                    self._tell_typed(place, told)
                return

    def _tell_typed(self, place: int, told: Told) -> None:
        """Take what was typed into; an answer that is late may be about where the focus went next."""
        each, before = self.taken[place], self.taken[place - 1] if place else None
        late = not all(map(stays_in_field, self.taken[place + 1 :]))
        if late and before is not None and not _lies_in(before, told):
            return
        if each.secret and not _hides(told):
            return  # it is a secret by what was known when it began, and the focus may be further on by now
        if not late:
            self._focus = told
        if _hides(told):
            if not (told.words or each.told is None):
                told = each.told  # a window that has closed meanwhile tells no more than what kind of field it was
            self.taken[place] = replace(each, told=told, words=told.words)
            self._hide(place)
        elif not late:
            self.taken[place] = replace(each, told=told, words=told.words)

    def focus_moved(self, told: Told | None) -> None:
        """Take the news of what has the focus now; news of what nobody types into changes nothing."""
        if told is None or (told.is_control and not told.is_field):
            return
        before, self._focus = self._focus, told
        if not self._run:
            return
        last = self.taken[-1]
        if _hides(told) and not last.secret:
            # The news may be later than the first letters were.
            self.taken[-1] = replace(last, told=told, words=told.words)
            self._hide(len(self.taken) - 1)
        elif last.secret and before is not None and not _hides(told):
            self._run = False

    def _end_click(self) -> None:
        """Take a click for done when keys come: a window manager may hold the button's end back longer."""
        down, self._down = self._down, None
        if down is not None:
            self._add(_click(down))

    def _begin_run(self, text: str) -> None:
        focus = self._focus
        secret = focus is not None and _hides(focus)
        self._add(
            Taken(
                "type",
                text="" if secret else text,
                secret=secret,
                told=focus,
                words=focus.words if focus is not None else "",
            )
        )
        self._run = True

    def _hide(self, place: int) -> None:
        """Forget what was typed from there on, up to where the focus has gone on."""
        self.taken[place] = replace(self.taken[place], text="", secret=True)
        after = place + 1
        while after < len(self.taken) and stays_in_field(self.taken[after]):
            del self.taken[after]
        if after >= len(self.taken):
            self._run = True

    def _add(self, taken: Taken) -> None:
        self.taken.append(taken)
        self._run = False


def _click(down: _Down) -> Taken:
    told = down.told if down.told is not None and down.told.is_control else None
    return Taken(
        "click",
        down.at,
        button=_BUTTONS[down.button],
        modifiers=down.modifiers,
        shot=down.shot,
        number=down.number,
        told=told,
        words=told.words if told is not None else "",
    )


def _hides(told: Told) -> bool:
    return told.is_secret or is_secret_name(told.words)


def _lies_in(click: Taken, told: Told) -> bool:
    """Say whether a click may have been on an element; what was no click tells nothing against it."""
    return click.kind != "click" or click.point is None or told.box_px is None or told.box_px.contains(click.point)


def stays_in_field(taken: Taken) -> bool:
    """Say whether something done leaves the focus in the field it is in."""
    return taken.kind == "type" or (taken.kind == "press" and (taken.keys[-1] in _EDITING or taken.keys in _FILLING))


def _apart(one: Point, other: Point) -> int:
    return max(abs(one.x_px - other.x_px), abs(one.y_px - other.y_px))
