"""A batch's engine on the machines of a Ray cluster."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.batch_model import EngineSource

if TYPE_CHECKING:
    from agent.batch import Result, Row
    from agent.locate import LocateOptions
    from model.chat import ChatModel


@dataclass(frozen=True, slots=True)
class RayLoad:
    """Loads the engine on the worker that calls it."""

    source: EngineSource
    concurrency: int | None

    @contextmanager
    def __call__(self) -> "Iterator[tuple[ChatModel, LocateOptions, int]]":
        """Open the engine until the block ends."""
        with self.source.open() as opened:
            yield opened.model, opened.options, self.concurrency or opened.workers


def ray_results(
    args: argparse.Namespace,
) -> "tuple[str, Callable[[Iterator[Row]], Iterator[Result]]]":
    """Return the model's name, and what turns rows into results on the cluster.

    Nothing is loaded here; a checkpoint that is not on this machine is downloaded, for its name.
    """
    from agent.ray_batch import Pool, ground_on_ray
    from model.checkpoint import inspect, resolve
    from model.image import open_image

    source = EngineSource(args.model, args.looks, args.device, args.dtype, args.quantize, args.offline)
    name = inspect(resolve(args.model, offline=args.offline)).name
    pool = Pool(args.ray_workers, args.ray or None, args.batch_size or 64)
    load = RayLoad(source, args.concurrency)
    return name, lambda rows: ground_on_ray(rows, load, open_image, pool, votes=args.votes)
