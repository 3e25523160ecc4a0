"""What the transcript says about an answer: how it ended, what it took. Knows no Qt."""

from app.store import NewMessage
from app.translate import tr


def seconds_text(ms: float) -> str:
    """Write a time as a person reads it."""
    seconds = ms / 1000
    if seconds < 10:
        return tr("{seconds} s", seconds=f"{seconds:.1f}")
    if seconds < 60:
        return tr("{seconds} s", seconds=f"{seconds:.0f}")
    return tr("{minutes} min {seconds} s", minutes=int(seconds // 60), seconds=int(seconds % 60))


def thinking_text(ms: float, *, thinking: bool) -> str:
    """Say how long was thought, or that it goes on."""
    return tr("Thinking…") if thinking else tr("Thought for {time}", time=seconds_text(ms))


def state_text(content: NewMessage) -> str:
    """Say how an answer ended, when it is not as it should be."""
    match content.state:
        case "failed":
            return content.error
        case "stopped":
            return tr("Stopped.")
        case "length":
            return tr("The answer reached its limit of tokens.")
        case "interrupted":
            return tr("Deskhand ended in the middle of this answer.")
        case _:
            return ""


def figures_text(content: NewMessage) -> str:
    """Say what an answer took: model, tokens and their rate, time to the first, and how full the context is."""
    figures = content.figures
    parts = [content.model] if content.model else []
    if figures.completion_tokens:
        parts.append(tr("{count} tokens", count=f"{figures.completion_tokens:,}"))
    if figures.tokens_per_s > 0:
        parts.append(tr("{rate} tokens/s", rate=f"{figures.tokens_per_s:.1f}"))
    if figures.first_token_ms > 0:
        parts.append(tr("first after {time}", time=seconds_text(figures.first_token_ms)))
    used = figures.prompt_tokens + figures.completion_tokens
    if used and figures.context_tokens:
        percent = max(1, round(100 * used / figures.context_tokens))
        parts.append(
            tr(
                "context {used} of {size} ({percent}%)",
                used=f"{used:,}",
                size=f"{figures.context_tokens:,}",
                percent=percent,
            )
        )
    elif used:
        parts.append(tr("context {used} tokens", used=f"{used:,}"))
    return " · ".join(parts)
