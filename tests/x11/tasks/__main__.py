"""Do the tasks and print what came of each: ``python -m tests.x11.tasks [--only NAME] [--json]``.

Of all twenty, eighteen have to pass; of those that are chosen, each.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from agent.episode import Eyes
from app.commands.run import StepLines
from tests.x11.conftest import window_manager, x_server
from tests.x11.tasks import applications, web
from tests.x11.tasks.site import Site, open_site
from tests.x11.tasks.task import Desk, Result, Task, builtin_eyes, run_task, show_desktop

ALL: tuple[Task, ...] = (*applications.TASKS, *web.TASKS)
REQUIRED = 18
"""How many of all tasks have to pass."""


def results(
    tasks: Sequence[Task],
    display: str,
    folder: Path,
    eyes: Eyes,
    site: Site,
    traces: Path | None = None,
    *,
    steps: bool = False,
) -> Iterator[Result]:
    """Do one task after another, each with a home of its own."""
    show_desktop(display)
    for task in tasks:
        home = folder / task.name
        home.mkdir(parents=True)
        trace = None if traces is None else traces / task.name
        try:
            yield run_task(task, Desk(display, home, site), eyes, trace, StepLines() if steps else None)
        except (TimeoutError, EOFError, OSError) as error:
            yield Result(task, f"the program could not be run: {error}", 0.0, None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tasks on a display of their own; 0 when as many pass as have to."""
    parser = argparse.ArgumentParser(prog="python -m tests.x11.tasks", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="tasks whose name begins so")
    parser.add_argument("--traces", type=Path, metavar="FOLDER", help="record each run in a folder in there")
    parser.add_argument("--steps", action="store_true", help="tell each step on standard error")
    parser.add_argument("--json", action="store_true", help="print one JSON line a task")
    args = parser.parse_args(arguments)
    tasks = [task for task in ALL if not args.only or any(task.name.startswith(name) for name in args.only)]
    passed = 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tasks-", ignore_cleanup_errors=True)))
        display = stack.enter_context(x_server(folder))
        stack.enter_context(window_manager(display, folder))
        eyes, site = stack.enter_context(builtin_eyes()), stack.enter_context(open_site())
        for result in results(tasks, display, folder, eyes, site, args.traces, steps=args.steps):
            passed += result.passed
            sys.stdout.write(_line(result, as_json=args.json))
            sys.stdout.flush()
    if not args.json:
        sys.stdout.write(f"{passed} of {len(tasks)} passed\n")
    return 0 if passed >= (REQUIRED if len(tasks) == len(ALL) else len(tasks)) else 1


def _line(result: Result, *, as_json: bool) -> str:
    steps = result.outcome.steps if result.outcome else 0
    if as_json:
        facts = {"task": result.task.name, "program": result.task.program, "passed": result.passed}
        return (
            json.dumps({**facts, "seconds": round(result.seconds, 1), "steps": steps, "reason": result.reason}) + "\n"
        )
    state = "pass" if result.passed else "FAIL"
    return f"{state}  {result.task.name:<22} {result.task.program:<11} {result.seconds:6.1f} s  {result.reason}\n"


if __name__ == "__main__":
    sys.exit(main())
