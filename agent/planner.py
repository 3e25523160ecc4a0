"""The planner that asks a model: Kimi-VL itself, or a stronger one behind an endpoint with Kimi-VL as its eyes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from agent.described import read_described
from agent.episode import Observation, Plan
from agent.prompts import (
    AGENT_SYSTEM,
    DESCRIBING_SYSTEM,
    left_out,
    past_step,
    step_question,
    unreadable_question,
)
from agent.reply import read_reply, split_reply
from agent.types import Fail, Frame, Unreadable
from model.chat import ChatModel, GenerateOptions, Message, complete, message
from model.errors import CancelledByCallerError, InputError

MAX_UNREADABLE = 3
"""How often in a row an unreadable answer goes back before the run fails."""

MAX_QUOTED_CHARS = 2_000
"""How much of a text of its own a model is shown again."""

_BYTES_PER_TOKEN = 3


def estimated_tokens(text: str) -> int:
    """Estimate tokens from above for most texts, where no tokenizer is at hand: three bytes each."""
    return len(text.encode("utf-8", "replace")) // _BYTES_PER_TOKEN + 1


@dataclass(frozen=True, slots=True)
class PlannerOptions:
    """How a model plans. ``screenshots`` counts the current one; ``history_tokens`` is for all earlier steps.

    With ``describes`` the model names elements in words for another model to find. ``generate`` without
    a temperature takes the checkpoint's own.
    """

    screenshots: int = 3
    history_tokens: int = 4096
    describes: bool = False
    generate: GenerateOptions = field(default_factory=lambda: GenerateOptions(max_tokens=2048))
    count_tokens: Callable[[str], int] = estimated_tokens

    def __post_init__(self) -> None:
        if self.screenshots < 1:
            raise InputError(f"screenshots is {self.screenshots}", remedy="keep one at least, the current one")
        if self.history_tokens < 0:
            raise InputError(f"history_tokens is {self.history_tokens}", remedy="use 0 or more")


@dataclass(frozen=True, slots=True)
class _Past:
    number: int
    frame: Frame | None
    thought: str
    described: str
    code: str
    outcome: str = ""

    def text(self, with_thought: bool) -> str:
        sections = [("Thought", self.thought if with_thought else ""), ("Action", self.described)]
        # Without words for a step, its code is all that tells what was done.
        if with_thought or not self.described:
            sections.append(("Code", f"```python\n{self.code.strip()}\n```"))
        sections.append(("Outcome", self.outcome))
        shown = [(name, body[:MAX_QUOTED_CHARS]) for name, body in sections if body]
        return past_step(self.number, "\n\n".join(f"## {name}:\n{body}" for name, body in shown))


class ModelPlanner:
    """Ask a model for the next step; implements `agent.episode.Planner`. One planner serves one run."""

    def __init__(self, model: ChatModel, goal: str, options: PlannerOptions = PlannerOptions()) -> None:
        if not goal.strip():
            raise InputError("there is no goal", remedy="say what is to be done")
        self._model = model
        self._goal = goal.strip()
        self._options = options
        self._past: list[_Past] = []
        self._unreadable: list[tuple[str, str]] = []

    def next(self, observation: Observation, cancel: threading.Event) -> Plan | Unreadable:
        """Ask for the next step.

        Returns Unreadable at most three times in a row; the model sees its answer and the reason at the
        next call. Then the plan is Fail. Raises CancelledByCallerError when ``cancel`` is set, and
        what the model raises.
        """
        if self._past and not self._unreadable and not self._past[-1].outcome:
            self._past[-1] = replace(self._past[-1], outcome=observation.note)
        answer = complete(self._model, self.messages(observation), self._options.generate, cancel)
        if cancel.is_set() or answer.finish == "cancelled":
            raise CancelledByCallerError("the planner was stopped before it had an answer")
        plan = self._read(answer.text)
        if isinstance(plan, Unreadable):
            reason = plan.reason
            if answer.finish == "length":
                reason = f"the answer was cut off after {self._options.generate.max_tokens} tokens; {reason}"
            return self._not_read(answer.text, reason)
        self._unreadable.clear()
        parts = split_reply(answer.text)
        code = "" if isinstance(parts, Unreadable) else parts.code
        self._past.append(_Past(observation.step, observation.frame, plan.thought, plan.described, code))
        self._forget_frames()
        return plan

    def messages(self, observation: Observation) -> list[Message]:
        """Build the conversation: system, older steps as text, recent ones with pictures, the current one."""
        system = DESCRIBING_SYSTEM if self._options.describes else AGENT_SYSTEM
        # What came of the last step is told with the current screenshot, not with the step.
        last = replace(self._past[-1], outcome="") if self._past else None
        past_steps = [*self._past[:-1], *([last] if last else [])]
        pictured = [(past.frame, past.text(with_thought=True)) for past in past_steps if past.frame is not None]
        used = sum(self._options.count_tokens(text) for _, text in pictured)
        history = self._told([past for past in past_steps if past.frame is None], self._options.history_tokens - used)
        messages = [message("system", system)]
        if history:
            messages.append(message("assistant", history))
        for frame, text in pictured:
            messages += [message("user", frame.image()), message("assistant", text)]
        note = observation.note
        if self._unreadable:
            # The note is then about the unreadable answer, which stands below in full.
            note = self._past[-1].outcome if self._past else ""
        messages.append(message("user", observation.frame.image(), step_question(self._goal, note)))
        for answer, reason in self._unreadable:
            messages += [message("assistant", answer), message("user", unreadable_question(reason))]
        return messages

    def _read(self, text: str) -> Plan | Unreadable:
        if not self._options.describes:
            reply = read_reply(text)
            if isinstance(reply, Unreadable):
                return reply
            return Plan(reply.actions, reply.thought, reply.described, text)
        parts = split_reply(text)
        if isinstance(parts, Unreadable):
            return parts
        actions = read_described(parts.code, parts.described)
        return actions if isinstance(actions, Unreadable) else Plan(actions, parts.thought, parts.described, text)

    def _not_read(self, text: str, reason: str) -> Plan | Unreadable:
        if len(self._unreadable) >= MAX_UNREADABLE:
            self._unreadable.clear()
            times = MAX_UNREADABLE + 1
            return Plan((Fail(f"the model's answers could not be read {times} times in a row: {reason}"),), raw=text)
        self._unreadable.append((text[:MAX_QUOTED_CHARS] or "(nothing)", reason))
        return Unreadable(reason)

    def _told(self, steps: list[_Past], budget: int) -> str:
        """Write the latest steps that fit the budget, in order, and how many do not."""
        texts: list[str] = []
        for past in reversed(steps):
            text = past.text(with_thought=False)
            budget -= self._options.count_tokens(text)
            if budget < 0:
                break
            texts.append(text)
        missing = len(steps) - len(texts)
        return "\n".join([*([left_out(missing)] if missing else []), *reversed(texts)])

    def _forget_frames(self) -> None:
        kept = self._options.screenshots - 1
        for place in range(len(self._past) - kept):
            if self._past[place].frame is not None:
                self._past[place] = replace(self._past[place], frame=None)
