"""How people word an instruction: templates by role, ordinals, icons that are easily confused."""

from random import Random

NOUNS: dict[str, tuple[str, ...]] = {
    "button": ("button",),
    "icon_button": ("button", "icon"),
    "link": ("link",),
    "checkbox": ("checkbox", "check box", "tick box"),
    "radio": ("radio button", "option"),
    "switch": ("switch", "toggle"),
    "tab": ("tab",),
    "menu": ("menu",),
    "menu_item": ("menu item", "entry", "item"),
    "list_item": ("item", "entry", "list item"),
    "tree_item": ("item", "tree item", "node"),
    "cell": ("cell",),
    "text_field": ("field", "text field", "box", "input"),
    "combo": ("dropdown", "combo box", "drop-down", "select box"),
    "spin": ("field", "spin box", "number field"),
    "slider": ("slider",),
    "label": ("text", "label"),
    "heading": ("heading", "title"),
    "image": ("picture", "image"),
}
"""What people call each role."""

_VERBS = (
    "click",
    "Click",
    "click on",
    "Click on",
    "press",
    "Press",
    "select",
    "Select",
    "tap",
    "choose",
    "hit",
    "find",
    "go to",
)
_ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)

CONFUSED: tuple[frozenset[str], ...] = (
    frozenset({"user", "users", "add user"}),
    frozenset({"mail", "chat", "send"}),
    frozenset({"file", "new file", "copy", "paste"}),
    frozenset({"folder", "folder open", "new folder"}),
    frozenset({"edit", "compose", "brush"}),
    frozenset({"refresh", "repeat", "undo", "redo", "rewind"}),
    frozenset({"more", "more vertical"}),
    frozenset({"menu", "list", "align left", "align center", "align right", "sort", "filter"}),
    frozenset({"back", "chevron left", "undo"}),
    frozenset({"forward", "chevron right", "redo"}),
    frozenset({"up", "chevron up", "upload"}),
    frozenset({"down", "chevron down", "download"}),
    frozenset({"download", "cloud download", "save"}),
    frozenset({"upload", "cloud upload"}),
    frozenset({"cloud", "cloud upload", "cloud download"}),
    frozenset({"search", "zoom in", "zoom out"}),
    frozenset({"settings", "sliders", "wrench", "filter"}),
    frozenset({"fullscreen", "maximize", "exit fullscreen", "crop"}),
    frozenset({"minus", "minimize"}),
    frozenset({"next", "fast forward", "play"}),
    frozenset({"previous", "rewind"}),
    frozenset({"help", "info", "warning", "error"}),
    frozenset({"microphone", "mute mic"}),
    frozenset({"volume", "mute"}),
    frozenset({"phone", "phone off", "smartphone"}),
    frozenset({"lock", "unlock"}),
    frozenset({"eye", "eye off"}),
    frozenset({"grid", "table", "columns", "sidebar", "calendar", "QR code"}),
    frozenset({"image", "camera", "video"}),
    frozenset({"archive", "inbox"}),
    frozenset({"location", "map", "pin"}),
    frozenset({"database", "server", "hard drive", "layers"}),
    frozenset({"logout", "login", "external link"}),
    frozenset({"monitor", "laptop", "terminal"}),
    frozenset({"cart", "bag"}),
    frozenset({"star", "heart", "bookmark"}),
    frozenset({"chart", "trend", "pie chart"}),
    frozenset({"record", "stop"}),
    frozenset({"check", "error"}),
    frozenset({"credit card", "wallet"}),
    frozenset({"globe", "compass"}),
    frozenset({"clock", "compass"}),
    frozenset({"sun", "lightbulb", "settings"}),
    frozenset({"thumbs up", "thumbs down"}),
    frozenset({"briefcase", "bag"}),
    frozenset({"copy", "layers"}),
)
"""Icons that one word may mean: none of a set is asked for (or called absent) beside another."""


def confusable(concept: str) -> set[str]:
    """List the concepts that must not be on a screen where ``concept`` is asked for."""
    others: set[str] = set()
    for group in CONFUSED:
        if concept in group:
            others |= group
    return others - {concept}


def ordinal(rng: Random, position: int) -> str:
    """Word a position from 1: "third" or "3rd"."""
    if position <= len(_ORDINALS) and rng.random() < 0.65:
        return _ORDINALS[position - 1]
    tail = "th" if 10 <= position % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{tail}"


def noun(rng: Random, role: str) -> str:
    """Name a role, mostly by its first name."""
    names = NOUNS[role]
    return names[0] if rng.random() < 0.6 else rng.choice(names)


def quoted(rng: Random, text: str, share: float = 0.25) -> str:
    """Put a text into quotes now and then."""
    if rng.random() >= share:
        return text
    return rng.choice(['"{}"', "'{}'", "“{}”"]).format(text)


def command(rng: Random, thing: str, share: float = 0.5) -> str:
    """Put a verb before a thing now and then."""
    if rng.random() >= share:
        return thing
    text = f"{rng.choice(_VERBS)} {thing}"
    return text + "." if rng.random() < 0.05 else text


def the(rng: Random, thing: str) -> str:
    """Put an article before a thing mostly."""
    return f"the {thing}" if rng.random() < 0.7 else thing


def bare(rng: Random, text: str) -> str:
    """Ask for a text by itself."""
    return command(rng, quoted(rng, text), 0.45)


def with_role(rng: Random, text: str, role: str) -> str:
    """Ask for a text as a button, link, tab and so on."""
    word = noun(rng, role)
    kind = rng.random()
    if role in ("checkbox", "radio", "switch") and kind < 0.45:
        return command(
            rng,
            rng.choice(
                [
                    f"the {word} next to {quoted(rng, text)}",
                    f"{word} next to {text}",
                    f"the {word} for {text}",
                    f"{word} labelled {quoted(rng, text)}",
                ]
            ),
            0.4,
        )
    if role == "radio" and kind < 0.6:
        return command(rng, f"{word} {text}", 0.3)
    if role == "menu" and kind < 0.5:
        return rng.choice(
            [f"open the {text} menu", f"Open the {quoted(rng, text)} menu", f"{text} menu", f"the {text} menu"]
        )
    if role == "link" and kind < 0.3:
        return rng.choice(
            [f"the link {quoted(rng, text, 0.6)}", f"follow the {text} link", f"link {quoted(rng, text, 0.6)}"]
        )
    if role == "tab" and kind < 0.3:
        return rng.choice(
            [f"switch to the {text} tab", f"open the {text} tab", f"go to the tab {quoted(rng, text, 0.5)}"]
        )
    if role == "heading" and kind < 0.5:
        return rng.choice([f"the heading {quoted(rng, text, 0.6)}", f"the title {quoted(rng, text, 0.5)}"])
    if kind > 0.85:
        return command(rng, f"the {word} {quoted(rng, text, 0.6)}", 0.5)
    return command(rng, the(rng, f"{quoted(rng, text)} {word}"), 0.5)


def field(rng: Random, name: str, role: str) -> str:
    """Ask for a field by its label or placeholder."""
    word = noun(rng, role)
    if role == "slider":
        return command(
            rng,
            rng.choice([f"slider for {name}", f"the {name} slider", f"{name} slider", f"drag the {name} slider"]),
            0.15,
        )
    if role == "combo":
        return command(
            rng,
            rng.choice(
                [
                    f"{name} {word}",
                    f"the {name} {word}",
                    f"open the {name} {word}",
                    f"the {word} for {name}",
                    f"choose {name}",
                ]
            ),
            0.15,
        )
    return rng.choice(
        [
            f"{name} {word}",
            f"the {quoted(rng, name)} {word}",
            f"type in the {name} {word}",
            f"click the {name} {word}",
            f"the {word} labelled {quoted(rng, name)}",
            f"enter text into {name}",
            f"focus the {name} {word}",
            f"the {word} for {name}",
            f"type into {quoted(rng, name)}",
        ]
    )


def icon(rng: Random, word: str) -> str:
    """Ask for an icon by one of its words."""
    kind = rng.random()
    if kind < 0.3:
        return command(rng, the(rng, f"{word} icon"), 0.4)
    if kind < 0.65:
        return command(rng, the(rng, f"{word} button"), 0.4)
    if kind < 0.85:
        return command(rng, f"the {word}", 0.3)
    return word
