"""What the machine can do, asked in a process of its own, since the answer needs torch and the window never loads it.

Everything here blocks; call it from `Tasks`.
"""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.diagnostics import Finding
from app.model_fit import ModelFit
from app.ui.tasks import Cancel
from model.errors import ModelError

_ROOT = Path(__file__).resolve().parents[2]
_TICK_S = 0.1


def findings(cancel: Cancel) -> list[Finding]:
    """Return what the doctor finds. Raises ModelError when it cannot be asked."""
    return [_made(Finding, row) for row in _ask(cancel, "doctor", "--json")["findings"]]


def fits(cancel: Cancel) -> list[ModelFit]:
    """Return the estimate for each model of the family. Raises ModelError when it cannot be asked."""
    return [_made(ModelFit, row) for row in _ask(cancel, "models", "fit", "--json")]


def _made(kind: type, row: dict[str, Any]) -> Any:
    named = {field.name: row[field.name] for field in dataclasses.fields(kind) if field.name in row}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in named.items()})


def _ask(cancel: Cancel, *arguments: str) -> Any:
    command = [sys.executable, str(_ROOT / "main.py"), *arguments]
    with subprocess.Popen(
        command,
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    ) as process:
        while True:
            try:
                out, complaint = process.communicate(timeout=_TICK_S)
                break
            except subprocess.TimeoutExpired:
                if cancel.is_set:
                    process.kill()
    try:
        return json.loads(out)
    except ValueError as error:
        raise ModelError(
            f"{' '.join(arguments)} gave no answer",
            why=_last_line(complaint) or "it is silent",
            remedy=f"run it in a terminal: python main.py {' '.join(arguments)}",
        ) from error


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
