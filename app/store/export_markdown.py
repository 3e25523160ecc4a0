"""A conversation as Markdown that people read, and back: what is shown of it, with its pictures beside it."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote

from app.store.errors import HistoryError
from app.store.history import History
from app.store.values import KINDS, Attachment, AttachmentKind, NewMessage, StoredRole

_NAMES: dict[StoredRole, str] = {"user": "You", "assistant": "Answer"}
_MARK = re.compile(r"^<!-- deskhand:(message|thinking|text) ?(.*) -->$")
_ESCAPED = re.compile(r"^(\\*<!-- deskhand:)", re.MULTILINE)
_UNESCAPED = re.compile(r"^\\(\\*<!-- deskhand:)", re.MULTILINE)
_LINK = re.compile(r"^!?\[(.*)\]\(([^()]+)\)$")
_UNSAFE = re.compile(r"[^\w.-]+")


def export_markdown(history: History, conversation_id: int, file: Path) -> None:
    """Write the shown branch into ``file``, and its attachments into a folder of nearly the same name beside it.

    Raises `HistoryError` when something cannot be read or written.
    """
    conversation = history.conversations.get(conversation_id)
    folder = file.with_name(f"{file.stem}-files")
    parts = [f"# {conversation.title}"]
    try:
        for message in history.messages.path(conversation_id):
            content = message.content
            about = {"role": content.role, "model": content.model} if content.model else {"role": content.role}
            parts.append(f"<!-- deskhand:message {_json(about)} -->\n## {_NAMES[content.role]}")
            parts += [_linked(history, attachment, folder) for attachment in content.attachments]
            if content.thinking:
                about = _json({"ms": round(content.thinking_ms)})
                parts.append(f"<!-- deskhand:thinking {about} -->\n{_escaped(content.thinking)}")
            parts.append(f"<!-- deskhand:text -->\n{_escaped(content.text)}")
        # What is written is read back exactly: no line end may be changed on the way.
        file.write_bytes(("\n\n".join(parts) + "\n").encode())
    except OSError as error:
        raise HistoryError(f"{file} cannot be written", why=str(error)) from error


def _json(value: object) -> str:
    # "--" ends an HTML comment, so that it may not stand in one.
    return json.dumps(value, ensure_ascii=False).replace("--", "\\u002d\\u002d")


def _escaped(text: str) -> str:
    return _ESCAPED.sub(r"\\\1", text)


def _linked(history: History, attachment: Attachment, folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{attachment.digest[:12]}-{_UNSAFE.sub('_', attachment.name)[-80:]}"
    (folder / name).write_bytes(history.files.path(attachment.digest).read_bytes())
    about = _json({"name": attachment.name, "kind": attachment.kind, "px": [attachment.width_px, attachment.height_px]})
    bang = "!" if attachment.kind == "image" else ""
    shown = re.sub(r"[\[\]\n\r]", " ", attachment.name)
    return f"<!-- deskhand:file {about} -->\n{bang}[{shown}]({quote(folder.name)}/{quote(name)})"


_FILE = re.compile(r"^<!-- deskhand:file (.*) -->$")


def import_markdown(history: History, file: Path) -> int:
    """Add what `export_markdown` wrote as a new conversation.

    Raises `HistoryError` for a file that it did not write, or whose attachments are missing.
    """
    try:
        text = file.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HistoryError(f"{file} cannot be read", why=str(error)) from error
    title, contents = _parsed(history, text, file)
    with history.database.write():
        conversation = history.conversations.create(title)
        parent: int | None = None
        for content in contents:
            parent = history.messages.add(conversation.id, parent, content).id
    return conversation.id


def _parsed(history: History, text: str, file: Path) -> tuple[str, list[NewMessage]]:
    if not text.startswith("# "):
        raise HistoryError(f"{file} is not an exported conversation", why="it does not begin with a title")
    head, *messages = re.split(r"\n\n(?=<!-- deskhand:message )", text.removesuffix("\n"))
    try:
        return head.removeprefix("# "), [_message(history, each, file.parent) for each in messages]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise HistoryError(f"{file} is not an exported conversation", why=str(error)) from error


def _message(history: History, block: str, folder: Path) -> NewMessage:
    before, mark, text = block.partition("\n\n<!-- deskhand:text -->\n")
    if not mark:
        raise ValueError("a message without its text")
    before, _, thought = before.partition("\n\n<!-- deskhand:thinking ")
    thinking_ms, thinking = 0.0, ""
    if thought:
        about, _, thinking = thought.partition(" -->\n")
        thinking_ms = float(json.loads(about)["ms"])
    lines = before.split("\n")
    match = _MARK.match(lines[0])
    about = json.loads(match[2]) if match else {}
    role = about.get("role")
    if role not in _NAMES:
        raise ValueError(f"{role!r} is nobody who speaks")
    return NewMessage(
        role=cast(StoredRole, role),
        model=str(about.get("model", "")),
        text=_UNESCAPED.sub(r"\1", text),
        thinking=_UNESCAPED.sub(r"\1", thinking),
        thinking_ms=thinking_ms,
        attachments=tuple(_attachments(history, lines, folder)),
    )


def _attachments(history: History, lines: list[str], folder: Path) -> list[Attachment]:
    found = []
    for line, link in pairwise(lines):
        if match := _FILE.match(line):
            about, target = json.loads(match[1]), _LINK.match(link)
            if target is None or about["kind"] not in KINDS:
                raise ValueError(f"the attachment {about['name']} has no link")
            path = (folder / unquote(target[2])).resolve()
            # A file from elsewhere may not make us copy what lies outside its own folder.
            if not path.is_relative_to(folder.resolve()) or not path.is_file():
                raise ValueError(f"the attachment {about['name']} is not beside the file")
            digest, size_bytes = history.files.put_file(path)
            width_px, height_px = (int(side) for side in about["px"])
            kind = cast(AttachmentKind, about["kind"])
            found.append(Attachment(digest, str(about["name"]), kind, size_bytes, width_px, height_px))
    return found
