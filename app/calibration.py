"""Run the calibration on this desktop: the targets in a child process, the hands through the policy's gate."""

import sys
from dataclasses import replace

from agent.calibrate import Calibration, Press, Spot, calibrate
from agent.errors import AgentError
from app.speaking_child import SpeakingChild

_START_LIMIT_S = 30.0


class TargetProcess(SpeakingChild):
    """The child process with the targets, implementing `agent.calibrate.Targets`; use it in a ``with`` block.

    Raises AgentError when it does not come up or ends meanwhile.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        super().__init__("app.ui.calibration_target", "the window with the targets", environment)
        try:
            said = self.next(_START_LIMIT_S)
            if said is None:
                raise AgentError("the window with the targets did not come up", remedy="try again")
            self._spots = tuple(
                Spot(tuple(spot["rgb"]), spot["size_px"], spot["window"], tuple(spot["centre_px"]), spot["scale"])
                for spot in said["spots"]
            )
        except BaseException:
            self.close()
            raise

    @property
    def spots(self) -> tuple[Spot, ...]:
        """All targets."""
        return self._spots

    def next_press(self, limit_s: float) -> Press | None:
        """Return the next press that reached a target window, or None when none does in time."""
        said = self.next(limit_s)
        if said is None:
            return None
        raw = said["raw"]
        return Press(
            said["window"],
            tuple(said["local_px"]),
            None if raw is None else tuple(raw["local"]),
            None if raw is None else tuple(raw["root"]),
        )


def calibrate_here(display: str | None = None, environment: dict[str, str] | None = None) -> Calibration:
    """Prove that frames leave our windows out, then click our own targets on every monitor of an X server.

    Raises AgentError where there is none, when anything is in the way, or when a person uses the mouse.
    """
    if sys.platform in ("win32", "darwin"):
        raise AgentError(
            "the calibration cannot be run here",
            why="it reads the X server's own events, and hands on this system have not been run on a real machine",
        )
    from agent.capture.screen import open_screen
    from agent.capture.x11 import X11Capture
    from agent.errors import HandsError
    from agent.policy import Limits, Policy, Rules, open_hands
    from agent.stop import StopSwitch, stopping_on_signals
    from agent.x11.connection import XConnection
    from agent.x11.own_windows import X11OwnWindows, prove
    from agent.x11.watch import X11Watcher
    from agent.x11.windows import read_window, windows_at

    switch = StopSwitch()
    with (
        XConnection(display) as x,
        X11OwnWindows(x.display) as own,
        open_screen(handlers=[X11Capture(x.display)], exclusion=own) as screen,
        X11Watcher(switch, x.display),
        stopping_on_signals(switch),
    ):
        proof = prove(screen, own, x.display)
        with TargetProcess(environment) as targets:
            found = (read_window(x, spot.window) for spot in targets.spots)
            names = {window.app_class for window in found if window is not None}
            if len(names) != 1 or not (app_class := names.pop()):
                raise HandsError("the windows with the targets cannot be told from others", why="they have no class")
            steps = len(targets.spots)
            rules = Rules(allowed_apps=frozenset({app_class}), home_app=app_class)
            policy = Policy("run", switch, rules=rules, limits=Limits(steps, steps, 10.0 + 2.0 * steps))
            with open_hands(policy, x.display) as hands:
                done = calibrate(screen, policy, hands, targets, lambda point: windows_at(x, point), app_class)
        return replace(done, hide_ms=proof.hide_ms)
