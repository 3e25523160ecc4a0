"""Markdown that comes in pieces: cut into blocks, made safe, coloured, and shown as if it had come at once."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from app.ui.chat.blocks import Block, BlockSplitter, blocks_of
from app.ui.chat.body import MarkdownBody
from app.ui.chat.colouring import spans_of
from app.ui.chat.markup import plain, prepared
from app.ui.chat.prose import TextArea

_LINES = st.lists(
    st.sampled_from(
        [
            "",
            "text",
            "- item",
            "1. first",
            "```",
            "```python",
            "~~~",
            "   indented",
            "| a | b |",
            "# head",
            "    ```",
            "x" * 50,
        ]
    ),
    max_size=25,
).map("\n".join)


@given(_LINES, st.integers(0, 2**32))
def test_pieces_give_the_same_blocks_as_the_whole(text: str, seed: int) -> None:
    cut = random.Random(seed)
    splitter, at = BlockSplitter(), 0
    blocks: list[Block] = []
    while at < len(text):
        size = cut.randint(1, 9)
        splitter.push(text[at : at + size])
        at += size
        _ = splitter.open
        blocks += splitter.take()
    splitter.end()
    assert blocks + splitter.take() == blocks_of(text)


@given(_LINES)
def test_no_word_is_lost(text: str) -> None:
    kept = "\n".join(block.text for block in blocks_of(text))
    for word in ("text", "item", "first", "indented", "head", "x" * 50):
        assert kept.count(word) == text.count(word)


def test_blocks_close_where_they_should() -> None:
    text = "para\n\n1. a\n\n2. b\n\n   more of b\n\nnext\n\n```py\nx\n\ny\n```\nafter\n\n  ```\n  in a list\n  ```"
    assert [(block.kind, block.text, block.language) for block in blocks_of(text)] == [
        ("prose", "para", ""),
        ("prose", "1. a\n\n2. b\n\n   more of b", ""),
        ("prose", "next", ""),
        ("code", "x\n\ny", "py"),
        ("prose", "after", ""),
        ("code", "in a list", ""),
    ]


def test_a_fence_in_a_longer_fence_and_one_that_never_closes() -> None:
    assert blocks_of("````md\n```py\nx\n```\n````") == [Block("code", "```py\nx\n```", "md")]
    assert blocks_of("```\nhalf") == [Block("code", "half", "")]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("$E = mc^2$", "`E = mc^2`"),
        (r"\(a_1 * b_1\)", "`a_1 * b_1`"),
        ("$$\n\\int x\n$$", r"`\int x`"),
        (r"\[ a` b \]", "``a` b``"),
        ("it costs $5 and $6", "it costs $5 and $6"),
        ("`$a$` stays", "`$a$` stays"),
        ("``$a$ ` $b$``", "``$a$ ` $b$``"),
        ("![cat](http://x/y.png)", "[cat](http://x/y.png)"),
        ("![](http://x/y.png)", "[http://x/y.png](http://x/y.png)"),
    ],
)
def test_formulas_stay_as_written_and_pictures_become_links(written: str, shown: str) -> None:
    assert prepared(written) == shown


def test_text_without_signs() -> None:
    assert plain("# Head\n\n**bold** *thin* `code` [here](http://x)\n\n```py\na * b\n```") == (
        "Head\n\nbold thin code here (http://x)\n\na * b\n"
    )


def test_nothing_is_fetched_and_html_stays_text(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    load = TextArea.loadResource
    monkeypatch.setattr(TextArea, "loadResource", lambda self, kind, name: asked.append(name) or load(self, kind, name))
    area = TextArea("Answer")
    qtbot.addWidget(area)
    area.resize(400, 100)
    area.set_markdown(
        "![x](http://127.0.0.1:1/a.png) <img src='file:///etc/passwd'> <script>x</script> [l](file:///etc)"
    )
    area.show()
    area.grab()
    assert asked == []
    assert "<script>" in area.toPlainText()
    assert "￼" not in area.toPlainText()


def test_code_is_coloured_by_lines_in_utf_16() -> None:
    lines = spans_of("x = '😀'  # é\ndef f():\n    return 1", "python")
    assert [[(span.start, span.length, span.colour) for span in line] for line in lines] == [
        [(4, 1, "success"), (5, 2, "success"), (7, 1, "success"), (10, 3, "muted")],
        [(0, 3, "accent"), (4, 1, "accent")],
        [(4, 6, "accent"), (11, 1, "warning")],
    ]
    assert spans_of("x", "no such language") == []


def _texts(body: MarkdownBody) -> str:
    parts = [area.toPlainText() for area in body.findChildren(TextArea) if not area.isHidden() and area.height()]
    return "\n".join(parts)


def test_a_streamed_answer_looks_like_one_that_came_at_once(qtbot: QtBot) -> None:
    text = (
        "## Head\n\nSome **words** and `code`.\n\n1. one\n2. two\n\n> quote\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n" * 20
    ) + ("```python\nprint(1)\n```\n\nlast *words*")
    streamed, whole = MarkdownBody(), MarkdownBody()
    for body in (streamed, whole):
        qtbot.addWidget(body)
        body.resize(600, 400)
        body.show()
    for at in range(0, len(text), 11):
        streamed.add(text[at : at + 11])
    streamed.end()
    whole.set_markdown(text)
    qtbot.waitUntil(lambda: _texts(streamed) == _texts(whole), timeout=20_000)
    assert streamed.markdown == text
    assert [view.code for view in streamed.code_views] == ["print(1)"]
    heights = [streamed.sizeHint().height(), whole.sizeHint().height()]
    assert abs(heights[0] - heights[1]) <= 2, heights


def test_headings_are_larger_than_text(qtbot: QtBot) -> None:
    area = TextArea("Answer")
    qtbot.addWidget(area)
    area.set_markdown("# Head\n\ntext")
    runs = area.document().begin().textFormats()
    assert runs[0].format.font().pixelSize() > 14  # pyright: ignore[reportAttributeAccessIssue] - not in the stubs
