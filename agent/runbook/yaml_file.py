"""YAML runbooks: name, variables, secrets by reference, steps with their limits.

    name: Log in
    variables: {user: anna}
    secrets:
      password: {env: LOGIN_PASSWORD}
    steps:
      - type "${user}" into the Name field
      - type secret password into the Password field
      - do: click the "Log in" button
        timeout_s: 20
        retries: 2

The file is read as a tree of nodes; no object is ever built from it. Values are taken as they are
written, so ``no`` and ``007`` stay text. Anchors, tags and repeated keys are refused.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml

from agent.runbook.runbook import Instruction, Runbook, instructions_of
from agent.runbook.secrets import EnvironmentSecret, FileSecret, SecretSource
from agent.runbook.variables import NAME, fill_text
from model.errors import InputError

MAX_FILE_BYTES = 256 * 1024
MAX_DEPTH = 6
_KEYS = ("name", "variables", "secrets", "steps")
_STEP_KEYS = ("do", "timeout_s", "retries")
_HINT = "a step that holds a colon or a # stands in single quotes, as in - 'type \"a: b\" into Name'"

T = TypeVar("T", float, int)


def load_yaml(path: Path, variables: Mapping[str, str] | None = None) -> Runbook:
    """Read a runbook file; ``variables`` replace those of the same name in it.

    Raises InputError naming the file, the line and the remedy.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(f"the runbook {path} cannot be read", why=error.strerror or str(error)) from error
    if len(content) > MAX_FILE_BYTES:
        raise InputError(f"the runbook {path} is too long", why=f"it has more than {MAX_FILE_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the runbook {path} is not UTF-8 text", why=f"byte {error.start}: {error.reason}") from error
    return read_yaml(text, path.name, path.parent, variables)


def read_yaml(text: str, file: str, folder: Path, variables: Mapping[str, str] | None = None) -> Runbook:
    """Read a runbook's text; ``file`` is what errors call it, ``folder`` where paths of secrets start.

    Raises InputError naming the file, the line and the remedy.
    """
    root = _mapping(_tree(text, file), file, _KEYS)
    if "steps" not in root:
        raise InputError(f"{file}: there are no steps", remedy="write steps: and one step a line, each after a dash")
    given = dict(variables or {})
    values = {name: _scalar(node, file) for name, node in _named(root.get("variables"), file).items()}
    unknown = sorted(set(given) - set(values))
    if unknown:
        raise InputError(
            f"{file}: there is no variable {unknown[0]!r}",
            why=f"the runbook has these variables: {', '.join(sorted(values)) or 'none'}",
        )
    values |= given
    sources = {name: _source(node, file, folder) for name, node in _named(root.get("secrets"), file).items()}
    both = sorted(set(values) & set(sources))
    if both:
        raise InputError(f"{file}: {both[0]!r} is both a variable and a secret", remedy="give one of them another name")
    instructions: list[Instruction] = []
    for node in _sequence(root["steps"], file):
        instructions += _instructions(node, file, values)
    name = _scalar(root["name"], file) if "name" in root else Path(file).stem
    return Runbook(name, tuple(instructions), sources)


def _tree(text: str, file: str) -> yaml.Node:
    try:
        _refuse_what_costs(text, file)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}, line {mark.line + 1}" if mark else file
        raise InputError(f"{place}: this is no YAML", why=error.problem or "", remedy=_HINT) from error
    except yaml.YAMLError as error:
        raise InputError(f"{file}: this is no YAML", why=" ".join(str(error).split())) from error
    if node is None:
        raise InputError(f"{file}: the file is empty", remedy="write steps: and one step a line, each after a dash")
    return node


def _refuse_what_costs(text: str, file: str) -> None:
    """Look through the events, which nest without recursion, before a tree is built of them."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InputError(
                f"{file}, line {line}: anchors and aliases are not read", remedy="write it out, or quote it"
            )
        if getattr(event, "tag", None):
            raise InputError(f"{file}, line {line}: the tag {event.tag[:60]!r} is not read", remedy="leave it out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise InputError(f"{file}, line {line}: this is nested more than {MAX_DEPTH} deep")


def _mapping(node: yaml.Node, file: str, allowed: tuple[str, ...] | None = None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        expected = f"keys are expected: {', '.join(allowed)}" if allowed else "names with values are expected"
        raise InputError(f"{_where(node, file)}: {expected}", remedy="write one a line, each followed by a colon")
    result: dict[str, yaml.Node] = {}
    for key_node, value in node.value:
        key = _scalar(key_node, file)
        if key in result:
            raise InputError(f"{_where(key_node, file)}: {key!r} is given twice", remedy="keep one of them")
        if allowed is not None and key not in allowed:
            remedy = _HINT if "do" in allowed else ""
            why = f"there are: {', '.join(allowed)}"
            raise InputError(f"{_where(key_node, file)}: there is no key {key[:100]!r}", why=why, remedy=remedy)
        result[key] = value
    return result


def _named(node: yaml.Node | None, file: str) -> dict[str, yaml.Node]:
    found = {} if node is None else _mapping(node, file)
    for name, value in found.items():
        if not NAME.fullmatch(name):
            raise InputError(
                f"{_where(value, file)}: {name[:60]!r} is no name",
                remedy="use letters, digits, _ and -; a letter first",
            )
    return found


def _sequence(node: yaml.Node, file: str) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode):
        raise InputError(f"{_where(node, file)}: steps are a list", remedy="write one step a line, each after a dash")
    return node.value


def _scalar(node: yaml.Node, file: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise InputError(f"{_where(node, file)}: one value is expected here, not a list or keys", remedy=_HINT)
    return node.value


def _source(node: yaml.Node, file: str, folder: Path) -> SecretSource:
    remedy = "write {env: NAME_OF_AN_ENVIRONMENT_VARIABLE} or {file: path}"
    if not isinstance(node, yaml.MappingNode):
        # The value is not quoted: it may be the secret itself.
        raise InputError(f"{_where(node, file)}: a secret is not written into a runbook", remedy=remedy)
    keys = _mapping(node, file, ("env", "file"))
    if len(keys) != 1:
        raise InputError(f"{_where(node, file)}: a secret has one source", remedy=remedy)
    ((kind, value),) = keys.items()
    reference = _scalar(value, file)
    if not reference or "\0" in reference:
        raise InputError(f"{_where(value, file)}: the secret's source is empty or no name", remedy=remedy)
    if kind == "env":
        return EnvironmentSecret(reference)
    try:
        return FileSecret(folder / Path(reference).expanduser())
    except RuntimeError as error:  # ~name of somebody who has no home here
        raise InputError(f"{_where(value, file)}: {reference[:60]!r} is no path here", why=str(error)) from error


def _instructions(node: yaml.Node, file: str, variables: Mapping[str, str]) -> tuple[Instruction, ...]:
    where = _where(node, file)
    if isinstance(node, yaml.ScalarNode):
        return instructions_of(node.value, where, variables)
    keys = _mapping(node, file, _STEP_KEYS)
    if "do" not in keys:
        raise InputError(f"{where}: the step says nothing to do", remedy="write do: and the step")
    timeout_s = _number(keys.get("timeout_s"), file, variables, float)
    retries = _number(keys.get("retries"), file, variables, int)
    return instructions_of(_scalar(keys["do"], file), where, variables, timeout_s, retries or 0)


def _number(node: yaml.Node | None, file: str, variables: Mapping[str, str], kind: Callable[[str], T]) -> T | None:
    if node is None:
        return None
    text = _scalar(node, file)
    try:
        return kind(fill_text(text, variables))
    except ValueError as error:
        raise InputError(
            f"{_where(node, file)}: {text[:60]!r} is no number that can stand here", why=str(error)
        ) from error


def _where(node: yaml.Node, file: str) -> str:
    return f"{file}, line {node.start_mark.line + 1}" if node.start_mark else file
