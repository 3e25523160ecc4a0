"""A refused or failed request, as HTTP status and OpenAI's error object."""

from collections.abc import Mapping

from model.errors import InputError, ModelError, ResourceError
from model.wire import Json

_ERROR_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


class RequestError(InputError):
    """A request that the server refuses: the HTTP status, OpenAI's ``code`` and the ``param`` at fault."""

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        remedy: str = "",
        status: int = 400,
        code: str = "invalid_request",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, why=why, remedy=remedy)
        self.status = status
        self.code = code
        self.param = param
        self.headers = dict(headers or {})


def as_request_error(error: BaseException) -> RequestError:
    """Say any error of the engine in HTTP's terms: 400 for the input, 503 for memory, else 500."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, InputError):
        status, code = 400, "invalid_input"
    elif isinstance(error, ResourceError):
        status, code = 503, "insufficient_resources"
    else:
        status, code = 500, "internal_error"
    if isinstance(error, ModelError):
        return RequestError(error.what, why=error.why, remedy=error.remedy, status=status, code=code)
    return RequestError(
        "the engine failed",
        why=f"{type(error).__name__}: {' '.join(str(error).split()) or 'no message'}",
        remedy="see the server's log",
        status=status,
        code=code,
    )


def error_json(error: RequestError) -> Json:
    """Write OpenAI's error object."""
    kind = _ERROR_TYPES.get(error.status, "server_error" if error.status >= 500 else "invalid_request_error")
    return {"error": {"message": str(error), "type": kind, "code": error.code, "param": error.param}}
