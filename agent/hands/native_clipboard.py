"""The clipboard of Windows and macOS, through the systems' own programs. NOT RUN on either system."""

import base64
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from agent.errors import HandsError

_LIMIT_S = 15.0
_POWERSHELL = ("powershell", "-NoProfile", "-NonInteractive", "-STA", "-Command")
_WINDOWS_READ = """
Add-Type -AssemblyName System.Windows.Forms
$c = [Windows.Forms.Clipboard]
if ($c::ContainsText()) { 'text:' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($c::GetText())) }
elseif ($c::GetDataObject() -and $c::GetDataObject().GetFormats().Count) { 'other' } else { 'text:' }
"""
_WINDOWS_WRITE = """
Add-Type -AssemblyName System.Windows.Forms
$t = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([Console]::In.ReadToEnd()))
if ($t) { [Windows.Forms.Clipboard]::SetText($t) } else { [Windows.Forms.Clipboard]::Clear() }
"""
_UTF8 = {"LANG": "en_US.UTF-8", "LC_ALL": "en_US.UTF-8"}
Run = Callable[[tuple[str, ...], bytes], bytes]
"""Runs a program with input and returns its output; raises OSError or SubprocessError."""


class Clipboard(Protocol):
    """Lends the clipboard a text."""

    def lent(self, text: str) -> "_Lending":
        """Hold a text during a block and put back what was there. Raises HandsError when that cannot be done."""
        ...


class _Lending(Protocol):
    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> bool | None: ...


def _run(command: tuple[str, ...], data: bytes) -> bytes:
    done = subprocess.run(
        command, input=data, stdout=subprocess.PIPE, timeout=_LIMIT_S, check=True, env=os.environ | _UTF8
    )
    return done.stdout


class SystemClipboard:
    """Text on the system's clipboard. Anything else there cannot be put back, so it is not overwritten."""

    def __init__(self, system: str, run: Run = _run) -> None:
        self._system = system
        self._run = run

    @contextmanager
    def lent(self, text: str) -> Iterator[None]:
        """Hold a text during a block and put back what was there."""
        saved = self._read()
        self._write(text)
        try:
            yield
        finally:
            # What a person has copied meanwhile is theirs to keep.
            if self._read() == text:
                self._write(saved)

    def _read(self) -> str:
        if self._system == "win32":
            answer = self._call((*_POWERSHELL, _WINDOWS_READ)).decode().strip()
            other = not answer.startswith("text:")
            text = "" if other else base64.b64decode(answer.removeprefix("text:")).decode()
        else:
            text = self._call(("pbpaste",)).decode(errors="replace")
            other = not text and bool(self._call(("osascript", "-e", "clipboard info")).strip())
        if other:
            raise HandsError(
                "the text was not pasted",
                why="the clipboard holds something that is no text and could not be put back",
                remedy="copy a text, or empty the clipboard",
            )
        return text

    def _write(self, text: str) -> None:
        if self._system == "win32":
            self._call((*_POWERSHELL, _WINDOWS_WRITE), base64.b64encode(text.encode()))
        else:
            self._call(("pbcopy",), text.encode())

    def _call(self, command: tuple[str, ...], data: bytes = b"") -> bytes:
        try:
            return self._run(command, data)
        except (OSError, subprocess.SubprocessError) as error:
            raise HandsError("the clipboard cannot be used", why=str(error)) from error
