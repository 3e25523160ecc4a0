"""Questions for what is not on the screen: other words, words one letter off, icons, places past the end."""

import string
from random import Random

from model.nano import phrases, vocabulary
from model.nano.elements import Query
from model.nano.icons import concepts
from model.nano.screen_index import GROUP_NOUNS, ScreenIndex

_ALIKE = ("lij1tfI|!", "oceasg0O69", "nhumrw", "vwyx", "bdpq")
"""Letters that a small font hardly tells apart: a near miss never exchanges these."""


def absent_query(index: ScreenIndex, rng: Random) -> Query | None:
    """Ask for something that is nowhere on the screen."""
    kind = rng.random()
    if kind < 0.2:
        return _absent_icon(index, rng)
    if kind < 0.3:
        return _absent_ordinal(index, rng)
    text = _absent_text(index, rng)
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


def _absent_text(index: ScreenIndex, rng: Random) -> str | None:
    kind = rng.random()
    if kind < 0.45 or not index.texts:
        text = rng.choice(vocabulary.LABELS)
    elif kind < 0.75:
        text = near_miss(rng.choice(index.texts).text, rng)
    else:
        words = rng.choice(index.texts).text.split()
        other = rng.choice(vocabulary.LABELS).split()
        words[rng.randrange(len(words))] = rng.choice(other)
        text = " ".join(words)
    text = text.rstrip(":*…")
    if len(text) < 2 or len(text) > 40 or "•" in text or index.shows(text):
        return None
    return text.lower() if rng.random() < 0.25 else text


def _absent_icon(index: ScreenIndex, rng: Random) -> Query | None:
    concept = rng.choice(list(concepts().values()))
    near = {concept.name, *phrases.confusable(concept.name)}
    words = {word.casefold() for word in concept.words}
    for other in index.icons:
        if other in near or other not in concepts() or words & {w.casefold() for w in concepts()[other].words}:
            return None
    if any(len(word) < 3 or index.shows(word) for word in words):
        return None
    return Query(phrases.icon(rng, rng.choice(concept.words)), None, "absent", ("icon",))


def _absent_ordinal(index: ScreenIndex, rng: Random) -> Query | None:
    kinds = [key for key in index.groups if key in GROUP_NOUNS and index.groups_like(key) == 1]
    if not kinds:
        return None
    key = rng.choice(kinds)
    (members,) = index.groups[key].values()
    top = len(members)
    if sorted(e.position for e in members) != list(range(1, top + 1)) or top > 9:
        return None
    word = phrases.ordinal(rng, top + rng.randint(2, 5))
    noun = GROUP_NOUNS[key][0]
    return Query(phrases.command(rng, phrases.the(rng, f"{word} {noun}"), 0.4), None, "absent", ("ordinal",))


def near_miss(text: str, rng: Random) -> str:
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
