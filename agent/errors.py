"""The exception tree of the agent package: what happened, why, and the remedy."""

from model.errors import ModelError


class AgentError(ModelError):
    """Anything the agent cannot go on from."""


class CaptureError(AgentError):
    """The screen cannot be captured, or what came back is not the screen."""


class HandsError(AgentError):
    """An action could not be carried out as it was asked for."""


class NotPermittedError(HandsError):
    """The gate refused an action, so nothing of it was carried out."""


class PersonActingError(HandsError):
    """A person is using the mouse or the keyboard right now."""


class StoppedError(HandsError):
    """A run was stopped in the middle of an action; what was held has been released."""

    exit_code = 130
