"""``deskhand bench``: speed and memory, with the machine they were measured on."""

import argparse
from dataclasses import asdict

from app.engine_args import add_engine_arguments, engine_limits, open_engine
from app.output import emit, emit_json, note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)

    child = subjects.add_parser("engine", help="prefill, first token, decoding, memory: text, 1080p, 4K")
    child.add_argument(
        "--random", choices=("tiny", "a3b"), help="random weights of this size, made in memory, instead of --model"
    )
    _add_static_shapes(child)
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

    child = subjects.add_parser("batch", help="screens a second, batched and one by one: 1080p, 1 and 10 questions")
    child.add_argument("--random", choices=("tiny", "a3b"), help="random weights of this size, instead of --model")
    _add_static_shapes(child)
    child.add_argument("--images", type=int, default=16, help="screens to ask about (default 16)")
    child.add_argument("--instructions", default="1,10", help="questions a screen, several counts (default 1,10)")
    child.add_argument("--budget-s", type=float, default=25.0, help="most seconds of each one-by-one part (default 25)")
    child.add_argument("--json", action="store_true")
    add_engine_arguments(child)
    child.set_defaults(measure=_batch)

    child = subjects.add_parser("agent", help="a step of the agent, besides the model and the wait for the screen: 4K")
    child.add_argument("--steps", type=int, default=20)
    child.add_argument("--think-s", type=float, default=0.5, help="how long the scripted planner takes (default 0.5)")
    child.add_argument("--xvfb", action="store_true", help="measure in a 4K X server of our own, not on this screen")
    child.add_argument("--json", action="store_true")
    child.set_defaults(measure=_agent)

    child = subjects.add_parser("chat", help="how smoothly the window shows an answer while the engine works")
    child.add_argument("--tokens", type=int, default=10_000)
    child.add_argument("--rate", type=float, default=200.0, help="tokens a second (default 200)")
    child.add_argument("--no-decoding", action="store_true", help="without a child that works beside it")
    child.add_argument("--xvfb", action="store_true", help="measure in an X server of our own, not on this screen")
    child.add_argument("--json", action="store_true")
    child.set_defaults(measure=_chat)

    child = subjects.add_parser("window", help="from the start of the process to the first paint, and memory")
    child.add_argument("--runs", type=int, default=5)
    child.add_argument("--messages", type=int, default=200, help="of the chat that is open (default 200)")
    child.add_argument("--xvfb", action="store_true", help="measure in an X server of our own, not on this screen")
    child.add_argument("--json", action="store_true")
    child.set_defaults(measure=_window)


def _chat(args: argparse.Namespace) -> int:
    from app.bench_chat import bench_chat
    from model.bench import machine

    f = bench_chat(args.tokens, args.rate, decoding=not args.no_decoding, xvfb=args.xvfb)
    if args.json:
        emit_json({"machine": machine(), "chat": asdict(f)})
        return 0
    emit("machine: " + ", ".join(machine().values()))
    emit(f"{f.tokens} tokens in {f.seconds:.0f} s, while the engine's child decoded {f.decoded_tokens}")
    emit(f"gap between frames: median {f.gap_p50_ms:.1f} ms, p99 {f.gap_p99_ms:.1f} ms, longest {f.gap_max_ms:.1f} ms")
    emit(f"with nothing to do: p99 {f.idle_p99_ms:.1f} ms")
    emit(f"a conversation of 500 messages opens in {f.open_500_ms:.0f} ms")
    emit(f"the slowest search in 10,000 messages takes {f.search_ms:.0f} ms")
    return 0


def _add_static_shapes(child: argparse.ArgumentParser) -> None:
    child.add_argument(
        "--static-shapes", action="store_true", help="packs, pools and CUDA graphs, on a GPU with bfloat16 weights"
    )


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
        with random_engine(args.random, args.device, args.dtype, args.quantize, engine_limits(args)) as engine:
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


def _agent(args: argparse.Namespace) -> int:
    from app.bench_agent import bench_agent
    from model.bench import machine

    figures = bench_agent(steps=args.steps, think_s=args.think_s, xvfb=args.xvfb)
    if args.json:
        emit_json({"machine": machine(), "agent": asdict(figures)})
        return 0
    emit("machine: " + ", ".join(machine().values()))
    emit(f"{figures.steps} steps at {figures.screen}, {figures.verdicts}")
    emit(f"{'':<36}{'median ms':>10}{'p95 ms':>9}")
    emit(f"{'overhead of the loop':<36}{figures.overhead_ms:>10.1f}{figures.overhead_p95_ms:>9.1f}")
    emit(f"{'  of it on the processor':<36}{figures.overhead_cpu_ms:>10.1f}")
    emit(f"{'with the hands, at their own pace':<36}{figures.with_hands_ms:>10.1f}{figures.with_hands_p95_ms:>9.1f}")
    emit("of it: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in figures.parts_ms.items()))
    return 0


def _window(args: argparse.Namespace) -> int:
    from app.bench_window import bench_window
    from model.bench import machine

    f = bench_window(runs=args.runs, messages=args.messages, xvfb=args.xvfb, notice=note)
    if args.json:
        emit_json({"machine": machine(), "window": asdict(f)})
        return 0
    emit("machine: " + ", ".join(machine().values()))
    emit(f"platform {f.platform}, {f.runs} starts, a chat of {f.messages} messages")
    emit(f"process start to first paint: median {f.painted_s:.3f} s, worst {f.worst_painted_s:.3f} s")
    emit(f"of which the process itself worked {f.cpu_s:.3f} s")
    emit(f"resident: {f.painted_bytes / 1e6:.0f} MB painted, {f.resident_bytes / 1e6:.0f} MB with the engine connected")
    return 0


def _batch(args: argparse.Namespace) -> int:
    from app.bench_batch import bench_batch
    from model.bench import machine, random_engine
    from model.errors import InputError

    counts = [int(word) if word.strip().isdecimal() else 0 for word in args.instructions.split(",")]
    if min(counts) < 1 or args.images < 1:
        raise InputError("--images and --instructions are numbers from 1", remedy="for example --instructions 1,10")
    if args.random:
        opened = random_engine(args.random, args.device, args.dtype, args.quantize, engine_limits(args))
    else:
        opened = open_engine(args, needs="ground")
    with opened as engine:
        figures = bench_batch(engine, images=args.images, instructions=counts, budget_s=args.budget_s, notice=note)
        info = engine.info
    if args.json:
        emit_json({"machine": machine(), "model": asdict(info), "cases": [asdict(figure) for figure in figures]})
        return 0
    emit("machine: " + ", ".join(machine().values()))
    emit(f"model: {info.name}, {info.dtype} on {info.device}; 1920x1080 PNG files, one look")
    emit(f"{'asked':>6}{'images/s':>10}{'alone':>9}{'in turn':>9}{'ratio':>8}{'in turn':>9}{'encoded':>9}{'GPU':>6}")
    for f in figures:
        busy = "n/a" if f.gpu_busy is None else f"{f.gpu_busy:.0f}%"
        emit(
            f"{f.instructions:>6}{f.images_per_s:>10.3f}{f.images_per_s_alone:>9.3f}{f.images_per_s_in_turn:>9.3f}"
            f"{f.ratio:>8.2f}{f.ratio_in_turn:>9.2f}{f'{f.encoded}/{f.images}':>9}{busy:>6}"
        )
    return 0
