"""How smoothly the chat page shows a long answer, and how soon it opens a long conversation: ``bench chat``.

The gaps are those of a 16 ms timer of the window's thread. Meanwhile the engine's own child process answers
questions about a screen, one after another, and takes what it can get of the processor.
"""

import contextlib
import itertools
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.ui.chat.page import ChatPage
    from app.ui.services import Services
    from model.chat import Delta, GenerateOptions, Message

_TICK_MS = 16
_IDLE_S = 3.0
_SCREEN_PX = (1920, 1080)
_PARAGRAPH = (
    "The window shows **three** controls, of which `Save` is the first; it lies in the lower left corner, "
    "right below the list of time zones, and is drawn in the colour that the theme has for what matters most. "
)
_CODE = "```python\nfor number in range(10):\n    print(number, 'of ten')  # counts\n```\n\n"
_LIST = "1. open the settings\n2. choose *Account*\n3. press `Save`\n\n"


@dataclass(frozen=True, slots=True)
class ChatFigures:
    """What was measured; ``idle_p99_ms`` is the gap with nothing to do, ``load`` the machine's own at the beginning.

    ``decoded_tokens`` is what the child decoded while the answer came; 0 where none was to run.
    """

    tokens: int
    seconds: float
    characters: int
    decoded_tokens: int
    ticks: int
    gap_p50_ms: float
    gap_p99_ms: float
    gap_max_ms: float
    idle_p99_ms: float
    open_500_ms: float
    search_ms: float
    load: float


class _Pace:
    """A `ChatModel` that says so many tokens a second of a text with everything in it."""

    def __init__(self, tokens: int, rate: float) -> None:
        self._tokens = tokens
        self._rate = rate

    def stream(
        self,
        messages: "Sequence[Message]",
        options: "GenerateOptions | None" = None,
        cancel: threading.Event | None = None,
    ) -> "Iterator[Delta]":
        """Answer with the whole text at its pace."""
        from model.chat import Delta, Usage

        text = ""
        while len(text) < 4 * self._tokens:
            text += "## A heading\n\n" + (_PARAGRAPH * 3 + "\n\n") * 4 + _LIST + _CODE
        cancel = cancel or threading.Event()
        started_s = time.perf_counter()
        for number in range(self._tokens):
            wait_s = started_s + number / self._rate - time.perf_counter()
            if wait_s > 0 and cancel.wait(wait_s):
                break
            yield Delta(text=text[4 * number : 4 * number + 4])
        yield Delta(finish="stop", usage=Usage(completion_tokens=self._tokens))


def bench_chat(tokens: int = 10_000, rate: float = 200.0, *, decoding: bool = True, xvfb: bool = False) -> ChatFigures:
    """Measure in this process, which must not have a window yet; leaves nothing behind.

    Without ``decoding`` no child works beside it. ``xvfb`` takes an X server of our own instead of this screen;
    where there is neither, nothing is painted. Raises AgentError when an X server cannot be started.
    """
    with contextlib.ExitStack() as stack:
        if xvfb:
            from app.bench_screen import own_server

            os.environ |= {"DISPLAY": stack.enter_context(own_server(*_SCREEN_PX)), "QT_QPA_PLATFORM": "xcb"}
        elif not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
            os.environ["QT_QPA_PLATFORM"] = "offscreen"
        return _measured(tokens, rate, decoding=decoding)


def _measured(tokens: int, rate: float, *, decoding: bool) -> ChatFigures:
    from PySide6.QtWidgets import QApplication

    load = os.getloadavg()[0]
    application = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory(prefix="deskhand-bench-") as folder:
        os.environ["DESKHAND_HOME"] = folder
        services = _services(Path(folder))
        from app.ui.chat.page import ChatPage

        page = ChatPage(services)
        page.resize(1000, 800)
        page.show()
        idle = _gaps(application, lambda since_s: since_s < _IDLE_S)
        with _working_child(Path(folder), wanted=decoding) as decoded:
            gaps = _stream(application, page, tokens, rate)
            decoded_tokens = sum(decoded)
        characters = len(page.transcript.views[-1].message.content.text)
        open_ms = _open_long(application, page)
        search_ms = _search(page)
        page.closing()
        page.close()
        services.engine.close()
        services.tasks.close()
    ordered, resting = sorted(gaps), sorted(idle)
    return ChatFigures(
        tokens=tokens,
        seconds=round(sum(gaps) / 1000, 1),
        characters=characters,
        decoded_tokens=decoded_tokens,
        ticks=len(gaps),
        gap_p50_ms=round(ordered[len(ordered) // 2], 1),
        gap_p99_ms=round(ordered[int(len(ordered) * 0.99)], 1),
        gap_max_ms=round(ordered[-1], 1),
        idle_p99_ms=round(resting[int(len(resting) * 0.99)], 1),
        open_500_ms=round(open_ms, 1),
        search_ms=round(search_ms, 1),
        load=round(load, 1),
    )


@contextlib.contextmanager
def _working_child(folder: Path, *, wanted: bool) -> Iterator[list[int]]:
    """Run the engine's child with the built-in checkpoint, and keep it at work; yield the tokens of each answer."""
    decoded: list[int] = []
    if not wanted:
        yield decoded
        return
    from PIL import Image

    from app.samples import sample
    from model.chat import GenerateOptions, complete
    from model.child import EngineProcess
    from model.grounding import ask

    picture = Image.open(sample()[0]).convert("RGB")
    over = threading.Event()

    def work(process: EngineProcess) -> None:
        endpoint = process.endpoint()
        for number in itertools.count():
            if over.is_set():
                return
            question = ask(picture, f"the button number {number}", "bare")
            done = complete(endpoint, question, GenerateOptions(max_tokens=48, temperature=0.0), over)
            decoded.append(done.usage.completion_tokens if done.usage else 0)

    with EngineProcess(log_file=folder / "engine.log") as process:
        process.wait_ready()
        worker = threading.Thread(target=work, args=(process,), name="questions")
        worker.start()
        try:
            while not decoded and worker.is_alive():
                time.sleep(_TICK_MS / 1000)
            yield decoded
        finally:
            over.set()
            worker.join()


def _services(folder: Path) -> "Services":
    from app.settings import SettingsStore
    from app.ui.engine import EngineService
    from app.ui.services import Services
    from app.ui.tasks import Tasks
    from app.ui.theme import ThemeService

    settings = SettingsStore(folder / "settings.json")
    tasks = Tasks()
    theme = ThemeService(settings)
    theme.apply()
    return Services(settings, tasks, EngineService(settings, tasks, folder), theme, folder, _quiet)


def _quiet(_level: str, _message: str) -> None:
    pass


def _stream(application: "QApplication", page: "ChatPage", tokens: int, rate: float) -> list[float]:
    """Let the answer come and return the gaps of the timer meanwhile, in milliseconds."""
    from app.store import NewMessage
    from app.ui.chat.answering import Job
    from app.ui.chat.request import Question

    history = page.history
    talk = history.conversations.create("bench")
    question = history.messages.add(talk.id, None, NewMessage("user", "Say a lot."))
    page.session.open(talk.id)
    answer = history.messages.add(talk.id, question.id, NewMessage("assistant", state="streaming"))
    page.session.run_job(Job(Question((question,)), answer, _Pace(tokens, rate), None, "bench"))
    return _gaps(application, lambda _since_s: page.session.is_answering)


def _gaps(application: "QApplication", goes_on: Callable[[float], bool]) -> list[float]:
    """Let the window live and return the gaps of the timer meanwhile, in milliseconds."""
    from PySide6.QtCore import Qt, QTimer

    gaps: list[float] = []
    started_s = last_s = time.perf_counter()

    def tick() -> None:
        nonlocal last_s
        now_s = time.perf_counter()
        gaps.append((now_s - last_s) * 1000)
        last_s = now_s
        if not goes_on(now_s - started_s):
            application.quit()

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(_TICK_MS)
    timer.timeout.connect(tick)
    timer.start()
    application.exec()
    timer.stop()
    return gaps


def _open_long(application: "QApplication", page: "ChatPage") -> float:
    """Return how long it takes to show a conversation of 500 messages, in milliseconds."""
    from app.store import NewMessage

    history = page.history
    talk = history.conversations.create("long")
    parent = None
    with history.database.write():
        for number in range(500):
            text = f"Message {number}. " + (_PARAGRAPH * 4 + "\n\n" + _LIST + _CODE if number % 2 else _PARAGRAPH)
            content = NewMessage("assistant" if number % 2 else "user", text)
            parent = history.messages.add(talk.id, parent, content).id
    started_s = time.perf_counter()
    page.session.open(talk.id)
    page.transcript.viewport().repaint()
    application.processEvents()
    return (time.perf_counter() - started_s) * 1000


def _search(page: "ChatPage") -> float:
    """Return the slowest of some searches in 10,000 messages, in milliseconds."""
    from app.store import NewMessage

    history = page.history
    with history.database.write():
        for number in range(190):
            talk = history.conversations.create(f"talk {number}")
            parent = None
            for at in range(50):
                content = NewMessage("assistant" if at % 2 else "user", f"{number}.{at} 保存按钮 {_PARAGRAPH}")
                parent = history.messages.add(talk.id, parent, content).id
    slowest_s = 0.0
    for query in ("corner", "保存", "按", "188.49", "zones lower", "nowhere to be found", "th"):
        started_s = time.perf_counter()
        history.search(query)
        slowest_s = max(slowest_s, time.perf_counter() - started_s)
    return slowest_s * 1000
