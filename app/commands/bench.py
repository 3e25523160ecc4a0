"""``deskhand bench``: speed and memory, with the machine they were measured on."""

import argparse
from dataclasses import asdict

from app.engine_args import add_engine_arguments, open_engine
from app.output import emit, emit_json, note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)

    child = subjects.add_parser("engine", help="prefill, first token, decoding, memory: text, 1080p, 4K")
    child.add_argument(
        "--random", choices=("tiny", "a3b"), help="random weights of this size, made in memory, instead of --model"
    )
    child.add_argument("--case", action="append", choices=("text", "1080p", "4K"), help="only these (repeatable)")
    child.add_argument("--text-tokens", type=int, default=128)
    child.add_argument("--decode-tokens", type=int, default=64)
    child.add_argument("--runs", type=int, default=3)
    child.add_argument("--json", action="store_true")
    add_engine_arguments(child)
    child.set_defaults(measure=_engine)

    child = subjects.add_parser("ground", help="finding one element: 1280x800, 1920x1080, 4K")
    child.add_argument("--runs", type=int, default=5)
    child.add_argument("--json", action="store_true")
    add_engine_arguments(child)
    child.set_defaults(measure=_ground)


def run(args: argparse.Namespace) -> int:
    """Measure, and print figures with the machine."""
    return args.measure(args)


def _engine(args: argparse.Namespace) -> int:
    from model.bench import CASES, bench_engine, machine, random_engine

    def measure(engine):  # noqa: ANN001, ANN202 - the engine's module loads torch
        return bench_engine(
            engine,
            text_tokens=args.text_tokens,
            decode_tokens=args.decode_tokens,
            runs=args.runs,
            cases=args.case or tuple(CASES),
            notice=note,
        )

    if args.random:
        with random_engine(args.random, args.device, args.dtype, args.quantize) as engine:
            figures, info = measure(engine), engine.info
    else:
        with open_engine(args) as engine:
            figures, info = measure(engine), engine.info
    if args.json:
        emit_json(
            {
                "machine": machine(),
                "model": asdict(info),
                "quantize": args.quantize,
                "cases": [asdict(figure) for figure in figures],
            }
        )
        return 0
    emit("machine: " + ", ".join(machine().values()))
    emit(f"model: {info.name}, {info.dtype}{f', {args.quantize}' if args.quantize else ''} on {info.device}")
    emit(f"{'case':<8}{'tokens in':>10}{'prefill ms':>12}{'first ms':>10}{'tokens/s':>10}{'peak GB':>9}")
    for f in figures:
        emit(
            f"{f.case:<8}{f.prompt_tokens:>10}{f.prefill_ms:>12.1f}{f.time_to_first_token_ms:>10.1f}"
            f"{f.decode_tokens_per_s:>10.1f}{f.peak_memory_bytes / 1e9:>9.2f}"
        )
    return 0


def _ground(args: argparse.Namespace) -> int:
    from app.bench_ground import bench_ground
    from model.bench import machine

    with open_engine(args, needs="ground") as engine:
        figures = bench_ground(engine, runs=args.runs, notice=note)
        info = engine.info
    if args.json:
        emit_json({"machine": machine(), "model": asdict(info), "cases": [asdict(figure) for figure in figures]})
        return 0
    emit("machine: " + ", ".join(machine().values()))
    emit(f"model: {info.name}, {info.dtype} on {info.device}; warm, no picture cached, up to 3 looks")
    emit(f"{'screen':<12}{'looks':>6}{'median ms':>11}{'max ms':>9}{'resident GB':>13}")
    for f in figures:
        emit(f"{f.screen:<12}{f.looks:>6}{f.median_ms:>11.0f}{f.max_ms:>9.0f}{f.resident_bytes / 1e9:>13.2f}")
    return 0
