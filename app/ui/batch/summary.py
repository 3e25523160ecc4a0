"""The figures behind the charts: shares by application, type and size, and how long rows took. Knows no Qt."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.scoring import wilson
from app.ui.batch.entry import Entry, bands

MOST_BARS = 14


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some entries are right, with Wilson's 95% interval."""

    label: str
    correct: int
    total: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """The share, 0 of nothing."""
        return self.correct / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class Times:
    """How long rows took: counts between ``edges_ms``, and the median and 95th percentile."""

    edges_ms: tuple[float, ...]
    counts: tuple[int, ...]
    median_ms: float
    p95_ms: float


def share_of(label: str, correct: int, total: int) -> Share:
    """Make a share with its interval."""
    return Share(label, correct, total, *wilson(correct, total))


def by_status(entries: Sequence[Entry], said: Callable[[str], str]) -> list[Share]:
    """Return what came of the rows, the most frequent first; ``said`` names a status."""
    counts: dict[str, int] = defaultdict(int)
    for entry in entries:
        counts[entry.status] += 1
    return [share_of(said(name), counts[name], len(entries)) for name in sorted(counts, key=lambda name: -counts[name])]


def accuracy_by(entries: Sequence[Entry], key: Callable[[Entry], str], order: Sequence[str] = ()) -> list[Share]:
    """Return the accuracy of each class, in ``order`` or the largest first; entries without a verdict do not count."""
    correct: dict[str, int] = defaultdict(int)
    total: dict[str, int] = defaultdict(int)
    for entry in entries:
        if entry.verdict and (name := key(entry)):
            total[name] += 1
            correct[name] += entry.verdict == "correct"
    names = [name for name in order if name in total] or sorted(total, key=lambda name: (-total[name], name))
    return [share_of(name, correct[name], total[name]) for name in names[:MOST_BARS]]


def accuracy_by_band(entries: Sequence[Entry]) -> list[Share]:
    """Return the accuracy by the target's size, the smallest first."""
    return accuracy_by(entries, lambda entry: entry.band, bands())


def times_of(entries: Sequence[Entry], bins: int = 24) -> Times | None:
    """Count how long rows took, in equal steps up to the 99th percentile; what took longer is in the last."""
    times = sorted(entry.ms for entry in entries if entry.ms is not None)
    if not times:
        return None
    low, high = times[0], times[int(0.99 * (len(times) - 1))]
    step = (high - low) / bins or max(high / bins, 1.0)
    counts = [0] * bins
    for ms in times:
        counts[min(int((ms - low) / step), bins - 1)] += 1
    edges = tuple(low + step * number for number in range(bins + 1))
    return Times(edges, tuple(counts), times[len(times) // 2], times[int(0.95 * (len(times) - 1))])


def seconds(ms: float) -> str:
    """Return a time as seconds with three digits, a millisecond at least."""
    return f"{max(ms, 1.0) / 1000:.3g}"
