"""A runbook: named steps in order, with their limits and the sources of the secrets they type."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.runbook.english import read_line
from agent.runbook.secrets import SecretSource
from agent.runbook.steps import (
    CheckStep,
    ScrollUntilStep,
    SecretName,
    Step,
    TypeStep,
    WaitUntilStep,
)
from agent.runbook.variables import fill
from agent.runbook.wording import write_step
from model.errors import InputError

MAX_STEPS = 1000
MAX_TIMEOUT_S = 3600.0
MAX_RETRIES = 20

ACTION_TIMEOUT_S = 10.0
CHECK_TIMEOUT_S = 5.0
WAIT_TIMEOUT_S = 30.0
SCROLL_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Instruction:
    """One step, where it stands, and its limits.

    ``timeout_s`` is how long each try looks for what the step needs to see; None takes the default of
    its kind. ``retries`` is how often the step is done again when it failed or visibly did nothing.
    """

    step: Step
    where: str = ""
    timeout_s: float | None = None
    retries: int = 0

    def __post_init__(self) -> None:
        if self.timeout_s is not None and not 0 <= self.timeout_s <= MAX_TIMEOUT_S:
            raise ValueError(f"timeout_s is {self.timeout_s:g}; it must be 0 to {MAX_TIMEOUT_S:g}")
        if not 0 <= self.retries <= MAX_RETRIES:
            raise ValueError(f"retries is {self.retries}; it must be 0 to {MAX_RETRIES}")

    @property
    def words(self) -> str:
        """The step in plain English."""
        return write_step(self.step)

    @property
    def limit_s(self) -> float:
        """How long one try may look for what it needs to see."""
        if self.timeout_s is not None:
            return self.timeout_s
        match self.step:
            case CheckStep():
                return CHECK_TIMEOUT_S
            case WaitUntilStep():
                return WAIT_TIMEOUT_S
            case ScrollUntilStep():
                return SCROLL_TIMEOUT_S
            case _:
                return ACTION_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Runbook:
    """Steps in order. Every secret that a step types has a source in ``secrets``.

    Raises InputError when one has none, or when there is no step or too many.
    """

    name: str
    instructions: tuple[Instruction, ...]
    secrets: Mapping[str, SecretSource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(self.instructions) <= MAX_STEPS:
            raise InputError(
                f"the runbook {self.name!r} has {len(self.instructions)} steps", remedy=f"write 1 to {MAX_STEPS} steps"
            )
        for instruction in self.instructions:
            secret = secret_of(instruction.step)
            if secret is not None and secret not in self.secrets:
                raise InputError(
                    f"{instruction.where or self.name}: there is no secret {secret!r}",
                    why=f"the runbook names these secrets: {', '.join(sorted(self.secrets)) or 'none'}",
                    remedy="name where it is under secrets: in a YAML runbook",
                )


def secret_of(step: Step) -> str | None:
    """Return the name of the secret that a step types, or None."""
    return step.text.name if isinstance(step, TypeStep) and isinstance(step.text, SecretName) else None


def instructions_of(
    line: str,
    where: str,
    variables: Mapping[str, str],
    timeout_s: float | None = None,
    retries: int = 0,
) -> tuple[Instruction, ...]:
    """Read one line of plain English with its variables filled in; ``, then`` makes several steps.

    Raises InputError naming ``where``.
    """
    steps = read_line(line, where)
    try:
        return tuple(Instruction(fill(step, variables), where, timeout_s, retries) for step in steps)
    except ValueError as error:
        raise InputError(f"{where}: the step {line[:200]!r} cannot be done", why=str(error)) from error


def read_plain(text: str, name: str, variables: Mapping[str, str] | None = None) -> Runbook:
    """Read a runbook of plain lines, one or more steps each; empty lines and lines after ``#`` are skipped.

    Raises InputError naming the line.
    """
    instructions: list[Instruction] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            instructions += instructions_of(line, f"{name}, line {number}", variables or {})
            if len(instructions) > MAX_STEPS:
                break
    return Runbook(name, tuple(instructions))
