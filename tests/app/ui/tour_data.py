"""What a person's data folder holds after some days of use: a chat, a run of the agent, a batch, a crash report."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from agent.episode import Acted, Ended, Event, Gated, Observed, Outcome, Plan, Planned, Proposal, Verdict, Verified
from agent.episode import WindowInfo as Window
from agent.locate import LocateOptions
from agent.trace import TraceWriter, new_run_folder
from agent.types import Click, Frame, Monitor, Point, Rect, Target, TypeText
from app.batch_model import Opened
from app.samples import sample
from app.store import Attachment, Figures, History, NewMessage, StoredPoint
from app.ui.batch.record import Record, new_folder
from app.ui.batch.source import Source
from app.ui.batch.steady import Gate
from app.ui.batch.work import Control, Inbox, run
from app.ui.tasks import Cancel
from model.chat import Delta, GenerateOptions, Message
from model.grounding import ABSENT_ANSWER, answer_text
from tests.agent.grounding_sets import pro_row, write_pro

_ANSWER = """\
## What the window shows

The window has **five fields**, a *checkbox* and two buttons. In short:

1. `Email` is where the account's address goes.
2. “Remember this device” stays ticked until you [sign out](https://example.org).

| Control | Place | What it does |
|---|---|---|
| Save changes | left | keeps what was written |
| Delete account | right | **cannot be undone** |

> Read the line below the field first.

```python
def save(form: Form) -> None:
    # Only what has changed is written.
    for field in form.changed:
        store[field.name] = field.value
```

The rest is decoration.
"""


def seed(data: Path) -> None:
    """Fill a data folder."""
    data.mkdir(parents=True, exist_ok=True)
    _chat(data)
    _agent(data)
    _batch(data)


def seed_crash(data: Path) -> None:
    """Leave what a window leaves that broke down."""
    folder = data / "crash"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "running").write_text("1", encoding="utf-8")
    said = 'Traceback (most recent call last):\n  File "app/ui/page.py", line 1, in shown\nValueError: told to break\n'
    (folder / "errors.txt").write_text(said, encoding="utf-8")


def _chat(data: Path) -> None:
    picture, targets = sample()
    left, top, right, bottom = targets[0].box_px
    with Image.open(picture) as image:
        width, height = image.size
    history = History(data)
    digest = history.files.put(picture.read_bytes())
    attached = Attachment(digest, picture.name, "image", picture.stat().st_size, width, height)
    for number in range(3):
        talk = history.conversations.create(f"An older conversation, number {number}")
        history.messages.add(talk.id, None, NewMessage("user", "hello"))
    talk = history.conversations.create("What does this window show?")
    question = NewMessage("user", "What does this window show?", attachments=(attached,))
    first = history.messages.add(talk.id, None, question)
    figures = Figures(1204, 340, 1032, 412, 9100, 42.5, 131072)
    answer = NewMessage("assistant", _ANSWER, "A window with fields…", 3400, model="Kimi-VL", figures=figures)
    second = history.messages.add(talk.id, first.id, answer)
    third = history.messages.add(talk.id, second.id, NewMessage("user", targets[0].instruction))
    point = StoredPoint((left + right) / 2 / width, (top + bottom) / 2 / height)
    found = NewMessage("assistant", "Found at x 375, y 514 of 1280 × 800 px.", points=(point,), model="deskhand-nano")
    history.messages.add(talk.id, third.id, found)
    history.close()
    settings = data / "settings.json"
    kept = json.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    kept["pages"] = {**kept.get("pages", {}), "chat": {"conversation": talk.id}}
    settings.write_text(json.dumps(kept), encoding="utf-8")


def _agent(data: Path) -> None:
    picture, targets = sample()
    with Image.open(picture) as image:
        shown = np.asarray(image.convert("RGBA"))[..., [2, 1, 0, 3]].copy()
    screen = Rect(0, 0, shown.shape[1], shown.shape[0])
    before = Frame(shown, screen, (Monitor("1", "left", screen, 1.0, True),), 1000.0, "tour")
    after = Frame(255 - shown, screen, before.monitors, 1001.0, "tour")
    window = Window("Account settings", "Browser", screen)
    goal = 'click the Email field\ntype "ada@example.org"\nclick the Save changes button'
    with TraceWriter(new_run_folder(data / "runs"), goal, "guarded") as write:
        for number, target in enumerate(targets[:3], 1):
            box = Rect(*target.box_px)
            action = Click(Point((box.left + box.right) // 2, (box.top + box.bottom) // 2))
            typed = TypeText("ada@example.org")
            for event in _step(number, before, after, typed if number == 2 else action, box, window):
                write(event)
        write(Ended(Outcome("done", "The address is saved.", 3), after))


def _step(
    number: int, before: Frame, after: Frame, action: Click[Point] | TypeText, box: Rect, window: Window
) -> Iterator[Event]:
    words = "the field that the step names"
    yield Observed(number, before, window, "")
    yield Planned(number, Plan((Click(Target(words)),), "It is at the top of the form.", f"Click {words}", ""), 12.5)
    proposal = Proposal(number, action, before, box, words, window, ())
    yield Gated(number, proposal, True, False, "nothing to ask about")
    yield Acted(number, action, 7.0, "")
    yield Verified(number, after, Verdict("confirmed", (box,), "the field has changed", True, 300.0))


class _Guess:
    """Points somewhere by the words of the question."""

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        text = messages[-1].text
        said = answer_text(0.9, 0.9) if "Insert" in text else answer_text(0.2, 0.2)
        yield Delta(text=ABSENT_ANSWER if "Ruler" in text else said)
        yield Delta(finish="stop")


def _batch(data: Path) -> None:
    names = ("Save", "Insert a table", "Ruler", "Print", "Insert an image", "Undo", "Find and replace")
    rows = [pro_row(name, application="word" if number % 2 else "gimp") for number, name in enumerate(names)]
    write_pro(data / "sets" / "Office", *rows, pro_row("gone", img_filename="word_windows/gone.png"))
    source = Source(data / "sets" / "Office", "screenspot-pro")
    record = Record(new_folder(data, "Office"), source, "deskhand-nano", looks=1, workers=1, began_s=1_790_000_000.0)

    @contextmanager
    def opened() -> Iterator[Opened]:
        yield Opened(_Guess(), "deskhand-nano", LocateOptions(max_looks=1), 1)

    run(record, opened, Control(Inbox(), Gate()), Cancel(lambda _value: None))
