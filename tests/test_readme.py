"""The README's own examples: what a reader copies has to be readable by what it is written for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", README, re.DOTALL))
def test_a_runbook_of_the_readme_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "runbook.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, str(ROOT / "main.py"), "run", str(tmp_path / "runbook.yaml"), "--dry-run"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    steps = len(re.findall(r"^  - ", text, re.MULTILINE))
    assert len(ended.stdout.splitlines()) == steps


def test_every_python_example_of_the_readme_is_python() -> None:
    examples = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert examples
    for example in examples:
        compile(example, "README.md", "exec")


def test_every_command_of_the_readme_is_there() -> None:
    named = set(re.findall(r"(?:deskhand|main\.py) ([a-z]+)", README))
    assert {"run", "batch", "demo", "doctor"} <= named
    assert named <= set(COMMANDS)


def test_every_file_that_the_readme_points_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
