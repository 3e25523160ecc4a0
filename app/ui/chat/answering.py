"""Asks the model and makes the answer's message of what comes; runs in a worker, knows no Qt."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.store import Figures, History, NewMessage, StoredMessage, StoredPoint
from app.store.values import MessageState
from app.translate import tr
from app.ui.chat.request import (
    CountingModel,
    Question,
    figures_of,
    messages_of,
    only_grounds,
    options_for,
    points_in,
    prefix_of,
)

if TYPE_CHECKING:
    from model.chat import ChatModel
    from model.wire.card import ModelCard


@dataclass(frozen=True, slots=True)
class Job:
    """An answer to be written into ``message``; one that has text already is continued.

    ``finds``: look for what the question describes on its picture, also with a model that talks.
    """

    question: Question
    message: StoredMessage
    model: "ChatModel"
    card: "ModelCard | None"
    name: str
    finds: bool = False


class Answer:
    """One answer on its way. ``add(text, thinking)`` is called with each piece, in the worker."""

    def __init__(self, history: History, job: Job, add: Callable[[str, str], None], cancel: threading.Event) -> None:
        self._history = history
        self._job = job
        self._add = add
        self._cancel = cancel
        self._text = [job.message.content.text]
        self._thinking = [job.message.content.thinking]

    def run(self, thinking_ms: Callable[[], float]) -> NewMessage:
        """Ask, and return the whole message; whatever goes wrong is in it, with the text so far."""
        from model.errors import ModelError

        state: MessageState
        error, figures, points = "", Figures(), ()
        try:
            if self._job.finds or only_grounds(self._job.card):
                state, figures, points = self._find()
            else:
                state, figures, points = self._talk()
        except ModelError as problem:
            state, error = ("stopped", "") if self._cancel.is_set() else ("failed", str(problem))
        except Exception as problem:  # noqa: BLE001 - a border: an answer may fail, the window may not
            what = f"{type(problem).__name__}: {problem}"
            state, error = "failed", tr("The answer failed: {error}", error=what)
        return NewMessage(
            role="assistant",
            text="".join(self._text),
            thinking="".join(self._thinking),
            thinking_ms=self._job.message.content.thinking_ms + thinking_ms(),
            state=state,
            error=error,
            model=self._job.name,
            figures=figures,
            points=points,
        )

    def _say(self, text: str, thinking: str = "") -> None:
        # A lone surrogate cannot be stored, and broken servers send some.
        text, thinking = (each.encode("utf-8", "replace").decode("utf-8") for each in (text, thinking))
        self._text.append(text)
        self._thinking.append(thinking)
        self._add(text, thinking)

    def _talk(self) -> tuple[MessageState, Figures, tuple[StoredPoint, ...]]:
        from model.chat import Usage

        job = self._job
        prefix = prefix_of("".join(self._text), "".join(self._thinking))
        messages = messages_of(self._history, job.question)
        usage, finish = Usage(), "stop"
        # What comes first of a continued answer is its beginning, which is there already.
        echoed = not prefix
        for delta in job.model.stream(messages, options_for(job.card, prefix), self._cancel):
            if echoed:
                self._say(delta.text, delta.thinking)
            echoed = True
            finish = delta.finish or finish
            usage = delta.usage or usage
        if self._cancel.is_set() or finish == "cancelled":
            state: MessageState = "stopped"
        else:
            state = "length" if finish == "length" else "complete"
        return state, figures_of(usage, job.card), points_in("".join(self._text), job.question)

    def _find(self) -> tuple[MessageState, Figures, tuple[StoredPoint, ...]]:
        from agent.locate import LocateOptions, locate
        from model.errors import InputError
        from model.inputs.decode import open_image

        job = self._job
        pictures = job.question.pictures
        what = job.question.asked.content.text.strip()
        if not pictures or not what:
            raise InputError(
                tr("This model finds things in pictures")
                if only_grounds(job.card)
                else tr("“Find it” finds things in pictures"),
                why=tr("the question has no picture") if what else tr("the question does not say what to find"),
                remedy=tr("attach a picture and describe what to find in it"),
            )
        picture = open_image(self._history.files.path(pictures[-1].digest))
        card = job.card
        options = LocateOptions.of(card)
        counting = CountingModel(job.model)
        self._text.clear()
        found = locate(counting, picture, what, options, self._cancel)
        figures = counting.figures(card)
        if self._cancel.is_set():
            return "stopped", figures, ()
        if found.point_px is None or found.point_rel is None:
            self._say(tr("Not found: {reason}.", reason=found.reason))
            return "complete", figures, ()
        x_px, y_px = found.point_px
        self._say(
            tr(
                "Found at x {x}, y {y} of {width} × {height} px.",
                x=x_px,
                y=y_px,
                width=picture.width,
                height=picture.height,
            )
        )
        return "complete", figures, (StoredPoint(*found.point_rel, len(pictures) - 1),)
