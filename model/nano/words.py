"""Texts to draw: interface vocabulary, English-like phrases, and strings that must be read to be known."""

from random import Random

from model.nano import vocabulary

_ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "bl",
    "br",
    "ch",
    "cl",
    "cr",
    "dr",
    "fl",
    "fr",
    "gl",
    "gr",
    "pl",
    "pr",
    "sh",
    "sk",
    "sl",
    "sp",
    "st",
    "th",
    "tr",
    "qu",
]
_VOWELS = [
    "a",
    "e",
    "i",
    "o",
    "u",
    "a",
    "e",
    "i",
    "o",
    "ai",
    "ea",
    "ee",
    "io",
    "oo",
    "ou",
    "y",
    "é",
    "ö",
    "ü",
    "á",
    "ñe",
    "ô",
]
_CODAS = ["", "", "", "n", "r", "s", "t", "l", "m", "nd", "ck", "st", "x", "ng", "rt", "ve"]
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Words:
    """A source of random texts.

    ``lexicon`` holds plain lower-case English words. Three kinds are mixed: 40 % vocabulary,
    30 % English-like phrases, 30 % pseudo-words and strings.
    """

    __slots__ = ("_lexicon", "_rng")

    def __init__(self, lexicon: list[str], rng: Random) -> None:
        self._lexicon = lexicon
        self._rng = rng

    def word(self) -> str:
        """Give a lower-case word, one in six of them made up."""
        rng = self._rng
        if rng.random() < 0.17:
            return self.pseudo()
        return self._lexicon[int(rng.random() * len(self._lexicon))].lower()

    def pseudo(self) -> str:
        """Give a made-up lower-case word of one to three syllables."""
        rng = self._rng
        count = 1 + int(rng.random() * 2.6)
        parts = [rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(count)]
        return "".join(parts) if count > 1 else parts[0] + rng.choice(_CODAS)

    def code(self) -> str:
        """Give a string of letters and digits that no language model can guess."""
        rng = self._rng
        kind = int(rng.random() * 5)
        if kind == 0:
            return "".join(rng.choices(_LETTERS, k=rng.randint(3, 9)))
        if kind == 1:
            return "".join(rng.choices(_LETTERS[26:52], k=rng.randint(2, 4))) + f"-{rng.randint(1, 9999)}"
        if kind == 2:
            return "".join(rng.choices(_LETTERS[:26], k=rng.randint(3, 9)))
        if kind == 3:
            return f"#{rng.randint(1, 99999)}"
        return "".join(rng.choices(_LETTERS[26:52], k=rng.randint(3, 7)))

    def phrase(self, count: int) -> str:
        """Give ``count`` words, in one of the ways interfaces capitalise."""
        words = [self.word() for _ in range(count)]
        return self.capitalise(words)

    def capitalise(self, words: list[str]) -> str:
        """Join words as a sentence, a title, lower case or upper case."""
        kind = self._rng.random()
        if kind < 0.5:
            return words[0].capitalize() + "".join(f" {word}" for word in words[1:])
        if kind < 0.85:
            return " ".join([word.capitalize() for word in words])
        text = " ".join(words)
        return text if kind < 0.95 else text.upper()

    def label(self, most_words: int = 3) -> str:
        """Give a short text for a control."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.4:
            text = vocabulary.LABELS[int(rng.random() * len(vocabulary.LABELS))]
            if text.count(" ") < most_words:
                return text
        if kind < 0.7:
            return self.phrase(1 + int(rng.random() ** 1.5 * most_words))
        if kind < 0.88:
            return self.capitalise([self.pseudo() for _ in range(1 + int(rng.random() ** 2 * min(most_words, 2)))])
        return self.code()

    def button(self) -> str:
        """Give a text of one or two words for a button or tab."""
        return self.label(2)

    def menu(self) -> str:
        """Give the title of a menu in a menu bar."""
        rng = self._rng
        return rng.choice(vocabulary.MENUS) if rng.random() < 0.75 else self.phrase(1)

    def sentence(self, count: int) -> str:
        """Give ``count`` words with a capital and an end."""
        rng = self._rng
        words = [self.word() for _ in range(count)]
        if count > 6 and rng.random() < 0.5:
            words[count // 2] += ","
        return words[0].capitalize() + "".join(f" {word}" for word in words[1:]) + rng.choice("...!?")

    def person(self) -> str:
        """Give a first and last name, or one of them."""
        rng = self._rng
        first, last = rng.choice(vocabulary.FIRST_NAMES), rng.choice(vocabulary.LAST_NAMES)
        if rng.random() < 0.2:
            first = self.pseudo().capitalize()
        kind = rng.random()
        return f"{first} {last}" if kind < 0.7 else first if kind < 0.85 else f"{last}, {first[0]}."

    def file(self) -> str:
        """Give a file name."""
        rng = self._rng
        stem = self.word() if rng.random() < 0.6 else f"{self.word()}{rng.choice('_- ')}{self.word()}"
        if rng.random() < 0.25:
            stem += rng.choice(["1", "2", "-v2", "_final", "2024", " (1)", f"_{rng.randint(1, 999)}"])
        if rng.random() < 0.3:
            stem = stem.capitalize()
        return f"{stem}.{rng.choice(vocabulary.EXTENSIONS)}"

    def email(self) -> str:
        """Give an e-mail address."""
        rng = self._rng
        name = f"{self.word()}{rng.choice(['', '.', '_'])}{self.word()}"
        return f"{name}@{self.word()}.{rng.choice(['com', 'org', 'net', 'io'])}"

    def url(self) -> str:
        """Give a web address."""
        rng = self._rng
        head = rng.choice(["https://", "www.", "", "https://www."])
        tail = f"/{self.word()}" if rng.random() < 0.6 else ""
        return f"{head}{self.word()}.{rng.choice(['com', 'org', 'net', 'dev', 'co.uk'])}{tail}"

    def number(self) -> str:
        """Give a number as tables show it: plain, a price, a percentage, a size."""
        rng = self._rng
        kind = int(rng.random() * 6)
        value = rng.random() * 10 ** rng.randint(1, 5)
        if kind == 0:
            return str(int(value))
        if kind == 1:
            return f"{rng.choice('$€£')}{value:,.2f}"
        if kind == 2:
            return f"{value:.2f}"
        if kind == 3:
            return f"{rng.random() * 100:.0f}%"
        if kind == 4:
            return f"{value % 1000:.1f} {rng.choice(['KB', 'MB', 'GB', 'ms', 'km', 'kg'])}"
        return f"{value:,.0f}"

    def date(self) -> str:
        """Give a date or a time."""
        rng = self._rng
        day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1998, 2029)
        kind = int(rng.random() * 6)
        if kind == 0:
            return f"{year}-{month:02}-{day:02}"
        if kind == 1:
            return f"{day:02}/{month:02}/{year}"
        if kind == 2:
            return f"{vocabulary.MONTHS[month - 1]} {day}, {year}"
        if kind == 3:
            return f"{day} {vocabulary.MONTHS[month - 1]}"
        if kind == 4:
            return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
        return f"{rng.randint(1, 12)}:{rng.randint(0, 59):02} {rng.choice(['AM', 'PM'])}"

    def value(self) -> str:
        """Give what stands in a filled field, a cell or a combo box."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.2:
            return self.person()
        if kind < 0.35:
            return self.number()
        if kind < 0.45:
            return self.date()
        if kind < 0.55:
            return self.file()
        if kind < 0.62:
            return rng.choice(vocabulary.CITIES)
        if kind < 0.68:
            return self.email()
        return self.label(3)

    def item(self) -> str:
        """Give the text of a list or tree item."""
        rng = self._rng
        kind = rng.random()
        if kind < 0.25:
            return self.file()
        if kind < 0.4:
            return self.person()
        return self.label(4)
