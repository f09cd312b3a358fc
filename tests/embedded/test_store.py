"""The store on disk: what it promises about reading, writing, dying and copying."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oneco.errors import OnecoError, Refused
from oneco.kube.errors import Expired, ServiceUnavailable
from oneco.kube.objects import Object
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.store import Change, Key
from oneco.worlds.embedded.held import Values
from oneco.worlds.embedded.sqlite import SqliteStore

MAPS = "/configmaps"


def a_map(value: str = "") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "m"},
        "data": {"v": value},
    }


def key(name: str, namespace: str = "default") -> Key:
    return Key(MAPS, namespace, name)


def found(store: SqliteStore, name: str) -> Any:
    return store.get(key(name))


def past(store: SqliteStore, since: int) -> list[Any]:
    return list(store.changes(since, MAPS))


def fill(path: Path, count: int, *, history: int = 10_000) -> SqliteStore:
    store = SqliteStore(path, history=history)
    for number in range(1, count + 1):
        store.commit(key("m"), a_map(str(number)))
    return store


def test_an_object_carries_the_revision_of_its_commit(tmp_path):
    store = SqliteStore(tmp_path / "db")
    store.commit(key("a"), a_map())
    change = store.commit(key("b"), a_map())
    assert change.revision == 2
    assert found(store, "b")["metadata"]["resourceVersion"] == "2"
    store.close()


@pytest.mark.parametrize("is_on_disk", [True, False])
def test_a_scan_is_ordered_by_namespace_then_name_and_can_go_on(tmp_path, is_on_disk):
    store = SqliteStore(tmp_path / "db") if is_on_disk else MemoryStore()
    for namespace, name in [("b", "x"), ("a", "z"), ("a-b", "k"), ("a", "y")]:
        store.commit(key(name, namespace), {"metadata": {"name": name, "namespace": namespace}})

    def names(**options):
        listed = store.scan(MAPS, **options)
        return [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in listed]

    assert names() == [("a", "y"), ("a", "z"), ("a-b", "k"), ("b", "x")]
    assert names(after=("a", "y"), limit=2) == [("a", "z"), ("a-b", "k")]
    assert names(after=("a", "y"), limit=1) == [("a", "z")]
    assert names(namespace="a") == [("a", "y"), ("a", "z")]
    assert store.count(MAPS, after=("a", "y")) == 3
    assert store.count(MAPS, "a", after=("a", "z")) == 0
    assert (store.count(MAPS), store.count(MAPS, "a"), store.count("/pods")) == (4, 2, 0)
    store.close()


def test_everything_is_there_after_a_restart(tmp_path):
    store = fill(tmp_path / "db", 3)
    store.commit(key("gone"), a_map())
    store.commit(key("gone"), None)
    store.close()
    again = SqliteStore(tmp_path / "db")
    assert again.revision() == 5
    assert found(again, "m")["data"] == {"v": "3"}
    assert again.get(key("gone")) is None
    assert [change.revision for change in again.changes(2, MAPS)] == [3, 4, 5]
    again.close()


def test_a_change_tells_what_was_there_before(tmp_path):
    store = fill(tmp_path / "db", 2)
    store.commit(key("m"), None)
    created, updated, removed = past(store, 0)
    assert (created.before, created.after["data"]) == (None, {"v": "1"})
    assert (updated.before["data"], updated.after["data"]) == ({"v": "1"}, {"v": "2"})
    assert (removed.before["data"], removed.after) == ({"v": "2"}, None)
    store.close()


def test_history_is_bounded_and_asking_behind_it_is_refused(tmp_path):
    store = fill(tmp_path / "db", 40, history=10)
    assert 25 <= store.oldest() <= 30
    assert len(list(store.changes(30, MAPS))) == 10
    first = past(store, store.oldest())[0]
    assert first.before["data"] == {"v": str(store.oldest())}
    with pytest.raises(Expired):
        list(store.changes(1, MAPS))
    rows = sqlite3.connect(tmp_path / "db").execute("SELECT count(*) FROM log").fetchone()[0]
    assert rows <= 16
    store.close()
    again = SqliteStore(tmp_path / "db")
    assert (again.revision(), again.oldest()) == (40, store.oldest())
    again.close()


def test_a_small_cache_changes_nothing_but_speed(tmp_path):
    store = SqliteStore(tmp_path / "db", cache_bytes=300)
    for number in range(50):
        store.commit(key(f"m{number:02}"), a_map(str(number)))
    assert [one["data"]["v"] for one in store.scan(MAPS)] == [str(number) for number in range(50)]
    store.close()


def test_watchers_hear_only_of_what_is_durable_and_in_order(tmp_path):
    async def run():
        loop = asyncio.get_running_loop()
        store = SqliteStore(tmp_path / "db", call_soon=loop.call_soon_threadsafe)
        heard: list[int] = []
        store.on_durable(lambda change: heard.append(change.revision))
        changes = [store.commit(key(f"m{number}"), a_map()) for number in range(20)]
        assert (store.revision(), heard, list(store.changes(0, MAPS))) == (20, [], [])
        assert len(store.scan(MAPS)) == 20
        await store.durable(changes[-1].revision)
        assert heard == list(range(1, 21))
        assert store.durable_revision() == 20
        store.close()

    asyncio.run(run())


def test_what_is_pending_can_be_undone_too(tmp_path):
    async def run():
        loop = asyncio.get_running_loop()
        store = SqliteStore(tmp_path / "db", call_soon=loop.call_soon_threadsafe)
        first = store.commit(key("m"), a_map("1"))
        await store.durable(first.revision)
        store.commit(key("m"), a_map("2"))
        assert list(store.changes(1, MAPS)) == []
        changes = list(store.changes(0, MAPS, include_pending=True))
        assert [change.revision for change in changes] == [1, 2]
        store.close()

    asyncio.run(run())


def test_what_a_listener_commits_in_turn_follows_its_cause(tmp_path):
    async def run(store):
        heard: list[str] = []

        def answer(change: Change) -> None:
            if change.key.name == "cause":
                store.commit(key("effect"), a_map())

        store.on_commit(answer)
        store.on_durable(lambda change: heard.append(change.key.name))
        store.commit(key("cause"), a_map())
        await store.durable(store.revision())
        assert heard == ["cause", "effect"]
        store.close()

    async def with_a_thread():
        loop = asyncio.get_running_loop()
        await run(SqliteStore(tmp_path / "one", call_soon=loop.call_soon_threadsafe))

    asyncio.run(with_a_thread())
    asyncio.run(run(SqliteStore(tmp_path / "two")))


def test_a_full_disk_fails_the_request_and_keeps_what_was_acknowledged(tmp_path):
    async def run():
        loop = asyncio.get_running_loop()
        store = SqliteStore(tmp_path / "db", call_soon=loop.call_soon_threadsafe)
        first = store.commit(key("kept"), a_map())
        await store.durable(first.revision)
        store._journal._connection.execute("PRAGMA max_page_count = 1")
        lost = store.commit(key("lost"), a_map("x" * 100_000))
        with pytest.raises(ServiceUnavailable, match="reads only"):
            await store.durable(lost.revision)
        with pytest.raises(ServiceUnavailable, match="full"):
            store.commit(key("next"), a_map())
        assert store.get(key("lost")) is None
        assert found(store, "kept")["data"] == {"v": ""}
        assert store.revision() == 1
        store.close()

    asyncio.run(run())
    again = SqliteStore(tmp_path / "db")
    assert [one["metadata"]["resourceVersion"] for one in again.scan(MAPS)] == ["1"]
    again.close()


def test_a_second_process_is_told_which_one_has_the_database(tmp_path):
    store = SqliteStore(tmp_path / "db")
    code = (
        "import sys, pathlib; from oneco.worlds.embedded.sqlite import SqliteStore\n"
        "try: SqliteStore(pathlib.Path(sys.argv[1]))\n"
        "except Exception as failure: print(failure)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "db")],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert f'found "in use by process {os.getpid()}"' in done.stdout
    store.close()
    SqliteStore(tmp_path / "db").close()


def test_a_database_of_a_newer_version_is_left_alone(tmp_path):
    fill(tmp_path / "db", 1).close()
    with sqlite3.connect(tmp_path / "db") as database:
        database.execute("INSERT INTO schema_version VALUES (99)")
    with pytest.raises(Refused, match=r"version 99.*a newer oneco wrote it"):
        SqliteStore(tmp_path / "db")


@pytest.mark.parametrize("damage", [b"not a database at all" * 300, None])
def test_a_damaged_database_is_refused_with_what_to_do(tmp_path, damage):
    path = tmp_path / "db"
    fill(path, 200).close()
    content = bytearray(path.read_bytes())
    if damage is None:
        content[8192:16384] = b"\xff" * 8192
    path.write_bytes(damage or bytes(content))
    with pytest.raises(Refused, match="restore a backup"):
        SqliteStore(path)


def test_files_are_readable_by_their_owner_alone(tmp_path):
    store = fill(tmp_path / "db", 1)
    store.backup(tmp_path / "copy")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}, modes
    store.close()


def test_a_copy_made_while_running_is_whole_and_says_that_it_is_a_copy(tmp_path):
    store = fill(tmp_path / "db", 5)
    store.backup(tmp_path / "copy")
    store.commit(key("later"), a_map())
    assert not store.is_copy()
    store.close()
    copy = SqliteStore(tmp_path / "copy")
    assert (copy.is_copy(), copy.get(key("later"))) == (True, None)
    assert found(copy, "m")["metadata"]["resourceVersion"] == "5"
    copy.adopt_copy()
    assert not copy.is_copy()
    copy.close()
    again = SqliteStore(tmp_path / "copy")
    assert not again.is_copy()
    again.close()


def test_a_copy_goes_on_far_behind_whatever_the_original_may_have_said(tmp_path):
    store = fill(tmp_path / "db", 5)
    store.backup(tmp_path / "copy")
    store.close()
    copy = SqliteStore(tmp_path / "copy")
    assert (copy.revision(), copy.oldest()) == (1_000_000_005, 1_000_000_005)
    # Whoever watched the original from a version that the copy never had has to list anew.
    with pytest.raises(Expired):
        list(copy.changes(7, MAPS))
    assert copy.commit(key("later"), a_map()).revision == 1_000_000_006
    copy.adopt_copy()
    copy.close()
    again = SqliteStore(tmp_path / "copy")
    assert (again.revision(), len(again.scan(MAPS))) == (1_000_000_006, 2)
    again.close()


def test_a_copy_never_overwrites(tmp_path):
    store = fill(tmp_path / "db", 1)
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(OnecoError, match="a name that is not taken"):
        store.backup(tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "mine"
    store.close()


WRITER = """
import asyncio, pathlib, sys
from oneco.worlds.apiserver.store import Key
from oneco.worlds.embedded.held import Values
from oneco.worlds.embedded.sqlite import SqliteStore

async def main():
    loop = asyncio.get_running_loop()
    store = SqliteStore(pathlib.Path(sys.argv[1]), call_soon=loop.call_soon_threadsafe, history=50)
    async def client(number):
        count = 0
        while True:
            name = f"c{number}-{count % 7}"
            change = store.commit(Key("/configmaps", "", name), {"metadata": {}, "count": count})
            await store.durable(change.revision)
            print(change.revision, name, count, flush=True)
            count += 1
    await asyncio.gather(*(client(number) for number in range(4)))

asyncio.run(main())
"""


def test_no_acknowledged_commit_is_missing_after_a_kill(tmp_path, seed):
    path = tmp_path / "db"
    newest = 0
    for wait in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(20 + (seed >> wait) % 60)]
        process.kill()
        lines += process.stdout.read().splitlines()
        process.wait()
        acknowledged = [line.split() for line in lines if line.count(" ") == 2 and line.strip()]
        store = SqliteStore(path, history=50)
        told = max(int(revision) for revision, _, _ in acknowledged)
        assert store.revision() >= told > newest
        newest = store.revision()
        last = {name: int(count) for _, name, count in acknowledged}
        for name, count in last.items():
            kept: Any = store.get(Key(MAPS, "", name))
            assert kept["count"] >= count
        store.close()


def test_a_long_list_is_decoded_only_as_it_is_looked_at(tmp_path):
    store = SqliteStore(tmp_path / "db", cache_bytes=2_000)
    for number in range(1_200):
        store.commit(key(f"m{number:04}"), a_map(str(number)))
    found = store.scan(MAPS)
    assert isinstance(found, Values)
    store.commit(key("m0000"), a_map("later"))
    # What was listed stays what it was.
    assert [one["data"]["v"] for one in found] == [str(number) for number in range(1_200)]
    assert (len(found), found[-1]["data"], found[1]["data"]) == (1200, {"v": "1199"}, {"v": "1"})
    assert [one["data"]["v"] for one in found[1_198:]] == ["1198", "1199"]
    assert all(isinstance(one, msgspec.Raw) for one in found.encoded())
    store.close()
