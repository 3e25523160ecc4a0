"""What an action may lead to, judged from its keys and text, the window and the element's name.

Each source of evidence is looked at on its own and only ever adds risks: no word on the screen, and no
word of a model that has read one, makes an action less risky. What none of the sources tells is not
known here; that a click on an unnamed target is no safe click is for the policy to say.
"""

import re
import unicodedata

from agent.episode import Risk, WindowInfo
from agent.hands.gate import HandAction
from agent.types import Click, Drag, Hotkey, Move, Press, Scroll, TypeText

RISKS: tuple[Risk, ...] = (
    "send",
    "pay",
    "delete",
    "install",
    "credential",
    "shell",
    "close unsaved",
    "other application",
)

_WORDS: dict[Risk, tuple[str, ...]] = {
    "send": (
        *("send", "submit", "post", "publish", "reply", "share", "tweet", "invite", "broadcast", "upload"),
        *("senden", "absenden", "antworten", "teilen", "envoyer", "publier", "repondre", "enviar", "publicar"),
    ),
    "pay": (
        *("pay", "payment", "buy", "purchase", "order", "checkout", "check out", "subscribe", "donate", "transfer"),
        *("withdraw", "place bid", "bezahlen", "kaufen", "bestellen", "uberweisen", "payer", "acheter", "commander"),
        *("pagar", "comprar"),
    ),
    "delete": (
        *("delete", "remove", "erase", "trash", "empty bin", "empty trash", "wipe", "discard", "purge", "format disk"),
        *(
            "reset",
            "overwrite",
            "replace",
            "clear all",
            "clear history",
            "clear data",
            "revoke",
            "loschen",
            "entfernen",
        ),
        *("verwerfen", "ersetzen", "supprimer", "effacer", "remplacer", "eliminar", "borrar"),
    ),
    "install": (
        *("install", "uninstall", "upgrade", "update", "run anyway", "allow", "grant", "trust", "add extension"),
        *("add to chrome", "enable extension", "installieren", "erlauben", "installer", "autoriser", "instalar"),
        "permitir",
    ),
    "credential": (
        *("sign in", "log in", "login", "signin", "authorize", "authorise", "authenticate", "unlock"),
        *("anmelden", "se connecter", "iniciar sesion"),
    ),
    "shell": ("run command", "execute", "run script", "open terminal"),
    "close unsaved": (
        *("close", "quit", "exit", "discard", "don't save", "dont save", "without saving", "not save", "revert"),
        *("log out", "logout", "sign out", "shut down", "shutdown", "power off", "restart", "reboot", "kill"),
        *("force stop", "end task", "schliessen", "beenden", "verwerfen", "fermer", "quitter", "cerrar", "salir"),
    ),
}
_SECRET_WORDS = (
    *("password", "passwort", "kennwort", "passwd", "passcode", "passphrase", "mot de passe", "contrasena"),
    *("cvv", "cvc", "security code", "one time code", "otp", "2fa", "verification code", "api key", "access token"),
    *("pin code", "pin number", "pin field", "enter pin", "client secret", "secret key", "private key"),
    *("recovery phrase", "seed phrase", "pwd"),
)
_SECRET_NAMES = ("pin", "secret")
"""Names of a field by themselves, but not as a part of another: "Pin the tab"."""
_SECRET_PARTS = ("密码", "密碼", "口令", "验证码", "驗證碼")
"""The same in a language that puts nothing between words."""
_CARD_WORDS = ("card number", "credit card", "debit card", "iban", "kartennummer", "numero de carte")
_PASTING = ("paste", "einfugen", "coller", "pegar")
_PROMPT_WORDS = ("terminal", "console", "command line", "command prompt", "powershell", "bash", "shell", "run dialog")

_TERMINALS = re.compile(
    r"term|tty|konsole|console|\bst\b|\bst 256color\b|\bfoot\b|tilix|guake|yakuake|tilda|ghostty|powershell|\bcmd\b"
    r"|\bshell\b|rxvt|\bhyper\b|\bwarp\b"
)
_LAUNCHERS = re.compile(r"rofi|dmenu|krunner|gmrun|appfinder|ulauncher|albert|\bwofi\b|synapse|\bkupfer\b")
_MESSENGERS = re.compile(
    r"thunderbird|evolution|geary|kmail|mailspring|outlook|slack|discord|telegram|signal|element|whatsapp|teams"
    r"|skype|zoom|pidgin|hexchat|polari|fractal|dino|gajim|wechat|weixin|mattermost|zulip"
)
_MESSENGER_TITLES = re.compile(r"gmail|outlook|whatsapp|telegram|messenger|slack|discord|compose|new message|\binbox\b")
_FILE_MANAGERS = re.compile(r"nautilus|thunar|pcmanfm|dolphin|nemo|caja|spacefm|krusader|explorer|finder|\bfiles\b")
_INSTALLERS = re.compile(r"installer|gnome software|discover|synaptic|gdebi|pamac|msiexec|\bsetup\b|packagekit")
_KEY_HOLDERS = re.compile(
    r"pinentry|polkit|policykit|prompter|askpass|keyring|seahorse|keepass|bitwarden|1password|screensaver|kwallet"
)
_SHELL_PROMPT = re.compile(r"\S+@\S+:|^root@")
_COMMAND = re.compile(
    r"(?:^|[\n;&|`(])\s*(?:sudo|doas|su|rm|dd|mkfs\S*|chmod|chown|curl|wget|shutdown|reboot|kill\w*|pkexec|apt\S*"
    r"|pip\S*|npm|powershell|iex|eval|nohup)\s+\S"
    r"|\|\s*(?:ba|z|da)?sh\b|\$\(|:\(\)\s*\{|javascript:",
    re.IGNORECASE,
)

_LOOK_ALIKES = str.maketrans("асеіјорѕухһԁԛԝαεικνορυχ", "aceijopsyxhdqwaeiknopux")
"""Cyrillic and Greek letters that stand in for Latin ones where somebody wants a word to be missed."""

_MODIFIERS = frozenset({"ctrl", "alt", "shift", "super", "altgr"})
_NAVIGATION = frozenset({"up", "down", "left", "right", "home", "end", "pageup", "pagedown", "escape"}) | _MODIFIERS
_CLOSING = tuple(
    frozenset(keys.split("+"))
    for keys in (
        *("alt+f4", "ctrl+f4", "ctrl+w", "ctrl+q", "ctrl+shift+w", "ctrl+shift+q", "super+q", "super+w"),
        *("ctrl+alt+delete", "ctrl+alt+backspace", "super+shift+q", "super+shift+c", "super+shift+e"),
    )
)
_OPENING_SHELLS = tuple(frozenset(keys.split("+")) for keys in ("alt+f2", "ctrl+alt+t", "super+r", "super+enter"))
_SENDING = tuple(frozenset(keys.split("+")) for keys in ("alt+s", "ctrl+shift+d"))


def assess(action: HandAction, element: str, window: WindowInfo | None, home_app: str = "") -> tuple[Risk, ...]:
    """Return what an action may lead to, in the order of `RISKS`; nothing for what nobody has to be asked about.

    ``element`` is what the planner calls the target, ``window`` what the action would reach, ``home_app``
    the class of the program that the run is about; empty, every program is.
    """
    if isinstance(action, Move | Scroll):
        return ()
    name, title = _words_of(element), _words_of(window.title if window else "")
    app = _words_of(window.app_class if window else "")
    found = _from_keys(action, app, name)
    if _activates(action):
        found |= _named(name) | _named(title) | _from_program(app, title)
    if _presses_enter(action) and (_MESSENGERS.search(app) or _MESSENGER_TITLES.search(title)):
        found.add("send")
    found |= _from_terminal(action, app, title, name, window.title if window else "")
    if isinstance(action, TypeText):
        found |= _from_text(action, app, f"{name} | {title}")
    if home_app and app != _words_of(home_app):
        found.add("other application")
    return tuple(risk for risk in RISKS if risk in found)


def names_secret(element: str) -> bool:
    """Say whether an element's name is that of a field for passwords, codes or keys."""
    words = _words_of(element)
    return words in _SECRET_NAMES or _has(words, _SECRET_WORDS) or any(part in words for part in _SECRET_PARTS)


def _from_keys(action: HandAction, app: str, name: str) -> set[Risk]:
    match action:
        case Press(key):
            keys = frozenset({key.casefold()})
        case Hotkey(names):
            keys = frozenset(name.casefold() for name in names)
            if any(name.casefold() != name for name in names):
                keys |= {"shift"}  # a capital is its key with Shift
        case Click(_, "middle", _, _):
            return {"close unsaved"} if _has(name, ("tab",)) else set()
        case _:
            return set()
    found: set[Risk] = set()
    if keys in _CLOSING:
        found.add("close unsaved")
    if keys in _OPENING_SHELLS:
        found.add("shell")
    if keys in _SENDING or ("enter" in keys and keys & {"ctrl", "alt", "super"}):
        found.add("send")
    if keys >= {"shift", "delete"} or ("delete" in keys and (_FILE_MANAGERS.search(app) or _MESSENGERS.search(app))):
        found.add("delete")
    return found


def _activates(action: HandAction) -> bool:
    """Say whether an action may set off what it is aimed at: a button, a form, a default answer."""
    match action:
        case Click() | Drag():
            return True
        case Press(key):
            return key in ("enter", "space") or len(key) == 1
        case Hotkey(keys):
            # Alt and a letter, or in a dialog the letter alone, is a click on what the letter stands for.
            return bool({"enter", "space"} & set(keys)) or set(keys) <= {"alt", *(k for k in keys if len(k) == 1)}
        case TypeText(text):
            return "\n" in text or "\t " in text
        case _:
            return False


def _presses_enter(action: HandAction) -> bool:
    match action:
        case Press(key):
            return key == "enter"
        case Hotkey(keys):
            return "enter" in keys
        case TypeText(text):
            return "\n" in text
        case _:
            return False


def _named(words: str) -> set[Risk]:
    return {risk for risk, names in _WORDS.items() if _has(words, names)}


def _from_program(app: str, title: str) -> set[Risk]:
    found: set[Risk] = set()
    if _INSTALLERS.search(app) or "installer" in title:
        found.add("install")
    if _KEY_HOLDERS.search(app):
        found.add("credential")
    return found


def _from_terminal(action: HandAction, app: str, title: str, name: str, raw_title: str) -> set[Risk]:
    """In a terminal or a launcher, every key and every paste may become part of a command."""
    prompt = _TERMINALS.search(app) or _LAUNCHERS.search(app) or _SHELL_PROMPT.search(_plain(raw_title))
    if not (prompt or _has(title, _PROMPT_WORDS) or _has(name, _PROMPT_WORDS)):
        return set()
    match action:
        case Press(key) if key in _NAVIGATION:
            return set()
        case Click(_, button, _, _) if button != "middle" and not _LAUNCHERS.search(app) and not _has(name, _PASTING):
            return set()
        case _:
            return {"shell"}


def _from_text(action: TypeText, app: str, around: str) -> set[Risk]:
    found: set[Risk] = set()
    if action.secret or _has(around, _SECRET_WORDS) or _KEY_HOLDERS.search(app):
        found.add("credential")
    if _has(around, _CARD_WORDS) or any(_is_card_number(digits) for digits in _digit_runs(action.text)):
        found.add("pay")
    if _COMMAND.search(action.text):
        found.add("shell")
    return found


def _has(words: str, names: tuple[str, ...]) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words) for name in names)


def _plain(text: str) -> str:
    """Return text without what hides a word from a reader of characters: widths, cases, accents, invisibles."""
    spaced = re.sub(r"\s", " ", unicodedata.normalize("NFKC", text)).casefold()
    folded = unicodedata.normalize("NFKD", spaced).translate(_LOOK_ALIKES)
    return "".join(char for char in folded if unicodedata.category(char) not in ("Mn", "Cf", "Cc", "Co", "Cs"))


def _words_of(text: str) -> str:
    return re.sub(r"[^\w']+|_", " ", _plain(text).replace("’", "'")).strip()


def _digit_runs(text: str) -> list[str]:
    return [re.sub(r"\D", "", run) for run in re.findall(r"\d(?:[ -]?\d){12,18}", text)]


def _is_card_number(digits: str) -> bool:
    """Check the sum that every payment card's number has (ISO/IEC 7812, Luhn)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return len(digits) >= 13 and total % 10 == 0
