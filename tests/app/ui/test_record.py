"""What hands did becomes steps: events, names, secrets, and whether a name leads back to the place."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from agent.accessible import Told
from agent.accessible_child import Tree, answer_line
from agent.runbook.runbook import read_plain
from agent.runbook.secrets import EnvironmentSecret
from agent.runbook.steps import ClickStep, DragStep, Element, PressStep, SecretName, TypeStep
from agent.runbook.yaml_file import read_yaml
from agent.types import Frame, Point, Rect
from app.ui.record.hand import Hand
from app.ui.record.review import ReviewDialog
from app.ui.record.same_place import is_same_place
from app.ui.record.secrets import settle
from app.ui.record.taken import Shot, Taken
from app.ui.record.writing import steps_text
from app.ui.services import Services

FIELD, SECRET = Told("entry", "Full name", Rect(20, 20, 320, 50)), Told("password text", "Password:", None)
SIZE_PX = (640, 400)


def _click(hand: Hand, x: int, y: int, time_ms: int, button: int = 1, number: int = 0, **more: object) -> None:
    shot = Shot(_frame(Image.new("RGB", SIZE_PX, "white")))
    hand.button_down(button, Point(x, y), shot, number=number, **more)  # pyright: ignore[reportArgumentType] - as given
    hand.button_up(button, Point(x, y), time_ms)


def _type(hand: Hand, text: str) -> bool:
    begun = [hand.letter(char) for char in text]
    return begun[0]


def _frame(image: Image.Image) -> Frame:
    pixels = np.zeros((image.height, image.width, 4), np.uint8)
    pixels[:, :, 2::-1] = np.asarray(image)
    return Frame(pixels, Rect(0, 0, *image.size), (), 0.0, "test")


def test_clicks_are_counted_and_buttons_kept_apart() -> None:
    hand = Hand()
    _click(hand, 10, 10, 1000)
    _click(hand, 11, 10, 1200)
    _click(hand, 10, 10, 9000, button=3)
    _click(hand, 10, 10, 9100, button=3)
    _click(hand, 400, 10, 9900, modifiers=("ctrl",))
    hand.button_down(1, Point(10, 10), None)
    assert hand.button_up(1, Point(90, 10), 12000)
    hand.ends_at(7)
    hand.tell(7, Told("icon", "Bin", None))
    named = [Taken(**{**_fields(each), "words": "the file"}) for each in hand.taken]
    assert [each.step() for each in (*named[:3], named[4])] == [
        ClickStep(Element("the file"), "left", 2),
        ClickStep(Element("the file"), "right"),
        ClickStep(Element("the file"), "right"),
        DragStep(Element("the file"), Element("the Bin item")),
    ]
    assert steps_text(named[3:4]) == "# Ctrl+click the file (no step says this; write it by hand)"
    assert not hand.taken[3].needs_words


def _fields(taken: Taken) -> dict[str, object]:
    return {name: getattr(taken, name) for name in Taken.__slots__}


def test_keys_are_presses_and_letters_one_text() -> None:
    hand = Hand()
    _type(hand, "Gruß ${x}e")
    hand.key(("backspace",))
    hand.key(("tab",))
    hand.key(("tab",))
    hand.key(("ctrl", "shift", "s"))
    text = steps_text(hand.taken)
    assert text == 'type "Gruß $${x}"\npress Tab 2 times\npress Ctrl+Shift+S'
    steps = [each.step for each in read_plain(text, "recorded").instructions]
    assert steps == [TypeStep("Gruß ${x}"), PressStep(("tab",), 2), PressStep(("ctrl", "shift", "s"))]


def test_a_program_says_what_was_clicked_and_the_person_has_the_last_word() -> None:
    hand = Hand()
    _click(hand, 30, 30, 1000, number=1)
    _click(hand, 300, 300, 5000, number=2)
    hand.tell(2, Told("panel", "everything", Rect(0, 0, 640, 400)))
    hand.tell(1, FIELD)
    assert [each.words for each in hand.taken] == ["the Full name field", ""]
    assert [each.needs_words for each in hand.taken] == [False, True]


@pytest.mark.parametrize("late", [False, True], ids=["known before", "known after the first letters"])
def test_of_what_is_typed_into_a_password_field_nothing_is_kept(late: bool) -> None:
    hand = Hand()
    _click(hand, 30, 30, 1000, number=1, told=FIELD)
    _type(hand, "ada")
    hand.key(("tab",))
    if not late:
        hand.focus_moved(SECRET)
    assert _type(hand, "s3"), "it is asked what has the focus, whatever the news said"
    hand.types_into(4)
    hand.tell(4, SECRET)
    _type(hand, "x9")
    hand.key(("left",))
    hand.key(("backspace",))
    _type(hand, "cret")
    assert "s3" not in repr(hand.taken)
    assert "x9" not in repr(hand.taken)
    hand.key(("enter",))
    _type(hand, "more")
    text = steps_text(hand.taken)
    assert text.splitlines()[1:] == [
        "secrets:",
        "  password: {env: DESKHAND_PASSWORD}",
        "steps:",
        "  - 'click the Full name field'",
        "  - 'type \"ada\"'",
        "  - 'press Tab'",
        "  - 'type secret password into the Password field'",
        "  - 'press Enter'",
        "  - 'type \"more\"'",
    ]
    runbook = read_yaml(text, "recorded", Path())
    assert runbook.secrets == {"password": EnvironmentSecret("DESKHAND_PASSWORD")}


def test_a_name_makes_a_secret_of_the_text_and_covers_it_in_later_pictures() -> None:
    hand = Hand()
    _click(hand, 100, 100, 1000)
    _type(hand, "123")
    hand.key(("home",))
    _type(hand, "4")
    _click(hand, 500, 300, 3000)
    named = [Taken(**{**_fields(hand.taken[0]), "words": "the PIN"}), *hand.taken[1:]]
    settled = settle(named)
    assert [each.kind for each in settled] == ["type", "click"]
    assert settled[0].step() == TypeStep(SecretName("pin"), Element("the PIN"))
    assert "123" not in repr(settled)
    before, after = (each.shot for each in settled)
    assert before is not None
    assert after is not None
    assert before.image().getpixel((100, 100)) == (255, 255, 255)
    assert after.image().getpixel((100, 100)) != (255, 255, 255)
    assert after.image().getpixel((500, 300)) == (255, 255, 255)


def test_no_two_fields_share_a_secret() -> None:
    box_px = Rect(20, 20, 320, 50)
    login, pay = (Told("password text", name, box_px, "Shop") for name in ("登录密码", "支付密码"))
    taken = [Taken("type", secret=True, told=told, words=told.words) for told in (login, pay, login)]
    other_site = Told("password text", "登录密码", box_px, "Bank")
    taken.append(Taken("type", secret=True, told=other_site, words=other_site.words))
    taken += [Taken("type", secret=True, words="the PIN")] * 2
    text = steps_text([step for each in taken for step in (each, Taken("press", keys=("tab",)))])
    names = [
        each.step.text.name
        for each in read_yaml(text, "recorded", Path()).instructions
        if isinstance(each.step, TypeStep) and isinstance(each.step.text, SecretName)
    ]
    assert names == ["secret", "secret_2", "secret", "secret_3", "pin", "pin"]
    assert "  secret_2: {env: DESKHAND_SECRET_2}" in text.splitlines()


def test_what_is_typed_after_a_secret_stays_where_the_field_moves_on_by_itself() -> None:
    pin, note = Told("entry", "PIN", Rect(60, 80, 160, 120)), Told("entry", "Note", Rect(200, 80, 400, 120))
    hand = Hand()
    _click(hand, 100, 100, 1000, told=pin)
    hand.focus_moved(pin)
    _type(hand, "1234")
    hand.focus_moved(note)
    _type(hand, "call me")
    settled = settle(hand.taken)
    assert [(each.words, each.secret, each.text) for each in settled] == [
        ("the PIN field", True, ""),
        ("the Note field", False, "call me"),
    ]
    assert settle(settled) == settled


def test_a_stray_focus_event_takes_no_protection_from_a_password_field() -> None:
    hand = Hand()
    hand.focus_moved(SECRET)
    hand.focus_moved(Told("push button", "Save", None))
    _type(hand, "s3")
    assert hand.taken[0].secret
    hand.key(("tab",))
    hand.focus_moved(FIELD)  # of another window
    assert _type(hand, "x9")
    hand.types_into(3)
    hand.tell(3, SECRET)
    assert "s3" not in repr(hand.taken)
    assert "x9" not in repr(hand.taken)


def test_a_secret_is_covered_where_it_was_clicked_and_its_pictures_dropped_where_that_is_unknown() -> None:
    hand = Hand()
    _click(hand, 100, 100, 1000, told=Told("entry", "PIN", Rect(60, 80, 160, 120)))
    hand.focus_moved(Told("entry", "PIN", Rect(30, 40, 80, 60)))  # in logical pixels
    _type(hand, "1234")
    _click(hand, 500, 300, 3000)
    hand.key(("tab",))
    hand.focus_moved(Told("entry", "PIN", Rect(30, 140, 80, 160)))
    _type(hand, "5678")
    _click(hand, 500, 300, 9000)
    first, second, _tab, typed, third = settle(hand.taken)
    assert (first.secret, typed.secret, third.shot) == (True, True, None)
    assert second.shot is not None
    assert second.shot.image().getpixel((70, 110)) != (255, 255, 255)
    assert second.shot.image().getpixel((40, 50)) == (255, 255, 255)


def _drawn(draw: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
    image = Image.new("RGB", SIZE_PX, (240, 240, 240))
    draw(ImageDraw.Draw(image))
    return image


def _form(draw: ImageDraw.ImageDraw) -> None:
    draw.text((20, 20), "Full name", "black")
    draw.rectangle((20, 40, 460, 68), "white", (180, 180, 180))
    draw.text((26, 46), "Ada Lovelace", "black")
    draw.rectangle((20, 90, 460, 118), (250, 250, 250), (180, 180, 180))
    draw.text((225, 97), "Save", "black")


def _menu_bar(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((0, 0, 639, 26), (250, 250, 250), (180, 180, 180))
    for x, name in ((10, "File"), (70, "Edit"), (130, "View")):
        draw.text((x, 8), name, "black")


@pytest.mark.parametrize(
    ("picture", "clicked", "found", "same"),
    [
        (_form, (240, 54), (197, 52), True),  # a field is wide
        (_form, (400, 54), (60, 54), True),
        (_form, (240, 54), (60, 25), False),  # what is written above it
        (_form, (240, 104), (240, 54), False),
        (_form, (240, 104), (100, 104), True),
        (_menu_bar, (20, 13), (80, 13), False),  # its neighbour
        (_menu_bar, (20, 13), (26, 15), True),
        (_menu_bar, (400, 300), (500, 300), False),  # nothing but ground, which is everywhere
        (_menu_bar, (400, 300), (400, 330), False),
    ],
)
def test_a_place_is_the_same_within_one_thing(
    picture: Callable[[ImageDraw.ImageDraw], None], clicked: tuple[int, int], found: tuple[int, int], same: bool
) -> None:
    assert is_same_place(_drawn(picture), Point(*clicked), Point(*found)) is same


def test_a_told_box_decides_wherever_the_points_are_in_it() -> None:
    image = _drawn(_menu_bar)
    assert is_same_place(image, Point(300, 200), Point(20, 380), Rect(10, 100, 600, 390))
    assert not is_same_place(image, Point(300, 200), Point(300, 215), Rect(290, 190, 310, 209))
    assert is_same_place(image, Point(300, 200), Point(300, 215), Rect(0, 0, 20, 20)), "a box that is not the click's"


@pytest.fixture
def review(services: Services, qtbot: QtBot) -> ReviewDialog:
    hand = Hand()
    _click(hand, 100, 100, 1000)
    _type(hand, "hunter2")
    _click(hand, 500, 300, 3000)
    dialog = ReviewDialog(services, tuple(hand.taken), programs_tell=False)
    qtbot.addWidget(dialog)
    return dialog


def _lines(review: ReviewDialog) -> list[str]:
    return [review.list.item(n).text() for n in range(review.list.count())]


def test_naming_a_field_password_hides_and_forgets_what_was_typed(review: ReviewDialog, qtbot: QtBot) -> None:
    assert _lines(review) == ["click …?", 'type "hunter2"', "click …?"]
    QTest.keyClicks(review.words, "the Passwor")
    assert _lines(review)[1] == 'type "hunter2"'
    QTest.keyClicks(review.words, "d field")
    assert _lines(review)[1] == "type secret password into the Password field"
    review.list.setCurrentRow(2)
    assert _lines(review) == ["type secret password into the Password field", "click …?"]
    assert review.list.currentRow() == 1
    QTest.keyClicks(review.words, '"Log in"')
    assert "hunter2" not in repr(vars(review))
    with qtbot.waitSignal(review.made) as made:
        review.use.click()
    assert made.args is not None
    runbook = read_yaml(made.args[0], "recorded", Path())
    assert [each.words for each in runbook.instructions] == [
        "type secret password into the Password field",
        'click "Log in"',
    ]


def test_any_text_can_be_made_a_secret(review: ReviewDialog) -> None:
    review.list.setCurrentRow(1)
    review.hide_text.click()
    assert _lines(review) == ["type secret secret into …?", "click …?"]
    assert not review.use.isEnabled()
    assert "hunter2" not in repr(vars(review))


def test_a_half_written_name_forgets_nothing(review: ReviewDialog) -> None:
    QTest.keyClicks(review.words, "PIN")
    QTest.keyClicks(review.words, "eapple field")
    review.list.setCurrentRow(2)
    assert _lines(review)[:2] == ["click PINeapple field", 'type "hunter2"']


class _Broken:
    """A node of a program that does what no node should."""

    def __getattr__(self, name: str) -> object:
        raise TypeError(name)


def test_a_program_that_breaks_the_rules_leaves_the_next_question_answered() -> None:
    tree = Tree(_Broken(), OSError)
    assert answer_line(tree, b'{"do": "focus", "id": 7}') == {"id": 7, "found": None}
    assert answer_line(tree, b"no json") == {"id": None, "found": None}
