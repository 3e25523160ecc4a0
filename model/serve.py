"""The OpenAI-compatible server's life, from bind to shutdown: ``python -m model.serve --help``."""

import argparse
import asyncio
import json
import logging
import math
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn

from model.chat import ChatModel
from model.errors import InputError, ModelError, ResourceError
from model.process.parent import follow_parent
from model.serving.app import create_app
from model.serving.arguments import add_arguments, load_engine, settings_of, token_of
from model.serving.gate import is_loopback
from model.serving.state import ServeSettings, Service
from model.wire import Json
from model.wire.card import ModelCard

__all__ = ["ModelCard", "ServeSettings", "announce", "create_app", "run", "serve"]

Announce = Callable[[Json], None]
Load = Callable[[Callable[[str], None]], tuple[ChatModel, ModelCard]]

_log = logging.getLogger(__name__)

_BACKLOG = 512


def announce(event: Json) -> None:
    """Tell whoever started this process: one JSON line for a program, words for a person at a terminal."""
    try:
        print(_in_words(event) if sys.stdout.isatty() else json.dumps(event, ensure_ascii=False), flush=True)
    except OSError:
        _log.debug("nobody reads standard output any more")


def _in_words(event: Json) -> str:
    match event:
        case {"event": "listening", "host": host, "port": port, **rest}:
            token = f"; token {rest['token']}" if "token" in rest else ""
            return f"listening on http://{f'[{host}]' if ':' in host else host}:{port}/v1{token}"
        case {"event": "ready", "model": model}:
            return f"ready: {model}"
        case _:
            return str(event.get("message", event))


class _Server(uvicorn.Server):
    """Says when it listens, and lets running answers finish for a while when it stops."""

    def __init__(self, config: uvicorn.Config, service: Service, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._service = service
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.refuse()
        asyncio.get_running_loop().call_later(self._service.settings.shutdown_grace_s, self._service.stop_all)
        await super().shutdown(sockets)

    def stop(self) -> None:
        """End soon; may be called from any thread."""
        self.should_exit = True


def serve(
    load: Load,
    settings: ServeSettings,
    name: str = ModelCard().id,
    *,
    announce: Announce = announce,
    with_parent: bool = False,
) -> int:
    """Serve until a signal says stop; return the exit code.

    The server listens at once and answers 503 while ``load(progress)`` runs in a thread; ``name``
    is what the model is called until then. ``announce`` gets the events ``listening`` with the
    port, ``progress`` and ``ready``. With ``with_parent`` the server ends when the process that
    started it does. Call from the main thread.

    Raises `InputError` for an address open to others without a token, `ResourceError` for one that
    cannot be bound, and what ``load`` raises.
    """
    if settings.token is None and not is_loopback(settings.host):
        raise InputError(
            f"{settings.host} can be reached from other machines and the server has no token",
            remedy="leave out --no-token, or bind 127.0.0.1",
        )
    listener = _bind(settings)
    app = create_app(None, settings, ModelCard(name))
    service: Service = app.state.service
    loaded: list[ChatModel] = []
    address = {"host": settings.host, "port": listener.getsockname()[1]}

    def load_model() -> None:
        try:
            model, card = load(lambda message: announce({"event": "progress", "message": message}))
        except ModelError as error:
            service.fail(error)
        except BaseException as error:
            service.fail(error)
            raise
        else:
            loaded.append(model)
            service.ready(model, card)
            announce({"event": "ready", **address, "model": card.id})

    def on_started() -> None:
        announce({"event": "listening", **address})
        threading.Thread(target=load_model, name="load", daemon=True).start()

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_grace_s) + 2,
    )
    server = _Server(config, service, on_started)
    service.on_fail = server.stop
    if with_parent:
        follow_parent(server.stop)
    with _stop_signals_call(server.stop) as signals, listener:
        server.run(sockets=[listener])
    for model in loaded:
        close = getattr(model, "close", None)
        if close is not None:
            close()
    if service.error is not None:
        raise service.error
    return 130 if signal.SIGINT in signals else 0


def run(args: argparse.Namespace) -> int:
    """Serve as the arguments of `model.serving.arguments.add_arguments` say; return the exit code.

    Events go to standard output, one JSON object a line; a failure is one of them, so that a
    parent process need not read our standard error. Raises `ModelError`.
    """
    try:
        token, generated = token_of(args)
        told = {"token": token} if generated else {}

        def announce_all(event: Json) -> None:
            announce(event | told if event["event"] == "listening" else event)

        load = partial(load_engine, args)
        settings = settings_of(args, token)
        return serve(load, settings, args.model, announce=announce_all, with_parent=args.with_parent)
    except ModelError as error:
        announce({"event": "failed", "message": str(error), "exit_code": error.exit_code})
        raise


@contextmanager
def _stop_signals_call(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Collect the signals that come before uvicorn handles them, or that it raises anew after its graceful end."""
    seen: list[int] = []

    def handle(number: int, _frame: object) -> None:
        seen.append(number)
        stop()

    handled = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in handled]
    try:
        yield seen
    finally:
        for number, handler in zip(handled, before, strict=True):
            signal.signal(number, handler)


def _bind(settings: ServeSettings) -> socket.socket:
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family[0], socket.SOCK_STREAM)
        if sys.platform != "win32":  # on Windows this option would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(family[4])
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ResourceError(
            f"the server cannot listen on {settings.host}:{settings.port}",
            why=error.strerror or str(error),
            remedy="choose another --port (0 picks a free one) or --host",
        ) from error
    return listener


def _main() -> int:
    parser = argparse.ArgumentParser(prog="python -m model.serve", description="Serve a Kimi-VL checkpoint.")
    add_arguments(parser)
    try:
        return run(parser.parse_args())
    except ModelError as error:
        sys.stderr.write(f"deskhand: {error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(_main())
