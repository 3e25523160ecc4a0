"""Plain English steps: every form a person writes, what is refused and how, and the way there and back."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.keys import NAMED_KEYS
from agent.runbook.english import nearest_form, read_line
from agent.runbook.steps import (
    CheckStep,
    ClickStep,
    DragStep,
    DragToEndStep,
    Element,
    HoverStep,
    MenuStep,
    PauseStep,
    PressStep,
    ScrollStep,
    ScrollUntilStep,
    SecretName,
    SelectStep,
    Step,
    TypeStep,
    WaitUntilStep,
)
from agent.runbook.wording import write_step
from model.errors import InputError


def text(words: str) -> Element:
    return Element(words, literal=True)


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("click the Save button", [ClickStep(Element("the Save button"))]),
        ("Click on the Save button.", [ClickStep(Element("the Save button"))]),
        ('click "Save"', [ClickStep(text("Save"))]),
        ("click “Save”", [ClickStep(text("Save"))]),
        ('click the "Save as" button', [ClickStep(Element('the "Save as" button'))]),
        ("double-click report.txt", [ClickStep(Element("report.txt"), count=2)]),
        ("double click report.txt", [ClickStep(Element("report.txt"), count=2)]),
        ("doubleclick report.txt", [ClickStep(Element("report.txt"), count=2)]),
        ("right-click the folder", [ClickStep(Element("the folder"), "right")]),
        ("hover over the File menu", [HoverStep(Element("the File menu"))]),
        ('type "hello" into Name', [TypeStep("hello", Element("Name"))]),
        ('type "go into the shop"', [TypeStep("go into the shop")]),
        ('type "one\\ntwo \\"three\\""', [TypeStep('one\ntwo "three"')]),
        ('type "C:\\dir" in the path field', [TypeStep("C:\\dir", Element("the path field"))]),
        (
            "type secret password into the Password field",
            [TypeStep(SecretName("password"), Element("the Password field"))],
        ),
        ("press Ctrl+S", [PressStep(("ctrl", "s"))]),
        ("press ctrl + shift + Esc", [PressStep(("ctrl", "shift", "escape"))]),
        ("press Ctrl++", [PressStep(("ctrl", "+"))]),
        ("press Enter", [PressStep(("enter",))]),
        ("press Page Down 3 times", [PressStep(("pagedown",), 3)]),
        ("wait 2 seconds", [PauseStep(2.0)]),
        ("wait 0.5s", [PauseStep(0.5)]),
        ('wait until "Done" appears', [WaitUntilStep(text("Done"))]),
        ('wait for "Done"', [WaitUntilStep(text("Done"))]),
        ("wait until the progress bar disappears", [WaitUntilStep(Element("the progress bar"), shown=False)]),
        ("scroll down", [ScrollStep("down")]),
        ("scroll up 3", [ScrollStep("up", 3)]),
        ("scroll down 10 times in the list of files", [ScrollStep("down", 10, Element("the list of files"))]),
        ('scroll down until "Terms" is visible', [ScrollUntilStep("down", text("Terms"))]),
        (
            'scroll down in the list until "Terms" appears',
            [ScrollUntilStep("down", text("Terms"), Element("the list"))],
        ),
        ("drag the file to the bin", [DragStep(Element("the file"), Element("the bin"))]),
        ('drag "A to B" to [the way to go]', [DragStep(text("A to B"), Element("the way to go"))]),
        ("drag the slider to the right end", [DragToEndStep(Element("the slider"), "right")]),
        ('select "Blue" and "Red"', [SelectStep((text("Blue"), text("Red")))]),
        ('select "A", "B and C", and "D"', [SelectStep((text("A"), text("B and C"), text("D")))]),
        ('select "Blue" from the Colour list', [SelectStep((text("Blue"),), Element("the Colour list"))]),
        (
            'select "Blue" and "Red", then click Submit',
            [SelectStep((text("Blue"), text("Red"))), ClickStep(Element("Submit"))],
        ),
        (
            'type "now, then click" into A; then press Enter',
            [TypeStep("now, then click", Element("A")), PressStep(("enter",))],
        ),
        ('check that "Saved" is shown', [CheckStep(text("Saved"))]),
        ("check that the error message is not shown", [CheckStep(Element("the error message"), shown=False)]),
        ('open menu "File" > "Save as"', [MenuStep((text("File"), text("Save as")))]),
        ("OPEN THE MENU   Edit", [MenuStep((Element("Edit"),))]),
    ],
)
def test_a_step_is_read_as_a_person_means_it(line: str, steps: list[Step]) -> None:
    assert list(read_line(line)) == steps


@pytest.mark.parametrize(
    ("line", "nearest"),
    [
        ("clik the Save button", "click the Save button"),
        ("type hello into Name", 'type "hello" into Name'),
        ("press Strg+S", "press Ctrl+S"),
        ("check Saved", 'check that "Saved" is shown'),
        ('wait till "Done" appears', 'wait until "Done" appears'),
        ("drag the slider rightwards", "drag the slider to the right end"),
        ("press Ctrl+", "press Ctrl+S"),
        ("wait 9999 seconds", "wait 2 seconds"),
        ('click "Save', "click the Save button"),
    ],
)
def test_an_unreadable_step_names_place_reason_and_nearest_form(line: str, nearest: str) -> None:
    with pytest.raises(InputError) as caught:
        read_line(line, "login.txt, line 7")
    assert str(caught.value).startswith("login.txt, line 7: ")
    assert caught.value.why
    assert nearest in caught.value.remedy


@pytest.mark.parametrize(
    "line", ["", "click", "then", "click A, then", "type secret pin", "press Enter 0 times", "x" * 30_000]
)
def test_half_a_step_is_no_step(line: str) -> None:
    with pytest.raises(InputError):
        read_line(line)


def test_a_line_of_blanks_between_words_is_read_at_once() -> None:
    with pytest.raises(InputError):
        read_line("drag" + " " * 19_000 + "x")


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda t: bool(t.strip())
)
tricky = st.lists(
    st.sampled_from(
        ["then", "to", "and", "is shown", "is not shown", '"', "[", "]", ",", ">", "in", "until", "the right end"]
    )
    | st.sampled_from(["on", "3 times", ".", "\\", "Save", "from", "into", "  ", "\n", "disappears", "“", "appears"]),
    min_size=1,
    max_size=6,
).map(" ".join)
phrases = (words | tricky).filter(lambda t: bool(t.strip()))
elements = st.builds(Element, phrases.map(str.strip)) | st.builds(Element, phrases, st.just(True))
typed = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]) | st.sampled_from("\n\t"))
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,10}", fullmatch=True)
ways = st.sampled_from(["down", "up", "left", "right"])
keys = st.sampled_from([*sorted(NAMED_KEYS), *string.ascii_lowercase, *string.digits, *string.punctuation])
alone = keys | st.sampled_from([*string.ascii_uppercase, "é", "я", "中"])
steps = st.one_of(
    st.builds(ClickStep, elements, st.just("left"), st.integers(1, 3)),
    st.builds(ClickStep, elements, st.sampled_from(["right", "middle"])),
    st.builds(HoverStep, elements),
    st.builds(TypeStep, typed, st.none() | elements),
    st.builds(TypeStep, st.builds(SecretName, names), elements),
    st.builds(PressStep, st.tuples(alone), st.integers(1, 100)),
    st.builds(PressStep, st.lists(keys, min_size=2, max_size=5, unique=True).map(tuple)),
    st.builds(PauseStep, st.floats(0, 60)),
    st.builds(WaitUntilStep, elements, st.booleans()),
    st.builds(CheckStep, elements, st.booleans()),
    st.builds(ScrollStep, ways, st.integers(1, 100), st.none() | elements),
    st.builds(ScrollUntilStep, ways, elements, st.none() | elements),
    st.builds(DragStep, elements, elements),
    st.builds(DragToEndStep, elements, st.sampled_from(["left", "right", "top", "bottom"])),
    st.builds(SelectStep, st.lists(elements, min_size=1, max_size=4).map(tuple), st.none() | elements),
    st.builds(MenuStep, st.lists(elements, min_size=1, max_size=4).map(tuple)),
)


@given(steps)
def test_what_is_written_reads_back_the_same(step: Step) -> None:
    assert read_line(write_step(step)) == (step,)


@given(st.lists(steps, min_size=2, max_size=3))
def test_steps_joined_by_then_stay_those_steps(several: list[Step]) -> None:
    assert read_line(", then ".join(map(write_step, several))) == tuple(several)


@given(st.text(max_size=200) | tricky.map("drag ".__add__) | tricky.map("select ".__add__))
def test_any_line_is_steps_or_an_input_error(line: str) -> None:
    try:
        read = read_line(line)
    except InputError:
        return
    for step in read:
        assert read_line(write_step(step)) == (step,)
    assert nearest_form(line)
