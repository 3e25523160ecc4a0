"""``deskhand chat``: one question, with whatever belongs to it."""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine_args import add_engine_arguments, open_engine
from app.output import emit_json, note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.chat import ChatModel, GenerateOptions, Message


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("question", help="what to ask; '-' reads it from standard input")
    parser.add_argument("--image", type=Path, action="append", default=[], help="a picture (repeatable)")
    parser.add_argument("--attach", type=Path, action="append", default=[], help="a picture, video or PDF (repeatable)")
    parser.add_argument("--fps", type=float, default=1.0, help="video frames a second (default 1)")
    parser.add_argument("--system", help="a system message")
    parser.add_argument("--max-tokens", type=int, default=1024)
    parser.add_argument("--temperature", type=float, help="0 is greedy; default: the checkpoint's own")
    parser.add_argument("--top-p", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--stop", action="append", default=[], help="end the answer before this text (repeatable)")
    parser.add_argument("--image-token-limit", type=int, help="patches an image, instead of the checkpoint's limit")
    parser.add_argument("--hide-thinking", action="store_true", help="do not show the reasoning")
    parser.add_argument("--json", action="store_true", help="print answer and statistics as JSON")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Stream the answer to standard output, statistics to standard error."""
    from model.chat import GenerateOptions, ImagePart, Message, Part, TextPart, complete, message
    from model.media import media_parts

    question = sys.stdin.read() if args.question == "-" else args.question
    parts: list[Part] = [ImagePart(path) for path in args.image]
    for path in args.attach:
        parts += media_parts(path, frames_per_second=args.fps)
    messages: list[Message] = [message("system", args.system)] if args.system else []
    messages.append(Message("user", (*parts, TextPart(question))))
    options = GenerateOptions(
        max_tokens=args.max_tokens,
        temperature=args.temperature,
        top_p=args.top_p,
        seed=args.seed,
        stop=tuple(args.stop),
        image_token_limit=args.image_token_limit,
    )
    with open_engine(args, needs="chat") as engine:
        if args.json:
            answer = complete(engine, messages, options)
            emit_json(
                {
                    "text": answer.text,
                    "thinking": answer.thinking or None,
                    "finish": answer.finish,
                    "model": engine.info.name,
                    "usage": asdict(answer.usage),
                }
            )
            return 0
        return _stream(engine, messages, options, hide_thinking=args.hide_thinking)


def _stream(
    model: "ChatModel", messages: "Sequence[Message]", options: "GenerateOptions", *, hide_thinking: bool
) -> int:
    thinking = False
    for delta in model.stream(messages, options):
        if delta.thinking and not hide_thinking:
            thinking = True
            sys.stderr.write(delta.thinking)
            sys.stderr.flush()
        if delta.text:
            if thinking:
                sys.stderr.write("\n")
                thinking = False
            sys.stdout.write(delta.text)
            sys.stdout.flush()
        if delta.usage:
            usage = delta.usage
            sys.stdout.write("\n")
            note(
                f"[{usage.prompt_tokens} tokens in ({usage.cached_tokens} cached, {usage.image_tokens} image), "
                f"{usage.completion_tokens} out; first after {usage.time_to_first_token_ms:.0f} ms, "
                f"{usage.decode_tokens_per_s:.1f} tokens/s, {usage.total_ms / 1000:.1f} s; {delta.finish}]"
            )
    return 0
