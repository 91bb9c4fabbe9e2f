"""A file is a room and a function is a thought: both have a hard stop."""

import ast
from pathlib import Path

LINES_A_FILE = 400
LINES_A_FUNCTION = 50


def test_no_file_is_longer_than_the_hard_stop(product: list[Path]) -> None:
    long = {
        str(path): lines
        for path in product
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES_A_FILE
    }
    assert not long, f"files over {LINES_A_FILE} lines hold two ideas: {long}"


def test_no_function_is_longer_than_the_hard_stop(product: list[Path]) -> None:
    long = {
        f"{path}:{function.lineno} {function.name}": lines
        for path in product
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := lines_without_docstring(function)) > LINES_A_FUNCTION
    }
    assert not long, f"functions over {LINES_A_FUNCTION} lines: {long}"


def lines_without_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        lines -= first.end_lineno - first.lineno + 1
    return lines
