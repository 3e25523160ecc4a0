"""Values to columns and back."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import cast

from app.store.values import (
    Attachment,
    AttachmentKind,
    Conversation,
    Figures,
    MessageState,
    NewMessage,
    StoredMessage,
    StoredPoint,
    StoredRole,
)

_FIGURES = {field.name for field in fields(Figures)}
_POINT = {field.name for field in fields(StoredPoint)}


def conversation_of(row: sqlite3.Row) -> Conversation:
    """Read a line of the history."""
    return Conversation(row["id"], row["title"], bool(row["pinned"]), row["created_s"], row["updated_s"])


def figures_text(figures: Figures) -> str:
    """Write figures, leaving out what is zero."""
    return json.dumps({name: value for name, value in asdict(figures).items() if value})


def points_text(points: Sequence[StoredPoint]) -> str:
    """Write points."""
    return json.dumps([asdict(point) for point in points], ensure_ascii=False)


def attachments_text(attachments: Sequence[Attachment]) -> str:
    """Write a draft's attachments."""
    return json.dumps([asdict(attachment) for attachment in attachments], ensure_ascii=False)


def attachments_from_text(text: str) -> tuple[Attachment, ...]:
    """Read a draft's attachments."""
    return tuple(Attachment(**entry) for entry in json.loads(text))


def attachment_of(row: sqlite3.Row) -> Attachment:
    """Read a message's attachment."""
    kind = cast(AttachmentKind, row["kind"])
    return Attachment(row["digest"], row["name"], kind, row["size_bytes"], row["width_px"], row["height_px"])


def message_of(row: sqlite3.Row, attachments: tuple[Attachment, ...], sibling: int, siblings: int) -> StoredMessage:
    """Read a message; names that a later version added to its figures and points are passed over."""
    figures = {name: value for name, value in json.loads(row["figures"]).items() if name in _FIGURES}
    points = [{name: value for name, value in point.items() if name in _POINT} for point in json.loads(row["points"])]
    content = NewMessage(
        role=cast(StoredRole, row["role"]),
        text=row["text"],
        thinking=row["thinking"],
        thinking_ms=row["thinking_ms"],
        state=cast(MessageState, row["state"]),
        error=row["error"],
        model=row["model"],
        figures=Figures(**figures),
        points=tuple(StoredPoint(**point) for point in points),
        attachments=attachments,
    )
    return StoredMessage(
        row["id"], row["conversation_id"], row["parent_id"], row["created_s"], content, sibling, siblings
    )
