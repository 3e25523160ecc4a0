"""Who may know whom, and what may never be called: read from the source, and from what imports really load."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("model", "agent", "app")
QT = {"PySide6", "PyQt5", "PyQt6", "shiboken6", "qtpy"}
HEAVY = {"torch", "transformers", "tensorflow", "jax"}

NEVER_KNOWS = {
    "model": {"agent", "app", "tests", *QT},
    "agent": {"app", "tests", *QT, *HEAVY},
    "app": {"tests"},
}
AGENT_MAY_USE_OF_MODEL = {"model.chat", "model.errors", "model.grounding"}
EXEMPT = {
    "model.nano.evaluate": {"agent.locate"},  # measures the built-in checkpoint over the product's own path
}
"""Modules that measure across packages; no other module may import them while it works."""
LIGHT_MODULES = (
    "model.chat",
    "model.checkpoint",
    "model.client",
    "model.config",
    "model.errors",
    "model.grounding",
    "model.image",
    "model.template",
    "model.tokenizer",
)


def _sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


ALL_SOURCES = [path for package in PACKAGES for path in _sources(package)] + [ROOT / "main.py"]


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of every import, wherever it stands; names from a module count as inside it."""
    package = _name(path) if path.name == "__init__.py" else _name(path).rpartition(".")[0]
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in {"importlib.import_module", "import_module"}:
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func)


def _where(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_know_only_what_is_below_them(package: str) -> None:
    wrong = [
        f"{_where(path, line)} imports {name}"
        for path in _sources(package)
        for line, name in _imports(path)
        if name.split(".")[0] in NEVER_KNOWS[package] and name not in EXEMPT.get(_name(path), ())
    ]
    assert not wrong


def test_the_agent_knows_the_model_by_its_protocol_alone() -> None:
    modules = {_name(path) for path in _sources("model")}
    wrong = [
        f"{_where(path, line)} imports {name}"
        for path in _sources("agent")
        for line, name in _imports(path)
        if name in modules - {"model"} - AGENT_MAY_USE_OF_MODEL - EXEMPT.get(_name(path), set())
    ]
    assert not wrong


def test_exempt_modules_are_still_needed_and_not_imported_by_the_packages_themselves() -> None:
    for module, names in EXEMPT.items():
        path = (ROOT / module.replace(".", "/")).with_suffix(".py")
        assert names <= {name for _, name in _imports(path)}, f"{module} needs no exemption any more"
        package = module.split(".")[0]
        others = [other for other in _sources(package) if other != path]
        assert not [other for other in others if module in {name for _, name in _imports(other)}]


def test_the_app_loads_no_tensors_at_import() -> None:
    wrong = [
        f"{_where(path, node.lineno)} imports {ast.unparse(node)}"
        for path in _sources("app")
        for node in _tree(path).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.split(".")[0] in HEAVY
    ]
    assert not wrong


@pytest.mark.parametrize("path", ALL_SOURCES, ids=_name)
def test_nothing_is_executed_as_code(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            assert _called(node) not in {"exec", "eval", "compile", "__import__"}, _where(path, node.lineno)
            for keyword in node.keywords:
                if keyword.arg == "trust_remote_code":
                    refused = isinstance(keyword.value, ast.Constant) and not keyword.value.value
                    assert refused, f"{_where(path, node.lineno)} passes trust_remote_code"


def _loaded_by(*command: str) -> set[str]:
    """Run a Python command line in a fresh interpreter; return the top-level modules it left loaded."""
    report = (
        "import atexit, sys; atexit.register(lambda: print('\\n' + ' '.join({m.split('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"{report}\n{command[0]}", *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_light_modules_load_no_torch(module: str) -> None:
    assert not _loaded_by(f"import {module}") & (HEAVY | QT)


def test_the_agent_loads_no_torch_and_no_qt() -> None:
    modules = [_name(path) for path in _sources("agent") if _name(path) not in EXEMPT]
    assert not _loaded_by("\n".join(f"import {module}" for module in modules)) & (HEAVY | QT)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]], ids=" ".join)
def test_help_loads_neither_torch_nor_qt(arguments: list[str]) -> None:
    program = "import runpy, sys; sys.argv[0] = 'main.py'; runpy.run_path('main.py', run_name='__main__')"
    assert not _loaded_by(program, *arguments) & (HEAVY | QT)
