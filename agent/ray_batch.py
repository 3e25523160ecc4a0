"""Batches on a Ray cluster, through Ray Data: a pool of actors with a model each, fed and drained as a stream.

Workers need this package installed, or its folder at the same path, and the pictures' files at theirs.
"""

import logging
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from agent.batch import Result, Row, ground
from agent.batch_pictures import OpenImage
from agent.locate import LocateOptions
from model.chat import ChatModel
from model.errors import InputError, ModelError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Load = Callable[[], AbstractContextManager[tuple[ChatModel, LocateOptions, int]]]
"""Opens a model on whatever machine it is called on: the model, how to ask it, and rows to ask at once."""

_ROWS_A_RUN = 50_000
_BYTES_A_RUN = 1 << 30
"""Rows, and bytes of pictures inside them, that one pass through the pool takes. Models load again for the next."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The cluster and the pool. ``address`` None starts Ray on this machine, unless it runs in this process.

    ``batch_rows`` go to a worker together; a worker that dies loses one such batch, which another repeats.
    """

    workers: int = 1
    address: str | None = None
    batch_rows: int = 64
    gpus_each: float | None = None
    """None: one each when the cluster has any."""


def ground_on_ray(
    rows: Iterator[Row], load: Load, open_image: OpenImage, pool: Pool = Pool(), *, votes: int = 1
) -> Iterator[Result]:
    """Ask for every row on the cluster and yield the results in the rows' order, as `agent.batch.ground` does.

    The yielded rows are without the pictures' bytes. Rows are taken up to 50,000 at a time, or 1 GiB of bytes
    inside them. Raises `InputError` without Ray, `ModelError` when the cluster cannot do it.
    """
    try:
        import ray
        import ray.data
        import ray.exceptions
    except ImportError as error:
        raise InputError("Ray is not installed", remedy="pip install 'deskhand[ray]'") from error

    if pool.workers < 1 or pool.batch_rows < 1:
        raise InputError("a pool needs a worker at least, and batches of a row at least")
    mine = not ray.is_initialized()
    try:
        if mine:
            _start(pool)
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = True
        for run in _runs(rows):
            yield from _run(run, load, open_image, pool, votes)
    except (ray.exceptions.RayError, ConnectionError) as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, ModelError):
            raise cause from error
        raise ModelError(
            "the batch on Ray failed", why=str(error).strip().rpartition("\n")[2], remedy="go on with --resume"
        ) from error
    finally:
        if mine and ray.is_initialized():
            ray.shutdown()


def _start(pool: Pool) -> None:
    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if pool.address is not None:
        ray.init(address=pool.address, log_to_driver=False, logging_level=logging.ERROR)
        return
    cpus = max(os.cpu_count() or 1, pool.workers + 1)
    ray.init(
        address="local",
        num_cpus=cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def _runs(rows: Iterator[Row]) -> Iterator[list[Row]]:
    run: list[Row] = []
    held = 0
    for row in rows:
        run.append(row)
        held += len(row.image) if isinstance(row.image, bytes) else 0
        if len(run) == _ROWS_A_RUN or held > _BYTES_A_RUN:
            yield run
            run, held = [], 0
    if run:
        yield run


def _run(run: list[Row], load: Load, open_image: OpenImage, pool: Pool, votes: int) -> Iterator[Result]:
    import ray
    import ray.data

    gpus = pool.gpus_each
    if gpus is None:
        gpus = 1.0 if ray.cluster_resources().get("GPU", 0) else 0.0
    blocks = -(-len(run) // pool.batch_rows)
    data = ray.data.from_items([{"row": pickle.dumps(row)} for row in run], override_num_blocks=blocks)
    answered = data.map_batches(
        Worker,
        fn_constructor_args=(load, open_image, votes),
        batch_size=None,  # a block is a batch
        batch_format="numpy",
        compute=ray.data.ActorPoolStrategy(size=pool.workers),
        num_gpus=gpus or None,
        num_cpus=None if gpus else 1,
    )
    for item in answered.iter_rows():
        result: Result | ModelError = pickle.loads(item["result"])  # noqa: S301 - written by our own workers
        if isinstance(result, ModelError):
            raise result
        yield result


class Worker:
    """One model in one process of the cluster. A batch holds pickled rows; it answers with pickled results.

    An error that ends a batch is answered in place of the results.
    """

    def __init__(self, load: Load, open_image: OpenImage, votes: int) -> None:
        self._stack = ExitStack()  # closed when the process ends
        self._opened: tuple[ChatModel, LocateOptions, int] | ModelError
        try:
            self._opened = self._stack.enter_context(load())
        except ModelError as error:
            # Ray would start the actor again and again, and print all of it; the first batch tells it instead.
            self._opened = error
        self._open_image = open_image
        self._votes = votes

    def __call__(self, batch: "dict[str, npt.NDArray[np.object_]]") -> dict[str, list[bytes]]:
        """Ask about the rows of a batch."""
        if isinstance(self._opened, ModelError):
            return {"result": [pickle.dumps(self._opened)]}
        model, options, at_once = self._opened
        rows = [pickle.loads(row) for row in batch["row"]]  # noqa: S301 - written by our own driver
        try:
            results = ground(rows, model, self._open_image, options, votes=self._votes, workers=at_once)
            return {"result": [pickle.dumps(_light(result)) for result in results]}
        except ModelError as error:
            return {"result": [pickle.dumps(error)]}


def _light(result: Result) -> Result:
    row = result.row
    return replace(result, row=replace(row, image=b"")) if isinstance(row.image, bytes) else result
