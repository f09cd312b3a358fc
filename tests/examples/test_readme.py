"""What the README shows works, and both READMEs show the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from oneco import definitions
from oneco.cli import commands
from oneco.delivery.rendering import render
from oneco.kinds import validity
from oneco.kube import documents

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
PAGES = [
    *(ROOT / name for name in ("README.md", "README.zh-CN.md", "examples/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]


def blocks(name: str) -> list[tuple[str, str]]:
    """The fenced blocks without their comments."""
    found = FENCE.findall((ROOT / name).read_text())
    return [(language, re.sub(r" +#.*$", "", text, flags=re.MULTILINE)) for language, text in found]


def test_the_application_of_the_readme_becomes_a_deployment_and_a_service():
    (text,) = [text for language, text in blocks("README.md") if language == "yaml"]
    (document,) = documents.read(text, "README.md")
    assert validity.validate(document.object) == []
    rendered = render(document.object, definitions.builtin())
    assert [one.manifest["kind"] for one in rendered] == ["Deployment", "Service"]


def test_the_readme_names_only_commands_that_exist():
    typed = re.findall(r"^oneco (\w+)", "".join(t for _, t in blocks("README.md")), re.MULTILINE)
    assert typed
    assert [name for name in typed if commands.find(name) is None] == []


def test_both_readmes_show_the_same_commands_and_files():
    assert blocks("README.md") == blocks("README.zh-CN.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page):
    lost = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert not lost


def test_every_decision_stands_on_the_page_of_the_architecture():
    page = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    missing = [
        path.name
        for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))
        if f"decisions/{path.name}" not in page
    ]
    assert not missing, f"give these a line in docs/ARCHITECTURE.md: {missing}"


@pytest.mark.parametrize(
    "record",
    sorted((ROOT / "docs" / "decisions").glob("*.md")),
    ids=lambda record: record.stem,
)
def test_a_decision_record_has_its_four_parts_on_forty_lines(record):
    lines = record.read_text().splitlines()
    headings = [line for line in lines if line.startswith("## ")]
    assert headings[:3] == ["## Context", "## Choice", "## Refused"]
    assert headings[-1] == "## How we would notice that it was wrong"
    assert len(lines) <= 40
