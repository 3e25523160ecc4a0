"""What a server's failure means to the person who named that server."""

import json
from typing import TYPE_CHECKING

from model.errors import EndpointError

if TYPE_CHECKING:
    import openai

_BY_STATUS = {
    401: ("refuses the API key", "give the key that the server was started with"),
    403: ("forbids this request", "see what the server allows"),
    404: ("has nothing at this address", "check the address; it usually ends in /v1"),
    429: ("is too busy", "try again in a moment"),
    503: ("is not ready", "try again in a moment"),
}
_RETRY_STATUSES = frozenset({408, 409, 429, 500, 502, 503, 504})


def endpoint_error(error: Exception, url: str, model: str | None, timeout_s: float) -> EndpointError:
    """Turn an error of the ``openai`` client into one line: what happened at which URL, and the remedy."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return EndpointError(
            f"{url} did not answer within {timeout_s:g} s",
            remedy="see whether the server is busy, or allow a longer timeout",
        )
    if isinstance(error, openai.APIConnectionError):
        return _connection_error(error, url)
    if isinstance(error, openai.APIStatusError):
        return _status_error(error, url, model)
    if isinstance(error, openai.APIResponseValidationError | ValueError):
        return nonsense(url, f"{type(error).__name__}: {_one_line(str(error))}")
    if isinstance(error, openai.APIError):
        return EndpointError(f"{url} broke off its answer", why=_one_line(error.message), remedy="see the server's log")
    return EndpointError(f"{url} failed", why=f"{type(error).__name__}: {_one_line(str(error))}")


def dropped(url: str, why: str) -> EndpointError:
    """Say that an answer ended before its end."""
    return EndpointError(
        f"the connection to {url} was lost in the middle of the answer",
        why=why,
        remedy="see whether the server still runs, then ask again",
    )


def nonsense(url: str, why: str) -> EndpointError:
    """Say that whatever answers at a URL does not speak the protocol."""
    return EndpointError(
        f"{url} does not answer as an OpenAI-compatible server",
        why=why,
        remedy="check the address; it usually ends in /v1",
    )


def _connection_error(error: "openai.APIConnectionError", url: str) -> EndpointError:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    why = _one_line(str(cause)) or type(cause).__name__
    if "ConnectError" in {type(step).__name__ for step in _chain(error)}:
        return EndpointError(
            f"no server can be reached at {url}", why=why, remedy="start it, or check the address and the port"
        )
    return dropped(url, why)


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__) is not None:
        chain.append(cause)
    return chain


def _status_error(error: "openai.APIStatusError", url: str, model: str | None) -> EndpointError:
    status, said = error.status_code, _server_message(error)
    if status == 404 and model:
        what = f"{url} has nothing for the model {model!r}"
        return EndpointError(what, why=said, remedy=f"see {url}/models for what it serves, and check the address")
    general = ("failed", "see the server's log") if status >= 500 else ("refuses the request", "change the request")
    does, remedy = _BY_STATUS.get(status, general)
    return EndpointError(f"{url} {does} (HTTP {status})", why=said, remedy=remedy)


def _server_message(error: "openai.APIStatusError") -> str:
    """Find the server's own words: ours and OpenAI's shape, vLLM's, FastAPI's, or the bare page."""
    body = error.body
    for key in ("message", "detail", "error"):
        if isinstance(body, dict) and body.get(key):
            value = body[key]
            return _one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return _one_line(body if isinstance(body, str) else error.message)


def _one_line(text: str, limit: int = 500) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def may_retry(error: Exception) -> bool:
    """Say whether the same request may succeed a moment later."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return error.status_code in _RETRY_STATUSES
    return isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError)
