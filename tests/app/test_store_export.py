"""What is exported comes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store import Attachment, Figures, History, HistoryError, NewMessage, StoredPoint
from app.store.export_json import export_json, import_json
from app.store.export_markdown import export_markdown, import_markdown

_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(
        ["<!-- deskhand:message {} -->", "\n\n<!-- deskhand:text -->\n", "\\<!-- deskhand:x", "# Title\r\n", "--", "\n"]
    ),
    st.lists(st.sampled_from(["\n", "\r", "\\", "<!-- deskhand:text -->", "a", " "]), max_size=8).map("".join),
)
_SHARE = st.floats(0, 1)


@st.composite
def _contents(draw: st.DrawFn) -> tuple[NewMessage, list[bytes]]:
    files = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=2))
    content = NewMessage(
        role=draw(st.sampled_from(["user", "assistant"])),
        text=draw(_TEXT),
        thinking=draw(_TEXT),
        thinking_ms=float(draw(st.integers(0, 10**6))),
        state=draw(st.sampled_from(["complete", "stopped", "length", "failed", "interrupted"])),
        error=draw(_TEXT),
        model=draw(_TEXT),
        figures=Figures(draw(st.integers(0, 9999)), draw(st.integers(0, 9999)), tokens_per_s=draw(st.floats(0, 1e6))),
        points=tuple(draw(st.lists(st.builds(StoredPoint, _SHARE, _SHARE, st.integers(0, 3), _TEXT), max_size=2))),
    )
    return content, files


@pytest.fixture(scope="module")
def histories() -> Iterator[tuple[History, History]]:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        pair = History(Path(one)), History(Path(other))
        yield pair
        for history in pair:
            history.close()


def _add(history: History, talk: int, parent: int | None, made: tuple[NewMessage, list[bytes]], name: str) -> int:
    content, files = made
    attachments = tuple(Attachment(history.files.put(data), name, "image", len(data), 3, 2) for data in files)
    from dataclasses import replace

    return history.messages.add(talk, parent, replace(content, attachments=attachments)).id


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tree=st.lists(st.tuples(st.integers(0, 10), _contents()), max_size=6),
    title=_TEXT,
    name=_TEXT,
    shown=st.integers(0, 5),
    pinned=st.booleans(),
)
def test_json_brings_every_branch_back(
    histories: tuple[History, History],
    tree: list[tuple[int, tuple[NewMessage, list[bytes]]]],
    title: str,
    name: str,
    shown: int,
    pinned: bool,
) -> None:
    history, other = histories
    talk = history.conversations.create(title, pinned=pinned)
    ids: list[int] = []
    for parent, made in tree:
        at = parent - 1
        ids.append(_add(history, talk.id, ids[at % len(ids)] if ids and parent else None, made, name))
    if ids:
        history.messages.show(ids[shown % len(ids)])
    exported = export_json(history, [talk.id])
    (again,) = import_json(other, exported)
    assert export_json(other, [again]) == exported


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chain=st.lists(_contents(), max_size=4), title=_TEXT, name=_TEXT)
def test_markdown_brings_what_is_shown_back(
    histories: tuple[History, History], chain: list[tuple[NewMessage, list[bytes]]], title: str, name: str
) -> None:
    history, other = histories
    talk = history.conversations.create(title)
    parent: int | None = None
    for made in chain:
        parent = _add(history, talk.id, parent, made, name)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "a talk.md"
        export_markdown(history, talk.id, file)
        again = import_markdown(other, file)
    assert other.conversations.get(again).title == talk.title

    def seen(history: History, talk: int) -> list[tuple[object, ...]]:
        return [
            (c.role, c.text, c.thinking, c.thinking_ms if c.thinking else 0, c.model, c.attachments)
            for c in (message.content for message in history.messages.path(talk))
        ]

    assert seen(other, again) == seen(history, talk.id)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "something"}, "format"),
        ({"version": 2}, "version 2"),
        ({"conversations": 3}, "conversations"),
    ],
)
def test_a_json_file_that_is_no_export_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    history = History(tmp_path)
    document = json.loads(export_json(history, [history.conversations.create("x").id])) | change
    with pytest.raises(HistoryError, match=said):
        import_json(history, json.dumps(document))
    with pytest.raises(HistoryError):
        import_json(history, "not json")
    assert len(history.conversations.list()) == 1
    history.close()


def test_an_import_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    history = History(tmp_path)
    talk = history.conversations.create("x")
    history.messages.add(talk.id, None, NewMessage("user", "hello"))
    document = json.loads(export_json(history, [talk.id, talk.id]))
    document["conversations"][1]["messages"][0]["parent"] = 7
    with pytest.raises(HistoryError, match=r"conversations\.1\.messages\.0"):
        import_json(history, json.dumps(document))
    assert len(history.conversations.list()) == 1
    history.close()


def test_a_markdown_file_cannot_reach_outside_its_folder(tmp_path: Path) -> None:
    history = History(tmp_path / "data")
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "from the net"
    folder.mkdir()
    file = folder / "talk.md"
    file.write_text(
        '# Talk\n\n<!-- deskhand:message {"role": "user"} -->\n## You\n\n'
        '<!-- deskhand:file {"name": "s", "kind": "image", "px": [1, 1]} -->\n![s](../secret)\n\n'
        "<!-- deskhand:text -->\nhello\n"
    )
    with pytest.raises(HistoryError, match="not beside the file"):
        import_markdown(history, file)
    with pytest.raises(HistoryError, match="cannot be read"):
        import_markdown(history, folder / "none.md")
    (folder / "notes.md").write_text("just notes")
    with pytest.raises(HistoryError, match="not an exported conversation"):
        import_markdown(history, folder / "notes.md")
    history.close()
