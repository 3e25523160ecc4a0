"""The way to the hands: nobody but the policy may make any, and nobody can without a gate."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAY_IMPORT = {"agent/policy.py"}
HARMLESS = {"agent.hands.gate", "agent.hands.release", "agent.hands.keymap", "agent.hands.keysyms"}
"""What asks for permission, what only ever lets go, and what only says which key makes which character."""


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value  # importlib.import_module("…")


def test_only_the_policy_reaches_for_hands() -> None:
    sources = [ROOT / "main.py", *(path for name in ("agent", "app", "model") for path in (ROOT / name).rglob("*.py"))]
    offenders: list[str] = []
    for path in sources:
        name = path.relative_to(ROOT).as_posix()
        if name in MAY_IMPORT or name.startswith("agent/hands/"):
            continue
        reached = {module for module in _imported(path) if module == "agent.hands" or module.startswith("agent.hands.")}
        allowed = {module for module in reached if any(f"{module}.".startswith(f"{ok}.") for ok in HARMLESS)}
        offenders += [f"{name} imports {module}" for module in sorted(reached - allowed - {"agent.hands"})]
    assert offenders == []


def test_hands_have_no_default_gate() -> None:
    tree = ast.parse((ROOT / "agent" / "hands" / "x11.py").read_text(encoding="utf-8"))
    (hands,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "X11Hands")
    (init,) = (node for node in hands.body if isinstance(node, ast.FunctionDef) and node.name == "__init__")
    names = [argument.arg for argument in init.args.args]
    assert names[1] == "gate"
    assert len(names) - len(init.args.defaults) == 2
