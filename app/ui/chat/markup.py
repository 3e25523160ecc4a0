r"""Makes a model's Markdown safe and readable for Qt: formulas stay as they were written, pictures become links.

Qt's Markdown would read ``\(a_1 * b_1\)`` as emphasis, and fetch what a picture names.
"""

import re

_PIECES = re.compile(
    r"(?P<code>(?P<ticks>`+)(?!`)(?:.|\n)*?(?<!`)(?P=ticks)(?!`))"
    r"|(?P<display>\$\$(?P<inside>[^$]+?)\$\$|\\\[(?P<bracket>(?:.|\n)+?)\\\])"
    r"|(?P<inline>(?<![\\\w$])\$(?P<dollar>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\w$])|\\\((?P<paren>[^\n]+?)\\\))"
    r"|!\[(?P<alt>[^\]\n]*)\]\((?P<target>[^)\n]*)\)"
)
_LOOKS_LIKE_MONEY = re.compile(r"^[\d.,]+(?:\s|$)")


def prepared(markdown: str) -> str:
    """Return Markdown in which formulas are code and pictures are links."""
    return _PIECES.sub(_replaced, markdown)


def _replaced(match: re.Match[str]) -> str:
    if match["code"]:
        return match[0]
    if match["display"]:
        return _as_code(match["inside"] or match["bracket"])
    if match["inline"]:
        inside = match["dollar"] or match["paren"]
        return match[0] if match["dollar"] and _LOOKS_LIKE_MONEY.match(inside) else _as_code(inside)
    return f"[{match['alt'] or match['target']}]({match['target']})"


def _as_code(formula: str) -> str:
    text = " ".join(formula.split())
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def plain(markdown: str) -> str:
    """Return the words of a Markdown text without the signs, for the clipboard of those who want no Markdown."""
    text = re.sub(r"^[ \t]*(`{3,}|~{3,}).*$\n?", "", markdown, flags=re.MULTILINE)
    text = re.sub(r"^#{1,6}\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"^>\s?", "", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]\n]*)\]\(([^)\n]*)\)", r"\1 (\2)", text)
    text = re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text)
    text = re.sub(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])", r"\1", text)
    return re.sub(r"`([^`\n]+)`", r"\1", text)
