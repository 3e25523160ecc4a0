"""The action grammar: trained forms are read, everything written is read back, and nothing else gets through."""

import os
import random
import string
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.actions import read_actions, write_action, write_actions
from agent.keys import NAMED_KEYS, canonical_key, is_key
from agent.reply import Reply, read_reply, write_reply
from agent.types import (
    BUTTONS,
    MAX_NOTCHES,
    MAX_TEXT_CHARS,
    MODIFIERS,
    Action,
    Ask,
    Click,
    Done,
    Drag,
    Fail,
    Hotkey,
    Move,
    Press,
    RelPoint,
    Scroll,
    TypeText,
    Unreadable,
    Wait,
)

FUZZ_CASES = int(os.environ.get("DESKHAND_FUZZ_CASES", "20000"))
"""How many mutated answers to read; 1000000 for the full drill."""

MIDDLE = RelPoint(0.5, 0.25)
AT = "x=0.5, y=0.25"

TRAINED = {
    f"pyautogui.click({AT})": Click(MIDDLE),
    "pyautogui.click(0.5, 0.25)": Click(MIDDLE),
    f"pyautogui.click({AT}, clicks=2)": Click(MIDDLE, count=2),
    f"pyautogui.click({AT}, clicks=3, interval=0.1, button='left')": Click(MIDDLE, count=3),
    f"pyautogui.click({AT}, button='right')": Click(MIDDLE, "right"),
    f"pyautogui.rightClick({AT})": Click(MIDDLE, "right"),
    f"pyautogui.middleClick({AT})": Click(MIDDLE, "middle"),
    f"pyautogui.doubleClick({AT})": Click(MIDDLE, count=2),
    "pyautogui.doubleClick(x=0.5, y=0.25, button='left')": Click(MIDDLE, count=2),
    f"computer.triple_click({AT})": Click(MIDDLE, count=3),
    f"computer.tripleClick({AT})": Click(MIDDLE, count=3),
    f"computer.triple_click({AT}, button='left')": Click(MIDDLE, count=3),
    "click(x=0.884, y=0.144)": Click(RelPoint(0.884, 0.144)),
    "click(x=0, y=1)": Click(RelPoint(0.0, 1.0)),
    "pyautogui.click()": Click(None),
    f"pyautogui.moveTo({AT})": Move(MIDDLE),
    f"pyautogui.moveTo({AT}, duration=0.5)": Move(MIDDLE),
    f"pyautogui.dragTo({AT}, button='left')": Drag(None, MIDDLE),
    f"pyautogui.moveTo(x=0, y=0)\npyautogui.dragTo({AT}, duration=1, button='left')": Drag(RelPoint(0, 0), MIDDLE),
    f"pyautogui.mouseDown(x=0, y=0)\npyautogui.moveTo({AT})\npyautogui.mouseUp()": Drag(RelPoint(0, 0), MIDDLE),
    f"pyautogui.moveTo(x=0, y=0)\npyautogui.mouseDown()\npyautogui.mouseUp({AT})": Drag(RelPoint(0, 0), MIDDLE),
    f"pyautogui.mouseDown({AT}, button='right')\npyautogui.mouseUp(button='right')": Click(MIDDLE, "right"),
    f"pyautogui.moveTo({AT})\npyautogui.click()": Click(MIDDLE),
    f"pyautogui.moveTo({AT})\npyautogui.scroll(-5)": Scroll(MIDDLE, -5),
    "scroll(-5)": Scroll(None, -5),
    "pyautogui.scroll(-5)": Scroll(None, -5),
    f"pyautogui.scroll(10, {AT})": Scroll(MIDDLE, 10),
    f"pyautogui.hscroll(3, {AT})": Scroll(MIDDLE, right_notches=3),
    "pyautogui.scroll(page=-0.1)": Scroll(None, -1),
    "pyautogui.scroll(page=1)": Scroll(None, 10),
    "pyautogui.scroll(-5000)": Scroll(None, -MAX_NOTCHES),
    "pyautogui.write('Hallo')": TypeText("Hallo"),
    "pyautogui.write(message='a\\n\\tb', interval=0.05)": TypeText("a\n\tb"),
    'pyautogui.typewrite("it\'s")': TypeText("it's"),
    "pyautogui.write('''one\r\ntwo''')": TypeText("one\ntwo"),
    r"pyautogui.write('C:\dir \\x')": TypeText(r"C:\dir \x"),
    r"pyautogui.write(r'\d+')": TypeText(r"\d+"),
    "pyautogui.write('ab' 'cd')": TypeText("abcd"),
    "type(text='π')": TypeText("π"),
    "pyautogui.press('enter')": Press("enter"),
    "pyautogui.press('Return')": Press("enter"),
    "pyautogui.press(['enter'])": Press("enter"),
    "pyautogui.press('down', presses=3)": Press("down", 3),
    "pyautogui.hotkey('ctrl', 'c')": Hotkey(("ctrl", "c")),
    "pyautogui.hotkey(['ctrl', 'shift', 'Esc'])": Hotkey(("ctrl", "shift", "escape")),
    "pyautogui.hotkey('f5')": Press("f5"),
    f"pyautogui.keyDown('ctrl')\npyautogui.click({AT})\npyautogui.keyUp('ctrl')": Click(MIDDLE, modifiers=("ctrl",)),
    "pyautogui.keyDown('ctrl')\npyautogui.press('a')\npyautogui.keyUp('ctrl')": Hotkey(("ctrl", "a")),
    "pyautogui.keyDown('win')\npyautogui.keyUp('win')": Press("super"),
    "computer.wait()": Wait(5.0),
    "computer.wait(seconds=2)": Wait(2.0),
    "time.sleep(1.5)": Wait(1.5),
    "pyautogui.sleep(1)": Wait(1.0),
    "computer.terminate(status='success')": Done(),
    "computer.terminate('failure')": Fail(),
    "computer.terminate(status='success', answer='42')": Done("42"),
    "computer.call_user(question='Which account?')": Ask("Which account?"),
    "import pyautogui\n\n# the Save button\npyautogui.press('enter')  # confirm\n": Press("enter"),
    "    pyautogui.press('enter')\n": Press("enter"),
    "pyautogui.press('a'); ": Press("a"),
}


@pytest.mark.parametrize(("code", "action"), TRAINED.items())
def test_reads_what_the_family_writes(code: str, action: Action[RelPoint]) -> None:
    assert read_actions(code) == (action,)


def test_reads_several_actions_in_order() -> None:
    code = (
        f"pyautogui.click({AT})\npyautogui.hotkey('ctrl', 'a')\npyautogui.write('x')\npyautogui.press(['tab', 'enter'])"
    )
    assert read_actions(code) == (Click(MIDDLE), Hotkey(("ctrl", "a")), TypeText("x"), Press("tab"), Press("enter"))


UNREADABLE = {
    "": "does nothing",
    "import pyautogui": "does nothing",
    "pyautogui.click(x=960, y=540)": "x is 960; coordinates are relative",
    "pyautogui.click(x=0.5, y=1.0001)": "y is 1.0001",
    "pyautogui.click(x=-0.1, y=0.5)": "x is -0.1",
    "pyautogui.click(x=1e999, y=0.5)": "no finite number",
    "pyautogui.click(x=0.5)": "y is None",
    "pyautogui.click(x=True, y=0.5)": "must be a number",
    "pyautogui.click(x='0.5', y=0.5)": "must be a number",
    "pyautogui.click(0.5, 0.5, x=0.5)": "given twice",
    "pyautogui.click(x=0.5, y=0.5, clicks=4)": "1 to 3",
    "pyautogui.click(x=0.5, y=0.5, clicks=1.5)": "whole number",
    "pyautogui.click(x=0.5, y=0.5, target='Save')": "no argument 'target'",
    "pyautogui.click(x=0.5, y=0.5, button='middle-ish')": "no button",
    "pyautogui.click(*[0.5, 0.5])": "'*'",
    "pyautogui.click(**{'x': 0.5})": "'*'",
    "pyautogui.click(x=w*0.5, y=0.5)": "'*'",
    "pyautogui.click(x=pyautogui.size(), y=0.5)": "plain values",
    "pyautogui.click(x=x, y=y)": "plain values",
    "x = 0.5": "not a call",
    "pyautogui.moveTo()": "needs a point",
    "pyautogui.move(0.1, 0.1)": "relative to the pointer",
    "pyautogui.dragRel(0.1, 0.1)": "relative to the pointer",
    "pyautogui.write(5)": "must be a text",
    "pyautogui.write('\\x1b[2J')": "U+001B",
    "pyautogui.write('\\ud800')": "U+D800",
    r"pyautogui.write('C:\Users\x')": "is not a call",
    r"pyautogui.write('\400')": "the escape",
    r"pyautogui.write('\N{BULLET}')": "the escape",
    "pyautogui.write(f'{1}')": "plain strings",
    "pyautogui.write(b'x')": "plain strings",
    "pyautogui.write('a' + 'b')": "'+'",
    "pyautogui.write(" + repr("x" * (MAX_TEXT_CHARS + 1)) + ")": "at most",
    "pyautogui.press('hyper')": "no key 'hyper'",
    "pyautogui.press([])": "0 keys",
    "pyautogui.press('a', presses=1000)": "1 to 100",
    "pyautogui.hotkey('ctrl', 'ctrl')": "each key once",
    "pyautogui.hotkey()": "keys in a hotkey",
    "pyautogui.keyDown('ctrl')": "never let go",
    "pyautogui.keyDown('w')\npyautogui.keyUp('w')": "only ctrl",
    "pyautogui.keyUp('ctrl')": "not held",
    "pyautogui.keyDown('ctrl')\npyautogui.write('a')\npyautogui.keyUp('ctrl')": "let it go first",
    "pyautogui.mouseDown(x=0.5, y=0.5)": "never let go",
    "pyautogui.mouseUp()": "not held",
    "pyautogui.mouseDown()\npyautogui.press('a')\npyautogui.mouseUp()": "only a move",
    "pyautogui.screenshot('/etc/passwd')": "no such call",
    "pyautogui.alert('x')": "no such call",
    "computer.wait(seconds=3600)": "seconds of waiting",
    "computer.wait(seconds=-1)": "seconds of waiting",
    "computer.terminate()": "status",
    "computer.terminate(status='success')\npyautogui.click()": "nothing can follow",
    "time.click()": "no such call",
    "time.hotkey('a')": "no such call",
    "os.system('rm -rf ~')": "calls something other",
    "import os": "not a call",
    "import pyautogui as os": "not a call",
    "__import__('os').system('id')": "only calls",
    "eval('1')": "no such call",
    "exec('1')": "no such call",
    "pyautogui.__class__.__bases__": "only calls",
    "pyautogui.click.__globals__('x')": "only calls",
    "lambda: 0": "only calls",
    "while True: pass": "only calls",
    "@x\ndef f(): pass": "only calls",
    "pyautogui.click(x=0.5, y=0.5": "is not a call",
    "click(x=0.5, y=0.5)) ": "is not a call",
    "pyautogui.click(\x00)": "only calls",
    "pyautogui.click(x=0x1, y=0.5)": "stands where",
    "pyautogui.click(x=" + "9" * 5000 + ", y=0.5)": "plain number",
    "click(" + "(" * 5000 + ")" * 5000 + ")": "nests",
    "click(" + "[" * 5000 + "]" * 5000 + ")": "nests",
    "click(" + "-" * 50_000 + "1)": "calculates",
    "click(" + "- " * 20_000 + "1)": "calculates",
    "a" + ".a" * 20_000: "only calls",
    "a" + "()" * 20_000: "only calls",
    "not " * 10_000 + "1": "only calls",
    "click();" * 20_000: "at most",
    "click()\n" * 51: "at most 50",
    "'" * 60_000: "",
    '"""' + "\\" * 60_000: "",
    "(" * 100_000: "at most",
}


@pytest.mark.parametrize(("code", "reason"), UNREADABLE.items(), ids=[code[:50] for code in UNREADABLE])
def test_refuses_everything_else_with_the_reason(code: str, reason: str) -> None:
    answer = read_actions(code)
    assert isinstance(answer, Unreadable)
    assert reason in answer.reason
    assert len(answer.reason) < 300


points = st.builds(RelPoint, st.floats(0, 1), st.floats(0, 1))
keys = st.one_of(st.sampled_from(sorted(NAMED_KEYS)), st.characters().filter(is_key))
modifiers = st.lists(st.sampled_from(MODIFIERS), unique=True).map(tuple)
notches = st.integers(-MAX_NOTCHES, MAX_NOTCHES)
typeable = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")) | st.sampled_from("\n\t'\"\\#`")
actions: st.SearchStrategy[Action[RelPoint]] = st.one_of(
    st.builds(Click, st.none() | points, st.sampled_from(BUTTONS), st.integers(1, 3), modifiers),
    st.builds(Move, points),
    st.builds(Drag, st.none() | points, points, st.sampled_from(BUTTONS), modifiers),
    st.builds(Scroll, st.none() | points, notches, st.just(0), modifiers),
    st.builds(Scroll, st.none() | points, st.just(0), notches, modifiers),
    st.builds(TypeText, st.text(typeable, max_size=200)),
    st.builds(Press, keys, st.integers(1, 100)),
    st.builds(Hotkey, st.lists(keys, min_size=2, max_size=5, unique=True).map(tuple)),
    st.builds(Wait, st.floats(0, 60)),
)
endings = st.one_of(
    st.builds(Ask, st.text(max_size=100)),
    st.builds(Done, st.text(max_size=100)),
    st.builds(Fail, st.text(max_size=100)),
)


@given(actions | endings)
def test_one_action_is_read_back_exactly(action: Action[RelPoint]) -> None:
    assert read_actions(write_action(action)) == (action,)


def _stay_apart(before: Action[RelPoint], after: Action[RelPoint]) -> bool:
    # A move and a following action without a point are one action in the grammar.
    without_point = isinstance(after, Click | Scroll | Drag) and len(_points(after)) < (
        2 if isinstance(after, Drag) else 1
    )
    return not (isinstance(before, Move) and without_point)


def _points(action: Action[RelPoint]) -> list[RelPoint]:
    match action:
        case Click(at) | Scroll(at):
            return [at] if at else []
        case Move(to):
            return [to]
        case Drag(start, end):
            return [start, end] if start else [end]
        case _:
            return []


sequences = st.builds(
    lambda body, end: [*body, *end], st.lists(actions, max_size=6), st.lists(endings, max_size=1)
).filter(lambda sequence: bool(sequence) and all(map(_stay_apart, sequence, sequence[1:])))


@given(sequences)
def test_sequences_and_whole_replies_are_read_back_exactly(sequence: list[Action[RelPoint]]) -> None:
    assert read_actions(write_actions(sequence)) == tuple(sequence)
    reply = read_reply(write_reply("I see it.", "Click it.", sequence))
    assert isinstance(reply, Reply)
    assert (reply.thought, reply.described, reply.actions) == ("I see it.", "Click it.", tuple(sequence))


@given(keys)
def test_canonical_names_of_keys_stay(key: str) -> None:
    assert canonical_key(key) == key


def test_a_secret_is_written_as_stars() -> None:
    secret = TypeText("hunter2", secret=True)
    assert "hunter2" not in write_action(secret) + repr(secret)


CLICK = Click(RelPoint(0.884, 0.144))
CODE = "pyautogui.click(x=0.884, y=0.144)"
TOLD = "## Thought:\nThe menu is open.\n\n## Action:\nClick Quit.\n\n"
FENCED = f"## Code:\n```python\n{CODE}\n```\n"
LINES = "Thought: The menu is open.\nAction: Click Quit.\n"
REPLIES = {
    "opencua": f"# Step 3:\n{TOLD}{FENCED}",
    "report": f"{LINES}Toolcall: click(x=0.884, y=0.144)",
    "thinking": f"◁think▷ maybe pyautogui.click(x=0.1, y=0.1)? No.◁/think▷{LINES}Code:\n{CODE}\n",
    "bold": f"**Thought:** The menu is open.\n**Action:** Click Quit.\n**Code:**\n```\n{CODE}\n```",
    "prose after": f"{LINES}Code:\n{CODE}\n\nThis quits.",
    "imagined next step": f"{TOLD}{FENCED}# Step 4:\n## Action:\nBuy.\n{FENCED.replace('0.884', '0.1')}",
    "crlf": (TOLD + FENCED).replace("\n", "\r\n"),
    "unclosed fence": TOLD + FENCED.removesuffix("```\n"),
}


@pytest.mark.parametrize("text", REPLIES.values(), ids=REPLIES)
def test_reads_whole_replies(text: str) -> None:
    reply = read_reply(text)
    assert isinstance(reply, Reply), reply
    assert reply.actions == (CLICK,)
    assert (reply.thought, reply.described) == ("The menu is open.", "Click Quit.")


@pytest.mark.parametrize(
    "text",
    [
        "pyautogui.click(x=0.884, y=0.144)",
        "`click(x=0.884, y=0.144)`",
        "Action: click(x=0.884, y=0.144)",
        "I click it.\n```python\nimport pyautogui\npyautogui.click(x=0.884, y=0.144)\n```\nDone.",
        "```click(x=0.884, y=0.144)```",
        "## Action:\nClick.\n```python\npyautogui.click(x=0.884, y=0.144)\n```",
    ],
)
def test_reads_replies_without_headings(text: str) -> None:
    reply = read_reply(text)
    assert isinstance(reply, Reply), reply
    assert reply.actions == (CLICK,)


def test_text_to_be_typed_may_look_like_a_reply() -> None:
    typed = "## Code:\nAction: x\n"
    reply = read_reply(f"## Code:\n```python\npyautogui.write('''{typed}''')\n```")
    assert isinstance(reply, Reply)
    assert reply.actions == (TypeText(typed),)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no code"),
        ("I cannot see it.", "no code"),
        ("◁think▷ still thinking pyautogui.click(x=0, y=0)", "ended before"),
        ("## Code:\n```python\nimport os\nos.system('id')\npyautogui.click(x=0, y=0)\n```", "not a call"),
        ("x" * 500_000, "at most"),
    ],
)
def test_refuses_replies_with_the_reason(text: str, reason: str) -> None:
    answer = read_reply(text)
    assert isinstance(answer, Unreadable)
    assert reason in answer.reason


class _Audit:
    """Whatever Python's own audit reports in this thread while it watches; hooks cannot be taken off again."""

    def __init__(self) -> None:
        self.thread: int | None = None
        self.events: set[str] = set()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[object, ...]) -> None:
        if self.thread == threading.get_ident():
            # Parsing to a tree is audited as compiling, too; `exec` is what would run code.
            self.events.add(f"compile {args[1]}" if event == "compile" else event)

    @contextmanager
    def watching(self) -> Iterator[set[str]]:
        self.events.clear()
        self.thread = threading.get_ident()
        try:
            yield self.events
        finally:
            self.thread = None


@pytest.fixture(scope="module")
def audit() -> _Audit:
    return _Audit()


HOSTILE = [
    "__import__('os').system('touch /tmp/pwned')",
    "open('/etc/passwd').read()",
    "exec(\"import os; os.system('id')\")",
    "(lambda f: f(f))(lambda f: f(f))",
    "[x for x in ().__class__.__bases__[0].__subclasses__()]",
    "pyautogui.click(x=__import__('os').getpid(), y=0.5)",
    "f\"{__import__('os').system('id')}\"",
    "pyautogui.write(f'{open(chr(47))}')",
    "{" * 90,
    "[" * 300 + "]" * 300,
    "-" * 5000 + "1",
    "\\N{DIGIT ONE}",
    "'\\N{NOSUCHNAME}'",
    "'\\x4'",
    "\ud800\udfff",
    "\x00\x01\ufeff",
    "if 1:\n" * 120,
    "1e99999",
    "0_0.0j",
    "◁think▷",
    "◁/think▷",
    "```",
    "## Code:\n",
    "\u2028\u0085\f\v",
    "async await yield from",
]
ALPHABET = string.printable + "◁▷éπ漢😀\x00\u202e\ud83d"


def _mutated(random_: random.Random, seeds: list[str]) -> str:
    text = random_.choice(seeds)
    for _ in range(random_.randint(1, 4)):
        at, end = sorted((random_.randint(0, len(text)), random_.randint(0, len(text))))
        match random_.randint(0, 6):
            case 0:
                text = text[:at] + random_.choice(ALPHABET) + text[at:]
            case 1:
                text = text[:at] + text[end:]
            case 2:
                text = text[:at] + random_.choice(HOSTILE) + text[end if end - at < 4 else at :]
            case 3:
                text = text[:at] + random_.choice(seeds) + text[end:]
            case 4:
                text = text[:end] + text[at:end] * random_.randint(1, 5) + text[end:]
            case 5:
                number = random_.choice(["-0", "1.5", "nan", "1e400", "inf", "2", "-1e-9", "1.0000001", "٣", "0.5"])
                text = text.replace("0.", number + "0.", 1) if random_.random() < 0.3 else text.replace("0.5", number)
            case _:
                text = "".join(random_.choices(ALPHABET, k=random_.randint(0, 80)))
    return text


def test_fuzzed_replies_never_raise_never_run_and_never_leave_the_picture(audit: _Audit) -> None:
    seeds = [*TRAINED, *REPLIES.values(), *HOSTILE]
    random_ = random.Random(20261124)
    for seed in seeds:
        read_reply(seed)  # what is imported at the first use is imported before the watch
    read = refused = 0
    for _ in range(FUZZ_CASES):
        text = _mutated(random_, seeds)
        with audit.watching() as events:
            answer = read_reply(text)
        assert events <= {"compile <reply>"}, (text, events)
        if isinstance(answer, Unreadable):
            refused += 1
            continue
        read += 1
        for point in (point for action in answer.actions for point in _points(action)):
            assert 0.0 <= point.x_rel <= 1.0, text
            assert 0.0 <= point.y_rel <= 1.0, text
    # Both ways must have been taken, or the drill drilled nothing.
    assert read > FUZZ_CASES // 50
    assert refused > FUZZ_CASES // 10
