"""One answer on its way out of the server: whole, or as server-sent events."""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Iterator, Sequence

from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from model.chat import Completion, Delta, FinishReason, Usage
from model.serving.pull import Pull
from model.serving.state import ServeSettings
from model.wire import Json
from model.wire.answer import AnswerHead
from model.wire.errors import RequestError, error_json
from model.wire.request import ChatRequest

_log = logging.getLogger(__name__)

CLIENT_GONE = 499  # nginx's number for it; nobody is left to read it


class Answer:
    """Reads a pull for one client, and stops it as soon as that client is gone."""

    def __init__(
        self, chat: ChatRequest, model_name: str, pull: Pull, settings: ServeSettings, receive: Receive
    ) -> None:
        self.chat = chat
        self.settings = settings
        self.head = AnswerHead(f"chatcmpl-{uuid.uuid4().hex}", int(time.time()), model_name)
        self._pull = pull
        self._gone = False
        self._watch = asyncio.create_task(self._watch_client(receive))

    async def _watch_client(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._pull.stop()

    async def read(self) -> list[Delta] | None:
        """Return the next deltas, ``[]`` after a heartbeat's time of silence, None at the end."""
        return await self._pull.read(self.settings.heartbeat_s)

    def close(self) -> None:
        """Stop the engine if it still works on this, and stop watching the client."""
        self._watch.cancel()
        self._pull.stop()

    async def whole(self) -> Response:
        """Collect the answer and send it in one piece; raises `RequestError` in its place."""
        deltas: list[Delta] = []
        try:
            while (batch := await self.read()) is not None:
                deltas += batch
        finally:
            self.close()
        if self._gone:
            return Response(status_code=CLIENT_GONE)
        return JSONResponse(self.head.completion(_gather(deltas)))

    async def streamed(self) -> Response:
        """Wait a heartbeat's time for the first delta, so that a refusal keeps its status, then stream."""
        try:
            first = await self.read()
        except BaseException:
            self.close()
            raise
        return _EventStream(self, first)


class _EventStream(Response):
    """Server-sent events. A comment now and then keeps a quiet connection from being timed out."""

    media_type = "text/event-stream"

    def __init__(self, answer: Answer, first: list[Delta] | None) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._answer = answer
        self._first = first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        timeout_s = self._answer.settings.write_timeout_s

        async def write(data: bytes, more: bool = True) -> None:
            async with asyncio.timeout(timeout_s):
                await send({"type": "http.response.body", "body": data, "more_body": more})

        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await write(_event(self._answer.head.opening()))
            batch = self._first
            while batch is not None:
                await write(b"".join(self._events(batch)) if batch else b": still working\n\n")
                batch = await self._answer.read()
            await write(b"data: [DONE]\n\n", more=False)
        except RequestError as error:
            await write(_event(error_json(error)) + b"data: [DONE]\n\n", more=False)
        except TimeoutError:
            _log.warning("a client took nothing for %g s; its answer is cancelled", timeout_s)
        finally:
            self._answer.close()

    def _events(self, batch: list[Delta]) -> Iterator[bytes]:
        head, chat = self._answer.head, self._answer.chat
        for delta in batch:
            chunk = head.delta(delta)
            if chunk is not None:
                yield _event(chunk)
            if delta.usage is not None and chat.include_usage:
                yield _event(head.usage(delta.usage))


def _gather(deltas: Sequence[Delta]) -> Completion:
    finish: FinishReason = "stop"
    usage = Usage()
    for delta in deltas:
        finish, usage = delta.finish or finish, delta.usage or usage
    text, thinking = "".join(delta.text for delta in deltas), "".join(delta.thinking for delta in deltas)
    return Completion(text, thinking, finish, usage)


def _event(value: Json) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
