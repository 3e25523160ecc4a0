"""One screen's elements by name, icon, group and row, and everything that can be read on it."""

from collections import defaultdict

from model.nano import phrases
from model.nano.elements import Element, Screen

FIELDS = frozenset({"text_field", "combo", "spin", "slider"})
MARKS = frozenset({"checkbox", "radio", "switch"})
PLAIN = frozenset({"label", "heading", "cell", "image"})
GROUP_NOUNS = {
    ("list", "list_item"): ("item in the list", "list item", "entry of the list"),
    ("tabs", "tab"): ("tab",),
    ("menu", "menu"): ("menu", "menu in the menu bar"),
    ("menu", "menu_item"): ("item of the menu", "menu item", "item in the menu"),
    ("toolbar", "icon_button"): ("icon in the toolbar", "toolbar button", "button in the toolbar"),
    ("toolbar", "button"): ("button in the toolbar", "toolbar button"),
    ("tree", "tree_item"): ("item in the tree", "tree item"),
}
"""What the members of a group (its kind, their role) are counted as."""


def normal(text: str) -> str:
    """Reduce a text to what has to match for two texts to be the same to a person."""
    plain = " ".join(text.casefold().split())
    return plain.rstrip(":*… ").removesuffix("...").rstrip() or plain


def names(element: Element) -> tuple[str, ...]:
    """List the normal forms of everything an element can be called by.

    An icon's label is not written on the screen, or belongs to the tab that the icon closes.
    """
    texts = (element.text, "" if element.role == "icon_button" else element.label, element.placeholder)
    return tuple(normal(text) for text in texts if text and "•" not in text)


class ScreenIndex:
    """What is on one screen, ready to be asked for."""

    def __init__(self, screen: Screen) -> None:
        self.elements = screen.elements
        self.by_name: dict[str, list[Element]] = defaultdict(list)
        self.groups: dict[tuple[str, str], dict[str, list[Element]]] = defaultdict(lambda: defaultdict(list))
        self.icons: dict[str, list[Element]] = defaultdict(list)
        self.rows: dict[tuple[str, int], list[Element]] = defaultdict(list)
        for element in screen.elements:
            for name in set(names(element)):
                self.by_name[name].append(element)
            if element.icon:
                self.icons[element.icon].append(element)
            if element.group_kind == "table" and element.position:
                self.rows[element.group, element.position].append(element)
            elif element.group and element.position:
                self.groups[element.group_kind, element.role][element.group].append(element)
        self.texts = [e for e in screen.elements if e.text and "•" not in e.text]
        self.marks = [e for e in screen.elements if e.role in MARKS and (e.label or e.text)]
        self.fields = [e for e in screen.elements if e.role in FIELDS and (e.label or e.placeholder or e.text)]
        self.pictures = [e for e in screen.elements if e.role == "icon_button" and e.icon]
        self.row_controls = [e for row in self.rows.values() for e in row if e.role not in PLAIN]
        self.repeated = [name for name, owners in self.by_name.items() if 2 <= len(owners) <= 8]
        glyphs = "".join(chr(int(code)) for code in screen.glyphs[:, 0]) if len(screen.glyphs) else ""
        written = [text for e in screen.elements for text in (e.text, e.label, e.placeholder, e.container) if text]
        self.written = "\n".join([glyphs, *written, *("".join(text.split()) for text in written)]).casefold()

    def shows(self, text: str) -> bool:
        """Say whether a text can be read anywhere on the screen."""
        folded = text.casefold()
        return folded in self.written or "".join(folded.split()) in self.written

    def groups_like(self, key: tuple[str, str]) -> int:
        """Count the groups that the words for a group (its kind, its members' role) may mean."""
        kind, role = key
        return sum(
            len(named)
            for (other, members), named in self.groups.items()
            if other == kind and (kind != "menu" or members == role)
        )

    def only(self, element: Element, name: str) -> bool:
        """Say whether a name together with the words for the element's role means it alone."""
        words = set(phrases.NOUNS[element.role])
        for other in self.by_name[normal(name)]:
            if other is not element and words & set(phrases.NOUNS[other.role]):
                return False
        return True


def adjacent(caption: Element, control: Element) -> bool:
    """Say whether a caption stands right before or above its control."""
    a, b = caption.box_px, control.box_px
    height = max(a[3] - a[1], b[3] - b[1])
    beside = min(a[3], b[3]) > max(a[1], b[1])
    above = 0 <= b[1] - a[3] + 0.5 * height < 2 * height and min(a[2], b[2]) > max(a[0], b[0])
    return beside or above


def nearest(anchor: Element, elements: tuple[Element, ...], axis: int, sign: int) -> Element | None:
    """Find the one element next to the anchor in a direction, or ``None`` when that is not clear."""
    a = anchor.box_px
    cross = 1 - axis
    found: list[tuple[float, Element]] = []
    for element in elements:
        b = element.box_px
        shared = min(a[cross + 2], b[cross + 2]) - max(a[cross], b[cross])
        if element is anchor or shared <= 0 or (element.role == "image" and not element.text):
            continue
        gap = b[axis] - a[axis + 2] if sign > 0 else a[axis] - b[axis + 2]
        if gap < -1.0:
            if min(a[axis + 2], b[axis + 2]) > max(a[axis], b[axis]) + 1.0 and element.role not in PLAIN:
                return None
            continue
        found.append((gap, element))
    if not found:
        return None
    found.sort(key=lambda pair: pair[0])
    gap, closest = found[0]
    b = closest.box_px
    shared = min(a[cross + 2], b[cross + 2]) - max(a[cross], b[cross])
    if shared < 0.6 * min(a[cross + 2] - a[cross], b[cross + 2] - b[cross]):
        return None
    if gap > 3 * (a[3] - a[1]) + (120 if axis == 0 else 0):
        return None
    if len(found) > 1 and found[1][0] - gap < 0.5 * (b[axis + 2] - b[axis]):
        return None
    return closest
