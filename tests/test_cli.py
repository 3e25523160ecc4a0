"""The command line from outside: what it prints, and what its exit codes say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from model.dummy import make_dummy

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def dummy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dummy(tmp_path_factory.mktemp("cli") / "dummy")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "any.png"
    Image.new("RGB", (200, 120), "white").save(path)
    return path


def deskhand(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "main.py", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_every_command_and_the_exit_codes() -> None:
    done = deskhand("--help")
    assert done.returncode == 0
    for word in ("ground", "chat", "models", "serve", "bench", "doctor", "exit codes"):
        assert word in done.stdout


@pytest.mark.parametrize("command", ["ground", "chat", "models", "serve", "bench", "doctor"])
def test_every_command_explains_itself_without_loading_torch(command: str) -> None:
    code = (
        "import sys; from app.cli import run\n"
        f"try: run(['{command}', '--help'])\n"
        "except SystemExit as done: assert done.code == 0\n"
        "assert 'torch' not in sys.modules, 'torch was loaded'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "usage: deskhand" in done.stdout


def test_chat_answers_with_statistics(dummy: Path, picture: Path) -> None:
    done = deskhand("chat", "hello", "--model", dummy, "--image", picture, "--json", "--max-tokens", "5")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["finish"] == "length"
    assert answer["usage"]["completion_tokens"] == 5
    assert answer["usage"]["image_tokens"] == 40
    assert answer["usage"]["time_to_first_token_ms"] > 0


def test_chat_streams_text_to_stdout_and_figures_to_stderr(dummy: Path) -> None:
    done = deskhand("chat", "hello", "--model", dummy, "--max-tokens", "4", "--temperature", "0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "tokens/s" in done.stderr


def test_a_quantised_copy_loads_like_any_other(dummy: Path, tmp_path: Path) -> None:
    target = tmp_path / "small"
    assert deskhand("models", "quantize", dummy, target, "--bits", "4").returncode == 0
    done = deskhand("models", "info", target, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["stored_bytes"] < 5_000_000
    assert deskhand("chat", "hi", "--model", target, "--max-tokens", "2").returncode == 0
    again = deskhand("models", "quantize", dummy, target)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)


def _lose_a_shard(folder: Path) -> str:
    shard = sorted(folder.glob("*.safetensors"))[1]
    shard.unlink()
    return shard.name


def _cut_a_shard(folder: Path) -> str:
    shard = sorted(folder.glob("*.safetensors"))[0]
    shard.write_bytes(shard.read_bytes()[:-1000])
    return shard.name


def _break_config(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["num_experts_per_tok"] = 999
    (folder / "config.json").write_text(json.dumps(config))
    return "num_experts_per_tok"


def _lose_the_vocabulary(folder: Path) -> str:
    (folder / "tiktoken.model").unlink()
    return "tiktoken.model"


@pytest.fixture(params=[_lose_a_shard, _cut_a_shard, _break_config, _lose_the_vocabulary], ids=lambda f: f.__name__[1:])
def damaged(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    folder = make_dummy(tmp_path / "damaged")
    return folder, request.param(folder)


def test_a_damaged_checkpoint_is_one_line_and_exit_code_2(damaged: tuple[Path, str]) -> None:
    folder, named = damaged
    done = deskhand("chat", "hello", "--model", folder)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") == 0


def test_bad_pictures_and_missing_ones_are_one_line(dummy: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 100)
    for path in (broken, tmp_path / "absent.png", tmp_path):
        done = deskhand("chat", "hello", "--model", dummy, "--image", path)
        assert done.returncode == 2
        assert str(path) in done.stderr
        assert "Traceback" not in done.stderr


def test_an_unreadable_answer_is_exit_code_3_with_the_answer(dummy: Path, picture: Path) -> None:
    done = deskhand("ground", picture, "--instruction", "the Save button", "--model", dummy, "--json", "--looks", "1")
    report = json.loads(done.stdout)
    assert (done.returncode, report["found"], report["point_px"]) == (3, False, None)
    assert "no point" in report["reason"]


def test_doctor_lists_findings_with_remedies() -> None:
    done = deskhand("doctor", "--json")
    report = json.loads(done.stdout)
    names = {finding["name"] for finding in report["findings"]}
    assert {"Python", "PyTorch", "memory", "display", "built-in checkpoint"} <= names
    assert report["ok"] is (done.returncode == 0)
    for finding in report["findings"]:
        assert finding["status"] == "ok" or finding["remedy"] or finding["name"] == "GPU"


def test_the_family_is_listed_with_sizes_and_licences() -> None:
    models = json.loads(deskhand("models", "list", "--json").stdout)
    assert next(model["model"] for model in models) == "builtin"
    assert all(model["licence"] == "MIT" and model["size_bytes"] > 0 for model in models)
