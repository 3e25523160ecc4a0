"""Turn an accessibility tree and a list of windows into elements that can really be seen."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

from model.nano.elements import Box, Element, ElementRole
from model.nano.icons import concepts, shared_words
from model.nano.x_windows import XWindow

_ROLES: dict[str, ElementRole] = {
    "push button": "button",
    "button": "button",
    "toggle button": "button",
    "check box": "checkbox",
    "radio button": "radio",
    "combo box": "combo",
    "text": "text_field",
    "entry": "text_field",
    "password text": "text_field",
    "spin button": "spin",
    "slider": "slider",
    "page tab": "tab",
    "menu": "menu_item",
    "menu item": "menu_item",
    "check menu item": "menu_item",
    "radio menu item": "menu_item",
    "list item": "list_item",
    "tree item": "tree_item",
    "table cell": "cell",
    "icon": "list_item",
    "label": "label",
    "link": "link",
    "table column header": "heading",
    "column header": "heading",
    "heading": "heading",
}
_INTERACTIVE = frozenset({"button", "icon_button", "checkbox", "radio", "combo", "tab", "menu", "menu_item", "link"})
_WINDOWS = frozenset({"frame", "dialog", "window", "alert", "file chooser", "color chooser", "font chooser"})
_GROUP_KINDS: dict[ElementRole, Literal["menu", "tabs", "list"]] = {
    "menu": "menu",
    "menu_item": "menu",
    "tab": "tabs",
    "list_item": "list",
}
_NARROWEST_CHAR_PX = 4.2
"""An average character is at least this wide in an 8-point font; less room means that the text is not written."""


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the tree with its box, and the node above it (-1: none)."""

    ident: int
    parent: int
    role: str
    name: str
    text: str
    label: str
    states: frozenset[str]
    box_px: Box


def to_nodes(answer: list[dict[str, Any]]) -> list[Node]:
    """Read what `model.nano.atspi_child` sent."""
    nodes = []
    for item in answer:
        x, y, width, height = item["box"]
        box = (float(x), float(y), float(x + width), float(y + height))
        states = frozenset(item["states"])
        name = " ".join(item["name"].split())
        nodes.append(Node(item["id"], item["parent"], item["role"], name, item["text"], item["label"], states, box))
    return nodes


def to_elements(nodes: list[Node], windows: list[XWindow], size_px: tuple[int, int]) -> list[Element]:
    """Make elements of the nodes that show, are not covered, and have a name that a person could read.

    Where two elements overlap and neither is within the other in the tree, one is painted over the other in a way
    the tree does not tell: both are left out.
    """
    found: list[tuple[Node, Element]] = []
    for node in nodes:
        element = _element(node, nodes, size_px)
        if element is not None and _uncovered(node, nodes, windows):
            found.append((node, element))
    kept = [(n, e) for n, e in found if not _clashes(n, e, found, nodes)]
    return _numbered([(n, e) for n, e in kept if not _repeats_parent(n, e, kept, nodes)], nodes)


def _element(node: Node, nodes: list[Node], size_px: tuple[int, int]) -> Element | None:
    role = _ROLES.get(node.role)
    x0, y0, x1, y1 = node.box_px
    if role is None or "SHOWING" not in node.states or x1 - x0 < 6 or y1 - y0 < 6:
        return None
    if x0 < 0 or y0 < 0 or x1 > size_px[0] or y1 > size_px[1] or not _within_parents(node, nodes):
        return None
    name, icon, text, label = node.name, "", node.name, _caption(node.label)
    above = nodes[node.parent] if node.parent >= 0 else None
    if role in ("text_field", "spin"):
        text, label = " ".join(node.text.split()), label or name
        if "\n" in node.text or y1 - y0 > 60 or not (text or label):
            return None
    elif role == "slider":
        text, label = "", label or name
    elif role == "combo":
        label = label if label != name else ""
    elif role == "menu_item" and above is not None and above.role == "menu bar":
        role = "menu"
    elif role == "cell" and above is not None and above.role in ("tree", "tree table"):
        role = "tree_item"
    if role == "button" and name:
        shape = _button_shape(name, node, nodes)
        if shape == "unsure":
            return None
        if shape == "icon":
            role, icon, text = "icon_button", _concept(name), ""
    elif role in ("combo", "tab") and not _has_room(name, x1 - x0):
        text = ""
    if node.role == "icon" and min(x1 - x0, y1 - y0) < 44:
        role, icon, text = "image", _concept(name), ""
    if role in ("label", "list_item", "tree_item", "cell") and (not _has_room(name, x1 - x0) or "\n" in name):
        return None
    if len(text) > 70 or not (text or icon or label) or not any(not c.isspace() for c in text + icon + label):
        return None
    dialog = _window_of(node, nodes)
    title = dialog.name if dialog is not None else ""
    kind = "" if dialog is None or not title else "window" if dialog.role == "frame" else "dialog"
    enabled = "SENSITIVE" in node.states or "ENABLED" in node.states
    return Element(
        role=role,
        box_px=node.box_px,
        text=text,
        icon=icon,
        label=label,
        container=title,
        container_kind=kind,
        enabled=enabled,
    )


def _numbered(found: list[tuple[Node, Element]], nodes: list[Node]) -> list[Element]:
    """Say of menu items, tabs and list items what they are in and at which place.

    A place is told only where nothing before it is out of sight.
    """
    numbered: list[Element] = []
    kept = {n.ident for n, _ in found}
    for node, element in found:
        kind = _GROUP_KINDS.get(element.role)
        if kind is not None and node.parent >= 0:
            siblings = [n for n in nodes if n.parent == node.parent and n.role in _ROLES and n.name]
            before = [n for n in siblings if n.ident <= node.ident]
            place = len(before) if all(n.ident in kept for n in before) else 0
            name = nodes[node.parent].name or kind
            element = replace(element, group=name, group_kind=kind, position=place)
        numbered.append(element)
    return numbered


def _button_shape(name: str, node: Node, nodes: list[Node]) -> Literal["text", "icon", "unsure"]:
    """Guess whether a button shows its name or only a picture: the tree gives both the same name."""
    x0, y0, x1, y1 = node.box_px
    width, height = x1 - x0, y1 - y0
    # A button is at most some two and a half text heights high, and a character at least two fifths of one wide.
    if len(name) * max(_NARROWEST_CHAR_PX, 0.15 * min(height, 50)) > width:
        return "icon"
    if len(name) > 2 and any(a.role == "tool bar" for a in _ancestors(node, nodes)):
        return "icon" if width < 1.2 * height else "unsure" if width < 1.7 * height else "text"
    return "text"


def _caption(text: str) -> str:
    return " ".join(text.split()).rstrip(":").strip()


def _has_room(text: str, width_px: float) -> bool:
    return len(text) * _NARROWEST_CHAR_PX <= width_px


def _concept(name: str) -> str:
    """Return the icon concept that a name says, or "" where it is not sure."""
    word = name.casefold()
    if word in shared_words():
        return ""
    return next((c.name for c in concepts().values() if word in {w.casefold() for w in c.words}), "")


def _ancestors(node: Node, nodes: list[Node]) -> list[Node]:
    found = []
    while node.parent >= 0:
        node = nodes[node.parent]
        found.append(node)
    return found


def _window_of(node: Node, nodes: list[Node]) -> Node | None:
    return next((a for a in _ancestors(node, nodes) if a.role in _WINDOWS), None)


def _within_parents(node: Node, nodes: list[Node]) -> bool:
    """Say whether a node lies inside what scrolls or frames it, as far as those have boxes of their own."""
    for above in _ancestors(node, nodes):
        if above.role in ("menu", "menu item", "combo box"):
            # A menu opens outside the item that it belongs to.
            return True
        if above.role in ("scroll pane", "viewport", "page tab list", *_WINDOWS) and _area(above.box_px) > 0:
            shared = _area(_meet(node.box_px, above.box_px))
            if shared < 0.9 * _area(node.box_px):
                return False
    return True


def _uncovered(node: Node, nodes: list[Node], windows: list[XWindow]) -> bool:
    """Say whether the topmost window at a node's centre and corners is the one that the node belongs to."""
    x0, y0, x1, y1 = node.box_px
    dx = dy = 2.0
    points = [
        ((x0 + x1) / 2, (y0 + y1) / 2), (x0 + dx, y0 + dy), (x1 - dx, y0 + dy), (x0 + dx, y1 - dy), (x1 - dx, y1 - dy),
    ]  # fmt: skip
    tops = {_top_at(x, y, windows) for x, y in points}
    if len(tops) != 1 or None in tops:
        return False
    (top,) = tops
    assert top is not None  # noqa: S101 - said to the type checker; checked above
    owner = _owner(node, nodes, windows)
    return owner is not None and owner.ident == top.ident


def _top_at(x: float, y: float, windows: list[XWindow]) -> XWindow | None:
    hit = [w for w in windows if w.box_px[0] <= x < w.box_px[2] and w.box_px[1] <= y < w.box_px[3]]
    return hit[-1] if hit else None


def _owner(node: Node, nodes: list[Node], windows: list[XWindow]) -> XWindow | None:
    """Find the window that draws a node: the one that fits best around the nearest menu or dialog above it."""
    item = node
    for above in _ancestors(node, nodes):
        opened = above.role == "menu" and item.role != "menu bar"
        if opened or above.role in (*_WINDOWS, "popup menu"):
            siblings = [n.box_px for n in nodes if n.parent == above.ident and _area(n.box_px) > 0]
            wanted = _hull(siblings) if opened and siblings else above.box_px
            around = [w for w in windows if _area(_meet(w.box_px, wanted)) >= 0.95 * _area(wanted)]
            return min(around, key=lambda w: _area(w.box_px), default=None)
        item = above
    return None


def _clashes(node: Node, element: Element, found: list[tuple[Node, Element]], nodes: list[Node]) -> bool:
    mine = {a.ident for a in _ancestors(node, nodes)}
    for other, rival in found:
        if (
            other.ident == node.ident
            or other.ident in mine
            or node.ident in {a.ident for a in _ancestors(other, nodes)}
        ):
            continue
        shared = _area(_meet(element.box_px, rival.box_px))
        if shared > 0.2 * min(_area(element.box_px), _area(rival.box_px)):
            return True
    return False


def _repeats_parent(node: Node, element: Element, kept: list[tuple[Node, Element]], nodes: list[Node]) -> bool:
    """Say whether a label only spells what the button around it says."""
    if element.role not in ("label", "text_field", "cell"):
        return False
    above = {a.ident for a in _ancestors(node, nodes)}
    around = [rival for other, rival in kept if other.ident in above]
    # In GTK a tab is the parent of the whole page that it opens.
    return any(r.text == element.text if r.role == "tab" else r.role in (*_INTERACTIVE, "list_item") for r in around)


def _meet(a: Box, b: Box) -> Box:
    return (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _hull(boxes: list[Box]) -> Box:
    x0, y0, x1, y1 = math.inf, math.inf, -math.inf, -math.inf
    for box in boxes:
        x0, y0, x1, y1 = min(x0, box[0]), min(y0, box[1]), max(x1, box[2]), max(y1, box[3])
    return (x0, y0, x1, y1)
