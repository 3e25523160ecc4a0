"""Instructions for a screen, each with exactly one right answer by construction, or none at all.

Everything is made from `Element` lists, so pages, widgets and applications are asked about in the
same way as drawn screens. A group whose name begins with "#" has no visible name.
"""

import string
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np

from model.nano import phrases, vocabulary
from model.nano.elements import Box, Element, Query, Screen
from model.nano.icons import concepts

_FIELDS = frozenset({"text_field", "combo", "spin", "slider"})
_MARKS = frozenset({"checkbox", "radio", "switch"})
_PLAIN = frozenset({"label", "heading", "cell", "image"})
_SEARCH = ("search", "find", "filter", "type to search")
_ALIKE = ("lij1tfI|!", "oceasg0O69", "nhumrw", "vwyx", "bdpq")
_GROUP_NOUNS = {
    ("list", "list_item"): ("item in the list", "list item", "entry of the list", "item"),
    ("tabs", "tab"): ("tab",),
    ("menu", "menu"): ("menu", "menu in the menu bar"),
    ("menu", "menu_item"): ("item of the menu", "menu item", "item in the menu"),
    ("toolbar", "icon_button"): ("icon in the toolbar", "toolbar button", "button in the toolbar"),
    ("tree", "tree_item"): ("item in the tree", "tree item"),
}


def normal(text: str) -> str:
    """Reduce a text to what has to match for two texts to be the same to a person."""
    plain = " ".join(text.casefold().split())
    return plain.rstrip(":*… ").removesuffix("...").rstrip() or plain


def make_queries(
    screen: Screen, rng: Random | np.random.Generator, count: int, absent_share: float = 0.12
) -> list[Query]:
    """Make up to ``count`` different instructions, about ``absent_share`` of them for what is not there.

    Fewer come back when the screen has too little to ask for.
    """
    if not isinstance(rng, Random):
        rng = Random(int(rng.integers(2**63)))
    asker = _Asker(screen, rng)
    queries: list[Query] = []
    seen: set[str] = set()
    for _ in range(count * 6):
        if len(queries) == count:
            break
        query = asker.absent() if rng.random() < absent_share else asker.present()
        if query is None or query.instruction in seen:
            continue
        seen.add(query.instruction)
        queries.append(query)
    return queries


def _names(element: Element) -> tuple[str, ...]:
    return tuple(
        normal(text) for text in (element.text, element.label, element.placeholder) if text and "•" not in text
    )


def _union(boxes: list[Box]) -> Box:
    return (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))


class _Asker:
    """The index of one screen's names, icons and groups, and the ways to ask for them."""

    def __init__(self, screen: Screen, rng: Random) -> None:
        self.rng = rng
        self.size = screen.pixels.shape[1], screen.pixels.shape[0]
        self.elements = screen.elements
        self.by_name: dict[str, list[Element]] = defaultdict(list)
        self.groups: dict[tuple[str, str], dict[str, list[Element]]] = defaultdict(lambda: defaultdict(list))
        self.icons: dict[str, list[Element]] = defaultdict(list)
        self.rows: dict[tuple[str, int], list[Element]] = defaultdict(list)
        for element in screen.elements:
            for name in set(_names(element)):
                self.by_name[name].append(element)
            if element.icon:
                self.icons[element.icon].append(element)
            if element.group_kind == "table" and element.position:
                self.rows[element.group, element.position].append(element)
            elif element.group and element.position:
                self.groups[element.group_kind, element.role][element.group].append(element)
        self.texts = [e for e in screen.elements if e.text and "•" not in e.text]
        self.marks = [e for e in screen.elements if e.role in _MARKS and (e.label or e.text)]
        self.fields = [e for e in screen.elements if e.role in _FIELDS and (e.label or e.placeholder or e.text)]
        self.pictures = [e for e in screen.elements if e.role == "icon_button" and e.icon]
        self.repeated = [name for name, owners in self.by_name.items() if 2 <= len(owners) <= 8]
        glyphs = "".join(chr(int(code)) for code in screen.glyphs[:, 0]) if len(screen.glyphs) else ""
        written = [text for e in screen.elements for text in (e.text, e.label, e.placeholder, e.container) if text]
        self.written = "\n".join([glyphs, *written, *("".join(text.split()) for text in written)]).casefold()
        ways: list[tuple[Callable[[], Query | None], float]] = [(self._text, 3.0 if self.texts else 0.0)]
        ways.append((self._role, 2.2 if self.texts else 0.0))
        ways.append((self._mark, 1.0 if self.marks else 0.0))
        ways.append((self._field, 1.4 if self.fields else 0.0))
        ways.append((self._icon, 2.2 if self.pictures else 0.0))
        ways.append((self._ordinal, 0.8 if self.groups else 0.0))
        ways.append((self._repeated, 1.2 if self.repeated else 0.0))
        ways.append((self._in_row, 0.7 if self.rows else 0.0))
        ways.append((self._beside, 0.9 if self.texts else 0.0))
        ways.append((self._window_icon, 0.8 if any(e.container_kind for e in self.pictures) else 0.0))
        self.ways = [way for way, _ in ways]
        self.weights = [weight for _, weight in ways]

    def present(self) -> Query | None:
        """Ask for something that is there, or give up on this try."""
        if not any(self.weights):
            return None
        return self.rng.choices(self.ways, self.weights)[0]()

    # what is there

    def _case(self, text: str) -> str:
        return text.lower() if self.rng.random() < 0.25 else text

    def _spoken(self, text: str) -> str:
        """Leave out what people do not say: a final colon, star or ellipsis."""
        if self.rng.random() < 0.7:
            text = text.rstrip(":*… ") or text
        return self._case(text)

    def _text(self) -> Query | None:
        element = self.rng.choice(self.texts)
        if element.role in _MARKS | _FIELDS:
            return None
        owners = self.by_name[normal(element.text)]
        box = element.box_px
        if len(owners) > 1:
            # a caption and the one control it belongs to are the same thing to ask for
            controls = [e for e in owners if e.role in _FIELDS | _MARKS and normal(e.label) == normal(element.text)]
            if len(owners) != 2 or len(controls) != 1 or element.role != "label" or not _adjacent(element, controls[0]):
                return None
            box = _union([e.box_px for e in owners])
        return Query(phrases.bare(self.rng, self._spoken(element.text)), box, "text", (element.role,))

    def _role(self) -> Query | None:
        element = self.rng.choice(self.texts)
        if element.role in _FIELDS | _MARKS or (element.role in ("label", "cell") and self.rng.random() < 0.9):
            return None
        if not self._only(element, element.text):
            return None
        return Query(
            phrases.with_role(self.rng, self._spoken(element.text), element.role),
            element.box_px,
            "role",
            (element.role,),
        )

    def _only(self, element: Element, name: str) -> bool:
        """Say whether a name together with the words for the element's role means it alone."""
        words = set(phrases.NOUNS[element.role])
        for other in self.by_name[normal(name)]:
            if other is not element and words & set(phrases.NOUNS[other.role]):
                return False
        return True

    def _mark(self) -> Query | None:
        element = self.rng.choice(self.marks)
        name = element.label or element.text
        if not self._only(element, name):
            return None
        owners = self.by_name[normal(name)]
        if len(owners) == 1 and self.rng.random() < 0.3:
            return Query(phrases.bare(self.rng, self._spoken(name)), element.box_px, "text", (element.role,))
        return Query(
            phrases.with_role(self.rng, self._spoken(name), element.role), element.box_px, "role", (element.role,)
        )

    def _field(self) -> Query | None:
        rng = self.rng
        element = rng.choice(self.fields)
        name = element.label or element.placeholder
        if name:
            rivals = [e for e in self.by_name[normal(name)] if e is not element and e.role in _FIELDS]
            if rivals:
                return None
            words = {normal(name)} & set(_SEARCH) or normal(name).startswith("search ")
            searching = [
                e for e in self.fields if e.icon == "search" or any(w in n for n in _names(e) for w in _SEARCH)
            ]
            if words and searching == [element] and rng.random() < 0.6:
                text = rng.choice(
                    [
                        "search box",
                        "the search field",
                        "search bar",
                        "type in the search box",
                        "the search box",
                        "Search box",
                    ]
                )
                return Query(text, element.box_px, "field", (element.role, "search"))
            return Query(phrases.field(rng, self._spoken(name), element.role), element.box_px, "field", (element.role,))
        if "•" in element.text or len(self.by_name[normal(element.text)]) != 1:
            return None
        word = phrases.noun(rng, element.role)
        forms = [
            f"the {word} containing {element.text}",
            f"the {word} with {phrases.quoted(rng, element.text)}",
            f"{word} showing {element.text}",
        ]
        return Query(rng.choice(forms), element.box_px, "field", (element.role, "value"))

    def _word_for(self, concept: str) -> str | None:
        """Choose a word that means this icon and nothing else on the screen."""
        known = concepts().get(concept)
        if known is None:
            return None
        if any(other in self.icons for other in phrases.confusable(concept)):
            return None
        words = known.words
        word = words[0] if self.rng.random() < 0.4 else self.rng.choice(words)
        folded = word.casefold()
        for other in self.icons:
            if other != concept and other in concepts() and folded in (w.casefold() for w in concepts()[other].words):
                return None
        if folded in self.by_name:
            return None
        return word

    def _icon(self) -> Query | None:
        element = self.rng.choice(self.pictures)
        if len(self.icons[element.icon]) != 1:
            return None
        word = self._word_for(element.icon)
        if word is None:
            return None
        return Query(phrases.icon(self.rng, word), element.box_px, "icon", (element.icon,))

    def _window_icon(self) -> Query | None:
        rng = self.rng
        element = rng.choice(self.pictures)
        kind = element.container_kind
        if not kind or element.icon not in ("close", "minimize", "maximize"):
            return None
        same = [e for e in self.icons[element.icon] if e.container_kind == kind]
        forms: list[str] = []
        if len(same) == 1:
            forms = {
                "close": [
                    f"the X that closes the {kind}",
                    f"close the {kind}",
                    f"Close the {kind}",
                    f"the close button of the {kind}",
                ],
                "minimize": [f"minimize the {kind}", f"the minimize button of the {kind}", f"minimise the {kind}"],
                "maximize": [f"maximize the {kind}", f"the maximize button of the {kind}", f"maximise the {kind}"],
            }[element.icon]
        title = element.container
        if title and len({e.container for e in self.elements if normal(e.container) == normal(title)}) == 1:
            own = [e for e in self.icons[element.icon] if e.container == title]
            if len(own) == 1:
                forms += [
                    f"close the {title} {kind}" if element.icon == "close" else f"{element.icon} the {title} {kind}"
                ]
                forms += [f"the {element.icon} button of the {phrases.quoted(rng, title)} {kind}"]
        return Query(rng.choice(forms), element.box_px, "icon", (element.icon, kind)) if forms else None

    def _ordinal(self) -> Query | None:
        rng = self.rng
        kinds = [key for key in self.groups if key in _GROUP_NOUNS]
        if not kinds:
            return None
        key = rng.choice(kinds)
        named = self.groups[key]
        group = rng.choice(list(named))
        members = sorted(named[group], key=lambda e: e.position)
        if [e.position for e in members] != list(range(1, len(members) + 1)) or len(members) < 2:
            return None
        where = ""
        if len(named) > 1:
            if group.startswith("#") or not group or len(self.by_name[normal(group)]) > 1:
                return None
            where = f" in the {group} {key[0]}"
        noun = _GROUP_NOUNS[key][0].partition(" in the ")[0] if where else rng.choice(_GROUP_NOUNS[key])
        position = rng.randint(1, min(len(members), 9))
        word = phrases.ordinal(rng, position)
        if rng.random() < 0.2:
            position, word = len(members), "last"
        text = phrases.command(rng, phrases.the(rng, f"{word} {noun}{where}"), 0.4)
        return Query(text, members[position - 1].box_px, "ordinal", (key[0],))

    def _repeated(self) -> Query | None:
        """Tell equal names apart by their window, their order or their corner."""
        rng = self.rng
        name = rng.choice(self.repeated)
        owners = self.by_name[name]
        roles = {e.role for e in owners}
        if len(roles) != 1 or owners[0].role in _MARKS | _FIELDS:
            return None
        return self._apart(owners, self._spoken(owners[0].text), phrases.noun(rng, owners[0].role))

    def _apart(self, owners: list[Element], text: str, word: str) -> Query | None:
        rng = self.rng
        target = rng.choice(owners)
        thing = text if rng.random() < 0.3 else f"{text} {word}"
        role = target.role
        if target.container and [e.container for e in owners].count(target.container) == 1 and rng.random() < 0.8:
            place = f"in the {target.container} {target.container_kind}"
            return Query(phrases.command(rng, f"{thing} {place}", 0.4), target.box_px, "spatial", (role, "container"))
        for axis, words in (
            (1, ("top", "bottom", "topmost", "lowest")),
            (0, ("left", "right", "leftmost", "rightmost")),
        ):
            ordered = sorted(owners, key=lambda e: e.box_px[axis] + e.box_px[axis + 2])
            centres = [(e.box_px[axis] + e.box_px[axis + 2]) / 2 for e in ordered]
            sizes = [e.box_px[axis + 2] - e.box_px[axis] for e in ordered]
            if any(b - a < max(0.9 * min(sizes), 4.0) for a, b in pairwise(centres)):
                continue
            place = ordered.index(target)
            if place == 0 and rng.random() < 0.7:
                form = rng.choice([f"the {words[2]} {thing}", f"the {thing} at the {words[0]}"])
            elif place == len(ordered) - 1 and rng.random() < 0.7:
                form = rng.choice([f"the {words[3]} {thing}", f"the {thing} at the {words[1]}"])
            else:
                form = f"the {phrases.ordinal(rng, place + 1)} {thing} from the {words[0]}"
            return Query(phrases.command(rng, form, 0.4), target.box_px, "spatial", (role, "order"))
        return None

    def _in_row(self) -> Query | None:
        rng = self.rng
        row = self.rows[rng.choice(list(self.rows))]
        target = rng.choice(row)
        anchors = [
            e for e in row if e is not target and e.role == "cell" and e.text and len(self.by_name[normal(e.text)]) == 1
        ]
        if not anchors:
            return None
        anchor = min(anchors, key=lambda e: e.box_px[0])
        if target.icon and target.role == "icon_button":
            if sum(e.icon == target.icon for e in row) != 1 or any(
                e.icon in phrases.confusable(target.icon) for e in row
            ):
                return None
            thing = f"{rng.choice(concepts()[target.icon].words)} {rng.choice(['icon', 'button'])}"
        elif target.role in ("button", "link") and target.text:
            if sum(normal(e.text) == normal(target.text) for e in row) != 1:
                return None
            thing = rng.choice(
                [
                    f"the {self._case(target.text)}",
                    f"the {self._case(target.text)} {target.role}",
                    self._case(target.text),
                ]
            )
        else:
            return None
        where = rng.choice(["in the row of {}", "in the {} row", "for {}", "in the row with {}", "next to {}"]).format(
            anchor.text
        )
        return Query(phrases.command(rng, f"{thing} {where}", 0.4), target.box_px, "spatial", (target.role, "row"))

    def _beside(self) -> Query | None:
        """Ask for what stands right of, left of, below or above something with a name of its own."""
        rng = self.rng
        anchor = rng.choice(self.texts)
        if anchor.role in _FIELDS or len(self.by_name[normal(anchor.text)]) != 1:
            return None
        words, axis, sign = rng.choice(
            [
                (("right of", "to the right of"), 0, 1),
                (("left of", "to the left of"), 0, -1),
                (("below", "under"), 1, 1),
                (("above",), 1, -1),
            ]
        )
        found = _nearest(anchor, self.elements, axis, sign)
        if found is None or found.role in ("heading", "image"):
            return None
        if found.role in _PLAIN and not (found.text and rng.random() < 0.1):
            return None
        word = phrases.noun(rng, found.role)
        name = found.text or found.label
        repeated = name and len(self.by_name[normal(name)]) > 1
        thing = f"{self._spoken(name)} {word}" if repeated and "•" not in name else word
        text = f"the {thing} {rng.choice(words)} {phrases.quoted(rng, self._spoken(anchor.text))}"
        return Query(phrases.command(rng, text, 0.4), found.box_px, "spatial", (found.role, "beside"))

    # what is not there

    def absent(self) -> Query | None:
        """Ask for something that is nowhere on the screen."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.2:
            return self._absent_icon()
        if kind < 0.3:
            return self._absent_ordinal()
        text = self._absent_text()
        if text is None:
            return None
        form = rng.random()
        if form < 0.45:
            instruction = phrases.bare(rng, text)
        elif form < 0.8:
            instruction = phrases.with_role(
                rng,
                text,
                rng.choice(["button", "button", "link", "tab", "menu", "checkbox", "switch", "radio", "list_item"]),
            )
        else:
            instruction = phrases.field(rng, text, rng.choice(["text_field", "combo", "slider"]))
        return Query(instruction, None, "absent", ("text",))

    def _absent_text(self) -> str | None:
        rng = self.rng
        kind = rng.random()
        if kind < 0.45 or not self.texts:
            text = rng.choice(vocabulary.LABELS)
        elif kind < 0.75:
            text = _near_miss(rng.choice(self.texts).text, rng)
        else:
            words = rng.choice(self.texts).text.split()
            other = rng.choice(vocabulary.LABELS).split()
            words[rng.randrange(len(words))] = rng.choice(other)
            text = " ".join(words)
        text = text.rstrip(":*…")
        if len(text) < 2 or len(text) > 40 or "•" in text or self._shows(text):
            return None
        return self._case(text)

    def _shows(self, text: str) -> bool:
        """Say whether a text can be read anywhere on the screen."""
        folded = text.casefold()
        return folded in self.written or "".join(folded.split()) in self.written

    def _absent_icon(self) -> Query | None:
        concept = self.rng.choice(list(concepts().values()))
        near = {concept.name, *phrases.confusable(concept.name)}
        words = {word.casefold() for word in concept.words}
        for other in self.icons:
            if other in near or other not in concepts() or words & {w.casefold() for w in concepts()[other].words}:
                return None
        if any(len(word) < 3 or self._shows(word) for word in words):
            return None
        return Query(phrases.icon(self.rng, self.rng.choice(concept.words)), None, "absent", ("icon",))

    def _absent_ordinal(self) -> Query | None:
        rng = self.rng
        kinds = [key for key, named in self.groups.items() if key in _GROUP_NOUNS and len(named) == 1]
        if not kinds:
            return None
        key = rng.choice(kinds)
        (members,) = self.groups[key].values()
        top = len(members)
        if sorted(e.position for e in members) != list(range(1, top + 1)) or top > 9:
            return None
        word = phrases.ordinal(rng, top + rng.randint(2, 5))
        noun = _GROUP_NOUNS[key][0]
        return Query(phrases.command(rng, phrases.the(rng, f"{word} {noun}"), 0.4), None, "absent", ("ordinal",))


def _adjacent(caption: Element, control: Element) -> bool:
    """Say whether a caption stands right before or above its control."""
    a, b = caption.box_px, control.box_px
    height = max(a[3] - a[1], b[3] - b[1])
    beside = min(a[3], b[3]) > max(a[1], b[1])
    above = 0 <= b[1] - a[3] + 0.5 * height < 2 * height and min(a[2], b[2]) > max(a[0], b[0])
    return beside or above


def _nearest(anchor: Element, elements: tuple[Element, ...], axis: int, sign: int) -> Element | None:
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
            if min(a[axis + 2], b[axis + 2]) > max(a[axis], b[axis]) + 1.0 and element.role not in _PLAIN:
                return None
            continue
        found.append((gap, element))
    if not found:
        return None
    found.sort(key=lambda pair: pair[0])
    gap, nearest = found[0]
    b = nearest.box_px
    shared = min(a[cross + 2], b[cross + 2]) - max(a[cross], b[cross])
    if shared < 0.6 * min(a[cross + 2] - a[cross], b[cross + 2] - b[cross]):
        return None
    if gap > 3 * (a[3] - a[1]) + (120 if axis == 0 else 0):
        return None
    if len(found) > 1 and found[1][0] - gap < 0.5 * (b[axis + 2] - b[axis]):
        return None
    return nearest


def _near_miss(text: str, rng: Random) -> str:
    """Change a text so little that it has to be read: one letter exchanged, left out, added or swapped."""
    places = [index for index, char in enumerate(text) if char.isalnum()]
    if len(places) < 3:
        return ""
    at = rng.choice(places)
    char = text[at]
    kind = rng.random()
    if kind < 0.5:
        alike = next((group for group in _ALIKE if char.lower() in group.lower()), char)
        options = [
            letter for letter in string.ascii_lowercase if letter not in alike.lower() and letter != char.lower()
        ]
        other = rng.choice(options)
        return text[:at] + (other.upper() if char.isupper() else other) + text[at + 1 :]
    if kind < 0.7:
        return text[:at] + text[at + 1 :]
    other = rng.choice("abdegkmopsuz")
    return text[:at] + (other if other != char.lower() else "k") + text[at:]
