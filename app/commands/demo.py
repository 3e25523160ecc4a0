"""``deskhand demo``: fill in a small form before your eyes, with the built-in checkpoint."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine_args import add_engine_arguments, open_engine
from app.output import emit, emit_json, note

if TYPE_CHECKING:
    from app.speaking_child import SpeakingChild

STEPS = """\
click the Name field
type "Ada Lovelace" into Name
type "London" into City
click the checkbox "Send me the newsletter"
click the Save button
"""
WANTED = {"event": "saved", "name": "Ada Lovelace", "city": "London", "newsletter": True}

_START_LIMIT_S = 30.0
_SAVED_LIMIT_S = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--trace-folder", type=Path, metavar="FOLDER", help="record the run in a folder in there")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Open the form, fill it in by mouse and keyboard, and believe only what the form says of it."""
    from agent.errors import AgentError
    from agent.eyes import ModelEyes
    from agent.locate import LocateOptions
    from agent.loop import AgentSetup, run_agent
    from agent.policy import Limits, Rules
    from agent.runbook.runbook import read_plain
    from agent.session import follow
    from agent.stop import StopSwitch, stopping_on_signals
    from agent.trace import new_run_folder
    from agent.types import Rect
    from agent.x11.connection import XConnection
    from agent.x11.windows import read_window
    from app.commands.run import EXIT_CODES, StepLines
    from app.speaking_child import SpeakingChild

    switch = StopSwitch()
    begun = time.monotonic()
    # The connection first: without a display nobody is to wait for a model in vain.
    with (
        XConnection() as x,
        SpeakingChild("app.ui.demo_target", "the demo's window") as form,
        open_engine(args) as engine,
        stopping_on_signals(switch),
    ):
        ready = form.next(_START_LIMIT_S)
        window = None if ready is None else read_window(x, ready["window"])
        if ready is None or window is None:
            raise AgentError("the demo's window did not come up", remedy="try again")
        info = engine.info
        look = LocateOptions.of(info)
        mind = follow(read_plain(STEPS, "the demo"), ModelEyes(engine, look))
        note("the mouse is ours now; Ctrl+C, Ctrl+Shift+Escape or the top left corner stops it")
        setup = AgentSetup(
            goal="fill in the guest book and save it",
            planner=mind.planner,
            eyes=mind.eyes,
            mode="run",
            switch=switch,
            # The steps are ours and so is the only program that they may reach: nobody has to be asked.
            rules=Rules(allowed_apps=frozenset({window.app_class}), always_ask=frozenset()),
            limits=Limits(max_steps=30, max_actions=60, max_s=300.0),
            guards=None,
            trace_folder=new_run_folder(args.trace_folder) if args.trace_folder else None,
            area_px=Rect(*ready["rect_px"]),
        )
        outcome = run_agent(setup, StepLines())
        told = _last_told(form)
    done = outcome.kind == "done" and told == WANTED
    seconds = time.monotonic() - begun
    if args.json:
        emit_json({"done": done, "outcome": outcome.kind, "form": told, "seconds": round(seconds, 1)})
    elif done:
        emit(f"done: the form says that it was saved as it should be, after {seconds:.0f} s")
    else:
        emit(f"not done: {outcome.kind}: {outcome.message}; the form says {told or 'nothing'}")
    return 0 if done else EXIT_CODES[outcome.kind] or 1


def _last_told(form: "SpeakingChild") -> dict[str, object] | None:
    told = None
    while (said := form.next(_SAVED_LIMIT_S if told is None else 0.0)) is not None:
        told = said
    return told
