"""``deskhand run``: do a task on this screen, step by verified step."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine_args import add_engine_arguments
from app.output import emit, emit_json, note

if TYPE_CHECKING:
    from agent.episode import Event
    from agent.loop import AgentSetup
    from agent.policy import Limits, Rules
    from agent.runbook.runbook import Runbook
    from agent.session import Mind
    from agent.stop import StopSwitch
    from model.errors import InputError

EXIT_CODES = {"done": 0, "failed": 1, "error": 1, "limit": 6, "refused": 7, "stopped": 130}
STEPS_EACH = 40
"""Steps that a runbook's instruction may take before the run is taken for lost; scrolling takes many."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "task",
        metavar="TASK",
        help='a runbook (FILE.yaml, FILE.txt), steps in plain English ("click the Save button, then press Enter"), '
        "or a goal for a model that can plan",
    )
    parser.add_argument(
        "--mode",
        choices=("watch", "confirm", "guarded", "run"),
        default="guarded",
        help="watch shows what it would do, confirm asks before each action, guarded (default) before risky ones, "
        "run only before payments, deletions and credentials",
    )
    parser.add_argument(
        "--yes-i-wrote-this",
        action="store_true",
        help="ask about nothing: for steps that you wrote yourself, never for a goal; implies --mode run",
    )
    parser.add_argument("--dry-run", action="store_true", help="read the task, print its steps and touch nothing")
    parser.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="a runbook's variable")
    parser.add_argument("--allow-app", action="append", default=[], metavar="CLASS", help="act in this program only")
    parser.add_argument("--deny-app", action="append", default=[], metavar="CLASS", help="never act in this one")
    parser.add_argument("--max-steps", type=int, metavar="N", help="end after so many steps (default: by the task)")
    parser.add_argument("--max-seconds", type=float, default=1800.0, metavar="S", help="end after this time (1800)")
    parser.add_argument("--looks", type=int, default=3, help="how often an element may be looked at (default 3)")
    parser.add_argument("--monitor", metavar="NAME", help="work on this monitor only, by name or by number from 1")
    parser.add_argument("--trace-folder", type=Path, metavar="FOLDER", help="where runs are recorded, a folder each")
    parser.add_argument("--no-trace", action="store_true", help="record nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    servers = parser.add_argument_group("servers, instead of a model on this machine")
    servers.add_argument("--planner-endpoint", metavar="URL", help="an OpenAI-compatible server whose model plans")
    servers.add_argument("--planner-model", metavar="NAME", help="its model (default: the first that it serves)")
    servers.add_argument("--planner-key-env", metavar="VARIABLE", help="the environment variable with its key")
    servers.add_argument(
        "--planner-points",
        action="store_true",
        help="the planner gives coordinates itself; the local model only checks them",
    )
    servers.add_argument("--endpoint", metavar="URL", help="a server whose model looks, and plans if it can")
    servers.add_argument("--endpoint-model", metavar="NAME", help="its model (default: the first that it serves)")
    servers.add_argument("--endpoint-key-env", metavar="VARIABLE", help="the environment variable with its key")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Do the task; the exit code says how it ended."""
    from app.run_args import read_task, variables_of
    from model.errors import InputError

    task = read_task(args.task, variables_of(args.var))
    if args.yes_i_wrote_this and (isinstance(task, InputError) or args.planner_endpoint):
        why = task.why or task.what if isinstance(task, InputError) else "a model plans it"
        raise InputError("--yes-i-wrote-this is for steps that a person wrote", why=why, remedy="leave it out")
    if args.dry_run:
        return _dry_run(args, task)
    from agent.loop import run_agent
    from agent.stop import StopSwitch, stopping_on_signals
    from app.monitors import area_of
    from app.run_args import open_mind

    limits = _limits(args, task)
    area_px = area_of(args.monitor)
    switch = StopSwitch()
    with open_mind(args, task) as mind, stopping_on_signals(switch):
        setup = replace(_setup(args, task, mind, switch), limits=limits, area_px=area_px)
        note("stop with Ctrl+C, Ctrl+Shift+Escape, or the mouse in the top left corner")
        outcome = run_agent(setup, StepLines())
    folder = setup.trace_folder
    if args.json:
        emit_json(
            {
                "outcome": outcome.kind,
                "message": outcome.message,
                "steps": outcome.steps,
                "trace": str(folder) if folder else None,
            }
        )
    else:
        emit(f"{outcome.kind}: {outcome.message}" if outcome.message else outcome.kind)
    if folder:
        note(f"recorded in {folder}")
    return EXIT_CODES[outcome.kind]


def _setup(
    args: argparse.Namespace,
    task: "Runbook | InputError",
    mind: "Mind",
    switch: "StopSwitch",
) -> "AgentSetup":
    from agent.guards import GuardOptions
    from agent.loop import AgentSetup
    from agent.trace import new_run_folder
    from app.run_args import goal_of
    from app.settings import data_folder
    from app.terminal_approver import terminal_approver
    from model.errors import InputError

    planned = isinstance(task, InputError) or bool(args.planner_endpoint)
    return AgentSetup(
        goal=goal_of(args.task, task),
        planner=mind.planner,
        eyes=mind.eyes,
        mode="run" if args.yes_i_wrote_this else args.mode,
        approver=terminal_approver(),
        switch=switch,
        rules=_rules(args),
        guards=GuardOptions() if planned else None,
        trace_folder=None if args.no_trace else new_run_folder(args.trace_folder or data_folder() / "runs"),
        secrets=mind.secrets,
    )


class StepLines:
    """Write one line a step on standard error, as a listener of the run."""

    def __init__(self) -> None:
        self._wanted = ""
        self._waited = ""

    def __call__(self, event: "Event") -> None:
        """Hear of an event."""
        from agent.episode import Acted, Gated, Located, Planned, Verified
        from agent.told import describe, one_line
        from agent.types import Done, Fail, Unreadable, Wait

        match event:
            case Planned(step, Unreadable(reason), _):
                note(one_line(f"step {step}: the planner's answer cannot be read: {reason}"))
            case Planned(step, plan, _) if not isinstance(plan, Unreadable):
                self._wanted = plan.described or "; ".join(describe(action) for action in plan.actions)
                waits = all(isinstance(action, Wait) for action in plan.actions)
                if waits and self._waited != plan.thought:
                    note(one_line(f"step {step}: {self._wanted}: waiting, {plan.thought}"))
                self._waited = plan.thought if waits else ""
                if any(isinstance(action, Done | Fail) for action in plan.actions):
                    self._wanted = ""
            case Located(step, description, location, point) if point is None:
                note(one_line(f"step {step}: {description} was not found: {location.reason}"))
            case Gated(step, proposal, False, _, why):
                note(one_line(f"step {step}: {describe(proposal.action)} was not allowed: {why}"))
            case Acted(step, action, _, error) if error:
                note(one_line(f"step {step}: {describe(action)} was broken off: {error}"))
            case Verified(step, _, verdict) if self._wanted:
                note(one_line(f"step {step}: {self._wanted}: {verdict.kind}, {verdict.evidence}"))
            case _:
                pass


def _rules(args: argparse.Namespace) -> "Rules":
    from agent.policy import Rules

    rules = Rules(allowed_apps=frozenset(args.allow_app), denied_apps=frozenset(args.deny_app))
    return replace(rules, always_ask=frozenset()) if args.yes_i_wrote_this else rules


def _limits(args: argparse.Namespace, task: "Runbook | InputError") -> "Limits":
    from agent.policy import Limits
    from model.errors import InputError

    steps = args.max_steps
    if steps is None:
        steps = 50 if isinstance(task, InputError) else 50 + STEPS_EACH * len(task.instructions)
    try:
        return Limits(max_steps=steps, max_actions=10 * steps, max_s=args.max_seconds)
    except ValueError as error:
        raise InputError("--max-steps and --max-seconds are greater than zero", why=str(error)) from error


def _dry_run(args: argparse.Namespace, task: "Runbook | InputError") -> int:
    from app.run_args import unplanned
    from model.errors import InputError

    if isinstance(task, InputError):
        raise unplanned(task)
    words = [instruction.words for instruction in task.instructions]
    if args.json:
        emit_json({"name": task.name, "steps": words})
    else:
        for number, line in enumerate(words, 1):
            emit(f"{number}  {line}")
    return 0
