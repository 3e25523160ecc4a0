"""The agent's page without a screen, and runs to look back on, for tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from agent.trace import TraceWriter, new_run_folder
from app.ui.agent.page import AgentPage
from app.ui.services import Services
from tests.agent.runs import whole_run


@pytest.fixture
def agent_page(services: Services, qtbot: QtBot) -> Iterator[AgentPage]:
    made = AgentPage(services)
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    yield made
    made.closing()
    # What reads the list of runs has ended before the page is gone.
    qtbot.waitUntil(lambda: services.tasks.count == 0)


def record(root: Path, goal: str = "click the Save button", *, end: bool = True) -> Path:
    folder = new_run_folder(root)
    with TraceWriter(folder, goal, "guarded") as write:
        for event in whole_run()[: None if end else -1]:
            write(event)
    return folder
