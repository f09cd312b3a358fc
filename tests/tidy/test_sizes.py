"""Files and functions stay small enough to be read at once (docs: STYLE)."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.tidy import tree

FILE_LINES = 600
FUNCTION_LINES = 70
FILE_BYTES = 1 << 20


def test_no_file_of_code_is_longer_than_600_lines():
    too_long = {
        str(path): lines
        for path in tree.python_files()
        if (lines := len((tree.text(path) or "").splitlines())) > FILE_LINES
    }
    assert not too_long, f"split these along their nouns (aim at 400 lines): {too_long}"


def test_no_function_is_longer_than_70_lines():
    too_long = {
        f"{path}:{function.lineno} {function.name}": lines
        for path in tree.python_files()
        for function in functions(tree.text(path) or "")
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    }
    assert not too_long, f"split these (aim at 40 lines): {too_long}"


def test_no_file_is_larger_than_one_mebibyte():
    too_large = {
        str(path): size
        for path in tree.files()
        if (size := (tree.ROOT / path).stat().st_size) > FILE_BYTES
    }
    assert not too_large, f"git keeps these for ever; generate or shrink them: {too_large}"


def functions(source: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, at any depth."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
