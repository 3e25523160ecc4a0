"""Try a loaded model: whether it answers, and whether it points where it should."""

from dataclasses import asdict, dataclass

from PIL import Image

from agent.locate import LocateOptions, locate
from app.samples import sample
from model.chat import GenerateOptions, complete, message
from model.engine import Engine

_MAX_ERROR_PX = 0.0


@dataclass(frozen=True, slots=True)
class Pointing:
    """One target: the pixel that came back, and its distance from the target's box."""

    instruction: str
    point_px: tuple[int, int] | None
    error_px: float | None
    ms: float


@dataclass(frozen=True, slots=True)
class Report:
    """What the model did."""

    model: str
    pointings: tuple[Pointing, ...]
    answer: str | None
    tokens_per_s: float | None

    @property
    def passed(self) -> bool:
        """Say whether every target was hit and, of a model that chats, an answer came."""
        hit = all(p.error_px is not None and p.error_px <= _MAX_ERROR_PX for p in self.pointings)
        return hit and self.answer != ""

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain data."""
        return {**asdict(self), "passed": self.passed}

    def lines(self) -> list[str]:
        """Return the report as lines for a person."""
        lines = [
            f"{p.instruction}: "
            + ("not found" if p.point_px is None else f"{p.point_px[0]}, {p.point_px[1]}; {p.error_px:.0f} px off")
            + f" ({p.ms:.0f} ms)"
            for p in self.pointings
        ]
        if self.answer is not None:
            lines.append(f"answered: {self.answer.strip()[:200]!r} ({self.tokens_per_s:.1f} tokens/s)")
        return [*lines, "passed" if self.passed else "FAILED"]


def try_model(engine: Engine) -> Report:
    """Point at the targets of the shipped sample, and greet a model that chats."""
    path, targets = sample()
    image = Image.open(path).convert("RGB")
    info = engine.info
    pointings: list[Pointing] = []
    if "ground" in info.capabilities:
        options = LocateOptions.of(info)
        for target in targets:
            location = locate(engine, image, target.instruction, options)
            error = target.distance_px(*location.point_px) if location.point_px else None
            pointings.append(Pointing(target.instruction, location.point_px, error, round(location.ms, 1)))
    answer, speed = None, None
    if "chat" in info.capabilities:
        reply = complete(engine, [message("user", "Say hello.")], GenerateOptions(max_tokens=32, temperature=0.0))
        answer, speed = reply.text + reply.thinking, reply.usage.decode_tokens_per_s
    return Report(info.name, tuple(pointings), answer, speed)
