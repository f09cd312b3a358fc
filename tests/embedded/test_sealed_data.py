"""What lies on the disk: nothing that can be read, moved or exchanged without the key."""

from __future__ import annotations

import base64
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oneco.errors import Refused
from oneco.kube.errors import InternalError
from oneco.kube.objects import encode
from oneco.worlds.apiserver.store import Key
from oneco.worlds.embedded.keys import KeyFile
from oneco.worlds.embedded.migrations import SEALED, STEPS
from oneco.worlds.embedded.rotation import rotate
from oneco.worlds.embedded.sqlite import SqliteStore

PLANTED = "hunter2-planted"
FORMS = (PLANTED.encode(), base64.b64encode(PLANTED.encode()))


def key(name: str) -> Key:
    return Key("/secrets", "default", name)


def a_secret(name: str, value: str = PLANTED) -> dict[str, Any]:
    data = {"password": base64.b64encode(value.encode()).decode()}
    return {"metadata": {"name": name}, "data": data, "stringData": {"plain": value}}


def files_with_the_secret(directory: Path) -> list[str]:
    found = [one for one in directory.rglob("*") if one.is_file()]
    return [one.name for one in found if any(form in one.read_bytes() for form in FORMS)]


def filled(path: Path, count: int = 30) -> None:
    store = SqliteStore(path)
    for number in range(count):
        store.commit(key(f"s{number}"), a_secret(f"s{number}"))
    store.close()


def a_plain_database(path: Path, count: int) -> None:
    """As the version before wrote it, with changes that only free pages remember."""
    with sqlite3.connect(path) as database:
        for statement in STEPS[0]:
            database.execute(statement)
        database.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)")
        database.execute("INSERT INTO schema_version VALUES (1)")
        database.execute("INSERT INTO meta VALUES ('file:pki/ca.key', ?)", (PLANTED,))
        for number in range(1, count + 1):
            value = encode({**a_secret(f"s{number}"), "filling": PLANTED * 300})
            row = (number, 0, "/secrets", "default", f"s{number}", value)
            database.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", row)
            place = ("/secrets", "default", f"s{number}", number)
            database.execute("INSERT INTO current VALUES (?, ?, ?, ?)", place)
        database.execute(f"DELETE FROM log WHERE revision > {count - 5}")
        database.execute(f"DELETE FROM current WHERE revision > {count - 5}")
    database.close()


def password(store: SqliteStore, name: str) -> str:
    found: Any = store.get(key(name))
    return found["stringData"]["plain"]


def names_of_keys(path: Path) -> list[str]:
    return list(KeyFile(path.with_name("keys")).read().names())


def test_no_file_beside_a_running_store_shows_a_secret(tmp_path):
    store = SqliteStore(tmp_path / "db", history=10)
    for number in range(40):
        store.commit(key("s"), a_secret("s", f"{PLANTED}-{number}"))
    assert (tmp_path / "db-wal").stat().st_size > 0
    assert files_with_the_secret(tmp_path) == []
    store.close()
    assert files_with_the_secret(tmp_path) == []
    again = SqliteStore(tmp_path / "db")
    assert password(again, "s") == f"{PLANTED}-39"
    assert [change.after is not None for change in again.changes(35, "/secrets")] == [True] * 5
    again.close()


def test_the_key_lies_apart_and_is_its_owners_alone(tmp_path):
    filled(tmp_path / "db", 1)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o600
    secret = KeyFile(tmp_path / "keys").read().current.secret
    assert secret not in (tmp_path / "db").read_bytes()
    assert base64.urlsafe_b64encode(secret) not in (tmp_path / "db").read_bytes()


def test_a_plain_database_is_sealed_when_it_is_opened_and_nothing_plain_stays(tmp_path):
    a_plain_database(tmp_path / "db", 60)
    assert files_with_the_secret(tmp_path) == ["db"]
    store = SqliteStore(tmp_path / "db")
    assert files_with_the_secret(tmp_path) == []
    assert (store.revision(), len(store.scan("/secrets"))) == (55, 55)
    assert password(store, "s7") == PLANTED
    store.close()
    assert files_with_the_secret(tmp_path) == []


KILLED = """
import os, pathlib, sys
from oneco.worlds.embedded import sealing, unlocking
path, left = pathlib.Path(sys.argv[2]), int(sys.argv[3])
seal = sealing.Safe.seal
def dying(self, content, about):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), 9)
    return seal(self, content, about)
sealing.Safe.seal = dying
unlocking._STEP = 7
exec(sys.argv[1])
"""
OPEN = "from oneco.worlds.embedded.sqlite import SqliteStore; SqliteStore(path)"
ROTATE = "from oneco.worlds.embedded.rotation import rotate; rotate(path)"


def kill_in(work: str, path: Path, seals: int) -> None:
    command = [sys.executable, "-c", KILLED, work, str(path), str(seals)]
    assert subprocess.run(command, timeout=20).returncode == -9


def test_sealing_a_plain_database_may_be_killed_and_goes_on(tmp_path):
    a_plain_database(tmp_path / "db", 40)
    for seals in (0, 11, 34):
        kill_in(OPEN, tmp_path / "db", seals)
    store = SqliteStore(tmp_path / "db")
    assert len(store.scan("/secrets")) == 35
    assert files_with_the_secret(tmp_path) == []
    store.close()


def test_a_new_key_seals_everything_anew_while_the_store_is_used(tmp_path):
    store = SqliteStore(tmp_path / "db")
    for number in range(30):
        store.commit(key(f"s{number}"), a_secret(f"s{number}"))
    (old,) = names_of_keys(tmp_path / "db")
    assert rotate(tmp_path / "db") == 30
    store.commit(key("later"), a_secret("later"))
    assert {password(store, f"s{number}") for number in range(30)} == {PLANTED}
    store.close()
    assert bytes.fromhex(old) not in (tmp_path / "db").read_bytes()
    # Backups of before need it still.
    assert names_of_keys(tmp_path / "db")[0] == old
    assert len(names_of_keys(tmp_path / "db")) == 2


def test_what_a_killed_change_of_keys_left_is_finished_by_the_next(tmp_path):
    filled(tmp_path / "db", 30)
    (old,) = names_of_keys(tmp_path / "db")
    kill_in(ROTATE, tmp_path / "db", 16)
    assert bytes.fromhex(old) in (tmp_path / "db").read_bytes()
    # No third key: the second one is not used up.
    assert rotate(tmp_path / "db") == 16
    assert len(names_of_keys(tmp_path / "db")) == 2
    store = SqliteStore(tmp_path / "db")
    assert len(store.scan("/secrets")) == 30
    store.close()
    assert bytes.fromhex(old) not in (tmp_path / "db").read_bytes()


def test_a_start_finishes_a_killed_change_of_keys_too(tmp_path):
    filled(tmp_path / "db", 30)
    (old,) = names_of_keys(tmp_path / "db")
    kill_in(ROTATE, tmp_path / "db", 9)
    SqliteStore(tmp_path / "db").close()
    assert bytes.fromhex(old) not in (tmp_path / "db").read_bytes()


def content(directory: Path) -> dict[str, bytes]:
    found = {one.name: one.read_bytes() for one in directory.iterdir() if one.is_file()}
    return {name: data for name, data in found.items() if not name.endswith((".lock", "-shm"))}


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("loss", ["missing", "another hub's", "damaged", "empty"])
def test_data_without_its_key_is_refused_and_left_as_it_is(tmp_path, loss, is_killed):
    if is_killed:
        code = f"import os; {OPEN.replace('SqliteStore(path)', '')}\nfrom pathlib import Path\n"
        write = (
            "from oneco.worlds.apiserver.store import Key\n"
            f"SqliteStore(Path({str(tmp_path / 'db')!r})).commit("
            "Key('/secrets', 'default', 's'), {'metadata': {}})\nos._exit(0)"
        )
        subprocess.run([sys.executable, "-c", code + write], check=True, timeout=20)
        assert (tmp_path / "db-wal").exists()
    else:
        filled(tmp_path / "db", 3)
    keys = tmp_path / "keys"
    (name,) = names_of_keys(tmp_path / "db")
    original = keys.read_bytes()
    if loss == "missing":
        keys.unlink()
    elif loss == "another hub's":
        (tmp_path / "other").mkdir()
        filled(tmp_path / "other" / "db", 1)
        os.replace(tmp_path / "other" / "keys", keys)
    else:
        keys.write_bytes(original.replace(name.encode(), b"0" * 16) if loss == "damaged" else b"")
    before = content(tmp_path)
    with pytest.raises(Refused, match="oneco keys export"):
        SqliteStore(tmp_path / "db")
    assert content(tmp_path) == before
    keys.write_bytes(original)
    SqliteStore(tmp_path / "db").close()


def test_a_damaged_key_is_told_of_without_being_shown(tmp_path):
    filled(tmp_path / "db", 1)
    keys = tmp_path / "keys"
    secret = base64.urlsafe_b64encode(KeyFile(keys).read().current.secret).decode()
    keys.write_text(keys.read_text().replace(secret, secret[:-3]))
    with pytest.raises(Refused) as refusal:
        SqliteStore(tmp_path / "db")
    assert secret[:-3] not in str(refusal.value)


@pytest.mark.parametrize(
    "change",
    [
        # Each of two secrets gets the other's content.
        "UPDATE log SET value = (SELECT o.value FROM log o WHERE o.revision = 3 - log.revision)",
        # A name leads to another one's record.
        "UPDATE current SET revision = 2 WHERE name = 's0'",
        # Content is exchanged for something plain.
        'UPDATE log SET value = \'{"stringData":{"plain":"forged"}}\'',
        # Two bytes of the content are different.
        "UPDATE log SET value = CAST(substr(value, 1, 40) || x'0000' || substr(value, 43) AS BLOB)",
    ],
)
def test_what_was_changed_or_moved_in_the_file_does_not_open(tmp_path, change):
    filled(tmp_path / "db", 2)
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute(change)
    database.close()
    store = SqliteStore(tmp_path / "db")
    with pytest.raises(InternalError, match=r"changed or moved|not sealed"):
        store.get(key("s0"))
    store.close()


def test_keys_that_vanish_under_a_running_store_stop_it_only_at_the_next_start(tmp_path):
    store = SqliteStore(tmp_path / "db")
    store.commit(key("before"), a_secret("before"))
    (tmp_path / "keys").unlink()
    store.commit(key("after"), a_secret("after"))
    assert password(store, "after") == PLANTED
    store.close()
    with pytest.raises(Refused, match="no file"):
        SqliteStore(tmp_path / "db")


def test_the_layout_says_that_its_values_are_sealed(tmp_path):
    filled(tmp_path / "db", 1)
    with sqlite3.connect(tmp_path / "db") as database:
        found = database.execute("SELECT max(version) FROM schema_version").fetchone()
    database.close()
    assert found == (SEALED,) == (2,)
