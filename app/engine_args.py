"""The arguments that choose a model, shared by every command that runs one."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.output import Progress, note

if TYPE_CHECKING:
    from model.chat import Capability
    from model.engine import Engine
    from model.runtime.scheduler import EngineLimits

DEVICES = ("auto", "cpu", "cuda")
DTYPES = ("auto", "float32", "bfloat16", "float16")


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model and what decides how it is loaded."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model",
        default="builtin",
        metavar="REF",
        help="'builtin' (default), a checkpoint folder, or a Hugging Face id such as moonshotai/Kimi-VL-A3B-Instruct",
    )
    group.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    group.add_argument("--dtype", choices=DTYPES, default="auto", help="number format of the weights (default auto)")
    group.add_argument("--quantize", choices=("int8", "int4"), help="quantise the decoder while loading")
    group.add_argument("--offline", action="store_true", help="never ask the network")


def engine_limits(args: argparse.Namespace) -> "EngineLimits":
    """Return what the engine may use."""
    from model.runtime.scheduler import EngineLimits

    return EngineLimits(static_shapes=getattr(args, "static_shapes", False))


@contextmanager
def open_engine(args: argparse.Namespace, needs: "Capability | None" = None) -> Iterator["Engine"]:
    """Load the chosen model and close it afterwards; refuse one that cannot do what is needed."""
    from model.engine import Engine
    from model.errors import InputError

    engine = Engine.load(
        args.model,
        device=args.device,
        dtype=args.dtype,
        quantize=args.quantize,
        offline=args.offline,
        progress=Progress("loading"),
        notice=note,
        limits=engine_limits(args),
    )
    with engine:
        if needs is not None and needs not in engine.info.capabilities:
            able = ", ".join(engine.info.capabilities)
            raise InputError(
                f"{engine.info.name} cannot {needs}",
                why=f"it can: {able}",
                remedy="choose another with --model, for example moonshotai/Kimi-VL-A3B-Instruct",
            )
        yield engine
