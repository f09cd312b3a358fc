"""One file with all that a hub's start needs, and a hub's directory out of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from oneco.errors import OnecoError, Refused
from oneco.main.backup import backup, restore
from tests.embedded.servers import a_server

KEPT = ("pki/ca.crt", "pki/ca.key", "port")


@pytest.fixture
def hub(tmp_path) -> Path:
    """The directory of a hub that ran."""
    with a_server(tmp_path / "hub"):
        pass
    return tmp_path / "hub"


def test_a_copy_of_a_running_hub_starts_with_its_objects_its_authority_and_its_port(tmp_path):
    with a_server(tmp_path / "hub") as running:
        url = running.url
        size = backup(tmp_path / "hub", tmp_path / "copy")
        kept = {name: (tmp_path / "hub" / name).read_bytes() for name in KEPT}
    assert size == (tmp_path / "copy").stat().st_size
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    restore(tmp_path / "copy", tmp_path / "new")
    assert {name: (tmp_path / "new" / name).read_bytes() for name in KEPT} == kept
    modes = {one.stat().st_mode & 0o777 for one in (tmp_path / "new").rglob("*") if one.is_file()}
    assert modes == {0o600}
    with a_server(tmp_path / "new") as restored:
        assert restored.store.is_copy()
        assert restored.url == url


def test_a_file_is_replaced_only_if_that_is_asked_for(tmp_path, hub):
    file = tmp_path / "copy"
    file.write_text("mine")
    with pytest.raises(Refused, match="a name that is not taken, or --force"):
        backup(hub, file)
    assert file.read_text() == "mine"
    backup(hub, file, force=True)
    restore(file, tmp_path / "new")
    assert [one.name for one in tmp_path.glob(".*")] == []


def test_a_copy_never_lands_in_the_data_that_it_copies(hub):
    with pytest.raises(Refused, match="a place outside"):
        backup(hub, hub / "objects.db", force=True)
    with pytest.raises(Refused, match="a place outside"):
        backup(hub, hub / "pki" / "copy")


def test_what_holds_no_hub_is_not_copied(tmp_path):
    with pytest.raises(Refused, match="no data of a hub"):
        backup(tmp_path, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_never_replaces_the_data_of_a_hub(tmp_path, hub):
    backup(hub, tmp_path / "copy")
    before = (hub / "objects.db").read_bytes()
    with pytest.raises(Refused, match="leave out --from"):
        restore(tmp_path / "copy", hub)
    assert (hub / "objects.db").read_bytes() == before


def test_only_a_whole_copy_is_started_from(tmp_path, hub):
    backup(hub, tmp_path / "copy")
    whole = (tmp_path / "copy").read_bytes()
    for number, content in enumerate((b"", b"no database", whole[:5000])):
        damaged = tmp_path / f"damaged-{number}"
        damaged.write_bytes(content)
        with pytest.raises(OnecoError, match="oneco backup"):
            restore(damaged, tmp_path / "new")
    with pytest.raises(Refused, match="oneco backup"):
        restore(tmp_path / "missing", tmp_path / "new")
    with pytest.raises(Refused, match="oneco backup"):
        restore(hub / "objects.db", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_file_that_names_other_places_writes_nowhere_else(tmp_path, hub):
    backup(hub, tmp_path / "copy")
    connection = sqlite3.connect(tmp_path / "copy")
    with connection:
        connection.execute("INSERT INTO meta VALUES ('file:../evil', 'x')")
    connection.close()
    restore(tmp_path / "copy", tmp_path / "new")
    assert not (tmp_path / "evil").exists()
