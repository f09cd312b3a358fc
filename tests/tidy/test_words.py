"""Names and texts: nothing is named after nothing, promised for later, or tied to one mirror."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.tidy import tree

EMPTY_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "manager", "managers"}
# Written in halves, so that this file does not find itself.
PROMISES = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
REGISTRIES = re.compile(
    r"\b(pypi\." r"org|files\.python" r"hosted\.org|proxy\.go" r"lang\.org|sum\.go" r"lang\.org"
    r"|registry\.npm" r"js|registry\.yarn" r"pkg|crates" r"\.io|repo1?\.maven\." r"(org|apache)"
    r"|deb\.deb" r"ian\.org)"
)  # fmt: skip


def test_no_module_has_a_name_that_says_nothing():
    empty = [
        str(path)
        for path in tree.files()
        if path.suffix == ".py" and EMPTY_NAMES & {path.stem, *path.parts[:-1]}
    ]
    assert not empty, f"name these after what they hold: {empty}"


def test_every_package_says_what_lives_in_it():
    silent = [
        str(path)
        for path in tree.files()
        if path.name == "__init__.py"
        and path.parts[0] == "oneco"
        and not ast.get_docstring(ast.parse(tree.text(path) or ""))
    ]
    assert not silent, f"say what lives here and what does not, in a docstring: {silent}"


def test_every_folder_of_code_is_a_package():
    # Without __init__.py neither the import contracts nor the docstring rule would see it.
    code = {path for path in tree.files() if path.suffix == ".py" and path.parts[0] == "oneco"}
    bare = {str(path.parent) for path in code if path.parent / "__init__.py" not in code}
    assert not bare, f"these miss an __init__.py: {sorted(bare)}"


def test_nothing_is_promised_for_later():
    found = lines_with(PROMISES)
    assert not found, f"do it now, or file an issue and remove the note: {found}"


def test_no_file_names_a_package_registry():
    found = lines_with(REGISTRIES)
    assert not found, f"clients are configured on the machine, never in the tree: {found}"


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern stands in the tree, as `file:line`."""
    return [
        f"{path}:{number}"
        for path in tree.files()
        if path != Path("LICENSE")
        for number, line in enumerate((tree.text(path) or "").splitlines(), 1)
        if pattern.search(line)
    ]
