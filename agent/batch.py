"""Ground many rows: pictures × instructions in, points out, in the order they came.

As a library:

    from agent.batch import Row, ground
    from model.engine import Engine
    from model.image import open_image

    with Engine.load("builtin") as engine:
        for result in ground([Row.of("1", Path("shot.png"), "the Save button")], engine, open_image):
            print(result.row.id, result.point_px)
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, Self

from PIL import Image

from agent.batch_pictures import Leading, OpenImage, Pictures, Source, picture_key
from agent.batch_votes import vote
from agent.locate import LocateOptions, Location
from model.chat import ChatModel
from model.errors import CancelledByCallerError, EndpointError, InputError
from model.grounding import NotThere

Status = Literal["found", "not_found", "unreadable", "bad_row", "failed"]
OnLocated = Callable[["Row", Image.Image, Location], None]
_AHEAD = 2
"""Rows prepared per worker beyond the one it works on."""


@dataclass(frozen=True, slots=True)
class Row:
    """One question. ``image`` is a file or the bytes of one, ``image_name`` how the input calls it.

    With a ``problem`` the row is not asked.
    """

    id: str
    image: Source
    image_name: str
    instruction: str
    problem: str = ""

    @classmethod
    def of(cls, name: str, image: Source, instruction: str, image_name: str | None = None) -> Self:
        """Make a row; an instruction without words, or with half a character in it, is a problem."""
        problem = "" if instruction.strip() else "the instruction is empty"
        if any("\ud800" <= character <= "\udfff" for character in instruction):
            problem = "the instruction is not valid Unicode text"
        if image_name is None:
            image_name = str(image) if isinstance(image, Path) else ""
        return cls(name, image, image_name, instruction, problem)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one row. ``point_px`` is a pixel of the picture, ``point_rel`` the same point relative to it.

    ``looks`` counts how often the model was asked, ``answer`` is what it said last, ``agreement`` the share of
    votes for it. ``ms`` is the wall-clock time that asking took; two runs differ in it.
    """

    row: Row
    status: Status
    point_px: tuple[int, int] | None = None
    point_rel: tuple[float, float] | None = None
    size_px: tuple[int, int] | None = None
    looks: int = 0
    answer: str = ""
    reason: str = ""
    agreement: float | None = None
    ms: float = 0.0


def ground(
    rows: Iterable[Row],
    model: ChatModel,
    open_image: OpenImage,
    options: LocateOptions = LocateOptions(),
    *,
    votes: int = 1,
    workers: int = 4,
    batch_size: int | None = None,
    failures_in_a_row: int = 0,
    on_located: OnLocated | None = None,
    progress: Callable[[int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[Result]:
    """Ask for a point for every row and yield the results in the rows' order.

    ``open_image`` decodes a picture (`model.image.open_image`). ``workers`` rows are asked at once, each decoded
    and resized on its worker's thread. ``batch_size`` rows are looked over together: those on one picture are
    asked one after another, the shorter first, so that the model encodes it once (None: three per worker).
    Rows are taken from the iterable only as they are needed, so memory does not grow with their number; what
    is yielded depends on neither number. ``votes`` above 1 asks so often and takes what most agree on.
    ``on_located`` gets every picture with its answer, from the workers' threads, before the result is yielded.
    ``progress`` gets the number of results so far.

    A row that cannot be asked (no picture, a broken one, an instruction too long) becomes a result with the
    status ``bad_row``. An `EndpointError` makes a row ``failed``, but is raised once more than
    ``failures_in_a_row`` rows failed one after another. Other errors that say nothing about the row are raised;
    so is `CancelledByCallerError` after ``cancel`` was set. Closing the iterator stops what is running.
    """
    for name, value in (("workers", workers), ("votes", votes), ("batch_size", batch_size)):
        if value is not None and value < 1:
            raise InputError(f"{name} is {value}; at least one is needed")
    stop = cancel if cancel is not None else threading.Event()
    ended = _Either(stop)
    ask = _Asker(model, Pictures(open_image, keep=workers + 1), options, votes, on_located, ended)
    coming = iter(rows)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="batch")
    running: deque[Future[Result | EndpointError]] = deque()
    waiting: deque[Row] = deque()
    try:
        done = failed = 0
        while True:
            while len(running) < workers * (1 + _AHEAD):
                batch = list(islice(coming, batch_size or workers * (1 + _AHEAD)))
                if not batch:
                    break
                waiting.extend(batch)
                running.extend(_submit(pool, ask, batch))
            if not running:
                return
            result = running.popleft().result()
            row = waiting.popleft()
            if stop.is_set():
                # What was being answered then may have been cut short.
                raise CancelledByCallerError("the batch was stopped", remedy="go on with --resume")
            failed = failed + 1 if isinstance(result, EndpointError) else 0
            if isinstance(result, EndpointError):
                if failed > failures_in_a_row:
                    raise result
                result = Result(row, "failed", reason=str(result))
            done += 1
            if progress is not None:
                progress(done)
            yield result
    finally:
        ended.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: ThreadPoolExecutor, ask: "_Asker", batch: list[Row]) -> list["Future[Result | EndpointError]"]:
    """Begin a batch's rows picture by picture; return their futures in the rows' own order."""
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(batch):
        groups.setdefault("" if row.problem else picture_key(row.image), []).append(place)
    futures: dict[int, Future[Result | EndpointError]] = {}
    for places in groups.values():
        for place in sorted(places, key=lambda place: len(batch[place].instruction)):
            futures[place] = pool.submit(ask, batch[place])
    return [futures[place] for place in range(len(batch))]


@dataclass(frozen=True, slots=True)
class _Asker:
    """What a worker does with a row."""

    model: ChatModel
    pictures: Pictures
    options: LocateOptions
    votes: int
    on_located: OnLocated | None
    ended: threading.Event

    def __call__(self, row: Row) -> Result | EndpointError:
        if row.problem:
            return Result(row, "bad_row", reason=row.problem)
        if self.ended.is_set():
            raise CancelledByCallerError("the batch was stopped", remedy="go on with --resume")
        begun = None
        try:
            image, begun = self.pictures.open(row.image, self.ended)
            started = time.perf_counter()
            model = self.model if begun is None else Leading(self.model, begun)
            voted = vote(model, image, row.instruction, self.options, self.votes, self.ended)
            elapsed_ms = 1000 * (time.perf_counter() - started)
        except InputError as error:
            return Result(row, "bad_row", reason=str(error))
        except EndpointError as error:
            return error
        finally:
            if begun is not None:
                begun.set()
        location = voted.location
        if self.on_located is not None:
            self.on_located(row, image, location)
        last = location.looks[-1]
        missed: Status = "not_found" if isinstance(last.answer, NotThere) else "unreadable"
        return Result(
            row,
            "found" if location.found else missed,
            location.point_px,
            location.point_rel,
            image.size,
            voted.looks,
            last.text,
            location.reason,
            voted.agreement if self.votes > 1 else None,
            elapsed_ms,
        )


class _Either(threading.Event):
    """An event of its own that is also set while another one is: the iterator's end, or the caller's wish."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        return super().is_set() or self._other.is_set()
