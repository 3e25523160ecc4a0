"""What pages are given: work in threads, and the engine's child through its life."""

import os
import signal
import threading
import time
from collections.abc import Sequence

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.model_fit import ModelFit
from app.settings import EndpointSettings
from app.ui.services import Services
from app.ui.tasks import Cancel

READY_MS = 90_000


class _Owner(QObject):
    def __init__(self) -> None:
        super().__init__()
        self.heard: list[object] = []
        self.thread_names: list[str] = []

    def hear(self, value: object) -> None:
        self.heard.append(value)
        self.thread_names.append(threading.current_thread().name)


def test_work_answers_in_the_windows_thread(services: Services, qtbot: QtBot) -> None:
    owner = _Owner()

    def work(cancel: Cancel) -> str:
        cancel.report(threading.current_thread().name)
        return "result"

    services.tasks.run(work, done=owner.hear, progress=owner.hear)
    qtbot.waitUntil(lambda: len(owner.heard) == 2)
    assert owner.heard[0] != threading.current_thread().name
    assert owner.heard[1] == "result"
    assert set(owner.thread_names) == {threading.current_thread().name}


def test_an_error_reaches_who_asked_and_else_everybody(
    services: Services, qtbot: QtBot, quiet_log: list[object]
) -> None:
    owner = _Owner()

    def work(_cancel: Cancel) -> None:
        raise ValueError("no such thing")

    services.tasks.run(work, done=owner.hear, failed=owner.hear)
    qtbot.waitUntil(lambda: bool(owner.heard))
    assert str(owner.heard[0]) == "no such thing"
    with qtbot.waitSignal(services.tasks.failed_unheard) as told:
        services.tasks.run(work, done=owner.hear)
    assert told.args == ["no such thing"]
    quiet_log.clear()


def test_a_cancelled_task_is_silent_and_a_stopped_one_is_not(services: Services, qtbot: QtBot) -> None:
    owner = _Owner()

    def until_told(cancel: Cancel) -> str:
        cancel.event.wait(30)
        return "ended"

    cancelled = services.tasks.run(until_told, done=owner.hear)
    stopped = services.tasks.run(until_told, done=owner.hear)
    cancelled.cancel()
    stopped.stop()
    qtbot.waitUntil(lambda: services.tasks.count == 0)
    assert owner.heard == ["ended"]


def test_callbacks_of_a_deleted_object_are_dropped(services: Services, qtbot: QtBot) -> None:
    owner = _Owner()
    go = threading.Event()
    services.tasks.run(lambda _cancel: go.wait(30), done=owner.hear)
    with qtbot.waitSignal(owner.destroyed):
        owner.deleteLater()
    go.set()
    qtbot.waitUntil(lambda: services.tasks.count == 0)
    assert owner.heard == []


def test_the_engine_recovers_from_kill_9_and_is_unloaded_when_idle(
    services: Services, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = services.engine
    states: list[str] = []
    engine.changed.connect(lambda: states.append(engine.state))
    engine.load("builtin")
    assert engine.state == "starting"
    assert engine.model() is None
    qtbot.waitUntil(lambda: engine.state == "ready", timeout=READY_MS)
    assert engine.card is not None
    assert "ground" in engine.card.capabilities
    assert engine.model() is not None
    first = engine.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    qtbot.waitUntil(lambda: engine.state == "restarting", timeout=READY_MS)
    assert engine.model() is None
    qtbot.waitUntil(lambda: engine.state == "ready", timeout=READY_MS)
    assert engine.pid not in (None, first)
    services.settings.change(idle_unload_minutes=1)
    engine.unload_if_idle()
    assert engine.state == "ready"
    monkeypatch.setattr(time, "monotonic", lambda offset_s=time.monotonic() + 61: offset_s)
    engine.unload_if_idle()
    monkeypatch.undo()
    assert (engine.state, engine.message) == ("none", "unloaded after 1 idle minutes")
    assert engine.pid is None
    engine.restart()
    assert (engine.state, engine.name) == ("starting", "builtin")
    engine.unload()
    assert (engine.state, engine.name) == ("none", "")
    qtbot.waitUntil(lambda: services.tasks.count == 0, timeout=READY_MS)


def test_a_server_that_is_not_there_is_said(services: Services, qtbot: QtBot) -> None:
    services.engine.use_endpoint(EndpointSettings(name="mine", url="http://127.0.0.1:9/v1"))
    assert (services.engine.state, services.engine.name) == ("starting", "mine")
    qtbot.waitUntil(lambda: services.engine.state == "failed", timeout=READY_MS)
    assert "127.0.0.1:9" in services.engine.message


def test_a_checkpoint_that_is_not_there_is_said(services: Services, qtbot: QtBot) -> None:
    services.engine.load("/nowhere/at/all")
    qtbot.waitUntil(lambda: services.engine.state == "failed", timeout=READY_MS)
    assert "/nowhere/at/all" in services.engine.message


def test_there_is_no_tray_where_the_desktop_has_none(services: Services) -> None:
    from PySide6.QtWidgets import QSystemTrayIcon

    from app.ui.tray import make_tray

    if QSystemTrayIcon.isSystemTrayAvailable():
        pytest.skip("this desktop has a tray")
    assert make_tray(services, services.tasks) is None


def test_the_machine_is_described_without_torch_in_this_process(services: Services, qtbot: QtBot) -> None:
    from app.ui import probe

    found: list[Sequence[object]] = []
    services.tasks.run(probe.findings, done=found.append)
    services.tasks.run(probe.fits, done=found.append)
    qtbot.waitUntil(lambda: len(found) == 2, timeout=READY_MS)
    names = {getattr(each, "name", "") for answer in found for each in answer}
    assert {"Python", "memory", "built-in checkpoint"} <= names
    fits = {(each.model, each.quantize): each for answer in found for each in answer if isinstance(each, ModelFit)}
    builtin = fits["builtin", None]
    assert (builtin.verdict, builtin.folder is None) == ("fits", False)
    full, small = (fits["moonshotai/Kimi-VL-A3B-Instruct", kind] for kind in (None, "int4"))
    assert full.weight_bytes > 30e9 > 13e9 > small.weight_bytes
    assert full.needed_bytes == full.weight_bytes + full.cache_bytes + full.work_bytes
