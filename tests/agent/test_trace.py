"""Traces: what was told is read back, from a whole one, from one cut anywhere, and after a kill."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.episode import Ended, Event, Observed, Outcome
from agent.trace import FRAMES_NAME, LINES_NAME, MISSING_SOURCE, TraceWriter, new_run_folder, read_trace
from agent.trace_codec import SECRET, Redactor
from agent.trace_frames import ContentNames
from agent.types import Frame, Press, Rect, TypeText
from model.errors import InputError, ResourceError
from tests.agent.runs import FIELD, SCREEN, frame, step, whole_run

ROOT = Path(__file__).parents[2]
PASSWORD = "p4ss <wörd>'\\"


def write(folder: Path, events: list[Event], goal: str = "sign in", secrets: tuple[str, ...] = ()) -> Path:
    with TraceWriter(folder, goal, "guarded", secrets) as writer:
        for event in events:
            writer(event)
    return folder


def same(one: object, other: object) -> bool:
    """Compare values field by field, and frames by their colours."""
    if isinstance(one, Frame) and isinstance(other, Frame):
        facts = [(f.rect_px, f.monitors, f.time_s, f.source) for f in (one, other)]
        return facts[0] == facts[1] and bool((one.pixels == other.pixels).all())
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if dataclasses.is_dataclass(one) and type(one) is type(other):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in dataclasses.fields(one))
    return one == other


def test_a_trace_gives_back_every_event(tmp_path: Path) -> None:
    events = whole_run()
    trace = read_trace(write(tmp_path / "run", events))
    assert (trace.goal, trace.mode, trace.cut, trace.ended) == ("sign in", "guarded", False, True)
    read = [event for _, event in trace.events()]
    assert len(read) == len(events)
    assert all(map(same, read, events))


def test_each_frame_is_stored_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", whole_run())
    assert len(list((folder / FRAMES_NAME).iterdir())) == 2


def test_the_same_picture_from_two_captures_is_stored_once(tmp_path: Path) -> None:
    one, other = frame(seed=1), frame(seed=1)
    pixels = other.bgrx.copy()
    pixels[..., 3] ^= 255  # means nothing
    other = Frame(pixels, SCREEN, (), 5.0, "other")
    folder = write(tmp_path / "run", [Observed(1, one, None, ""), Observed(2, other, None, "")])
    assert len(list((folder / FRAMES_NAME).iterdir())) == 1


@given(st.integers(0, SCREEN.width - 1), st.integers(0, SCREEN.height - 1), st.integers(0, 2))
def test_one_pixel_changes_the_name(x: int, y: int, channel: int) -> None:
    pixels = frame(seed=1).bgrx.copy()
    names = ContentNames()
    name = names.name(pixels)
    changed = pixels.copy()
    changed[y, x, channel] ^= 1
    assert names.name(changed) != name
    assert names.name(pixels) == name


@given(st.lists(st.tuples(st.integers(0, SCREEN.height - 1), st.integers(0, 3)), max_size=8))
def test_a_name_does_not_depend_on_what_was_named_before(changes: list[tuple[int, int]]) -> None:
    names, pixels = ContentNames(), frame(seed=1).bgrx
    for row, channel in changes:
        pixels = pixels.copy()
        pixels[row, :, channel] ^= 255
        assert names.name(pixels) == ContentNames().name(pixels)


def test_a_trace_cut_at_any_byte_of_its_last_line_opens(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", whole_run())
    path = folder / LINES_NAME
    data = path.read_bytes()
    start = data.rstrip(b"\n").rindex(b"\n") + 1
    total = data.count(b"\n") - 1
    for end in range(start, len(data) + 1):
        path.write_bytes(data[:end])
        trace = read_trace(folder)
        complete = end >= len(data) - 1
        assert len(trace.records) == total - (not complete)
        assert trace.cut == (start < end and not complete)
    assert sum(1 for _ in read_trace(folder).events()) == total


KILLED = """
import sys
from pathlib import Path
from agent.trace import TraceWriter
from agent.types import Point, Click
from tests.agent.runs import frame, step
with TraceWriter(Path(sys.argv[1]), "go on for ever", "run") as writer:
    number = 0
    while True:
        number += 1
        for event in step(number, frame(seed=number), frame(seed=number + 1000), Click(Point(1, 1))):
            writer(event)
        print(number, flush=True)
"""


def test_a_killed_process_leaves_all_but_the_step_in_flight(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "run")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) == 5:
            break
    os.kill(child.pid, signal.SIGKILL)
    told = [int(line) for line in child.stdout]
    child.wait()
    done = max([5, *told])
    events = [event for _, event in read_trace(tmp_path / "run").events()]
    by_step = {number: [e for e in events if getattr(e, "step", 0) == number] for number in range(1, done + 1)}
    assert all(len(found) == 6 for found in by_step.values())
    for number in range(1, done):
        frames = [getattr(event, "frame", None) for event in by_step[number]]
        assert all(f.source != MISSING_SOURCE for f in frames if f is not None)


def test_a_missing_frame_is_grey_and_says_so(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [Observed(1, frame(), None, "")])
    for path in (folder / FRAMES_NAME).iterdir():
        path.unlink()
    ((_, event),) = read_trace(folder).events()
    assert isinstance(event, Observed)
    assert event.frame.source == MISSING_SOURCE
    assert event.frame.rect_px == SCREEN


def secret_run(changed: tuple[Rect, ...] = (FIELD,)) -> list[Event]:
    events = step(1, frame(seed=1), frame(seed=2), TypeText(PASSWORD, secret=True), changed)
    later = Observed(2, frame(seed=3), None, f"typed {PASSWORD}, or {PASSWORD!r} in code")
    return [*events, later]


def test_a_secret_is_in_no_text(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", secret_run(), f"sign in with {PASSWORD}", (PASSWORD,))
    text = (folder / LINES_NAME).read_text()
    assert "p4ss" not in text
    assert SECRET in text
    assert read_trace(folder).goal == f"sign in with {SECRET}"


def test_a_secret_that_nobody_announced_is_learned_when_it_is_typed(tmp_path: Path) -> None:
    assert "p4ss" not in (write(tmp_path / "run", secret_run()) / LINES_NAME).read_text()


def shown(event: Event) -> Frame:
    found = getattr(event, "frame", None)
    assert isinstance(found, Frame)
    return found


def test_pixels_are_covered_where_a_secret_was_typed_and_from_then_on(tmp_path: Path) -> None:
    text = Rect(130, 20, 180, 60)
    events = [event for _, event in read_trace(write(tmp_path / "run", secret_run((text,)))).events()]
    assert same(shown(events[0]), frame(seed=1))
    for event, original in ((events[5], frame(seed=2)), (events[6], frame(seed=3))):
        covered = np.zeros((SCREEN.height, SCREEN.width), bool)
        for part in (FIELD, text):
            pixels = shown(event).crop(part).pixels
            assert (pixels == pixels[0, 0]).all()
            covered[part.top - SCREEN.top : part.bottom - SCREEN.top, part.left + 40 : part.right + 40] = True
        assert (shown(event).pixels[~covered] == original.pixels[~covered]).all()


def test_a_frame_after_a_secret_that_nobody_compared_is_covered_whole(tmp_path: Path) -> None:
    events = [*secret_run()[:5], Ended(Outcome("stopped", "by hotkey", 1), frame(seed=9))]
    *_, (_, last) = read_trace(write(tmp_path / "run", events)).events()
    assert len(np.unique(shown(last).pixels)) == 1


@given(st.text(min_size=1, max_size=30), st.text(max_size=40), st.text(max_size=40))
def test_redaction_leaves_no_secret(secret: str, before: str, after: str) -> None:
    redacted = Redactor([secret])(f"{before} {secret} {after}")
    if secret.strip() and len(secret.strip()) >= 4:
        assert secret not in redacted.replace(SECRET, "")


def test_a_short_secret_does_not_tear_words_apart() -> None:
    assert Redactor(["12"])("12 of 1234, pin=12") == f"{SECRET} of 1234, pin={SECRET}"


def test_a_secret_that_is_a_word_of_the_format_breaks_nothing(tmp_path: Path) -> None:
    events: list[Event] = step(1, frame(), frame(), Press("enter"), (FIELD,))
    read = [e for _, e in read_trace(write(tmp_path / "run", events, secrets=("enter", "confirmed"))).events()]
    assert same(read[4], events[4])


def test_nobody_else_may_read_a_trace(tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no mode bits")
    assert write(tmp_path / "run", []).stat().st_mode & 0o77 == 0


def test_a_trace_is_never_written_over(tmp_path: Path) -> None:
    write(tmp_path / "run", [])
    with pytest.raises(ResourceError):
        TraceWriter(tmp_path / "run", "again", "run")


def test_two_runs_of_one_second_have_two_folders(tmp_path: Path) -> None:
    assert len({new_run_folder(tmp_path, 0.0) for _ in range(3)}) > 1


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"nonsense", b"[]\n", b"{}\n", b'{"deskhand_trace": 99}\n'),
        b'{"deskhand_trace": 1}\n\xff\n{}\n',
        b'{"deskhand_trace": 1}\n{"event": 3}\n',
        b'{"deskhand_trace":' + b"[" * 100_000,
    ],
)
def test_what_is_no_trace_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LINES_NAME).write_bytes(content)
    with pytest.raises(InputError):
        read_trace(tmp_path)


def test_a_frame_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "run", [Observed(1, frame(), None, "")])
    path = folder / LINES_NAME
    header, line = path.read_text().splitlines()
    record = json.loads(line)
    record["event"]["frame"]["sha256"] = "../../secret"
    path.write_text(f"{header}\n{json.dumps(record)}\n")
    with pytest.raises(InputError):
        list(read_trace(folder).events())


def test_lone_surrogates_survive(tmp_path: Path) -> None:
    ((_, event),) = read_trace(write(tmp_path / "run", [Observed(1, frame(), None, "a\ud800b")])).events()
    assert isinstance(event, Observed)
    assert event.note == "a\ud800b"
