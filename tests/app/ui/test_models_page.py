"""The models page: real downloads from a real hub server, the real engine, the real local server, real endpoints."""

import contextlib
import json
import os
import shutil
import signal
import socket
import stat
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.settings import EndpointSettings
from app.ui.models.endpoints import PRESETS, EndpointDialog
from app.ui.models.engine_card import EngineCard
from app.ui.models.entries import added_folder
from app.ui.models.hub import Hub, verify
from app.ui.models.page import ModelsPage
from app.ui.services import Services
from model.dummy import make_dummy
from model.errors import CheckpointError
from model.serve import ModelCard, ServeSettings
from tests.app.ui.conftest import Notices
from tests.model import hub_server
from tests.model.serving import PacedModel, serving

WAIT_MS = 90_000
REPO = "moonshotai/Kimi-VL-A3B-Instruct"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("checkpoint") / "tiny")


@pytest.fixture
def hub(checkpoint: Path) -> Iterator[hub_server.Hub]:
    with hub_server.serve_hub(checkpoint, REPO) as server:
        yield server
        # The library keeps its connections; the server's threads live as long as those.
        huggingface_hub.close_session()


@pytest.fixture
def page(services: Services, tmp_path: Path, qtbot: QtBot, hub: hub_server.Hub) -> Iterator[ModelsPage]:
    with opened(services, qtbot, Hub(hub.endpoint, tmp_path / "cache")) as made:
        yield made


@contextlib.contextmanager
def opened(services: Services, qtbot: QtBot, hub: Hub) -> Iterator[ModelsPage]:
    """Show a page whose fit estimates are not asked for: they need torch, and tests of their own do that."""
    made = ModelsPage(services, hub=hub)
    made._is_asked = True
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    made.shown()
    qtbot.waitUntil(lambda: len(made.cards) >= 4, timeout=WAIT_MS)
    yield made
    made.closing()
    qtbot.waitUntil(lambda: services.tasks.count == 0, timeout=WAIT_MS)


def weights(checkpoint: Path) -> str:
    return max(checkpoint.glob("*.safetensors"), key=lambda file: file.stat().st_size).name


class OnGpu(PacedModel):
    held = 10 << 30

    def gpu_memory(self) -> tuple[int, int]:
        return self.held, 80 << 30


def test_the_memory_that_a_server_of_ours_holds_of_its_gpu_is_followed(services: Services, qtbot: QtBot) -> None:
    card = EngineCard(services)
    qtbot.addWidget(card)
    model = OnGpu()
    with serving(model, ServeSettings(token=None), ModelCard("theirs", ("chat",))) as server:
        services.engine.use_endpoint(EndpointSettings(name="lab", url=server.url))
        qtbot.waitUntil(lambda: services.engine.state == "ready", timeout=WAIT_MS)
        assert "10.7 GB of 85.9 GB of GPU memory" in card.facts.text()
        model.held = 20 << 30
        services.engine.measure()
        qtbot.waitUntil(lambda: "21.5 GB of 85.9 GB" in card.facts.text(), timeout=WAIT_MS)
        services.engine.unload()
        assert "GPU" not in card.facts.text()


def test_a_download_pauses_resumes_and_is_verified(
    page: ModelsPage, hub: hub_server.Hub, checkpoint: Path, notices: Notices, tmp_path: Path, qtbot: QtBot
) -> None:
    name = weights(checkpoint)
    hub.faults.stalls[name] = 200_000
    card = page.cards[REPO]
    assert card.download.isVisible()
    assert not card.load.isVisible()
    card.download.click()
    qtbot.waitUntil(lambda: card.bar.value() > 0 and hub.fetched(name) == [0], timeout=WAIT_MS)
    assert card.pause.isVisible()
    card.pause.click()
    hub.faults.released.set()
    qtbot.waitUntil(lambda: not card.busy and card.download.text() == "Resume", timeout=WAIT_MS)
    assert "of it is here" in card.badge.text()

    hub.faults.stalls.clear()
    card.download.click()
    qtbot.waitUntil(lambda: card.load.isVisible(), timeout=WAIT_MS)
    assert hub.fetched(name)[-1] > 0, "it went on where it was"
    assert ("info", f"{REPO} is downloaded and checked.") in notices.told

    card.verify.trigger()
    qtbot.waitUntil(lambda: any("what was published" in text for _level, text in notices.told), timeout=WAIT_MS)
    folder = page.hub.folder(REPO)
    assert folder is not None
    blob = (folder / name).resolve()
    damaged = bytearray(blob.read_bytes())
    damaged[-1] ^= 1
    blob.write_bytes(bytes(damaged))
    card.verify.trigger()
    qtbot.waitUntil(lambda: notices.told[-1][0] == "error", timeout=WAIT_MS)
    assert f"{name} is not the published file" in notices.told[-1][1]
    page.drop_download(card.entry)
    qtbot.waitUntil(lambda: card.download.isVisible() and card.download.text() == "Download", timeout=WAIT_MS)


def test_a_cancelled_download_leaves_nothing(
    page: ModelsPage,
    hub: hub_server.Hub,
    checkpoint: Path,
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub.faults.stalls[weights(checkpoint)] = 100_000
    card = page.cards[REPO]
    card.download.click()
    qtbot.waitUntil(lambda: card.bar.value() > 0, timeout=WAIT_MS)
    monkeypatch.setattr("app.ui.models.page.confirm", lambda *_args: True)
    card.cancel.click()
    hub.faults.released.set()
    qtbot.waitUntil(lambda: page.services.tasks.count == 0, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: card.download.text() == "Download" and not card.busy, timeout=WAIT_MS)
    assert page.hub.partial_bytes(REPO) == 0


def test_a_download_that_fails_says_why(page: ModelsPage, hub: hub_server.Hub, notices: Notices, qtbot: QtBot) -> None:
    hub.faults.status["listing"] = 403
    hub.faults.error_codes["listing"] = "GatedRepo"
    page.cards[REPO].download.click()
    qtbot.waitUntil(lambda: bool(notices.told), timeout=WAIT_MS)
    assert "gated" in notices.told[-1][1]
    assert "gated" in page.cards[REPO].doing.text()
    assert page.cards[REPO].download.isVisible()


def test_a_folder_is_added_estimated_quantised_and_forgotten(
    page: ModelsPage, services: Services, checkpoint: Path, tmp_path: Path, notices: Notices, qtbot: QtBot
) -> None:
    """The estimate and the quantised copy come from the real command line."""
    folder = tmp_path / "mine"
    shutil.copytree(checkpoint, folder)
    page.take_folder(folder)
    qtbot.waitUntil(lambda: str(folder) in page.cards, timeout=WAIT_MS)
    card = page.cards[str(folder)]
    qtbot.waitUntil(lambda: bool(card.entry.fits), timeout=WAIT_MS)
    assert card.entry.fits[0].verdict == "fits"
    assert "needs" in card.numbers.text()
    assert card.quantize.isVisible()

    target = tmp_path / "smaller"
    page.quantise(card.entry, 8, target)
    assert card.bar.isVisible()
    qtbot.waitUntil(lambda: str(target) in page.cards, timeout=WAIT_MS)
    assert (target / "config.json").is_file()
    assert ("info", f"Written to {target}") in notices.told
    card.remove.trigger()
    qtbot.waitUntil(lambda: str(folder) not in page.cards, timeout=WAIT_MS)
    assert folder.is_dir(), "forgetting a folder deletes nothing"
    qtbot.waitUntil(lambda: services.tasks.count == 0, timeout=WAIT_MS)


def test_a_folder_that_is_no_model_says_so(page: ModelsPage, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "empty").mkdir()
    page.take_folder(tmp_path / "empty")
    qtbot.waitUntil(lambda: str(tmp_path / "empty") in page.cards, timeout=WAIT_MS)
    card = page.cards[str(tmp_path / "empty")]
    assert "config.json" in card.summary.text()
    assert not card.load.isVisible()
    assert card.remove.isVisible()


def test_the_builtin_model_is_loaded_tested_and_unloaded(page: ModelsPage, services: Services, qtbot: QtBot) -> None:
    """The real engine: the test of three targets says how many pixels off each answer is."""
    card = page.cards["builtin"]
    assert card.load.isVisible()
    card.load.click()
    qtbot.waitUntil(lambda: services.engine.state == "ready", timeout=WAIT_MS)
    assert card.badge.text() == "loaded"
    assert "memory in use" in page.engine_card.facts.text()
    page.engine_card.test.click()
    dialog = page.try_out
    assert dialog is not None
    qtbot.waitUntil(lambda: "targets hit" in dialog.verdict.text(), timeout=WAIT_MS)
    assert dialog.verdict.text() == "3 of 3 targets hit"
    assert [each.error_px for each in dialog.tried] == [0.0, 0.0, 0.0]
    assert len(dialog.picture.marks) == 6
    dialog.reject()
    page.engine_card.idle.setValue(5)
    assert services.settings.value.idle_unload_minutes == 5
    card.unload.click()
    assert services.engine.state == "none"
    assert card.load.isVisible()


def test_the_local_server_is_switched_on_killed_and_off(page: ModelsPage, services: Services, qtbot: QtBot) -> None:
    """The curl line's address and key work; a killed server comes back; nobody enters without the key."""
    box = page.server_card
    box.port.setValue(_free_port())
    box.switch.click()
    server = box.server
    qtbot.waitUntil(lambda: server.state in ("on", "failed"), timeout=WAIT_MS)
    assert server.state == "on", server.message
    key = services.settings.value.server.api_key
    assert key
    assert key not in box.curl.text(), "it is hidden until it is shown"
    assert stat.S_IMODE(services.settings.file.stat().st_mode) == 0o600
    box.copy_curl.click()
    assert f"Bearer {key}" in QGuiApplication.clipboard().text()
    request = urllib.request.Request(f"{box.address.text()}/models", headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["data"][0]["id"] == "deskhand-nano"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{box.address.text()}/models")
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: server.state == "restarting", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: server.state == "on", timeout=WAIT_MS)
    assert server.pid != pid
    box.switch.click()
    assert (server.state, server.pid) == ("off", None)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_server_that_cannot_start_says_why(page: ModelsPage, services: Services, qtbot: QtBot) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        page.server_card.port.setValue(taken.getsockname()[1])
        page.server_card.switch.click()
        qtbot.waitUntil(lambda: page.server_card.server.state == "failed", timeout=WAIT_MS)
    assert page.server_card.message.text()
    assert page.server_card.switch.text() == "Switch on"


def test_servers_are_added_tested_used_changed_and_removed(
    page: ModelsPage, services: Services, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No key is asked for; what the server says of itself is shown."""
    with serving(PacedModel(), ServeSettings(token=None), ModelCard("their-model", ("chat",))) as server:
        page.endpoints.add.click()
        dialog = page.endpoints.findChild(EndpointDialog)
        assert isinstance(dialog, EndpointDialog)
        assert (dialog.name.text(), dialog.url.text()) == PRESETS[0]
        dialog.url.setText("nonsense")
        assert not dialog.save.isEnabled()
        dialog.url.setText(server.url)
        dialog.test.click()
        qtbot.waitUntil(lambda: "their-model" in dialog.result_line.text(), timeout=WAIT_MS)
        dialog.accept()
        (shown,) = page.endpoints.rows
        assert services.settings.value.endpoints == (EndpointSettings(name="vLLM", url=server.url),)
        shown.use.click()
        qtbot.waitUntil(lambda: services.engine.state == "ready", timeout=WAIT_MS)
        assert services.engine.card is not None
        assert services.engine.card.id == "their-model"
        assert not page.engine_card.test.isEnabled(), "it cannot ground"
        assert services.settings.value.endpoint == "vLLM"
    known = services.settings.value.endpoints[0]
    page.endpoints.save(known.model_copy(update={"name": "mine", "url": "http://127.0.0.1:9/v1"}), known)
    (shown,) = page.endpoints.rows
    assert services.settings.value.endpoint == "mine"
    shown.test.click()
    qtbot.waitUntil(lambda: "no server can be reached" in shown.outcome.text(), timeout=WAIT_MS)
    monkeypatch.setattr("app.ui.models.endpoints.confirm", lambda *_args: True)
    shown.remove.click()
    assert services.settings.value.endpoints == ()
    assert services.settings.value.endpoint == ""


def test_verifying_a_plain_folder_checks_its_layout(checkpoint: Path, tmp_path: Path) -> None:
    assert verify(checkpoint, lambda _done, _total: None, threading.Event()) == 0
    broken = tmp_path / "broken"
    shutil.copytree(checkpoint, broken)
    name = weights(broken)
    (broken / name).write_bytes((broken / name).read_bytes()[:-100])
    with pytest.raises(CheckpointError):
        verify(broken, lambda _done, _total: None, threading.Event())
    assert name in added_folder(broken).problem
