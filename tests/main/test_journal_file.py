"""What the journal keeps of a write tells nobody what was written."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from oneco.clock import Instant
from oneco.control.journal import Entry
from oneco.decision import Create, Decision, Reason
from oneco.kube import objects
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main.journal_file import KEY_FILE, JournalFile

PLACE = Address(Resource("", "v1", "secrets"), "default")
GUESSES = range(10_000)
PIN = 4711


def a_secret(pin: int) -> Object:
    data = {"pin": base64.b64encode(f"{pin:04}".encode()).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "door"}, "data": data}


def an_entry(pin: int = PIN, place: Address = PLACE) -> Entry:
    made = Decision(actions=[Create(place, a_secret(pin))], reasons=[Reason("A", "b")])
    return Entry(Instant(0.0), "test", ("default", "door"), made, 1)


def kept(folder, *entries: Entry) -> list[str]:
    """The hashes in a journal that was begun again with these entries."""
    journal = JournalFile(folder / "journal.jsonl")
    for entry in entries:
        journal(entry)
    journal.close()
    rows = (folder / "journal.jsonl").read_text().splitlines()
    return [json.loads(row)["writes"][0]["hash"] for row in rows]


def test_a_short_secret_cannot_be_guessed_from_its_hash(tmp_path):
    (said,) = kept(tmp_path, an_entry())
    for pin in GUESSES:
        content = objects.encode(a_secret(pin))
        for whole in (content, str(PLACE).encode() + b"\0" + content):
            assert not hashlib.sha256(whole).hexdigest().startswith(said[:8])


def test_the_same_write_has_the_same_hash_after_a_restart_and_another_elsewhere(tmp_path):
    first, again, other = kept(tmp_path, an_entry(), an_entry(), an_entry(PIN + 1))
    assert (first == again, first == other) == (True, False)
    (*_, later) = kept(tmp_path, an_entry())
    assert later == first
    (*_, elsewhere) = kept(tmp_path, an_entry(place=PLACE._replace(namespace="other")))
    assert elsewhere != first
    (tmp_path / "second").mkdir()
    assert kept(tmp_path / "second", an_entry()) != [first]


def test_the_key_of_the_hashes_is_sealed_and_its_owners_alone(tmp_path):
    kept(tmp_path, an_entry())
    file = tmp_path / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    # Without the keys beside it the journal goes on, with another key.
    before = kept(tmp_path, an_entry())[0]
    (tmp_path / "keys").unlink()
    assert kept(tmp_path, an_entry())[-1] != before


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\0" * 200])
def test_a_damaged_key_keeps_no_hub_from_working(tmp_path, damage):
    kept(tmp_path, an_entry())
    (tmp_path / KEY_FILE).write_bytes(damage)
    assert len(kept(tmp_path, an_entry())) == 2
