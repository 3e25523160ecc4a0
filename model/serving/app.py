"""The routes of the OpenAI-compatible server."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from model.chat import ChatModel, Delta
from model.errors import ModelError
from model.serving.answer import CLIENT_GONE, Answer
from model.serving.gate import Gate, error_response, read_body
from model.serving.pull import StartStream
from model.serving.state import ServeSettings, Service
from model.wire.answer import without_prefix
from model.wire.card import ModelCard, card_json
from model.wire.errors import RequestError, as_request_error
from model.wire.pictures import PictureReader
from model.wire.request import ChatRequest, parse_chat_request

_log = logging.getLogger(__name__)

_JOIN_S = 5.0


def create_app(
    model: ChatModel | None, settings: ServeSettings = ServeSettings(), card: ModelCard = ModelCard()
) -> Starlette:
    """Build the application around a model, or None for one that `Service.ready` brings later.

    The `Service` is ``app.state.service``.
    """
    service = Service(model, card, settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        service.refuse()
        service.stop_all()
        if not await asyncio.to_thread(service.join, _JOIN_S):
            _log.warning("the engine has not let go of its last answer within %g s", _JOIN_S)

    app = Starlette(
        routes=[
            Route("/health", partial(_health, service)),
            Route("/v1/models", partial(_models, service)),
            Route("/v1/models/{name:path}", partial(_model, service)),
            Route("/v1/chat/completions", partial(_chat, service), methods=["POST"]),
        ],
        middleware=[Middleware(Gate, settings=settings)],
        exception_handlers={HTTPException: _on_http_error, ModelError: _on_error, Exception: _on_error},
        lifespan=lifespan,
    )
    app.state.service = service
    return app


async def _health(service: Service, _request: Request) -> Response:
    return JSONResponse(service.health(), status_code=200 if service.state == "ready" else 503)


async def _models(service: Service, _request: Request) -> Response:
    service.check_ready()
    return JSONResponse({"object": "list", "data": [card_json(service.card_now())]})


async def _model(service: Service, request: Request) -> Response:
    service.check_ready()
    _check_model(service, request.path_params["name"])
    return JSONResponse(card_json(service.card_now()))


def _check_model(service: Service, name: str | None) -> None:
    if name is not None and name != service.card.id:
        raise RequestError(
            f"the model {name[:80]!r} is not served here",
            remedy=f"ask for {service.card.id!r}",
            status=404,
            code="model_not_found",
            param="model",
        )


async def _chat(service: Service, request: Request) -> Response:
    leave = service.admit()
    try:
        body = await read_body(request, service.settings)
        chat = await asyncio.to_thread(_parse, body, service.settings)
        _check_model(service, chat.model)
        pull = service.generate(partial(_starter, chat), leave)
    except ClientDisconnect:
        leave()
        return Response(status_code=CLIENT_GONE)
    except BaseException:
        leave()
        raise
    answer = Answer(chat, service.card.id, pull, service.settings, request.receive)
    return await answer.streamed() if chat.stream else await answer.whole()


def _parse(body: bytes, settings: ServeSettings) -> ChatRequest:
    try:
        value = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # ValueError stands for broken JSON and broken UTF-8
        raise RequestError(
            "the request body is not valid JSON", why=str(error), remedy="send one JSON object", code="invalid_json"
        ) from error
    return parse_chat_request(value, PictureReader(settings.media_dirs, settings.pictures).open)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON value")


def _starter(chat: ChatRequest, model: ChatModel) -> StartStream:
    def start(cancel: threading.Event) -> Iterator[Delta]:
        deltas = model.stream(chat.messages, chat.options, cancel)
        return deltas if chat.echo else without_prefix(deltas, chat.options.prefix)

    return start


async def _on_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return await _on_error(request, error)
    remedy = "this server has GET /health, GET /v1/models and POST /v1/chat/completions"
    what = f"{request.method} {request.url.path[:200]}: {error.detail}"
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    return error_response(RequestError(what, remedy=remedy, status=error.status_code, code=code, headers=error.headers))


async def _on_error(_request: Request, error: Exception) -> Response:
    return error_response(as_request_error(error))
