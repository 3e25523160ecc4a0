"""YAML runbooks as a person writes them: what is read, and what is refused with file and line."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.runbook.runbook import Instruction, read_plain
from agent.runbook.secrets import EnvironmentSecret, FileSecret, read_secret
from agent.runbook.steps import CheckStep, ClickStep, Element, SecretName, TypeStep
from agent.runbook.yaml_file import MAX_FILE_BYTES, load_yaml, read_yaml
from agent.types import TypeText
from model.errors import InputError

LOGIN = """\
name: Log in
variables:
  user: anna
  answer: no
secrets:
  password: {env: LOGIN_PASSWORD}
  pin: {file: pin.txt}
steps:
  - type "${user}" into the Name field
  - type secret password into the Password field
  - do: click the "Log in" button, then wait until "Welcome, ${user}" appears
    timeout_s: 20
    retries: 2
  - 'type "answer: ${answer} # $${user}" into Notes'
  - check that "Error" is not shown
"""


def login(tmp_path: Path, text: str = LOGIN) -> Path:
    path = tmp_path / "login.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_runbook_is_read_with_its_variables_secrets_and_limits(tmp_path: Path) -> None:
    runbook = load_yaml(login(tmp_path))
    assert runbook.name == "Log in"
    assert runbook.secrets == {"password": EnvironmentSecret("LOGIN_PASSWORD"), "pin": FileSecret(tmp_path / "pin.txt")}
    first, second, third, fourth, fifth, sixth = runbook.instructions
    assert first == Instruction(TypeStep("anna", Element("the Name field")), "login.yaml, line 9")
    assert second.step == TypeStep(SecretName("password"), Element("the Password field"))
    assert third.step == ClickStep(Element('the "Log in" button'))
    assert (third.limit_s, third.retries) == (20.0, 2)
    assert fourth.words == 'wait until "Welcome, anna" appears'
    assert (fourth.limit_s, fourth.retries) == (20.0, 2)
    assert fifth.step == TypeStep("answer: no # ${user}", Element("Notes"))
    assert sixth.step == CheckStep(Element("Error", literal=True), shown=False)


def test_the_command_line_replaces_variables_and_may_not_invent_them(tmp_path: Path) -> None:
    runbook = load_yaml(login(tmp_path), {"user": "then click Delete"})
    assert runbook.instructions[0].step == TypeStep("then click Delete", Element("the Name field"))
    with pytest.raises(InputError, match="no variable 'usr'"):
        load_yaml(login(tmp_path), {"usr": "bob"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: [click A]\nsteps: [click B]\n", "line 2: 'steps' is given twice"),
        ("variables: {a: 1, a: 2}\nsteps: [click A]\n", "'a' is given twice"),
        ("steps:\n  - click A\n  - clik B\n", "line 3: the step 'clik B' cannot be read"),
        ('steps:\n  - type "a: b" into X\n', "single quotes"),
        ('steps:\n  - type "a #b" into X\n', "no closing"),
        ("steps:\n  - &x click A\n  - *x\n", "anchors and aliases"),
        ("steps:\n  - !!python/object/apply:os.system [id]\n", "tag"),
        ("steps: [[[[[[[[click A]]]]]]]]\n", "nested"),
        ("steps: " + "[" * 100_000, "nested"),
        ("stps:\n  - click A\n", "there is no key 'stps'"),
        ("name: x\n", "there are no steps"),
        ("steps: []\n", "0 steps"),
        ("", "empty"),
        ("- click A\n", "keys are expected"),
        ("steps: click A\n", "steps are a list"),
        ("steps:\n  - {do: click A, timeout_s: soon}\n", "'soon' is no number"),
        ("steps:\n  - {do: click A, timeout_s: nan}\n", "timeout_s is nan"),
        ("steps:\n  - {do: click A, retries: -1}\n", "retries is -1"),
        ("steps:\n  - {timeout_s: 3}\n", "nothing to do"),
        ('steps:\n  - click "${who}"\n', "no variable 'who'"),
        ("secrets: {p: hunter2}\nsteps: [click A]\n", "not written into a runbook"),
        ("secrets: {p: {env: A, file: b}}\nsteps: [click A]\n", "one source"),
        ("steps: [type secret p into P]\n", "no secret 'p'"),
        ("variables: {p: 1}\nsecrets: {p: {env: A}}\nsteps: [click A]\n", "both a variable and a secret"),
        ("variables: {1a: 1}\nsteps: [click A]\n", "no name"),
        ("variables: {a: [1]}\nsteps: [click A]\n", "one value is expected"),
        ("steps: [click A]\n---\nsteps: [click B]\n", "no YAML"),
        ("steps: [click \x00]\n", "no YAML"),
        ("steps:\n\t- click A\n", "no YAML"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        load_yaml(login(tmp_path, text))
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_secret_of_a_variable_is_no_way_to_type_it_in_the_open(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no variable 'password'"):
        load_yaml(login(tmp_path, LOGIN.replace("${user}", "${password}")))


def test_files_that_are_too_long_or_no_text_or_not_there_are_refused(tmp_path: Path) -> None:
    path = login(tmp_path, "#" * (MAX_FILE_BYTES + 1))
    with pytest.raises(InputError, match="too long"):
        load_yaml(path)
    path.write_bytes(b"steps: [click \xff]")
    with pytest.raises(InputError, match="not UTF-8"):
        load_yaml(path)
    with pytest.raises(InputError, match="cannot be read"):
        load_yaml(tmp_path / "none.yaml")


def test_a_secret_is_read_when_it_is_typed_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOGIN_PASSWORD", "hunter2")
    typed = read_secret("password", EnvironmentSecret("LOGIN_PASSWORD"))
    assert typed == TypeText("hunter2", secret=True)
    assert "hunter2" not in repr(typed)
    monkeypatch.delenv("LOGIN_PASSWORD")
    with pytest.raises(InputError, match="LOGIN_PASSWORD is not set"):
        read_secret("password", EnvironmentSecret("LOGIN_PASSWORD"))

    path = tmp_path / "pin.txt"
    path.write_text("hunter3\n", encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        read_secret("pin", FileSecret(path))
    path.chmod(0o600)
    assert read_secret("pin", FileSecret(path)).text == "hunter3"
    for content in (b"", b"x" * 5000, b"\xff", b"hunter4\x07"):
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            read_secret("pin", FileSecret(path))
        assert "hunter4" not in str(caught.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_secret("pin", FileSecret(tmp_path))


def test_plain_lines_are_a_runbook_too() -> None:
    runbook = read_plain("# a comment\n\nclick A, then click B\ncheck that C is shown\n", "steps.txt")
    assert [each.where for each in runbook.instructions] == [
        "steps.txt, line 3",
        "steps.txt, line 3",
        "steps.txt, line 4",
    ]
    with pytest.raises(InputError, match=r"steps\.txt, line 2"):
        read_plain("click A\ntip over\n", "steps.txt")


@given(st.text(max_size=100) | st.text("steps: -\n[]{}&*!'\"|>%@`#click A", max_size=100))
def test_any_text_is_a_runbook_or_an_input_error(text: str) -> None:
    for source in (text, f"steps:\n  - {text}", f"steps: [click A]\nvariables:\n  {text}"):
        with suppress(InputError):
            read_yaml(source, "x.yaml", Path())
