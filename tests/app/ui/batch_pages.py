"""The batch page with a real server behind it, for tests: what begins a run, waits for it and reads its table."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.settings import EndpointSettings
from app.ui.batch.choice import COLUMNS
from app.ui.batch.page import BatchPage
from app.ui.services import Services
from model.chat import Delta, GenerateOptions, Message
from model.errors import EndpointError
from model.grounding import ABSENT_ANSWER, answer_text
from model.serve import ModelCard, ServeSettings
from tests.agent.grounding_sets import pro_row, write_pro
from tests.model.serving import serving

WAIT_MS = 60_000


CARD = ModelCard("pointer", ("ground",), grounding_prompt="bare", in_token_limit=1024)


@dataclass
class Pointer:
    """Points at the target of `pro_row`; words of the instruction make it miss, refuse, wait or break."""

    held: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)
    breaks: bool = False

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        text = messages[-1].text
        self.asked.append(text)
        if "late" in text:
            while not self.held.wait(0.05) and not (cancel is not None and cancel.is_set()):
                pass
        if "broken" in text and self.breaks:
            raise EndpointError("the card fell out")
        said = answer_text(0.9, 0.9) if "miss" in text else answer_text(0.2, 0.2)
        yield Delta(text=ABSENT_ANSWER if "absent" in text else said)
        yield Delta(finish="stop")


@pytest.fixture
def pointer(services: Services) -> Iterator[Pointer]:
    """Serve a `Pointer`; the settings know it as "lab"."""
    model = Pointer()
    with serving(model, ServeSettings(token=None), CARD) as server:
        services.settings.change(endpoints=[EndpointSettings(name="lab", url=server.url)])
        yield model
        model.held.set()


@pytest.fixture
def batch_page(services: Services, qtbot: QtBot) -> Iterator[BatchPage]:
    yield from open_page(services, qtbot)


def open_page(services: Services, qtbot: QtBot) -> Iterator[BatchPage]:
    made = BatchPage(services)
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.show()
    qtbot.waitExposed(made)
    yield made
    made.closing()
    qtbot.waitUntil(lambda: services.tasks.count == 0, timeout=WAIT_MS)


def begin(page: BatchPage, path: Path, *, instruction: str = "", endpoint: str = "lab", workers: int = 2) -> None:
    """Come to the page, choose an input and press Start."""
    page.shown()
    page.setup.choose(path)
    page.setup.model.setCurrentIndex(page.setup.model.findData(endpoint))
    page.setup.workers.setValue(workers)
    page.setup.looks.setValue(1)
    page.setup.instruction.setText(instruction)
    assert page.setup.start.isEnabled()
    page.setup.start.click()


def column(page: BatchPage, name: str) -> list[str]:
    """Read a column of the table as it is shown."""
    model, number = page.view.model, COLUMNS.index(name)
    return [model.data(model.index(line, number)) for line in range(model.rowCount())]


def wait_done(page: BatchPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: page.running is None and page._asking is None, timeout=WAIT_MS)


def outcomes(folder: Path) -> Path:
    """Write a set with one row for each thing that may come of a row."""
    rows = [pro_row(name) for name in ("a", "miss 1", "absent 1")]
    return write_pro(folder, *rows, pro_row("gone", img_filename="word_windows/gone.png", application="gimp"))
