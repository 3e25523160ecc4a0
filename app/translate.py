"""Every word that a person reads goes through `tr`: the English text is the key. Knows no Qt."""

import json
import string
from pathlib import Path

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "translations"

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
"""The languages that can be chosen, each called by its own name."""

_ACCENTED = str.maketrans(
    "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPpRrSsTtUuWwYyZz",
    "ȦȧƁƀČčĎďĒēƑƒĞğĦħĪīĴĵĶķĿŀṀṁŇňŌōƤƥŘřŠšŦŧŪūŴŵŶŷŽž",
)


class _Catalogue:
    """The language that is spoken now. The one piece of module state that the app has: set once at start."""

    def __init__(self) -> None:
        self.code = "en"
        self.texts: dict[str, str] = {}


_spoken = _Catalogue()


def tr(text: str, /, **values: object) -> str:
    """Say ``text`` in the chosen language; ``values`` fill its ``{names}`` as `str.format` does.

    What has no translation is said in English. ``text`` must be a literal: a test reads them from the source.
    """
    said = _spoken.texts.get(text, text)
    if _spoken.code == "pseudo":
        return f"⟦{_fill(_accent(text), values)}⟧"
    return _fill(said, values)


def _fill(text: str, values: dict[str, object]) -> str:
    return text.format(**values) if values else text


def set_language(code: str) -> None:
    """Speak ``en``, a language of ``assets/translations`` or ``pseudo``, which shows what was never translated."""
    _spoken.code = code
    _spoken.texts = read_catalogue(code) if code not in ("en", "pseudo") else {}


def spoken_language() -> str:
    """Return the code of the language in use."""
    return _spoken.code


def read_catalogue(code: str) -> dict[str, str]:
    """Merge every ``assets/translations/<code>/*.json``; a language without a folder has no texts."""
    merged: dict[str, str] = {}
    for file in sorted((ASSETS / code).glob("*.json")):
        merged.update(json.loads(file.read_text(encoding="utf-8")))
    return merged


def language_of(locale: str) -> str:
    """Choose the language for a locale's name, such as ``zh_CN.UTF-8``."""
    return "zh_CN" if locale.lower().startswith("zh") else "en"


def _accent(text: str) -> str:
    """Put accents on the letters, but leave ``{names}`` and doubled braces as they are."""
    parts = []
    for literal, name, form, conversion in string.Formatter().parse(text):
        parts.append(literal.translate(_ACCENTED).replace("{", "{{").replace("}", "}}"))
        if name is not None:
            parts.append("{" + name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "") + "}")
    said = "".join(parts)
    return said if "{" in text else said.replace("{{", "{").replace("}}", "}")
