"""Planners and eyes from models: what a run needs before it can begin."""

from dataclasses import dataclass

from agent.episode import Eyes, Planner
from agent.eyes import ModelEyes
from agent.locate import LocateOptions
from agent.planner import ModelPlanner, PlannerOptions
from agent.runbook.planner import RunbookPlanner
from agent.runbook.runbook import Runbook
from agent.runbook.secrets import read_secret
from agent.runbook.sight import RememberingEyes
from model.chat import ChatModel


@dataclass(frozen=True, slots=True)
class Mind:
    """Who plans and who sees, made for each other. ``secrets`` are texts that no record may hold."""

    planner: Planner
    eyes: Eyes | None
    secrets: tuple[str, ...] = ()


def follow(runbook: Runbook, eyes: Eyes) -> Mind:
    """Return a mind that follows steps which a person wrote. Raises InputError when a secret cannot be read."""
    shared = RememberingEyes(eyes)
    secrets = tuple(read_secret(name, source).text for name, source in runbook.secrets.items())
    return Mind(RunbookPlanner(runbook, shared), shared, secrets)


def pursue(
    goal: str,
    planner: ChatModel,
    eyes: ChatModel | None = None,
    look: LocateOptions = LocateOptions(),
    *,
    points: bool = False,
) -> Mind:
    """Return a mind that decides by itself how to reach a goal.

    Without ``eyes`` the planning model points by itself, and is its own second look, in a conversation that
    knows nothing of the run. With them it describes elements in words, and the other model finds them, unless
    ``points``: then the other model only looks whether what it says stands where it clicks.
    """
    options = PlannerOptions(describes=eyes is not None and not points)
    return Mind(ModelPlanner(planner, goal, options), RememberingEyes(ModelEyes(eyes or planner, look)))
