"""Every module says why it exists and what it offers, under a name of the field."""

import ast
from pathlib import Path

import pytest

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core",
                   "manager", "handler", "handlers"}  # fmt: skip
# Migrations are scripts that Alembic runs by file, not modules that anybody imports.
NOT_MODULES = {"migrations"}


def test_no_module_has_a_name_that_says_nothing(product: list[Path], root: Path) -> None:
    parts = {part.removesuffix(".py") for path in product for part in path.relative_to(root).parts}
    assert not parts & FORBIDDEN_NAMES


def test_every_module_says_why_it_exists(product: list[Path]) -> None:
    silent = [str(path) for path in product if ast.get_docstring(parsed(path)) is None]
    assert not silent


def test_every_module_offers_what_its_all_says(product: list[Path]) -> None:
    wrong = {
        str(path): difference
        for path in product
        if path.name != "__init__.py" and not NOT_MODULES & set(path.parts)
        if (difference := difference_to_all(parsed(path)))
    }
    assert not wrong, "public names and __all__ differ"


def test_packages_hold_no_logic(product: list[Path]) -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.Expr, ast.Assign)
    wrong = [
        f"{path}:{node.lineno}"
        for path in product
        if path.name == "__init__.py"
        for node in parsed(path).body
        if not isinstance(node, allowed)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("__all__ = ['f']\ndef f(): ...\n", ""),
        ("__all__ = []\ndef f(): ...\n", "not in __all__: f"),
        ("__all__ = ['g']\n", "not defined: g"),
        ("def f(): ...\n", "no __all__"),
        ("__all__ = []\n_hidden = 1\nclock = 2\n", ""),
    ],
)
def test_the_comparison_itself_finds_each_fault(source: str, expected: str) -> None:
    assert difference_to_all(ast.parse(source)) == expected


def difference_to_all(module: ast.Module) -> str:
    """Compare `__all__` with public functions and classes; constants may stay unlisted."""
    listed: set[str] | None = None
    defined: set[str] = set()
    assigned: set[str] = set()
    for node in module.body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                defined.add(node.name)
            case ast.Assign(targets=[ast.Name("__all__")], value=ast.List(elts=elements)):
                listed = {str(each.value) for each in elements if isinstance(each, ast.Constant)}
            case ast.Assign(targets=targets):
                assigned |= {each.id for each in targets if isinstance(each, ast.Name)}
            case ast.AnnAssign(target=ast.Name(name)):
                assigned.add(name)
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                assigned |= {each.asname or each.name for each in names}
            case _:
                pass
    if listed is None:
        return "no __all__"
    unlisted = sorted(name for name in defined - listed if not name.startswith("_"))
    undefined = sorted(listed - defined - assigned)
    faults = [("not in __all__", unlisted), ("not defined", undefined)]
    return "; ".join(f"{fault}: {', '.join(names)}" for fault, names in faults if names)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
