"""Secrets by reference: a runbook names where a secret is, and holds none."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from agent.types import TypeText
from model.errors import InputError

MAX_SECRET_BYTES = 4096


@dataclass(frozen=True, slots=True)
class EnvironmentSecret:
    """The value of an environment variable."""

    variable: str


@dataclass(frozen=True, slots=True)
class FileSecret:
    """The content of a file that only its owner can read, without the newline at its end."""

    path: Path


SecretSource = EnvironmentSecret | FileSecret


def read_secret(name: str, source: SecretSource) -> TypeText:
    """Read a secret as what is to be typed; neither its ``repr`` nor any error shows it.

    Raises InputError when it is missing, empty, not typeable, or in a file that others can read.
    """
    match source:
        case EnvironmentSecret(variable):
            value = os.environ.get(variable)
            if not value:
                raise InputError(
                    f"the secret {name} cannot be read",
                    why=f"the environment variable {variable} is not set",
                    remedy=f"set {variable} before the run",
                )
        case FileSecret(path):
            value = _file_content(name, path)
    try:
        return TypeText(value, secret=True)
    except ValueError:
        # The reason is not chained: it could name a character of the secret.
        raise InputError(f"the secret {name} cannot be typed", why="it holds characters that no key enters") from None


def _file_content(name: str, path: Path) -> str:
    what = f"the secret {name} cannot be read"
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise InputError(what, why=f"{path} is no regular file")
            # Windows has no such bits: everything would look readable for all.
            if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
                raise InputError(what, why=f"others can read or change {path}", remedy=f"run: chmod 600 {path}")
            content = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise InputError(what, why=f"{path}: {error.strerror}") from error
    if len(content) > MAX_SECRET_BYTES:
        raise InputError(what, why=f"{path} has more than {MAX_SECRET_BYTES} bytes")
    try:
        value = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InputError(what, why=f"{path} is not UTF-8 text") from None
    if not value:
        raise InputError(what, why=f"{path} is empty")
    return value
