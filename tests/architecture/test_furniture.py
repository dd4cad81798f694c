"""What every room looks like: described at its door, and small enough to be read."""

import ast
from pathlib import Path

_PACKAGE = Path(__file__).parents[2] / "src" / "lading"
_TREES = {
    str(path.relative_to(_PACKAGE)): ast.parse(path.read_text()) for path in sorted(_PACKAGE.rglob("*.py"))
}
_MOST_METHODS = 25
_MOST_LINES = 500


def test_every_module_says_what_it_is_for() -> None:
    assert [name for name, tree in _TREES.items() if not ast.get_docstring(tree)] == []


def test_every_package_has_a_front_door() -> None:
    folders = {path.parent for path in _PACKAGE.rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_module_can_be_read_in_one_sitting() -> None:
    lines = {name: len((_PACKAGE / name).read_text().splitlines()) for name in _TREES}
    assert {name: count for name, count in lines.items() if count > _MOST_LINES} == {}


def test_no_class_reaches_everything() -> None:
    counts = {
        f"{name}: {node.name}": len(_public_methods(node))
        for name, tree in _TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    assert {name: count for name, count in counts.items() if count > _MOST_METHODS} == {}


def _public_methods(node: ast.ClassDef) -> list[str]:
    methods = (entry for entry in node.body if isinstance(entry, ast.FunctionDef | ast.AsyncFunctionDef))
    return [method.name for method in methods if not method.name.startswith("_")]
