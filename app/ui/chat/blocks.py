"""Cuts Markdown that is still coming into blocks: what is closed never changes any more. Knows no Qt."""

import re
from dataclasses import dataclass
from typing import Literal

_FENCE = re.compile(r"^(\s*)(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*$")
_MAYBE_FENCE = re.compile(r"^\s*(`+|~+)[^`]*$")
_LIST_ITEM = re.compile(r"^(?:[-*+]|\d{1,9}[.)])\s")
_LINE_MAX = 20_000
"""A line longer than this is closed: nobody writes such a paragraph, and it would be laid out at every word."""


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of prose in Markdown, or the inside of a fenced code block."""

    kind: Literal["prose", "code"]
    text: str
    language: str = ""


class BlockSplitter:
    """Takes text as it comes; `take` hands out what has been closed, ``open`` is what has not.

    Prose is closed at a blank line that a new paragraph follows, unless a list goes on; code at its fence.
    """

    def __init__(self) -> None:
        self._line = ""
        self._lines: list[str] = []
        self._length = 0
        self._closed: list[Block] = []
        self._fence = ""
        self._indent = 0
        self._language = ""
        self._blank = False
        self._in_list = False

    def push(self, text: str) -> None:
        """Take the next piece."""
        *whole, self._line = (self._line + text).split("\n")
        for line in whole:
            self._take_line(line)
        if len(self._line) > _LINE_MAX:
            line, self._line = self._line, ""
            self._take_line(line)
            if not self._fence:
                self._close()

    def end(self) -> None:
        """Close what is open: nothing follows."""
        if self._line:
            line, self._line = self._line, ""
            self._take_line(line)
        self._close()
        self._fence = ""

    def take(self) -> list[Block]:
        """Return what has been closed since the last time."""
        closed, self._closed = self._closed, []
        return closed

    @property
    def open(self) -> Block | None:
        """What would be shown if nothing more came; a line that may become a fence is held back."""
        if self._fence:
            line = self._line
            held = bool(line.strip()) and not line.strip().strip(self._fence[0])
            text = "\n".join([*self._lines, *([] if held else [self._dedented(line)])])
            return Block("code", text, self._language)
        lines = self._lines if _MAYBE_FENCE.match(self._line) else [*self._lines, self._line]
        text = "\n".join(lines)
        return Block("prose", text) if text.strip() else None

    def _take_line(self, line: str) -> None:
        if self._fence:
            bare = line.strip()
            if len(bare) >= len(self._fence) and not bare.strip(self._fence[0]):
                self._close()
                self._fence = ""
            else:
                self._lines.append(self._dedented(line))
            return
        if match := _FENCE.match(line):
            self._close()
            self._indent, self._fence, self._language = len(match[1]), match[2], match[3]
            return
        if not line.strip():
            self._blank = True
        elif self._blank:
            self._blank = False
            item = bool(_LIST_ITEM.match(line))
            if not line[0].isspace() and not (self._in_list and item):
                self._close()
        if line.strip() and not self._lines:
            self._in_list = bool(_LIST_ITEM.match(line))
        self._lines.append(line)

    def _dedented(self, line: str) -> str:
        indent = len(line) - len(line.lstrip(" \t"))
        return line[min(indent, self._indent) :]

    def _close(self) -> None:
        text = "\n".join(self._lines)
        self._lines = []
        self._blank = self._in_list = False
        if self._fence:
            self._closed.append(Block("code", text, self._language))
        elif text.strip():
            self._closed.append(Block("prose", text.strip("\n")))


def blocks_of(markdown: str) -> list[Block]:
    """Cut a whole text."""
    splitter = BlockSplitter()
    splitter.push(markdown)
    splitter.end()
    return splitter.take()
