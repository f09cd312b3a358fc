"""README and CHANGELOG keep the shape that their readers count on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.tidy import tree

# The product's inner words: a user meets none of them.
INNER_WORDS = re.compile(r"\b(worlds?|twins?|sims?|embedded|effects?)\b", re.IGNORECASE)
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
RELEASE = re.compile(r"\d+\.\d+\.\d+ — \d{4}-\d{2}-\d{2}")


@pytest.fixture
def readme() -> str:
    text = tree.text(Path("README.md")) if (tree.ROOT / "README.md").exists() else None
    if text is None:
        pytest.skip("README.md is not written yet")
    return text


def test_readme_starts_with_exactly_two_commands(readme):
    sections = re.split(r"^#{1,6} .*$", FENCE.sub(hide_headings, readme), flags=re.MULTILINE)
    first = next((section for section in sections if "```" in section), "")
    commands = [line for block in FENCE.findall(first) for line in block.split("\n") if line]
    commands = [line for line in commands if not line.startswith("\1")]
    assert len(commands) == 2, f"a newcomer types two commands; the first section has {commands}"


def test_readme_uses_no_inner_word(readme):
    found = [
        f"README.md:{number}: {match.group()}"
        for number, line in enumerate(readme.splitlines(), 1)
        for match in INNER_WORDS.finditer(line)
    ]
    assert not found, f"say it in the user's words: {found}"


def test_changelog_names_unreleased_changes_first_and_then_dated_releases():
    lines = (tree.text(Path("CHANGELOG.md")) or "").splitlines()
    headings = [line.removeprefix("## ") for line in lines if line.startswith("## ")]
    assert lines[0] == "# Changelog"
    assert headings[0] == "Unreleased"
    wrong = [heading for heading in headings[1:] if not RELEASE.fullmatch(heading)]
    assert not wrong, f"a release is headed `## 1.2.3 — 2026-01-31`; these are not: {wrong}"


def test_changelog_entries_are_list_items_under_a_heading():
    lines = (tree.text(Path("CHANGELOG.md")) or "").splitlines()
    body = lines[lines.index("## Unreleased") :]
    wrong = [line for line in body if line and not line.startswith(("## ", "- ", "  "))]
    assert not wrong, f"one change, one item; these lines are neither: {wrong}"


def hide_headings(block: re.Match[str]) -> str:
    """A fenced block whose comments are no longer mistaken for headings."""
    return re.sub(r"^#", "\1", block.group(), flags=re.MULTILINE)
