"""One file with all that a hub's start needs, and a hub's directory out of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from oneco.errors import OnecoError, Refused
from oneco.main import keys
from oneco.main.backup import backup, restore
from oneco.worlds.embedded import succession
from oneco.worlds.embedded.authority import _write_new_authority
from oneco.worlds.embedded.migrations import STEPS
from tests.embedded.servers import a_server

KEPT = ("pki/ca.crt", "pki/ca.key", "port")


def keys_of(hub: Path) -> Path:
    """The keys of the hub as a person exports them."""
    place = hub.with_name(f"{hub.name}.keys")
    keys.export(hub, place, force=True)
    return place


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
        key = keys_of(tmp_path / "hub")
    assert size == (tmp_path / "copy").stat().st_size
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    restore(tmp_path / "copy", tmp_path / "new", key)
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
    restore(file, tmp_path / "new", keys_of(hub))
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
            restore(damaged, tmp_path / "new", keys_of(hub))
    with pytest.raises(Refused, match="oneco backup"):
        restore(tmp_path / "missing", tmp_path / "new", keys_of(hub))
    with pytest.raises(Refused, match="oneco backup"):
        restore(hub / "objects.db", tmp_path / "new", keys_of(hub))
    assert not (tmp_path / "new").exists()


def test_a_file_that_names_other_places_writes_nowhere_else(tmp_path, hub):
    backup(hub, tmp_path / "copy")
    connection = sqlite3.connect(tmp_path / "copy")
    with connection:
        connection.execute("INSERT INTO meta VALUES ('file:../evil', 'x')")
    connection.close()
    restore(tmp_path / "copy", tmp_path / "new", keys_of(hub))
    assert not (tmp_path / "evil").exists()


def test_a_copy_shows_nothing_without_its_keys_and_leaves_none_of_its_files_behind(tmp_path, hub):
    authority = (hub / "pki" / "ca.key").read_bytes()
    middle = authority.splitlines()[1]
    backup(hub, tmp_path / "copy")
    assert middle not in (tmp_path / "copy").read_bytes()
    restore(tmp_path / "copy", tmp_path / "new", keys_of(hub))
    assert (tmp_path / "new" / "pki" / "ca.key").read_bytes() == authority
    database = sqlite3.connect(tmp_path / "new" / "objects.db")
    assert database.execute("SELECT name FROM meta WHERE name LIKE 'file:%'").fetchall() == []
    database.close()


def test_a_change_of_the_authority_goes_on_in_the_hub_that_is_restored(tmp_path):
    with a_server(tmp_path / "hub") as running:
        succession.begin(running.authority.directory, "one", _write_new_authority)
        backup(tmp_path / "hub", tmp_path / "copy")
    restore(tmp_path / "copy", tmp_path / "new", keys_of(tmp_path / "hub"))
    for name in ("ca.crt", "ca.key", "name"):
        kept = (tmp_path / "hub" / "pki" / "next" / name).read_bytes()
        assert (tmp_path / "new" / "pki" / "next" / name).read_bytes() == kept
    assert succession.present_change(tmp_path / "new" / "pki") == "one"


def test_without_its_keys_or_with_others_nothing_is_made(tmp_path, hub):
    backup(hub, tmp_path / "copy")
    with a_server(tmp_path / "other"):
        pass
    (tmp_path / "empty.keys").write_text("")
    (tmp_path / "torn.keys").write_text(keys_of(hub).read_text()[:-20])
    name = keys.read(hub).current.name
    for key, said in (
        (None, f"--key FILE with key {name}"),
        (tmp_path / "missing.keys", "nothing that can be read"),
        (tmp_path / "copy", "nothing that can be read|no key|damaged key"),
        (tmp_path / "empty.keys", "no key"),
        (tmp_path / "torn.keys", "damaged key"),
        (keys_of(tmp_path / "other"), f"wanted key {name}, which sealed this data"),
    ):
        with pytest.raises(Refused, match=said):
            restore(tmp_path / "copy", tmp_path / "new", key)
    assert not (tmp_path / "new").exists()


def test_a_copy_with_one_changed_record_is_refused(tmp_path, hub):
    backup(hub, tmp_path / "copy")
    with sqlite3.connect(tmp_path / "copy") as database:
        database.execute(
            "UPDATE log SET value = CAST(substr(value, 1, 40) || x'0000' || substr(value, 43) AS"
            " BLOB) WHERE revision = (SELECT max(revision) FROM log WHERE value IS NOT NULL)"
        )
    database.close()
    with pytest.raises(Refused, match="a damaged or incomplete copy"):
        restore(tmp_path / "copy", tmp_path / "new", keys_of(hub))
    assert not (tmp_path / "new").exists()


def test_a_copy_of_before_a_change_of_keys_opens_with_the_keys_of_after_it(tmp_path, hub):
    backup(hub, tmp_path / "copy")
    keys.change(hub)
    assert [key.is_exported for key in keys.read(hub).keys] == [False, False]
    restore(tmp_path / "copy", tmp_path / "new", keys_of(hub))
    assert [key.is_exported for key in keys.read(hub).keys] == [True, True]
    with a_server(tmp_path / "new") as restored:
        assert restored.store.is_copy()
    # The start has sealed it anew: a copy made now needs the new key alone.
    backup(tmp_path / "new", tmp_path / "second")
    with pytest.raises(Refused) as refusal:
        restore(tmp_path / "second", tmp_path / "third")
    assert keys.read(hub).current.name in str(refusal.value)
    assert keys.read(hub).keys[0].name not in str(refusal.value)


def test_plain_data_of_an_older_oneco_is_not_copied_but_a_plain_copy_is_gone_on_from(tmp_path):
    (tmp_path / "old").mkdir()
    with sqlite3.connect(tmp_path / "old" / "objects.db") as database:
        for statement in STEPS[0]:
            database.execute(statement)
        database.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)")
        database.execute("INSERT INTO schema_version VALUES (1)")
    with pytest.raises(Refused, match="start this hub once"):
        backup(tmp_path / "old", tmp_path / "copy")
    with sqlite3.connect(tmp_path / "old" / "objects.db") as database:
        for name in ("pki/ca.crt", "pki/ca.key"):
            database.execute("INSERT INTO meta VALUES (?, 'pem')", (f"file:{name}",))
    database.close()
    restore(tmp_path / "old" / "objects.db", tmp_path / "new")
    assert (tmp_path / "new" / "pki" / "ca.key").read_text() == "pem"
