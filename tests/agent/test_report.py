"""Reports and exports of recorded runs, and the commands that make them."""

import base64
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from agent.actions import read_actions
from agent.episode import Ended, Event, Observed, Outcome
from agent.export import export_agentnet
from agent.report import render_html
from agent.told import describe, tell
from agent.trace import LINES_NAME, TraceWriter, read_trace
from agent.types import Click, Done, Point, Press, RelPoint, Target, TypeText
from tests.agent.runs import FIELD, frame, step, whole_run

ROOT = Path(__file__).parents[2]
GOAL = "sign in </title><script>alert(1)</script>"
VOID = {"meta", "img", "rect", "circle", "br"}


def record(folder: Path, events: list[Event], goal: str = GOAL) -> Path:
    with TraceWriter(folder, goal, "guarded") as writer:
        for event in events:
            writer(event)
    return folder


class Page(HTMLParser):
    """The tags, texts and pictures of a page; fails on a tag that is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.sources: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        values = dict(attrs)
        assert not any(name.startswith("on") or name == "href" for name in values)
        if "src" in values:
            self.sources.append(values["src"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_is_one_file_that_needs_nothing_else(tmp_path: Path) -> None:
    page = render_html(read_trace(record(tmp_path / "run", whole_run())))
    parsed = Page(page)
    assert "script" not in parsed.tags
    assert not re.search(r"https?:|url\(|@import", page)
    assert len(parsed.sources) == 5  # before and after each step, and the end
    for source in parsed.sources:
        head, _, data = source.partition(",")
        assert head == "data:image/webp;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (320, 200)


def test_a_report_says_what_happened(tmp_path: Path) -> None:
    text = Page(render_html(read_trace(record(tmp_path / "run", whole_run())))).text
    for words in (GOAL, "Step 1", "Step 2", "The end", "I see a field", "it changed", "click at 40,110", "世界"):
        assert words in text
    assert "all </script> good" in text
    assert "breaks off" not in text


def test_a_report_of_a_cut_run_says_so(tmp_path: Path) -> None:
    folder = record(tmp_path / "run", whole_run()[:4])
    path = folder / LINES_NAME
    path.write_bytes(path.read_bytes()[:-9])
    text = Page(render_html(read_trace(folder))).text
    assert "breaks off in the middle of a line" in text
    assert "broken off" in text


def test_a_report_of_nothing_opens(tmp_path: Path) -> None:
    assert "Nothing was recorded" in Page(render_html(read_trace(record(tmp_path / "run", [])))).text


def test_a_report_survives_lone_surrogates_and_lost_frames(tmp_path: Path) -> None:
    folder = record(
        tmp_path / "run", [*step(1, frame(seed=1), frame(seed=2), Press("tab")), Observed(2, frame(), None, "\ud800")]
    )
    for path in (folder / "frames").iterdir():
        path.unlink()
    page = render_html(read_trace(folder))
    page.encode()
    assert "the picture was not written" in page


def test_an_export_is_agentnet(tmp_path: Path) -> None:
    path = export_agentnet(read_trace(record(tmp_path / "run", whole_run())), tmp_path / "out")
    (line,) = path.read_text("utf-8").splitlines()
    task = json.loads(line)
    assert task["instruction"] == GOAL
    assert task["task_completed"] is True
    assert [entry["index"] for entry in task["traj"]] == [0, 1]
    first, second = task["traj"]
    assert Image.open(path.parent / first["image"]).size == (320, 200)
    assert read_actions(first["value"]["code"]) == (Click(RelPoint(80.5 / 320, 110.5 / 200)),)
    assert read_actions(second["value"]["code"]) == (TypeText("Grüße, 世界 👋\n"), Done("all </script> good"))
    assert first["value"]["thought"] == "I see a field"
    assert first["value"]["reflection"].startswith("confirmed")


def test_exports_of_many_runs_make_one_data_set(tmp_path: Path) -> None:
    for name in ("a", "b"):
        export_agentnet(read_trace(record(tmp_path / name, whole_run())), tmp_path / "out")
    lines = (tmp_path / "out" / "agentnet.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["task_id"] for line in lines] == ["a", "b"]


def test_an_export_holds_no_secret_and_no_step_that_was_broken_off(tmp_path: Path) -> None:
    events = step(1, frame(seed=1), frame(seed=2), TypeText("hunter22", secret=True), (FIELD,))
    refused = step(2, frame(seed=3), frame(seed=3), Press("tab"))[:4]
    ended = Ended(Outcome("refused", "a person said no", 2), None)
    path = export_agentnet(read_trace(record(tmp_path / "run", [*events, *refused, ended])), tmp_path / "out")
    text = path.read_text("utf-8")
    assert "hunter22" not in text
    task = json.loads(text)
    assert len(task["traj"]) == 1
    assert task["task_completed"] is False
    assert task["reason"] == "a person said no"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Click(Point(1, 2), "right", 2, ("ctrl",)), "ctrl+right double-click at 1,2"),
        (Click(Target("Save")), "click at 'Save'"),
        (TypeText("pw", secret=True), "type a secret"),
        (Press("enter", 3), "press enter 3 times"),
    ],
)
def test_actions_in_words(action: Click[Point] | Click[Target] | TypeText | Press, words: str) -> None:
    assert describe(action) == words


def test_every_event_has_one_line() -> None:
    assert all(tell(event) and "\n" not in tell(event) for event in whole_run())


def test_what_a_screen_says_is_no_command_to_a_terminal() -> None:
    said = tell(Observed(1, frame(), None, "a\x1b[2Jb\nc\u202ed"))
    assert said.isprintable()


def deskhand(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "main.py", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_commands_show_report_and_export_a_run(tmp_path: Path) -> None:
    folder = record(tmp_path / "run", whole_run(), "sign in")
    done = deskhand("replay", folder, "--frames", tmp_path / "frames")
    assert done.returncode == 0, done.stderr
    assert "goal: sign in" in done.stdout
    assert len(done.stdout.splitlines()) == 1 + len(whole_run())
    assert [path.name for path in sorted((tmp_path / "frames").iterdir())] == ["0001.png", "0002.png"]
    one = deskhand("replay", folder, "--step", "2", "--json")
    assert [json.loads(line)["event"]["step"] for line in one.stdout.splitlines()] == [2] * 6
    assert deskhand("report", folder, "--html", tmp_path / "r.html").stdout.strip() == str(tmp_path / "r.html")
    Page((tmp_path / "r.html").read_text("utf-8"))
    assert deskhand("export", folder, "--out", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "agentnet.jsonl").is_file()


@pytest.mark.parametrize("command", [["replay"], ["report"], ["export", "--out", "unused"]])
def test_what_is_no_run_is_said_in_one_line(tmp_path: Path, command: list[str]) -> None:
    done = deskhand(command[0], tmp_path, *command[1:])
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "is not a trace" in done.stderr
