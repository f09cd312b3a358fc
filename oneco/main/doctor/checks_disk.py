"""Judgement of the directory, its files and whoever holds it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from oneco.main.doctor import grounds
from oneco.main.doctor.facts import Facts
from oneco.main.doctor.findings import Check, Finding, on

_LEAST_FREE, _LOW_FREE = 64 << 20, 512 << 20
_SLOW_SECONDS = 0.2


def nothing_there(facts: Facts) -> Iterator[Finding]:
    """The directory has no data."""
    if not facts.is_there:
        said = "there is no data of a hub or an agent here"
        yield Finding("NoData", str(facts.data), said, "oneco up, or --data with the right place")


def closed(facts: Facts) -> Iterator[Finding]:
    """The data are another user's altogether."""
    if facts.closed:
        command = f"sudo chown -R $(id -u) {shlex.quote(str(facts.data))}"
        yield Finding("NotReadable", facts.closed, "this user may not look into it", command)


def not_writable(facts: Facts) -> Iterator[Finding]:
    """Nothing can be written."""
    if facts.disk is not None and facts.disk.write_error:
        place = shlex.quote(str(facts.data))
        said = f"files cannot be written: {facts.disk.write_error}"
        command = f"chmod u+rwx {place}    (a file system that is read-only: mount -o remount,rw)"
        yield Finding("DirectoryNotWritable", str(facts.data), said, command)


def not_flushed(facts: Facts) -> Iterator[Finding]:
    """What is acknowledged may not be on the disk."""
    disk = facts.disk
    if disk is None or disk.write_error:
        return
    place = shlex.quote(str(facts.data))
    if disk.flush_error:
        said = f"the disk does not keep what it is told to: {disk.flush_error}"
        yield Finding("FlushFails", str(facts.data), said, f"dmesg | tail; mv {place} OTHER-DISK")
    elif disk.flush_seconds > _SLOW_SECONDS:
        said = f"the disk takes {disk.flush_seconds:.1f} s to keep one write"
        yield Finding("DiskSlow", str(facts.data), said, f"mv {place} OTHER-DISK", "warning")


def full(facts: Facts) -> Iterator[Finding]:
    """There is hardly room for one more write."""
    if facts.disk is None or facts.disk.free_bytes >= _LOW_FREE:
        return
    free = facts.disk.free_bytes
    is_full = free < _LEAST_FREE
    said = f"{free >> 20} MiB are free; a full disk makes the hub serve reads only"
    command = f"df -h {shlex.quote(str(facts.data))}, then delete what is not needed"
    code = "DiskFull" if is_full else "DiskAlmostFull"
    yield Finding(code, str(facts.data), said, command, "error" if is_full else "warning")


def readable_by_others(facts: Facts) -> Iterator[Finding]:
    """Somebody else may read what is secret."""
    for one in facts.disk.private if facts.disk else ():
        if one.mode & 0o077:
            said = f"others may read it (mode {one.mode:o})"
            command = f"chmod 600 {shlex.quote(str(one.path))}"
            yield Finding("ReadableByOthers", str(one.path), said, command)


def of_another_user(facts: Facts) -> Iterator[Finding]:
    """A file belongs to somebody else, as after one start with sudo."""
    for one in facts.disk.private if facts.disk else ():
        if not one.is_ours:
            said = f"it belongs to user {one.owner}, so this one cannot use it"
            command = f"sudo chown -R $(id -u) {shlex.quote(str(facts.data))}"
            yield Finding("OwnedByAnother", str(one.path), said, command)


def left_over(facts: Facts) -> Iterator[Finding]:
    """Parts of files lie around."""
    if facts.holder is not None and facts.holder.process:
        # It may be writing them right now.
        return
    for path in facts.disk.leftovers if facts.disk else ():
        said = "a process that was killed left it; nothing needs it"
        command = f"rm {shlex.quote(str(path))}"
        yield Finding("LeftOver", str(path), said, command, "warning")


def held_by_a_stranger(facts: Facts) -> Iterator[Finding]:
    """A process holds the data and serves nobody."""
    holder, port = facts.holder, facts.port
    if holder is None or not holder.process or facts.is_agent:
        return
    if port is None or not (port.is_listening and port.is_ours):
        said = f"process {holder.process} ({holder.program or 'unknown'}) holds the data and does"
        command = f"kill {holder.process}"
        yield Finding("HeldByAnother", str(facts.data), f"{said} not serve it", command)


def agent_not_running(facts: Facts) -> Iterator[Finding]:
    """The agent of this directory has ended."""
    if facts.is_agent and facts.holder is not None and not facts.holder.process:
        command = f"oneco agent --data {shlex.quote(str(facts.data))}"
        yield Finding("AgentNotRunning", str(facts.data), "no agent runs on it", command, "warning")


CHECKS: Final[tuple[Check, ...]] = (
    *on(grounds.directory, nothing_there, closed),
    *on(grounds.disk, not_writable),
    *on(grounds.writable, not_flushed),
    *on(grounds.disk, full, left_over),
    *on(grounds.private_files, readable_by_others, of_another_user),
    *on(grounds.hub_directory, held_by_a_stranger),
    *on(grounds.agent_directory, agent_not_running),
)
