"""Judgement of the database and its keys."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from oneco.main.doctor import grounds
from oneco.main.doctor.facts import Facts, Keys
from oneco.main.doctor.findings import Check, Finding, on

# Random nonces of 96 bits: far below the 2^32 values that one key bears.
_MOST_SEALED = 1 << 30
_LARGE_LOG = 64 << 20
_RESTORE = "oneco --data NEW-DIRECTORY up --from BACKUP --key KEYS"


def keys_missing(facts: Facts) -> Iterator[Finding]:
    """Sealed data without any key."""
    if facts.keys is not None and facts.keys.is_missing and _is_sealed(facts):
        said = "the keys are gone: at its next start nothing here can be read"
        yield Finding("KeysMissing", str(facts.keys.path), said, _put_back(facts.keys))


def keys_damaged(facts: Facts) -> Iterator[Finding]:
    """A file of keys that is none."""
    if facts.keys is not None and facts.keys.error and not facts.keys.is_missing:
        yield Finding("KeysDamaged", str(facts.keys.path), facts.keys.error, _put_back(facts.keys))


def keys_of_other_data(facts: Facts) -> Iterator[Finding]:
    """Keys that do not open this data."""
    if facts.keys is None or facts.keys.error or facts.store is None:
        return
    for name in facts.store.needs:
        if name not in facts.keys.names:
            said = f"key {name} is not in it, and sealed this data"
            yield Finding("KeysOfOtherData", str(facts.keys.path), said, _put_back(facts.keys))


def keys_never_exported(facts: Facts) -> Iterator[Finding]:
    """Backups that nobody can start from."""
    if facts.keys is not None and not facts.keys.error and not facts.keys.is_exported:
        said = "nobody has a copy of the key: no backup could be started from without this disk"
        command = "oneco keys export FILE"
        yield Finding("KeysNeverExported", str(facts.keys.path), said, command, "warning")


def key_worn(facts: Facts) -> Iterator[Finding]:
    """A key that has sealed very much."""
    if facts.store is not None and facts.store.newest > _MOST_SEALED and not facts.store.is_copy:
        sealed = facts.store.newest
        if facts.keys is not None and len(facts.keys.names) > sealed // _MOST_SEALED:
            return
        said = f"about {sealed:,} values were sealed here; one key should not seal many more"
        yield Finding("KeyWorn", str(facts.store.path), said, "oneco keys change", "warning")


def change_of_keys_unfinished(facts: Facts) -> Iterator[Finding]:
    """Some data is sealed with an older key still."""
    if facts.store is not None and len(facts.store.needs) > 1:
        said = f"some of it is sealed with key {facts.store.needs[0]} still"
        command = "oneco keys change"
        yield Finding("KeyChangeUnfinished", str(facts.store.path), said, command, "warning")


def not_sealed(facts: Facts) -> Iterator[Finding]:
    """Data that anybody with the disk can read."""
    store = facts.store
    if store is not None and not store.error and not store.needs:
        said = "an older oneco wrote it, and anybody with the disk can read it"
        yield Finding("NotSealed", str(store.path), said, "oneco up    (it seals the data first)")


def damaged(facts: Facts) -> Iterator[Finding]:
    """A database that is broken, or from the future."""
    store = facts.store
    if store is None or not store.error:
        return
    if store.is_newer:
        command = "pip install --upgrade one-person-company"
        yield Finding("DatabaseNewer", str(store.path), store.error, command)
    else:
        yield Finding("DatabaseDamaged", str(store.path), store.error, _RESTORE)


def values_changed(facts: Facts) -> Iterator[Finding]:
    """Values that do not open."""
    if facts.store is not None and facts.store.not_opened:
        first, *more = facts.store.not_opened
        others = f" and {len(more)} more" if more else ""
        said = f"{first}{others} was changed after it was sealed and cannot be read"
        yield Finding("ValuesChanged", str(facts.store.path), said, _RESTORE)


def log_large(facts: Facts) -> Iterator[Finding]:
    """A write-ahead log that is not taken in."""
    store = facts.store
    if store is not None and store.log_bytes > max(_LARGE_LOG, 4 * store.size_bytes):
        said = (
            f"its log has {store.log_bytes >> 20} MiB and slows reading: something reads for long"
        )
        is_held = facts.holder is not None and facts.holder.process
        command = "stop the hub, then oneco up" if is_held else "oneco up    (it takes the log in)"
        yield Finding("LogLarge", f"{store.path}-wal", said, command, "warning")


def from_a_copy(facts: Facts) -> Iterator[Finding]:
    """A copy that was never started."""
    if facts.store is not None and facts.store.is_copy:
        said = "it is a copy: agents will change nothing after its start until it is confirmed"
        command = "oneco up, then oneco clusters confirm --all"
        yield Finding("IsCopy", str(facts.store.path), said, command, "warning")


def intent_unreadable(facts: Facts) -> Iterator[Finding]:
    """An agent that could not go on without its hub."""
    if facts.agent is not None and facts.agent.intent_error:
        where = shlex.quote(f"{facts.data}/intent")
        command = f"rm {where}    (the hub says it again)"
        yield Finding("IntentUnreadable", where, facts.agent.intent_error, command)


def _is_sealed(facts: Facts) -> bool:
    return facts.store is None or bool(facts.store.needs)


def _put_back(keys: Keys) -> str:
    return f"install -m 600 EXPORTED-KEYS {shlex.quote(str(keys.path))}"


CHECKS: Final[tuple[Check, ...]] = (
    *on(grounds.keys, keys_missing, keys_damaged),
    *on(grounds.keys_and_store, keys_of_other_data),
    *on(grounds.readable_keys, keys_never_exported),
    *on(grounds.readable_store, key_worn, change_of_keys_unfinished, not_sealed),
    *on(grounds.store, damaged, log_large),
    *on(grounds.readable_store, values_changed, from_a_copy),
    *on(grounds.agent_directory, intent_unreadable),
)
