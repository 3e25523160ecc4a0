"""The server's command-line arguments, and what they mean. Imports neither torch nor a web library."""

import argparse
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from model.chat import ChatModel
from model.errors import InputError
from model.wire.card import ModelCard

if TYPE_CHECKING:
    from model.serving.state import ServeSettings

TOKEN_VARIABLE = "DESKHAND_TOKEN"  # noqa: S105  the variable's name
DEFAULT_PORT = 8000

_DTYPES = ("auto", "float32", "bfloat16", "float16")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``serve``."""
    model = parser.add_argument_group("model")
    model.add_argument("--model", default="builtin", metavar="REF", help="'builtin', a folder or a Hugging Face id")
    model.add_argument("--device", default="auto", help="auto (default), cpu, cuda or cuda:N")
    model.add_argument("--dtype", choices=_DTYPES, default="auto", help="number format of the weights (default auto)")
    model.add_argument("--quantize", choices=("int8", "int4"), help="quantise the decoder while loading")
    model.add_argument("--offline", action="store_true", help="never ask the network")
    model.add_argument("--name", help="the name clients ask for (default: the checkpoint's own)")

    wire = parser.add_argument_group("address and access")
    wire.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1: this machine)")
    wire.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"0 picks a free one (default {DEFAULT_PORT})")
    wire.add_argument("--token", help=f"the bearer token; better in {TOKEN_VARIABLE}, as others see arguments")
    wire.add_argument("--no-token", action="store_true", help="let every process on this machine ask")
    wire.add_argument(
        "--media-dir",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="allow pictures as file:// inside this folder (repeatable; default: none)",
    )
    wire.add_argument(
        "--with-parent", action="store_true", help="end with the process that holds our standard input open"
    )

    limits = parser.add_argument_group("limits")
    limits.add_argument("--max-body-mb", type=int, default=64, metavar="MIB", help="request body (default 64)")
    limits.add_argument("--max-megapixels", type=float, default=100, metavar="MP", help="one picture (default 100)")
    limits.add_argument("--max-images", type=int, default=256, help="pictures in a request (default 256)")
    limits.add_argument("--max-requests", type=int, default=128, help="answered or waiting at once (default 128)")
    limits.add_argument(
        "--grace", type=float, default=5.0, metavar="SECONDS", help="to finish running answers when stopped (default 5)"
    )


def token_of(args: argparse.Namespace) -> tuple[str | None, bool]:
    """Return the bearer token, and whether it was made up here and must be told."""
    given = args.token if args.token is not None else os.environ.get(TOKEN_VARIABLE)
    if args.no_token:
        if args.token is not None:
            raise InputError("--token and --no-token contradict each other", remedy="give one of them")
        return None, False
    return (secrets.token_urlsafe(24), True) if given is None else (given, False)


def settings_of(args: argparse.Namespace, token: str | None) -> "ServeSettings":
    """Check the arguments; raise `InputError` naming the one that is wrong."""
    from model.serving.state import ServeSettings
    from model.wire.pictures import PictureLimits

    for name in ("max_body_mb", "max_megapixels", "max_images", "max_requests"):
        if getattr(args, name) <= 0:
            raise InputError(f"--{name.replace('_', '-')} is {getattr(args, name)}", remedy="give a number above 0")
    if not 0 <= args.port <= 65535:
        raise InputError(f"--port is {args.port}", remedy="give 0..65535")
    for folder in args.media_dir:
        if not folder.is_dir():
            raise InputError(f"--media-dir {folder} is not a folder", remedy="make it first")
    pixels = int(args.max_megapixels * 1e6)
    return ServeSettings(
        host=args.host,
        port=args.port,
        token=token,
        media_dirs=tuple(args.media_dir),
        max_body_bytes=args.max_body_mb << 20,
        max_in_flight=args.max_requests,
        shutdown_grace_s=max(args.grace, 0.0),
        pictures=PictureLimits(
            images=args.max_images, pixels=pixels, total_pixels=max(pixels, PictureLimits().total_pixels)
        ),
    )


def load_engine(args: argparse.Namespace, progress: Callable[[str], None]) -> tuple[ChatModel, ModelCard]:
    """Load the checkpoint; tell ``progress`` how far it is."""
    from model.engine import Engine

    told = -1

    def tenths(done_bytes: int, total_bytes: int) -> None:
        nonlocal told
        tenth = 10 * done_bytes // max(total_bytes, 1)
        if tenth > told:
            told = tenth
            progress(f"loading {10 * tenth}%")

    engine = Engine.load(
        args.model,
        device=args.device,
        dtype=args.dtype,
        quantize=args.quantize,
        offline=args.offline,
        progress=tenths,
        notice=progress,
    )
    info = engine.info
    card = ModelCard(
        id=args.name or info.name,
        capabilities=tuple(info.capabilities),
        context_tokens=info.context_tokens,
        in_token_limit=info.in_token_limit,
        grounding_prompt=info.grounding_prompt,
        patch_px=info.patch_px,
    )
    return engine, card
