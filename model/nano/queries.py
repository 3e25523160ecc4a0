"""Instructions for a screen, each with exactly one right answer by construction, or none at all.

Everything is made from `Element` lists, so pages, widgets and applications are asked about in the
same way as drawn screens. A group whose name begins with "#" has no visible name.
"""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import numpy as np

from model.nano import phrases
from model.nano.absent import absent_query
from model.nano.elements import Box, Element, Query, Screen
from model.nano.icons import concepts
from model.nano.screen_index import FIELDS, GROUP_NOUNS, MARKS, PLAIN, ScreenIndex, adjacent, names, nearest, normal

_SEARCH = ("search", "find", "filter", "type to search")
_TRIES = 8


def make_queries(
    screen: Screen, rng: Random | np.random.Generator, count: int, absent_share: float = 0.12
) -> list[Query]:
    """Make up to ``count`` different instructions, about ``absent_share`` of them for what is not there.

    Fewer come back when the screen has too little to ask for.
    """
    if not isinstance(rng, Random):
        rng = Random(int(rng.integers(2**63)))  # noqa: S311 - a repeatable choice, not a secret
    asker = _Asker(screen, rng)
    queries: list[Query] = []
    seen: set[str] = set()
    for _ in range(count):
        missing = rng.random() < absent_share
        for _ in range(_TRIES):
            query = absent_query(asker, rng) if missing else asker.present()
            if query is not None and query.instruction not in seen:
                seen.add(query.instruction)
                queries.append(query)
                break
    return queries


def _union(boxes: list[Box]) -> Box:
    return (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))


class _Asker(ScreenIndex):
    """The index of one screen's names, icons and groups, and the ways to ask for them."""

    def __init__(self, screen: Screen, rng: Random) -> None:
        super().__init__(screen)
        self.rng = rng
        ways: list[tuple[Callable[[], Query | None], float]] = [(self._text, 3.0 if self.texts else 0.0)]
        ways.append((self._role, 2.2 if self.texts else 0.0))
        ways.append((self._mark, 1.0 if self.marks else 0.0))
        ways.append((self._field, 1.8 if self.fields else 0.0))
        ways.append((self._icon, 2.2 if self.pictures else 0.0))
        ways.append((self._ordinal, 1.2 if self.groups else 0.0))
        ways.append((self._repeated, 2.0 if self.repeated else 0.0))
        ways.append((self._in_row, 1.3 if self.row_controls else 0.0))
        ways.append((self._beside, 1.3 if self.texts else 0.0))
        ways.append((self._window_icon, 0.8 if any(e.container_kind or e.label for e in self.pictures) else 0.0))
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
        if element.role in MARKS | FIELDS:
            return None
        owners = self.by_name[normal(element.text)]
        box = element.box_px
        if len(owners) > 1:
            # a caption and the one control it belongs to are the same thing to ask for
            controls = [e for e in owners if e.role in FIELDS | MARKS and normal(e.label) == normal(element.text)]
            if len(owners) != 2 or len(controls) != 1 or element.role != "label" or not adjacent(element, controls[0]):
                return None
            box = _union([e.box_px for e in owners])
        return Query(phrases.bare(self.rng, self._spoken(element.text)), box, "text", (element.role,))

    def _role(self) -> Query | None:
        element = self.rng.choice(self.texts)
        if element.role in FIELDS | MARKS or (element.role in ("label", "cell") and self.rng.random() < 0.9):
            return None
        if not self.only(element, element.text):
            return None
        return Query(
            phrases.with_role(self.rng, self._spoken(element.text), element.role),
            element.box_px,
            "role",
            (element.role,),
        )

    def _mark(self) -> Query | None:
        element = self.rng.choice(self.marks)
        name = element.label or element.text
        if not self.only(element, name):
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
            rivals = [e for e in self.by_name[normal(name)] if e is not element and e.role in FIELDS]
            if rivals:
                return None
            words = {normal(name)} & set(_SEARCH) or normal(name).startswith("search ")
            searching = [e for e in self.fields if e.icon == "search" or any(w in n for n in names(e) for w in _SEARCH)]
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
        if element.icon == "close" and element.label:
            return self._tab_cross(element)
        if not kind or element.icon not in ("close", "minimize", "maximize"):
            return None
        same = [e for e in self.icons[element.icon] if e.container_kind == kind and not e.label]
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
            own = [e for e in self.icons[element.icon] if e.container == title and not e.label]
            if len(own) == 1:
                forms += [
                    f"close the {title} {kind}" if element.icon == "close" else f"{element.icon} the {title} {kind}"
                ]
                forms += [f"the {element.icon} button of the {phrases.quoted(rng, title)} {kind}"]
        return Query(rng.choice(forms), element.box_px, "icon", (element.icon, kind)) if forms else None

    def _tab_cross(self, element: Element) -> Query | None:
        label = normal(element.label)
        crosses = [e for e in self.icons["close"] if normal(e.label) == label]
        if len(crosses) != 1 or [e.role for e in self.by_name[label]].count("tab") != 1:
            return None
        name = self._case(element.label)
        forms = [f"close the {name} tab", f"the X on the {name} tab", f"the close button of the {name} tab"]
        return Query(self.rng.choice(forms), element.box_px, "icon", ("close", "tab"))

    def _ordinal(self) -> Query | None:
        rng = self.rng
        kinds = [key for key in self.groups if key in GROUP_NOUNS]
        if not kinds:
            return None
        key = rng.choice(kinds)
        named = self.groups[key]
        group = rng.choice(list(named))
        members = sorted(named[group], key=lambda e: e.position)
        if [e.position for e in members] != list(range(1, len(members) + 1)) or len(members) < 2:
            return None
        where = ""
        if self.groups_like(key) > 1:
            if group.startswith("#") or not group or len(self.by_name[normal(group)]) > 1:
                return None
            where = f" in the {group} {key[0]}"
        noun = GROUP_NOUNS[key][0].partition(" in the ")[0] if where else rng.choice(GROUP_NOUNS[key])
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
        if len(roles) != 1 or owners[0].role in MARKS | FIELDS:
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
        target = rng.choice(self.row_controls)
        row = self.rows[target.group, target.position]
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
        if anchor.role in FIELDS or len(self.by_name[normal(anchor.text)]) != 1:
            return None
        words, axis, sign = rng.choice(
            [
                (("right of", "to the right of"), 0, 1),
                (("left of", "to the left of"), 0, -1),
                (("below", "under"), 1, 1),
                (("above",), 1, -1),
            ]
        )
        found = nearest(anchor, self.elements, axis, sign)
        if found is None or found.role in ("heading", "image"):
            return None
        if found.role in PLAIN and not (found.text and rng.random() < 0.1):
            return None
        word = phrases.noun(rng, found.role)
        name = found.text or found.label
        repeated = name and len(self.by_name[normal(name)]) > 1
        thing = f"{self._spoken(name)} {word}" if repeated and "•" not in name else word
        text = f"the {thing} {rng.choice(words)} {phrases.quoted(rng, self._spoken(anchor.text))}"
        return Query(phrases.command(rng, text, 0.4), found.box_px, "spatial", (found.role, "beside"))
