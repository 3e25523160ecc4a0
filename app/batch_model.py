"""What answers a batch: an engine in this process, or a server; opened the same way, also on other machines."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from agent.locate import LocateOptions
    from model.chat import ChatModel
    from model.client import Endpoint
    from model.wire.card import ModelCard

_CPU_WORKERS, _GPU_WORKERS, _SERVER_WORKERS = 4, 32, 16
"""Rows asked at once by default. A GPU's are twice what an engine decodes together, so that the next wait ready."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A model ready to be asked. ``retried`` counts the questions that a server had to be asked again."""

    model: "ChatModel"
    name: str
    options: "LocateOptions"
    workers: int
    retried: Callable[[], int] = lambda: 0


@dataclass(frozen=True, slots=True)
class EngineSource:
    """How to load an engine."""

    ref: str
    looks: int
    device: str = "auto"
    dtype: str = "auto"
    quantize: Literal["int8", "int4"] | None = None
    offline: bool = False

    @contextmanager
    def open(
        self,
        progress: Callable[[int, int], None] | None = None,
        notice: Callable[[str], None] | None = None,
    ) -> Iterator[Opened]:
        """Load it, and close it after the block. Raises what `Engine.load` does, `InputError` if it cannot ground."""
        from agent.locate import LocateOptions
        from model.engine import Engine
        from model.errors import InputError

        engine = Engine.load(
            self.ref,
            device=self.device,
            dtype=self.dtype,
            quantize=self.quantize,
            offline=self.offline,
            progress=progress,
            notice=notice,
        )
        with engine:
            info = engine.info
            if "ground" not in info.capabilities:
                raise InputError(f"{info.name} cannot ground", remedy="choose another with --model")
            options = LocateOptions.of(info, self.looks)
            workers = _CPU_WORKERS if info.device == "cpu" else _GPU_WORKERS
            yield Opened(engine, info.name, options, workers)


@dataclass(frozen=True, slots=True)
class EndpointSource:
    """How to reach a server. ``key_env`` names the environment variable that holds the key."""

    url: str
    looks: int
    name: str | None = None
    key_env: str | None = None
    retries: int = 6
    silence_s: float = 300.0

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """Ask the server what it serves, and close the connections after the block.

        Raises `InputError` for a key that is not there, `EndpointError` when the server stays out of reach.
        """
        from agent.batch_retry import Patience, Patient
        from agent.locate import LocateOptions
        from model.client import Endpoint, Timeouts
        from model.errors import InputError

        key = None
        if self.key_env is not None:
            key = os.environ.get(self.key_env)
            if not key:
                raise InputError(f"the environment has no {self.key_env}", remedy="export it with the server's key")
        with ExitStack() as stack:
            silence = Timeouts(silence_s=self.silence_s)
            endpoint = stack.enter_context(Endpoint(self.url, self.name, key, timeouts=silence))
            card = _card(endpoint, self.retries)
            options = LocateOptions.of(card, self.looks)
            if self.name is None:
                endpoint = stack.enter_context(Endpoint(self.url, card.id, key, timeouts=silence))
            patient = Patient(endpoint, Patience(retries=self.retries))
            yield Opened(patient, card.id, options, _SERVER_WORKERS, lambda: patient.retried)


def _card(endpoint: "Endpoint", retries: int) -> "ModelCard":
    from agent.batch_retry import Patience, patiently

    return patiently(endpoint.card, Patience(retries=retries))
