"""Judgement of certificates, ports and clocks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from oneco.kube import times
from oneco.main.doctor import grounds
from oneco.main.doctor.facts import Facts
from oneco.main.doctor.findings import Check, Finding, on

_SOON_SECONDS = 14 * 86_400.0
# Of a short life, the last tenth is soon enough.
_SOON_SHARE = 0.1
_MOST_SKEW_SECONDS = 10.0


def unreadable(facts: Facts) -> Iterator[Finding]:
    """A certificate that is none."""
    for one in facts.certificates:
        if one.error:
            yield Finding(
                "CertificateUnreadable", one.path, f"{one.what}: {one.error}", one.renewed_by
            )


def ended(facts: Facts) -> Iterator[Finding]:
    """A certificate whose time is over, or nearly."""
    for one in facts.certificates:
        if one.error:
            continue
        soon = min(_SOON_SECONDS, (one.ends - one.begins) * _SOON_SHARE)
        said = f"{one.what}: its certificate"
        if one.ends <= facts.now:
            text = f"{said} has ended on {times.to_text(one.ends)}"
            yield Finding("CertificateEnded", one.path, text, one.renewed_by)
        elif one.ends - facts.now < soon:
            text = f"{said} ends on {times.to_text(one.ends)}"
            yield Finding("CertificateEnds", one.path, text, one.renewed_by, "warning")


def clock_behind(facts: Facts) -> Iterator[Finding]:
    """A clock that shows a time before something that happened."""
    # Certificates begin a few minutes before they are made.
    begins = [(one.begins, one) for one in facts.certificates if not one.error]
    late = [(at, one) for at, one in begins if at > facts.now]
    if late:
        _, one = max(late, key=lambda row: row[0])
        said = f"this machine shows {times.to_text(facts.now)}, before {one.what} was certified"
        yield Finding("ClockBehind", one.path, said, "timedatectl set-ntp true")


def clocks_differ(facts: Facts) -> Iterator[Finding]:
    """A hub or member with another time."""
    if facts.fleet is None:
        return
    rows = [("the hub", facts.fleet.ahead_seconds)]
    rows += [(f"cluster {one.cluster}", one.ahead_seconds) for one in facts.fleet.reached]
    rows += [(f"the agent of {one.name}", one.ahead_seconds) for one in facts.fleet.clusters]
    for who, ahead in rows:
        if abs(ahead) > _MOST_SKEW_SECONDS:
            word = "before" if ahead > 0 else "behind"
            said = f"its clock is {abs(ahead):.0f} s {word} the others"
            yield Finding("ClocksDiffer", who, said, "timedatectl set-ntp true    (there)")


def port_taken(facts: Facts) -> Iterator[Finding]:
    """Something else listens where agents look for the hub."""
    port = facts.port
    if port is None or not port.is_listening or port.is_ours:
        return
    who = f"process {port.holder.process} ({port.holder.program})" if port.holder.process else ""
    said = f"{who or 'another program'} listens where agents look for this hub"
    command = f"kill {port.holder.process}" if who else f"ss -ltnp 'sport = :{port.number}'"
    yield Finding("PortTaken", f"127.0.0.1:{port.number}", said, command)


def hub_not_running(facts: Facts) -> Iterator[Finding]:
    """The data of a hub, and no hub."""
    if facts.store is None or facts.holder is None or facts.holder.process:
        return
    command = f"oneco --data {shlex.quote(str(facts.data))} up"
    yield Finding("HubNotRunning", str(facts.data), "no hub runs on it", command, "warning")


CHECKS: Final[tuple[Check, ...]] = (
    *on(grounds.certificates, unreadable),
    *on(grounds.readable_certificates, ended, clock_behind),
    *on(grounds.fleet, clocks_differ),
    *on(grounds.port, port_taken),
    *on(grounds.store, hub_not_running),
)
