"""Watch a real X server: the person is played on the server's own mouse and keyboard, not on XTEST's.

XTEST can inject events as coming from any slave device. Those of Xvfb's "mouse" and "keyboard" take the
same way as a real device's, from the device's own queue on. What cannot be played here: drivers
(libinput's acceleration, a touchpad's gestures) and devices that are plugged in or out.
"""

import io
import struct
import threading
from collections.abc import Iterator

import pytest

pytest.importorskip("xcffib", reason="xcffib is not installed")

import xcffib.xinput as xi
import xcffib.xproto as xp

from agent.errors import AgentError, PersonActingError, StoppedError
from agent.hands.release import release_everything
from agent.policy import Policy, Rules, open_hands
from agent.stop import StopSwitch
from agent.types import Drag, Monitor, Point, Rect
from agent.x11.connection import XConnection
from agent.x11.watch import Corner, WatchOptions, X11Watcher, in_corner
from tests.agent.test_policy import SCREEN, Screen, proposal
from tests.x11.conftest import HEIGHT_PX, WIDTH_PX

LIMIT_S = 30.0
CTRL, SHIFT, ESCAPE, A = 0xFFE3, 0xFFE1, 0xFF1B, ord("a")
_DEVICE_KEY, _DEVICE_BUTTON, _DEVICE_MOTION = 1, 3, 5
_MORE_EVENTS = 0x80


class Input:
    """Plays keys, buttons and motion on the devices of a name."""

    def __init__(self, x: XConnection, devices: str) -> None:
        self._x = x
        self._xtest = x.extension("XTEST")
        name = "XInputExtension"
        self._first: int = x.core.QueryExtension(len(name), name).reply().first_event
        extension = x.connection(xi.key)
        extension.XIQueryVersion(2, 2).reply()
        infos = extension.XIQueryDevice(0).reply().infos
        ids = {info.type: info.deviceid for info in infos if devices in info.name.to_string()}
        self._mouse, self._keyboard = ids[xi.DeviceType.SlavePointer], ids[xi.DeviceType.SlaveKeyboard]

    def key(self, keysym: int, *, down: bool) -> None:
        self._play(_DEVICE_KEY + (not down), self._code(keysym), self._keyboard)

    def stroke(self, *keysyms: int) -> None:
        for keysym in keysyms:
            self.key(keysym, down=True)
        for keysym in reversed(keysyms):
            self.key(keysym, down=False)

    def click(self) -> None:
        self._play(_DEVICE_BUTTON, 1, self._mouse)
        self._play(_DEVICE_BUTTON + 1, 1, self._mouse)

    def move(self, *points: tuple[int, int]) -> None:
        for point in points:
            self._play(_DEVICE_MOTION, 0, self._mouse, point)

    def _code(self, keysym: int) -> int:
        first, last = self._x.setup.min_keycode, self._x.setup.max_keycode
        mapping = self._x.core.GetKeyboardMapping(first, last - first + 1).reply()
        return first + list(mapping.keysyms).index(keysym) // mapping.keysyms_per_keycode

    def _play(self, kind: int, detail: int, device: int, axes: tuple[int, int] | None = None) -> None:
        more = _MORE_EVENTS if axes else 0
        head = struct.pack("=xx2xBB2xII8xhh7xB", self._first + kind, detail, 0, 0, 0, 0, device | more)
        tail = struct.pack("=BBHHBB6i", self._first, device, 0, 0, 2, 0, *axes, 0, 0, 0, 0) if axes else b""
        self._xtest.send_request(2, io.BytesIO(head + tail), is_checked=True).check()


@pytest.fixture
def x(bare_display: str) -> Iterator[XConnection]:
    with XConnection(bare_display) as x:
        x.core.WarpPointer(0, x.root, 0, 0, 0, 0, 300, 300)
        x.sync()
        yield x
    release_everything(bare_display)


@pytest.fixture
def person(x: XConnection) -> Input:
    return Input(x, "Xvfb ")


@pytest.fixture
def program(x: XConnection) -> Input:
    return Input(x, "Virtual core XTEST")


class Heard(StopSwitch):
    """A switch that tells when a person was seen to act."""

    def __init__(self) -> None:
        super().__init__()
        self.touches: list[str] = []
        self.touched = threading.Event()

    def person_acts(self, reason: str) -> None:
        self.touches.append(reason)
        super().person_acts(reason)
        self.touched.set()

    def wait_for_touch(self, reason: str) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: reason in self.touches, LIMIT_S)


def assert_stopped(switch: StopSwitch, why: str) -> None:
    assert switch.cancel.wait(LIMIT_S)
    with pytest.raises(StoppedError, match=why):
        switch.check()


def test_a_persons_mouse_pauses(bare_display: str, person: Input) -> None:
    switch = Heard()
    with X11Watcher(switch, bare_display):
        person.move((310, 300), (320, 300), (330, 310))
        assert switch.touched.wait(LIMIT_S)
        with pytest.raises(PersonActingError, match="moved the mouse"):
            switch.check()
    assert not switch.stopped


@pytest.mark.parametrize("key", [True, False])
def test_a_persons_keys_and_buttons_pause(bare_display: str, person: Input, key: bool) -> None:
    switch = Heard()
    with X11Watcher(switch, bare_display):
        if key:
            person.stroke(A)
        else:
            person.click()
        assert switch.touched.wait(LIMIT_S)
    assert switch.touches == ["a person pressed a key" if key else "a person pressed a button"]
    assert switch.paused


def test_what_programs_inject_does_not_pause(bare_display: str, program: Input) -> None:
    """Events keep their order: when the stop keys have been heard, what came before has been, too."""
    switch = Heard()
    with X11Watcher(switch, bare_display):
        program.move(*((400 + n, 300) for n in range(20)), (0, 0))
        program.click()
        program.stroke(A)
        program.stroke(CTRL, SHIFT, ESCAPE)
        assert_stopped(switch, "escape was pressed")
    assert switch.touches == []


def test_one_jolt_of_the_mouse_is_no_movement(bare_display: str, person: Input, program: Input) -> None:
    switch = Heard()
    with X11Watcher(switch, bare_display):
        person.move((310, 300))
        program.stroke(CTRL, SHIFT, ESCAPE)
        assert_stopped(switch, "escape was pressed")
    assert switch.touches == []


@pytest.mark.parametrize("order", [(CTRL, SHIFT, ESCAPE), (ESCAPE, SHIFT, CTRL), (A, CTRL, SHIFT, ESCAPE)])
def test_the_stop_keys_stop_in_any_order(bare_display: str, person: Input, order: tuple[int, ...]) -> None:
    switch = StopSwitch()
    with X11Watcher(switch, bare_display):
        person.stroke(*order)
        assert_stopped(switch, r"ctrl\+shift\+escape was pressed")


def test_the_stop_keys_stop_with_a_key_held_before(bare_display: str, person: Input) -> None:
    person.key(CTRL, down=True)
    switch = StopSwitch()
    with X11Watcher(switch, bare_display):
        person.stroke(SHIFT, ESCAPE)
        assert_stopped(switch, "escape was pressed")
    person.key(CTRL, down=False)


def test_the_stop_keys_are_heard_through_a_grab(bare_display: str, x: XConnection, person: Input) -> None:
    """Open menus and games grab the keyboard."""
    assert x.core.GrabKeyboard(False, x.root, xp.Time.CurrentTime, 1, 1).reply().status == 0
    switch = StopSwitch()
    with X11Watcher(switch, bare_display):
        person.stroke(CTRL, SHIFT, ESCAPE)
        assert_stopped(switch, "escape was pressed")


def test_part_of_the_stop_keys_do_not_stop(bare_display: str, person: Input, program: Input) -> None:
    switch = Heard()
    with X11Watcher(switch, bare_display, WatchOptions(stop_keys=("ctrl", "f9"))):
        person.stroke(CTRL, SHIFT, ESCAPE)
        person.stroke(CTRL)
        program.stroke(0xFFC6)
        person.click()
        assert switch.wait_for_touch("a person pressed a button")
        assert not switch.stopped
        person.stroke(CTRL, 0xFFC6)
        assert_stopped(switch, r"ctrl\+f9")


@pytest.mark.parametrize(
    ("corner", "at"), [("top left", (0, 0)), ("bottom right", (WIDTH_PX - 1, HEIGHT_PX - 1)), ("top right", (1279, 0))]
)
def test_a_person_stops_in_the_corner(bare_display: str, person: Input, corner: Corner, at: tuple[int, int]) -> None:
    switch = StopSwitch()
    with X11Watcher(switch, bare_display, WatchOptions(corner=corner)):
        person.move(at)
        assert_stopped(switch, f"{corner} corner")


def test_corners_and_persons_may_be_left_unwatched(bare_display: str, person: Input) -> None:
    switch = Heard()
    with X11Watcher(switch, bare_display, WatchOptions(corner=None, person=False)):
        person.move((0, 0), (1, 1), (0, 0))
        person.stroke(A)
        person.stroke(CTRL, SHIFT, ESCAPE)
        assert_stopped(switch, "escape was pressed")
    assert switch.touches == []


def test_a_pause_ends_when_the_person_lets_go(bare_display: str, person: Input) -> None:
    switch = Heard()
    with X11Watcher(switch, bare_display, WatchOptions(resume_after_s=0.05)):
        person.stroke(A)
        assert switch.touched.wait(LIMIT_S)
        assert switch.wait_for_resume(LIMIT_S)


def test_hands_stop_when_a_person_takes_over(bare_display: str, x: XConnection, person: Input) -> None:
    """A drag of ours is under way; the person touches the keyboard; nothing is held afterwards."""
    switch = Heard()
    gate = Policy("run", switch, rules=Rules(always_ask=frozenset()))
    screen, drag = Screen(), Drag(Point(200, 200), Point(600, 600))
    with X11Watcher(switch, bare_display), open_hands(gate, bare_display) as hands:
        raised: list[BaseException] = []

        def perform() -> None:
            try:
                while True:  # until somebody interferes
                    assert gate.propose(proposal(screen, drag, target_px=SCREEN), screen.look).allowed
                    hands.perform(drag)
            except (PersonActingError, StoppedError) as error:
                raised.append(error)

        worker = threading.Thread(target=perform)
        worker.start()
        while not x.core.QueryPointer(x.root).reply().mask & xp.KeyButMask.Button1:
            pass
        person.stroke(A)
        worker.join(LIMIT_S)
        assert isinstance(raised[0], PersonActingError)
        assert not hands.holds_something
        assert not x.core.QueryPointer(x.root).reply().mask & xp.KeyButMask.Button1


def test_a_lost_server_stops_the_run(bare_display: str, x: XConnection) -> None:
    switch = StopSwitch()
    watcher = X11Watcher(switch, bare_display)
    window = watcher._x.hidden_window()
    watcher._x.sync()
    x.core.KillClient(window)
    x.sync()
    assert_stopped(switch, "broke down")
    watcher.close()
    watcher.close()


def test_keys_that_no_keyboard_has_are_refused(bare_display: str) -> None:
    with pytest.raises(ValueError, match="hyper"):
        WatchOptions(stop_keys=("hyper", "x"))
    with pytest.raises(AgentError, match="f24"):
        X11Watcher(StopSwitch(), bare_display, WatchOptions(stop_keys=("ctrl", "f24")))


LEFT, RIGHT = Monitor("l", "l", Rect(0, 0, 100, 100)), Monitor("r", "r", Rect(100, 50, 200, 150))


@pytest.mark.parametrize(
    ("point", "corner", "expected"),
    [
        (Point(0, 0), "top left", True),
        (Point(1, 1), "top left", True),
        (Point(2, 0), "top left", False),
        (Point(99, 0), "top right", True),
        (Point(199, 50), "top right", True),
        (Point(99, 99), "bottom right", False),  # the other monitor begins there
        (Point(0, 99), "bottom left", True),
        (Point(100, 149), "bottom left", True),
        (Point(100, 50), "top left", False),
        (Point(300, 300), "top left", False),
    ],
)
def test_a_corner_is_where_the_desktop_ends(point: Point, corner: Corner, expected: bool) -> None:
    assert in_corner(point, corner, 2, (LEFT, RIGHT)) is expected
