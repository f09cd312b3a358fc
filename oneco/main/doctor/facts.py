"""What was seen, as plain values. A part that was not looked at is None."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from oneco.clock import Instant

_NEVER = Instant(0)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PrivateFile:
    """A file that only its owner may read."""

    path: Path
    mode: int
    owner: int
    is_ours: bool
    """Whether this user may use it: it is this user's, or this user is root."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The directory and the file system under it; an empty text is no error."""

    write_error: str
    flush_error: str
    flush_seconds: float
    free_bytes: int
    private: tuple[PrivateFile, ...]
    leftovers: tuple[Path, ...]
    """Parts of files that a process which was killed has left."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that holds the directory, 0 and empty for none."""

    process: int = 0
    program: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The file of keys; no key itself."""

    path: Path
    error: str
    is_missing: bool
    names: tuple[str, ...] = ()
    is_exported: bool = True
    """Whether a person has a copy of the key that seals."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The database of a hub."""

    path: Path
    error: str
    """Why it cannot be read at all: damaged, or of a newer oneco."""
    is_newer: bool = False
    size_bytes: int = 0
    log_bytes: int = 0
    needs: tuple[str, ...] = ()
    """The keys that sealed it; none for the plain data of an older oneco."""
    not_opened: tuple[str, ...] = ()
    """Values that were changed or moved after they were sealed."""
    newest: int = 0
    is_copy: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """Where the hub listens, or did at its last start."""

    number: int
    is_listening: bool
    is_ours: bool = False
    """Whether what listens has a certificate of this hub's authority."""
    holder: Holder = Holder()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate, and the command that makes it new."""

    what: str
    path: str
    error: str
    renewed_by: str
    begins: Instant = _NEVER
    ends: Instant = _NEVER


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A member as the hub knows it."""

    name: str
    is_accepted: bool
    available: str
    """`True`, `False`, `Unknown`, or empty where it never reported."""
    message: str
    heard_at: Instant | None
    lease_seconds: float
    ahead_seconds: float
    """How far its agent's clock is before the hub's."""
    needs_confirmation: bool
    agent_version: str
    certificate: tuple[Instant, Instant] | None
    """When the newest one of its agent begins and ends."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A member whose kubeconfig the hub holds."""

    cluster: str
    error: str
    ahead_seconds: float = 0.0
    missing_kinds: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What the hub's API said."""

    server: str
    error: str
    now: Instant = _NEVER
    """The time there, which may run faster than on the wall."""
    ahead_seconds: float = 0.0
    """How far the hub's clock is before this machine's."""
    missing_kinds: tuple[str, ...] = ()
    worker: str = ""
    """The process that last worked for a hub elsewhere, and when it said so."""
    worker_heard_at: Instant | None = None
    clusters: tuple[Cluster, ...] = ()
    reached: tuple[Reached, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AgentDirectory:
    """What is special in the directory of an agent."""

    is_joining: bool
    """A join was begun and has not come to its certificate."""
    intent_error: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the checks look at."""

    now: Instant
    version: str
    data: Path | None = None
    is_agent: bool = False
    is_there: bool = True
    """Whether the directory has the data of a hub or an agent."""
    closed: str = ""
    """The place that this user may not look into, if there is one."""
    disk: Disk | None = None
    holder: Holder | None = None
    keys: Keys | None = None
    store: Store | None = None
    port: Port | None = None
    certificates: tuple[Certificate, ...] = ()
    fleet: Fleet | None = None
    agent: AgentDirectory | None = None
