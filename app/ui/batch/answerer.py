"""What answers a run: the engine that is loaded, or a server. Knows no Qt."""

from collections.abc import Iterator
from contextlib import contextmanager

from agent.batch_retry import Patience, Patient
from agent.locate import LocateOptions
from app.batch_model import Opened
from app.settings import EndpointSettings
from model.chat import ChatModel
from model.errors import InputError
from model.wire.card import ModelCard

LOCAL_WORKERS, SERVER_WORKERS = 4, 16
_RETRIES = 4


@contextmanager
def engine_answerer(model: ChatModel, card: ModelCard, looks: int) -> Iterator[Opened]:
    """Ask the model that the window works with; it stays open."""
    _check(card)
    yield Opened(model, card.id, _options(card, looks), LOCAL_WORKERS)


@contextmanager
def server_answerer(settings: EndpointSettings, looks: int) -> Iterator[Opened]:
    """Ask a server, again where it is busy or breaks off. Raises `EndpointError` when it is out of reach."""
    # Imported when it is used: it brings asyncio along, for which the page need not wait.
    from model.client import Endpoint

    with Endpoint(settings.url, settings.model, settings.api_key) as endpoint:
        card = endpoint.card()
        _check(card)
        patient = Patient(endpoint, Patience(retries=_RETRIES))
        yield Opened(patient, card.id, _options(card, looks), SERVER_WORKERS, lambda: patient.retried)


def _check(card: ModelCard) -> None:
    if "ground" not in card.capabilities:
        raise InputError(f"{card.id} cannot find things in pictures", remedy="load a model that can")


def _options(card: ModelCard, looks: int) -> LocateOptions:
    return LocateOptions.of(card, looks)
