"""What ``deskhand run`` is told to do: a runbook file, steps in plain English, or a goal for a model that plans."""

import argparse
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine_args import open_engine
from model.errors import InputError

if TYPE_CHECKING:
    from agent.locate import LocateOptions
    from agent.runbook.runbook import Runbook
    from agent.session import Mind
    from model.chat import Capability, ChatModel
    from model.client import Endpoint

YAML, PLAIN = (".yaml", ".yml"), (".txt", ".steps")


def variables_of(pairs: list[str]) -> dict[str, str]:
    """Read ``name=value`` arguments. Raises InputError for one without a name."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise InputError(f"--var {pair!r} has no name", remedy="write --var name=value")
        values[name.strip()] = value
    return values


def read_task(task: str, variables: dict[str, str]) -> "Runbook | InputError":
    """Return the runbook that a task is; the error says why a text cannot be read as steps.

    Raises InputError for a file that cannot be read: a file is never taken for a goal.
    """
    from agent.runbook.runbook import read_plain
    from agent.runbook.yaml_file import load_yaml

    path = Path(task)
    if path.suffix.lower() in YAML:
        return load_yaml(path, variables)
    if path.suffix.lower() in PLAIN and "\n" not in task:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the runbook {path} cannot be read", why=str(error)) from error
        return read_plain(text, path.name, variables)
    if not task.strip():
        raise InputError("there is nothing to do", remedy="write a goal, steps in plain English, or a file")
    try:
        return read_plain(task, "the task", variables)
    except InputError as error:
        return error


def goal_of(task: str, runbook: "Runbook | InputError") -> str:
    """Return what the record calls the run."""
    return task if isinstance(runbook, InputError) else runbook.name if Path(task).suffix else task


@contextmanager
def open_mind(args: argparse.Namespace, task: "Runbook | InputError") -> "Iterator[Mind]":
    """Load or reach the models that a task needs, and close them afterwards.

    Raises InputError when a goal needs a planner and there is none.
    """
    from agent.eyes import ModelEyes
    from agent.session import follow, pursue

    with ExitStack() as stack:
        if args.planner_endpoint:
            planner = stack.enter_context(_planner_endpoint(args))
            if args.planner_points and args.mode != "guarded":
                yield pursue(args.task, planner)  # nobody looks a second time in the other modes
                return
            eyes, look, _ = _eyes(args, stack)
            yield pursue(args.task, planner, eyes, look, points=args.planner_points)
            return
        model, look, able = _eyes(args, stack)
        if not isinstance(task, InputError):
            if "ground" not in able:
                raise InputError("the model cannot ground", why=f"it can: {', '.join(able)}", remedy="choose another")
            yield follow(task, ModelEyes(model, look))
        elif "plan" in able:
            yield pursue(args.task, model, look=look)
        else:
            raise unplanned(task)


def unplanned(problem: InputError) -> InputError:
    """Return the error for a goal that nobody can plan: it is no list of steps either, as ``problem`` says."""
    return InputError(
        "the goal cannot be planned",
        why=f"no model that plans is chosen, and the text is no list of steps: {problem.what}",
        remedy=(
            "write steps (click the Save button, then press Enter), or let a model plan "
            "with --planner-endpoint URL or --model moonshotai/Kimi-VL-A3B-Thinking-2506"
        ),
    )


def _eyes(args: argparse.Namespace, stack: ExitStack) -> "tuple[ChatModel, LocateOptions, tuple[Capability, ...]]":
    from agent.locate import LocateOptions

    if args.endpoint:
        endpoint = stack.enter_context(_endpoint(args.endpoint, args.endpoint_model, args.endpoint_key_env))
        card = endpoint.card()
        return endpoint, LocateOptions.of(card, args.looks), card.capabilities
    engine = stack.enter_context(open_engine(args))
    info = engine.info
    return engine, LocateOptions.of(info, args.looks), info.capabilities


def _planner_endpoint(args: argparse.Namespace) -> "Endpoint":
    return _endpoint(args.planner_endpoint, args.planner_model, args.planner_key_env)


def _endpoint(url: str, model: str | None, key_variable: str | None) -> "Endpoint":
    from model.client import Endpoint

    key = None
    if key_variable:
        key = os.environ.get(key_variable)
        if not key:
            raise InputError(f"the environment variable {key_variable} is not set", remedy="put the server's key there")
    return Endpoint(url, model, key)
