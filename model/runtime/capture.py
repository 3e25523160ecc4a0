"""Record a computation as a CUDA graph: a thousand launches become one."""

import logging

import torch
from torch import Tensor

from model.runtime.pool import Repeatable

_CLOSE = 0.05
"""Largest difference from the plain computation that is put down to another choice of kernels, as a part of the
largest value. What goes wrong in a graph (a missed input, memory used twice) is off by far more."""

_log = logging.getLogger(__name__)


def captured(work: Repeatable, device: torch.device) -> Repeatable:
    """Return what replays ``work``, or ``work`` itself when recording it fails or replaying gives another result.

    ``work`` must read its inputs from tensors that stay where they are, give the same result again for
    the same inputs, and read nothing back. The reason for a fallback goes to the log.
    """
    try:
        with torch.cuda.device(device):
            return _capture(work, device)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the plain computation is there
        _log.warning("decoding without a CUDA graph: %s: %s", type(error).__name__, error)
        return work


def _capture(work: Repeatable, device: torch.device) -> Repeatable:
    stream = torch.cuda.Stream(device)
    stream.wait_stream(torch.cuda.current_stream(device))
    # A failed recording leaves its stream the current one; leaving this block puts the old one back.
    with torch.cuda.stream(stream):
        work()  # libraries allocate their workspaces in the first run, which a recording must not
        wanted = work().clone()
        graph = torch.cuda.CUDAGraph()
        # Other threads may use the device meanwhile: only this one's calls belong to the recording.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            result = work()
    torch.cuda.current_stream(device).wait_stream(stream)

    def replay() -> Tensor:
        graph.replay()
        return result

    difference = _difference(replay(), wanted)
    if not difference <= _CLOSE:
        raise RuntimeError(f"the graph's result differs from the plain one by {difference:.2g} of its largest value")
    _log.info("decoding with a CUDA graph, %s", f"off by {difference:.2g}" if difference else "bit for bit the same")
    return replay


def _difference(got: Tensor, wanted: Tensor) -> float:
    if torch.equal(got, wanted):
        return 0.0
    return ((got - wanted).abs().max() / wanted.abs().max()).item()
