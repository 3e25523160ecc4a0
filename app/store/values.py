"""What the history holds, as values. Times are seconds since the epoch unless their name says otherwise."""

from dataclasses import dataclass, field
from typing import Literal

StoredRole = Literal["user", "assistant"]
MessageState = Literal["complete", "streaming", "stopped", "length", "failed", "interrupted"]
AttachmentKind = Literal["image", "pdf", "video"]

ROLES: tuple[StoredRole, ...] = ("user", "assistant")
STATES: tuple[MessageState, ...] = ("complete", "streaming", "stopped", "length", "failed", "interrupted")
KINDS: tuple[AttachmentKind, ...] = ("image", "pdf", "video")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message: its content by SHA-256, and what it was called. Sizes are a picture's, else 0."""

    digest: str
    name: str
    kind: AttachmentKind
    size_bytes: int
    width_px: int = 0
    height_px: int = 0


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """A place that an answer names: 0..1 of picture number ``picture`` of the message that was answered."""

    x_rel: float
    y_rel: float
    picture: int = 0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What an answer took. ``context_tokens`` is what the model can hold, 0 when it does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    image_tokens: int = 0
    first_token_ms: float = 0.0
    total_ms: float = 0.0
    tokens_per_s: float = 0.0
    context_tokens: int = 0


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What a message is made of. ``state`` says how an answer ended, ``error`` why it failed."""

    role: StoredRole
    text: str = ""
    thinking: str = ""
    thinking_ms: float = 0.0
    state: MessageState = "complete"
    error: str = ""
    model: str = ""
    figures: Figures = Figures()
    points: tuple[StoredPoint, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of the tree. ``sibling`` of ``siblings`` counts from 0 among those with the same parent."""

    id: int
    conversation_id: int
    parent_id: int | None
    created_s: float
    content: NewMessage
    sibling: int = 0
    siblings: int = 1


@dataclass(frozen=True, slots=True)
class Conversation:
    """A line of the history."""

    id: int
    title: str
    pinned: bool
    created_s: float
    updated_s: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed and not sent."""

    text: str = ""
    attachments: tuple[Attachment, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not self.text and not self.attachments


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that has what was searched for; ``snippet`` is the text around it. No message: the title has it."""

    conversation: Conversation
    message_id: int | None
    snippet: str
