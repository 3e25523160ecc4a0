"""The history as one JSON file, attachments included, and back."""

import base64
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.store.errors import HistoryError
from app.store.history import History
from app.store.values import Attachment, AttachmentKind, Figures, MessageState, NewMessage, StoredPoint, StoredRole

FORMAT = "deskhand-history"
VERSION = 1

_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _File(_Entry):
    name: str
    kind: AttachmentKind
    width_px: _Count = 0
    height_px: _Count = 0
    data: str


class _Point(_Entry):
    x_rel: _Share
    y_rel: _Share
    picture: _Count = 0
    label: str = ""


class _Figures(_Entry):
    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0
    image_tokens: _Count = 0
    first_token_ms: float = 0.0
    total_ms: float = 0.0
    tokens_per_s: float = 0.0
    context_tokens: _Count = 0


class _Message(_Entry):
    """``parent`` and ``shown_child`` are numbers of messages in the same list; a parent comes before its children."""

    parent: int | None
    shown_child: int | None = None
    role: StoredRole
    text: str
    thinking: str = ""
    thinking_ms: float = 0.0
    state: MessageState = "complete"
    error: str = ""
    model: str = ""
    created_s: float
    figures: _Figures = _Figures()
    points: tuple[_Point, ...] = ()
    attachments: tuple[_File, ...] = ()


class _Conversation(_Entry):
    title: str
    pinned: bool = False
    created_s: float
    updated_s: float
    shown_root: int | None = None
    messages: tuple[_Message, ...]


class _Document(_Entry):
    format: Literal["deskhand-history"]
    version: int
    conversations: tuple[_Conversation, ...]


def export_json(history: History, conversation_ids: Iterable[int]) -> str:
    """Write conversations whole: every branch, figures, points and the attached files.

    Raises `HistoryError` when a conversation or an attached file is not there.
    """
    document = _Document(
        format=FORMAT,
        version=VERSION,
        conversations=tuple(_exported(history, each) for each in conversation_ids),
    )
    return json.dumps(document.model_dump(mode="json"), ensure_ascii=False, indent=1)


def _exported(history: History, conversation_id: int) -> _Conversation:
    conversation = history.conversations.get(conversation_id)
    messages, shown, root = history.messages.tree(conversation_id)
    number = {message.id: at for at, message in enumerate(messages)}
    return _Conversation(
        title=conversation.title,
        pinned=conversation.pinned,
        created_s=conversation.created_s,
        updated_s=conversation.updated_s,
        shown_root=_number(number, root),
        messages=tuple(
            _Message(
                parent=_number(number, message.parent_id),
                shown_child=_number(number, shown[message.id]),
                role=message.content.role,
                text=message.content.text,
                thinking=message.content.thinking,
                thinking_ms=message.content.thinking_ms,
                state=message.content.state,
                error=message.content.error,
                model=message.content.model,
                created_s=message.created_s,
                figures=_Figures(**asdict(message.content.figures)),
                points=tuple(_Point(**asdict(point)) for point in message.content.points),
                attachments=tuple(_file(history, attachment) for attachment in message.content.attachments),
            )
            for message in messages
        ),
    )


def _number(numbers: dict[int, int], message_id: int | None) -> int | None:
    return None if message_id is None else numbers.get(message_id)


def _file(history: History, attachment: Attachment) -> _File:
    try:
        data = history.files.path(attachment.digest).read_bytes()
    except OSError as error:
        raise HistoryError(f"the attachment {attachment.name} cannot be read", why=str(error)) from error
    return _File(
        name=attachment.name,
        kind=attachment.kind,
        width_px=attachment.width_px,
        height_px=attachment.height_px,
        data=base64.b64encode(data).decode("ascii"),
    )


def import_json(history: History, text: str) -> list[int]:
    """Add what `export_json` wrote as new conversations; all of them or, when something is wrong, none.

    Raises `HistoryError` naming the place in the file.
    """
    try:
        document = _Document.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise HistoryError("this is not an exported history", why=f"{place}: {first['msg']}") from error
    if document.version > VERSION:
        raise HistoryError(f"the export is of version {document.version}", why=f"this Deskhand knows {VERSION}")
    with history.database.write():
        return [_imported(history, each, at) for at, each in enumerate(document.conversations)]


def _imported(history: History, source: _Conversation, at: int) -> int:
    conversation = history.conversations.create(source.title, pinned=source.pinned, created_s=source.created_s)
    ids: list[int] = []
    for number, message in enumerate(source.messages):
        if message.parent is not None and not 0 <= message.parent < number:
            raise HistoryError(
                "the exported history is inconsistent",
                why=f"conversations.{at}.messages.{number} comes before its parent {message.parent}",
            )
        parent = None if message.parent is None else ids[message.parent]
        content = NewMessage(
            role=message.role,
            text=message.text,
            thinking=message.thinking,
            thinking_ms=message.thinking_ms,
            state="interrupted" if message.state == "streaming" else message.state,
            error=message.error,
            model=message.model,
            figures=Figures(**message.figures.model_dump()),
            points=tuple(StoredPoint(**point.model_dump()) for point in message.points),
            attachments=tuple(_kept(history, file) for file in message.attachments),
        )
        ids.append(history.messages.add(conversation.id, parent, content, created_s=message.created_s).id)
    _show_again(history, source, ids)
    history.conversations.touch(conversation.id, source.updated_s)
    return conversation.id


def _show_again(history: History, source: _Conversation, ids: list[int]) -> None:
    """Choose the branches that were shown; adding has left the latest of each shown."""
    parents: list[int | None] = [message.parent for message in source.messages]
    for parent, child in [(None, source.shown_root)] + [
        (at, each.shown_child) for at, each in enumerate(source.messages)
    ]:
        if child is not None and 0 <= child < len(ids) and parents[child] == parent:
            history.messages.choose(ids[child])


def _kept(history: History, file: _File) -> Attachment:
    try:
        data = base64.b64decode(file.data, validate=True)
    except ValueError as error:
        raise HistoryError(f"the attachment {file.name} is damaged", why=str(error)) from error
    digest = history.files.put(data)
    return Attachment(digest, file.name, file.kind, len(data), file.width_px, file.height_px)
