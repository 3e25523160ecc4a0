"""The server's door: who may come in, and how much they may bring."""

import asyncio
import hmac
import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from model.serving.state import ServeSettings
from model.wire.errors import RequestError, error_json

OPEN_PATHS = ("/health",)

_LINGER_S = 2.0


def error_response(error: RequestError) -> JSONResponse:
    """Answer with OpenAI's error object."""
    return JSONResponse(error_json(error), status_code=error.status, headers=error.headers)


class Gate:
    """Let through only requests for a name of this machine, with the bearer token.

    The name in ``Host`` is checked on a loopback server only: it is what a web page that has
    pointed its own name at 127.0.0.1 cannot forge.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self._app = app
        self._local_only = is_loopback(settings.host)
        self._host = settings.host.lower()
        self._expected = None if settings.token is None else f"Bearer {settings.token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI event, or refuse it."""
        if scope["type"] == "http":
            error = self._refusal(scope["path"], Headers(scope=scope))
            if error is not None:
                await error_response(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> RequestError | None:
        host = headers.get("host", "")
        if self._local_only and not self._names_this_machine(host):
            return RequestError(
                f"the host {host[:80]!r} is not this server's",
                why="a loopback server answers only to localhost and 127.0.0.1",
                remedy="use http://127.0.0.1 with the port",
                status=403,
                code="host_not_allowed",
            )
        if self._expected is None or path in OPEN_PATHS:
            return None
        given = headers.get("authorization")
        if given is not None and hmac.compare_digest(_normal_scheme(given).encode("latin-1"), self._expected):
            return None
        return RequestError(
            "the bearer token is missing" if given is None else "the bearer token is wrong",
            remedy="send 'Authorization: Bearer …' with the token that the server was started with or printed",
            status=401,
            code="invalid_api_key",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _names_this_machine(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        return is_loopback(name) or name == self._host


def _normal_scheme(authorization: str) -> str:
    scheme, space, token = authorization.partition(" ")
    return scheme.capitalize() + space + token.strip()


def is_loopback(host: str) -> bool:
    """Say whether a host name or address can only be reached from this machine."""
    if host.lower() in ("localhost", "ip6-localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


async def read_body(request: Request, settings: ServeSettings) -> bytes:
    """Read a JSON body within the limits.

    Raises `RequestError`: 415 for another type (which also keeps out forms that a web page may post
    anywhere), 413 for too much, 408 for too slow.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestError(
            "the body is not declared as plain application/json",
            remedy="send 'Content-Type: application/json' and no Content-Encoding",
            status=415,
            code="unsupported_media_type",
        )
    limit = settings.max_body_bytes
    declared = request.headers.get("content-length", "")
    body = bytearray()
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            if not declared.isdecimal() or int(declared) <= limit:
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        break
                else:
                    return bytes(body)
    except TimeoutError:
        raise RequestError(
            f"the body did not arrive within {settings.body_timeout_s:g} s",
            status=408,
            code="body_timeout",
            headers={"Connection": "close"},
        ) from None
    await _linger(request, limit)
    raise RequestError(
        f"the body is larger than {limit} bytes",
        remedy="send fewer or smaller pictures, or start the server with a higher --max-body-mb",
        status=413,
        code="body_too_large",
        headers={"Connection": "close"},
    )


async def _linger(request: Request, limit_bytes: int) -> None:
    """Read on for a moment: a client still writing to a closed connection never sees the answer."""
    if request.headers.get("expect", "").lower() == "100-continue":
        return
    seen = 0
    try:
        async with asyncio.timeout(_LINGER_S):
            async for chunk in request.stream():
                seen += len(chunk)
                if seen > limit_bytes:
                    return
    except (TimeoutError, ClientDisconnect):
        return
