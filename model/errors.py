"""The exception tree of the model package: what happened, why, and the remedy."""

from typing import ClassVar

_MAX_SHOWN = 600


def _shown(text: str) -> str:
    """Keep a part of a message readable when it quotes something endless."""
    text = text.rstrip(".")
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


class ModelError(Exception):
    """State what happened, why, and what to do next, on one line.

    ``exit_code`` is what the command line returns when the error reaches it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, why: str = "", remedy: str = "") -> None:
        self.what = _shown(what)
        self.why = _shown(why)
        self.remedy = _shown(remedy)
        super().__init__(". ".join(part for part in (self.what, self.why, self.remedy) if part) + ".")


class CheckpointError(ModelError):
    """A checkpoint folder that cannot be used as it stands; names the file and the tensor or key."""

    exit_code = 2


class InputError(ModelError):
    """A request that cannot be served: a broken image, a prompt that is too long, a bad option."""

    exit_code = 2


class ResourceError(ModelError):
    """Not enough memory or disk; says how much was needed and how much there is."""

    exit_code = 4


class DownloadError(ModelError):
    """A download that failed or is impossible offline."""

    exit_code = 5


class EndpointError(ModelError):
    """A server that is unreachable, refuses, or answers nonsense."""

    exit_code = 5


class EngineDiedError(EndpointError):
    """The engine process ended in the middle of a request."""


class CancelledByCallerError(ModelError):
    """Work that was stopped on request before it had a result."""

    exit_code = 130
