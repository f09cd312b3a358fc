"""A wrong file is answered by one clear error, and nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.badinput import rows
from tests.badinput.rows import Bad
from tests.cli.given import Hub, quiet_hub

INNER_WORDS = ("Traceback", "world", "twin", "embedded", "Go struct", "NoneType")


@pytest.mark.parametrize("bad", rows.ALL, ids=lambda bad: bad.title.replace(" ", "-"))
@pytest.mark.parametrize("command", ["apply", "diff"])
def test_a_wrong_file_is_answered_by_one_error_and_changes_nothing(
    bad: Bad, command: str, tmp_path: Path
):
    hub = quiet_hub()
    before = hub.version()
    file = tmp_path / "bad.yaml"
    file.write_bytes(bad.content if isinstance(bad.content, bytes) else bad.content.encode())
    answer = hub.type(command, "-f", file)
    assert answer.status == 1
    assert answer.out == ""
    said = answer.err.rstrip("\n").replace(str(tmp_path), "")
    assert said.count("\n") == 0, said
    place = 0
    for part in bad.says:
        assert part in said[place:], said
        place = said.index(part, place) + len(part)
    assert len(said) < 600, said
    assert not [word for word in INNER_WORDS if word in said], said
    assert hub.version() == before


def test_there_are_at_least_fifty_wrong_files():
    assert len(rows.ALL) >= 50


def test_all_mistakes_of_all_files_are_told_at_once_each_with_its_place(tmp_path: Path):
    for bad in (rows.SYNTAX[2], rows.SHAPES[5], rows.RELEASES[0]):
        name = f"{rows.ALL.index(bad)}.yaml"
        (tmp_path / name).write_text(str(bad.content))
    answer = Hub().type("apply", "-f", tmp_path)
    assert answer.status == 1
    assert answer.err.splitlines()[0] == "oneco:"
    assert len(answer.err.splitlines()) == 4
    assert "properties.batchSilence" in answer.err


def test_one_mistake_among_good_files_changes_nothing(tmp_path: Path):
    (tmp_path / "1.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: fine}\n")
    (tmp_path / "2.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: Bad}\n")
    hub = Hub()
    before = hub.version()
    assert hub.type("apply", "-f", tmp_path).status == 1
    assert hub.version() == before


def test_the_same_mistake_as_json_says_where_found_and_wanted(tmp_path: Path):
    file = tmp_path / "bad.yaml"
    file.write_text(str(rows.RELEASES[0].content))
    answer = quiet_hub().type("apply", "-f", file, "-o", "json")
    assert answer.status == 1
    error = answer.document["error"]
    assert error["where"].endswith("bad.yaml:8: spec.policies[0].properties.batchSilence")
    assert error["found"] == "10"
    assert error["wanted"].startswith('a duration such as "10m"')
    assert error["message"] in answer.err
