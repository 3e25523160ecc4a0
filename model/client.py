"""`Endpoint`: any OpenAI-compatible server as a `ChatModel`."""

import asyncio
import queue
import threading
import time
import weakref
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from model.chat import Delta, FinishReason, GenerateOptions, ImagePart, Message, Usage
from model.errors import EndpointError, InputError
from model.remote.errors import dropped, endpoint_error, may_retry, nonsense
from model.remote.frames import FrameStore
from model.remote.loop import LoopThread
from model.wire import Json
from model.wire.answer import delta_from_chunk, split_prefix
from model.wire.card import ModelCard, card_from_json
from model.wire.pictures import png_data_url
from model.wire.request import chat_request_json

if TYPE_CHECKING:
    import openai

_POLL_S = 0.05
_CLOSE_S = 2.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 8.0
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, and of silence from the server before it is given up."""

    connect_s: float = 10.0
    silence_s: float = 600.0


class Endpoint:
    """Answer messages with a server that speaks OpenAI's chat completions.

    ``base_url`` may leave out ``/v1``. ``model`` None asks the server what it serves and takes the
    first. ``api_key`` None sends none. With ``media_dir``, a folder that a server on this machine
    may read, pictures travel as files in a private folder inside it; without, as PNG data URLs.
    ``retries`` counts further attempts while nothing of the answer has come. Nothing is fetched or
    imported before the first request. Safe to use from many threads; close it after use.
    """

    def __init__(
        self,
        base_url: str,
        model: str | None = None,
        api_key: str | None = None,
        *,
        timeouts: Timeouts = Timeouts(),
        retries: int = 0,
        media_dir: Path | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{base_url!r} is not the address of a server", remedy="write http://host:port/v1")
        self.url = base_url.rstrip("/") + ("" if parts.path.strip("/") else "/v1")
        self._local = parts.hostname in _LOCAL_HOSTS
        self._model = model
        self._api_key = api_key
        self._timeouts = timeouts
        self._retries = retries
        self._frames = FrameStore(media_dir) if media_dir is not None else None
        self._loop = LoopThread(f"endpoint {parts.netloc}")
        self._client: openai.AsyncOpenAI | None = None
        # Also runs when the endpoint is dropped or the interpreter ends without `close`.
        self._finalizer = weakref.finalize(self, _clean_up, self._loop, self._frames)

    def stream(
        self,
        messages: Sequence[Message],
        options: GenerateOptions = GenerateOptions(),
        cancel: threading.Event | None = None,
    ) -> Iterator[Delta]:
        """Yield the answer piece by piece.

        Setting ``cancel`` closes the connection, also before the first piece, and yields a last
        delta with finish ``cancelled``; closing the iterator closes it as well. Raises
        `EndpointError` naming the URL and the remedy, `InputError` for a picture that cannot be read.
        """
        held: list[Path] = []
        try:
            body = chat_request_json(messages, options, lambda part: self._picture_url(part, held))
            yield from self._exchange(body, options.prefix, cancel or threading.Event())
        finally:
            if self._frames is not None:
                self._frames.release(held)

    def _picture_url(self, part: ImagePart, held: list[Path]) -> str:
        if self._frames is None:
            return png_data_url(part.image)
        held.append(self._frames.hold(part.image))
        return held[-1].as_uri()

    def _exchange(self, body: Json, prefix: str, cancel: threading.Event) -> Iterator[Delta]:
        arrived: queue.SimpleQueue[Delta | None] = queue.SimpleQueue()
        ended = threading.Event()
        tail = _Tail(self.url)
        future = self._loop.submit(self._receive(body, arrived, ended))
        try:
            if prefix:
                thinking, text = split_prefix(prefix)
                yield Delta(text=text, thinking=thinking)
            while not cancel.is_set():
                try:
                    delta = arrived.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if delta is None:
                    self._check(future)
                    yield tail.last()
                    return
                if piece := tail.take(delta):
                    yield piece
            yield tail.cancelled()
        finally:
            future.cancel()
            ended.wait(_CLOSE_S)

    def _check(self, future: "Future[None]") -> None:
        try:
            future.result()
        except CancelledError:
            raise EndpointError(f"the endpoint {self.url} was closed in the middle of an answer") from None

    async def _receive(self, body: Json, arrived: "queue.SimpleQueue[Delta | None]", ended: threading.Event) -> None:
        try:
            async for delta in self._deltas(body):
                arrived.put(delta)
        finally:
            arrived.put(None)
            ended.set()

    async def _deltas(self, body: Json) -> AsyncIterator[Delta]:
        pause_s = _FIRST_PAUSE_S
        for attempts_left in range(self._retries, -1, -1):
            began = False
            try:
                async for delta in self._attempt(body):
                    began = True
                    yield delta
            except EndpointError:
                raise
            except Exception as error:
                if began or not attempts_left or not may_retry(error):
                    raise endpoint_error(error, self.url, self._model, self._timeouts.silence_s) from error
            else:
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _attempt(self, body: Json) -> AsyncIterator[Delta]:
        import openai

        client, headers = self._connect()
        if self._model is None:
            self._model = (await self._cards())[0].id
        rest = {name: value for name, value in body.items() if name != "messages"}
        stream = await client.chat.completions.create(
            model=self._model,
            messages=body["messages"],
            stream=True,
            stream_options={"include_usage": True},
            extra_body=rest,
            extra_headers=headers,
        )
        async with stream:
            kind = stream.response.headers.get("content-type", "no content type")
            if not kind.startswith("text/event-stream"):
                raise nonsense(self.url, f"it answered with {kind} instead of an event stream")
            chunk: object  # what a server sends need not be what the client's types say
            async for chunk in stream:
                if not isinstance(chunk, openai.BaseModel):
                    raise nonsense(self.url, "an event that is not a JSON object")
                yield delta_from_chunk(chunk.to_dict(warnings=False))

    def card(self) -> ModelCard:
        """Ask what the server says about its model; raise `EndpointError` when it does not serve it."""
        for card in self._loop.submit(self._guarded_cards()).result():
            if self._model in (None, card.id):
                return card
        raise EndpointError(
            f"{self.url} does not serve the model {self._model!r}", remedy=f"see {self.url}/models for what it serves"
        )

    async def _guarded_cards(self) -> list[ModelCard]:
        try:
            return await self._cards()
        except EndpointError:
            raise
        except Exception as error:
            raise endpoint_error(error, self.url, self._model, self._timeouts.silence_s) from error

    async def _cards(self) -> list[ModelCard]:
        client, headers = self._connect()
        listing: object = await client.get("/models", cast_to=object, options={"headers": headers})
        entries = listing.get("data") if isinstance(listing, dict) else None
        if not isinstance(entries, list) or not entries:
            raise nonsense(self.url, "its list of models is not one, or is empty")
        return [card_from_json(entry) for entry in entries]

    def _connect(self) -> "tuple[openai.AsyncOpenAI, dict[str, str | openai.Omit]]":
        import openai

        if self._client is None:
            self._client = openai.AsyncOpenAI(
                base_url=self.url,
                api_key=self._api_key or "none",
                max_retries=0,
                timeout=openai.Timeout(self._timeouts.silence_s, connect=self._timeouts.connect_s),
                # A proxy from the environment has no business between two programs of one machine.
                http_client=openai.DefaultAsyncHttpxClient(trust_env=not self._local),
            )
            self._loop.at_end(self._client.close)
        # Without these the client would hand OPENAI_ORG_ID and the like to whatever server this is.
        headers: dict[str, str | openai.Omit] = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
        if self._api_key is None:
            headers["Authorization"] = openai.Omit()
        return self._client, headers

    def close(self) -> None:
        """Close all connections and delete the pictures sent as files."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _clean_up(loop: LoopThread, frames: FrameStore | None) -> None:
    loop.close()
    if frames is not None:
        frames.close()


class _Tail:
    """Keeps finish and usage back for the last delta, and measures the times that the server does not state."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._asked_s = time.perf_counter()
        self._first_s: float | None = None
        self._finish: FinishReason | None = None
        self._usage = Usage()

    def take(self, delta: Delta) -> Delta | None:
        self._finish = delta.finish or self._finish
        self._usage = delta.usage or self._usage
        if not delta.text and not delta.thinking:
            return None
        self._first_s = self._first_s or time.perf_counter()
        return Delta(text=delta.text, thinking=delta.thinking)

    def last(self) -> Delta:
        if self._finish is None:
            raise dropped(self._url, "the stream ended without saying that the answer had")
        return Delta(finish=self._finish, usage=self._timed())

    def cancelled(self) -> Delta:
        return Delta(finish="cancelled", usage=self._timed())

    def _timed(self) -> Usage:
        now_s = time.perf_counter()
        first_s = self._first_s or now_s
        usage = self._usage
        return replace(
            usage,
            total_ms=usage.total_ms or 1e3 * (now_s - self._asked_s),
            time_to_first_token_ms=usage.time_to_first_token_ms or 1e3 * (first_s - self._asked_s),
        )
