"""``deskhand models``: the checkpoints on this machine and off it."""

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from app.engine_args import DTYPES, add_engine_arguments, open_engine
from app.output import Progress, emit, emit_json, human_bytes, note

FAMILY = (
    ("builtin", "deskhand-nano: finds elements on a screen, on any CPU; shipped with Deskhand", 62.4e6, "MIT"),
    ("moonshotai/Kimi-VL-A3B-Instruct", "chat, documents, pointing; 1024 tokens an image", 32.8e9, "MIT"),
    ("moonshotai/Kimi-VL-A3B-Thinking", "reasons before it answers; 1024 tokens an image", 32.8e9, "MIT"),
    ("moonshotai/Kimi-VL-A3B-Thinking-2506", "reasons, and points best; 4096 tokens an image", 32.8e9, "MIT"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    child = actions.add_parser("list", help="the family, and what is on this machine")
    child.add_argument("--json", action="store_true")
    child.set_defaults(act=_list)

    child = actions.add_parser("info", help="check a checkpoint and say whether it fits in memory")
    child.add_argument("model", help="'builtin', a folder or a Hugging Face id")
    child.add_argument("--quantize", choices=("int8", "int4"), help="estimate for quantised weights")
    child.add_argument("--device", default="auto")
    child.add_argument("--context", type=int, default=8192, help="tokens of context to plan for (default 8192)")
    child.add_argument("--offline", action="store_true")
    child.add_argument("--json", action="store_true")
    child.set_defaults(act=_info)

    child = actions.add_parser("fit", help="say for each model of the family whether it fits in this machine's memory")
    child.add_argument("--json", action="store_true")
    child.set_defaults(act=_fit)

    child = actions.add_parser("download", help="fetch a checkpoint; run again to resume")
    child.add_argument("model", help="a Hugging Face id, with @revision if wanted")
    child.set_defaults(act=_download)

    child = actions.add_parser("quantize", help="write a weight-only quantised copy of a checkpoint")
    child.add_argument("source", help="'builtin', a folder or a Hugging Face id")
    child.add_argument("target", type=Path, help="a folder that does not exist yet")
    child.add_argument("--bits", type=int, choices=(4, 8), default=4)
    child.add_argument("--group-size", type=int, default=128)
    child.add_argument("--offline", action="store_true")
    child.set_defaults(act=_quantize)

    child = actions.add_parser("test", help="load a checkpoint and make it answer, or point at known targets")
    child.add_argument("--json", action="store_true")
    add_engine_arguments(child)
    child.set_defaults(act=_test)

    child = actions.add_parser("make-dummy", help="write a checkpoint with random weights in the real layout")
    child.add_argument("folder", type=Path)
    child.add_argument("--size", choices=("tiny", "a3b"), default="tiny")
    child.add_argument("--device", default="cpu", help="where the weights are drawn (cpu or cuda)")
    child.add_argument("--dtype", choices=DTYPES[1:], default="bfloat16", help="stored number format")
    child.add_argument("--seed", type=int, default=0)
    child.set_defaults(act=_make_dummy)


def run(args: argparse.Namespace) -> int:
    """Run the chosen sub-command."""
    act: Callable[[argparse.Namespace], int] = args.act
    return act(args)


def _list(args: argparse.Namespace) -> int:
    rows = []
    for ref, summary, size_bytes, licence in FAMILY:
        folder = _local_folder(ref)
        rows.append(
            {
                "model": ref,
                "summary": summary,
                "size_bytes": int(size_bytes),
                "licence": licence,
                "folder": str(folder) if folder else None,
            }
        )
    if args.json:
        emit_json(rows)
        return 0
    for row in rows:
        here = "here" if row["folder"] else "-"
        emit(f"{row['model']:<40} {human_bytes(row['size_bytes']):>8}  {here:<5} {row['summary']}")
    return 0


def _local_folder(ref: str) -> Path | None:
    from model.checkpoint import resolve
    from model.errors import CheckpointError, DownloadError

    try:
        return resolve(ref, offline=True)
    except (CheckpointError, DownloadError):
        return None


def _info(args: argparse.Namespace) -> int:
    from model.checkpoint import inspect, resolve
    from model.estimate import estimate
    from model.runtime.memory import choose_device
    from model.storage.layout import parameter_count

    info = inspect(resolve(args.model, offline=args.offline, progress=Progress("downloading")))
    fits = estimate(info, args.quantize, choose_device(args.device), context_tokens=args.context)
    report = {
        "model": info.name,
        "folder": str(info.folder),
        "capabilities": sorted(info.capabilities),
        "licence": info.sidecar.licence,
        "parameters": parameter_count(info.config),
        "stored_bytes": info.weight_bytes,
        "dtype": info.config.dtype,
        "context_tokens": info.config.text.max_position_embeddings,
        "in_token_limit": info.preprocess.in_token_limit,
        "verdict": fits.verdict,
        "device": fits.device,
        "planned_tokens": fits.context_tokens,
        "weight_bytes": fits.weight_bytes,
        "cache_bytes": fits.cache_bytes,
        "work_bytes": fits.work_bytes,
        "needed_bytes": fits.total_bytes,
        "available_bytes": fits.available_bytes,
    }
    if args.json:
        emit_json(report)
        return 0
    for name, value in report.items():
        shown = human_bytes(value) if name.endswith("_bytes") and isinstance(value, int) else value
        emit(f"{name:<18} {', '.join(shown) if isinstance(shown, list) else shown}")
    return 0


def _fit(args: argparse.Namespace) -> int:
    from app.model_fit import fits

    found = list(fits(FAMILY))
    if args.json:
        emit_json([asdict(fit) for fit in found])
        return 0
    for fit in found:
        needed, free = human_bytes(fit.needed_bytes), human_bytes(fit.available_bytes)
        kind = fit.quantize or "as stored"
        emit(f"{fit.model:<40} {kind:<10} needs {needed:>8} of {free:>8} free on {fit.device}: {fit.verdict}")
    return 0


def _download(args: argparse.Namespace) -> int:
    from model.checkpoint import inspect, resolve

    folder = resolve(args.model, progress=Progress("downloading"))
    inspect(folder)
    emit(str(folder))
    return 0


def _quantize(args: argparse.Namespace) -> int:
    from model.checkpoint import resolve
    from model.quantize import quantize_checkpoint

    source = resolve(args.source, offline=args.offline, progress=Progress("downloading"))
    quantize_checkpoint(source, args.target, args.bits, args.group_size, progress=Progress("quantising"))
    emit(str(args.target))
    return 0


def _test(args: argparse.Namespace) -> int:
    from app.model_test import try_model

    with open_engine(args) as engine:
        report = try_model(engine)
    if args.json:
        emit_json(report.as_dict())
    else:
        for line in report.lines():
            emit(line)
    return 0 if report.passed else 1


def _make_dummy(args: argparse.Namespace) -> int:
    from model.dummy import make_dummy

    folder = make_dummy(
        args.folder,
        size=args.size,
        device=args.device,
        seed=args.seed,
        dtype=args.dtype,
        progress=Progress("writing random weights"),
    )
    note("random weights: it answers in the right form, with nonsense")
    emit(str(folder))
    return 0
