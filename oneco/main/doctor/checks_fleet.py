"""Judgement of what the hub's API says: its kinds, its members and their agents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from oneco.kube import times
from oneco.main.doctor import grounds
from oneco.main.doctor.facts import Facts
from oneco.main.doctor.findings import Check, Finding, on

# Agents renew when a quarter to a fifth of a certificate's life is left.
_LATEST_RENEWAL = 0.15
# OCM's hub calls a cluster silent after so many of its lease's lives.
_LIVES = 5
# Four times what the lease of the process that works for a hub is good for.
_WORKER_SECONDS = 60.0


def hub_unreachable(facts: Facts) -> Iterator[Finding]:
    """An API that does not answer."""
    if facts.fleet is not None and facts.fleet.error:
        command = "oneco up" if facts.data and not facts.is_agent else "kubectl cluster-info"
        yield Finding("HubUnreachable", facts.fleet.server, facts.fleet.error, command)


def nobody_works(facts: Facts) -> Iterator[Finding]:
    """A hub elsewhere for which no process decides."""
    fleet = facts.fleet
    if facts.data is not None or fleet is None or fleet.error or fleet.missing_kinds:
        return
    heard = fleet.worker_heard_at
    if heard is None or facts.now - heard > _WORKER_SECONDS:
        last = f"; {fleet.worker} did last, on {times.to_text(heard)}" if heard else ""
        command = "oneco up --kubeconfig FILE    (or oneco install, inside the cluster)"
        yield Finding("NobodyWorks", fleet.server, f"no process works for this hub{last}", command)


def kinds_missing(facts: Facts) -> Iterator[Finding]:
    """A cluster that does not know what it has to."""
    if facts.fleet is None:
        return
    if facts.fleet.missing_kinds:
        said = f"it lacks, or has an older form of, {_some(facts.fleet.missing_kinds)}"
        command = "oneco install" if facts.data is None else "restart the hub: oneco up"
        yield Finding("KindsMissing", "the hub", said, command)
    for one in facts.fleet.reached:
        if one.missing_kinds:
            said = f"it lacks, or has an older form of, {_some(one.missing_kinds)}"
            command = (
                f"oneco clusters add {one.cluster} --member KUBECONFIG    (with rights for it)"
            )
            yield Finding("KindsMissing", f"cluster {one.cluster}", said, command)


def member_unreachable(facts: Facts) -> Iterator[Finding]:
    """A kubeconfig that leads nowhere."""
    for one in facts.fleet.reached if facts.fleet else ():
        if one.error:
            said = f"its kubeconfig leads nowhere: {one.error}"
            command = f"oneco clusters add {one.cluster} --member NEW-KUBECONFIG"
            yield Finding("MemberUnreachable", f"cluster {one.cluster}", said, command)


def agent_silent(facts: Facts) -> Iterator[Finding]:
    """An agent that is not heard of."""
    if facts.fleet is None:
        return
    for one in facts.fleet.clusters:
        if not one.is_accepted:
            continue
        command = f"oneco agent --data AGENT-DIRECTORY    (where cluster {one.name}'s agent lives)"
        if one.heard_at is None and not one.available:
            said = "its agent was never heard of"
            yield Finding("AgentNeverCame", f"cluster {one.name}", said, command, "warning")
            continue
        heard = f"last on {times.to_text(one.heard_at)}" if one.heard_at else "not lately"
        silent = facts.fleet.now - one.heard_at if one.heard_at else 0.0
        if one.available != "True" or silent > _LIVES * one.lease_seconds:
            said = f"its agent was heard {heard}{f': {one.message}' if one.message else ''}"
            yield Finding("AgentSilent", f"cluster {one.name}", said, command)


def agent_certificate_ends(facts: Facts) -> Iterator[Finding]:
    """An agent that did not renew in time."""
    for one in facts.fleet.clusters if facts.fleet else ():
        if one.certificate is None:
            continue
        begins, ends = one.certificate
        if ends - facts.now > (ends - begins) * _LATEST_RENEWAL:
            continue
        word = "ended" if ends <= facts.now else "was not renewed and ends"
        said = f"its agent's certificate {word} on {times.to_text(ends)}"
        command = f"oneco clusters join {one.name} --to FILE, then oneco agent --join FILE there"
        yield Finding("AgentCertificateEnds", f"cluster {one.name}", said, command)


def version_differs(facts: Facts) -> Iterator[Finding]:
    """An agent of another version."""
    for one in facts.fleet.clusters if facts.fleet else ():
        if one.agent_version and one.agent_version != facts.version:
            said = f"its agent is oneco {one.agent_version}, this is {facts.version}"
            command = f"pip install one-person-company=={facts.version}    (there), restart it"
            yield Finding("VersionsDiffer", f"cluster {one.name}", said, command, "warning")


def not_accepted(facts: Facts) -> Iterator[Finding]:
    """A cluster that waits for a person."""
    for one in facts.fleet.clusters if facts.fleet else ():
        if not one.is_accepted:
            command = f"oneco clusters accept {one.name}"
            said = "it asked to join and is not accepted"
            yield Finding("NotAccepted", f"cluster {one.name}", said, command, "warning")


def not_confirmed(facts: Facts) -> Iterator[Finding]:
    """A hub from a copy that nobody has confirmed."""
    for one in facts.fleet.clusters if facts.fleet else ():
        if one.needs_confirmation:
            said = "the hub started from a copy, and nothing is changed there until it is confirmed"
            command = f"oneco clusters confirm {one.name}"
            yield Finding("NotConfirmed", f"cluster {one.name}", said, command)


def join_unfinished(facts: Facts) -> Iterator[Finding]:
    """A join that came to nothing."""
    is_running = facts.holder is not None and facts.holder.process
    if facts.agent is not None and facts.agent.is_joining and not is_running:
        said = "a join was begun here and has not come to a certificate"
        command = f"oneco agent --data {facts.data} --join INVITATION"
        yield Finding("JoinUnfinished", str(facts.data), said, command)


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


CHECKS: Final[tuple[Check, ...]] = (
    *on(grounds.asked_hub, hub_unreachable),
    *on(grounds.hub_elsewhere, nobody_works),
    *on(grounds.fleet, kinds_missing),
    *on(grounds.reached_members, member_unreachable),
    *on(grounds.clusters, agent_silent, not_accepted, not_confirmed),
    *on(grounds.agents_certificates, agent_certificate_ends),
    *on(grounds.agents, version_differs),
    *on(grounds.agent_directory, join_unfinished),
)
