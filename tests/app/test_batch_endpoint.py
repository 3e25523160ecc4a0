"""``deskhand batch --endpoint``: our real server, in front of it one that fails as servers under load do."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.batch_retry import Patience, patiently
from app import cli
from model.dummy import make_dummy
from model.engine import Engine
from model.errors import EndpointError
from model.serve import ModelCard, ServeSettings
from tests.agent.flaky_server import Manner, flaky
from tests.agent.grounding_sets import write_picture
from tests.model.serving import TOKEN, Running, serving

COUNT = 12
FLAKY: tuple[Manner, ...] = ("500", "drop", "429", "html", "half", "nonsense", "503-date", "pass", "drop", "500")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = make_dummy(tmp_path_factory.mktemp("served") / "tiny")
    with Engine.load(folder, device="cpu", dtype="float32") as engine:
        card = ModelCard("tiny", in_token_limit=engine.info.in_token_limit, grounding_prompt="bare")
        with serving(engine, ServeSettings(token=TOKEN), card) as running:
            yield running


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DESKHAND_TEST_KEY", TOKEN)
    rows = ["image,instruction"]
    for number in range(COUNT):
        write_picture(tmp_path / f"{number % 5}.png", (56 + 14 * (number % 5), 42))
        rows.append(f"{number % 5}.png,thing {number}")
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def batch(table: Path, out: str, port: int, *options: str) -> list[str]:
    return [
        *("batch", str(table), "--out", str(table.parent / out), "--looks", "2", "--json"),
        *("--endpoint", f"http://127.0.0.1:{port}", "--api-key-env", "DESKHAND_TEST_KEY", *options),
    ]


def test_a_flaky_server_gives_what_a_good_one_gives(
    server: Running, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(batch(table, "good.jsonl", server.port)) == 0
    good = (table.parent / "good.jsonl").read_bytes()
    assert good.count(b'"model": "tiny"') == COUNT
    with flaky(f"http://127.0.0.1:{server.port}", *FLAKY) as front:
        assert cli.run(batch(table, "flaky.jsonl", front.server_address[1], "--concurrency", "3")) == 0
    assert (table.parent / "flaky.jsonl").read_bytes() == good
    assert front.most <= 3
    assert front.asked > len(FLAKY)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["failed"] == 0


def test_failed_rows_say_why_and_are_redone(server: Running, table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(batch(table, "good.jsonl", server.port)) == 0
    upstream, out = f"http://127.0.0.1:{server.port}", table.parent / "r.jsonl"
    once = ("--retries", "0", "--concurrency", "1")
    with flaky(upstream, "500", "pass", "drop", "400", "html", rest="pass") as front:
        assert cli.run(batch(table, "r.jsonl", front.server_address[1], *once)) == 5
    lines = [json.loads(line) for line in out.read_bytes().splitlines()]
    failed = [line for line in lines if line["status"] == "failed"]
    assert len(lines) == COUNT
    assert len(failed) == 4
    said = " ".join(line["reason"] for line in failed)
    for why in ("HTTP 500", "broken inside", "HTTP 400", "was lost", "text/html"):
        assert why in said
    assert "go on with --resume" in capsys.readouterr().err

    # The first redone row fails again, and stays the only one to redo.
    with flaky(upstream, "500") as front:
        assert cli.run(batch(table, "r.jsonl", front.server_address[1], *once, "--resume")) == 5
        assert front.asked >= 4
    assert out.read_bytes().count(b'"failed"') == 1
    with flaky(upstream) as front:
        assert cli.run(batch(table, "r.jsonl", front.server_address[1], *once, "--resume")) == 0
        assert front.asked <= 2
    assert out.read_bytes() == (table.parent / "good.jsonl").read_bytes()
    assert sorted(path.name for path in table.parent.glob("r.jsonl*")) == ["r.jsonl"]


def test_a_refused_key_ends_at_once_and_an_absent_server_after_a_while(
    server: Running, table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DESKHAND_TEST_KEY", "wrong")
    assert cli.run(batch(table, "a.jsonl", server.port)) == 5
    assert "refuses the API key" in capsys.readouterr().err
    assert cli.run(batch(table, "b.jsonl", 9, "--retries", "1")) == 5
    assert "no server can be reached" in capsys.readouterr().err


def test_pauses_double_and_end() -> None:
    tries: list[int] = []

    def ask() -> str:
        tries.append(1)
        if len(tries) < 4:
            raise EndpointError("busy")
        return "done"

    assert patiently(ask, Patience(retries=3, first_pause_s=0.001)) == "done"
    tries.clear()
    with pytest.raises(EndpointError):
        patiently(ask, Patience(retries=2, first_pause_s=0.001))
    assert len(tries) == 3
