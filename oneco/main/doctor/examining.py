"""One examination: gather the facts of what is there, and judge them."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import oneco
from oneco.clock import Clock
from oneco.errors import OnecoError
from oneco.main.connecting import KUBECONFIG, Choice, connect
from oneco.main.doctor import (
    checks_certificates,
    checks_disk,
    checks_fleet,
    checks_store,
    look_certificates,
    look_disk,
    look_fleet,
    look_store,
)
from oneco.main.doctor.facts import AgentDirectory, Facts, Fleet, Keys
from oneco.main.doctor.findings import Examination, judged
from oneco.worlds.clocks import RealClock
from oneco.worlds.cluster import kubeconfig
from oneco.worlds.embedded.serve import DATABASE

CHECKS = (
    *checks_disk.CHECKS,
    *checks_store.CHECKS,
    *checks_certificates.CHECKS,
    *checks_fleet.CHECKS,
)
_AGENT_LOCK, _HUB_LOCK = "agent.lock", f"{DATABASE}.lock"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """Where to look. `data` is a hub's or an agent's directory, `choice` a hub elsewhere."""

    data: Path | None = None
    choice: Choice | None = None
    clock: Clock = dataclasses.field(default_factory=RealClock)
    flush: Callable[[int], None] = os.fsync


def examine(patient: Patient) -> Examination:
    """Everything that is wrong there, and how much was looked at."""
    return judged(facts(patient), CHECKS)


def is_a_hub(data: Path) -> bool:
    """Whether a hub of this machine keeps its objects in the directory."""
    return (data / DATABASE).exists()


def facts(patient: Patient) -> Facts:
    """What is there, without judging it; nothing is changed."""
    now = patient.clock.now()
    if patient.data is None:
        choice = patient.choice or Choice()
        return Facts(now=now, version=oneco.__version__, fleet=_fleet(choice))
    bare = Facts(now=now, version=oneco.__version__, data=patient.data)
    try:
        if is_a_hub(patient.data):
            return _of_hub(bare, patient.data, patient)
        if (patient.data / _AGENT_LOCK).exists() or (patient.data / "hub.pem").exists():
            return _of_agent(bare, patient.data, patient)
    except PermissionError as failure:
        return dataclasses.replace(bare, closed=str(failure.filename))
    return dataclasses.replace(bare, is_there=False)


def _of_hub(bare: Facts, data: Path, patient: Patient) -> Facts:
    port = look_certificates.port(data)
    is_up = port is not None and port.is_listening and port.is_ours
    return dataclasses.replace(
        bare,
        disk=look_disk.look(data, patient.flush),
        holder=look_disk.holder(data / _HUB_LOCK),
        keys=look_store.keys(data),
        store=look_store.store(data),
        port=port,
        certificates=tuple(look_certificates.of_hub(data)),
        fleet=_fleet(Choice(kubeconfig=str(data / KUBECONFIG))) if is_up else None,
    )


def _of_agent(bare: Facts, data: Path, patient: Patient) -> Facts:
    cluster = ""
    with contextlib.suppress(OnecoError):
        cluster = kubeconfig.load(str(data / "hub.kubeconfig")).namespace
    has_joined = (data / "hub.pem").exists()
    has_keys = (data / "intent").exists()
    return dataclasses.replace(
        bare,
        is_agent=True,
        disk=look_disk.look(data, patient.flush),
        holder=look_disk.holder(data / _AGENT_LOCK),
        keys=_not_exported(look_store.keys(data)) if has_keys else None,
        certificates=tuple(look_certificates.of_agent(data)) if has_joined else (),
        agent=AgentDirectory(
            is_joining=(data / "joining.json").exists() and not has_joined,
            intent_error=look_store.intent_error(data, cluster) if cluster else "",
        ),
        fleet=_reached(data / "hub.kubeconfig") if has_joined else None,
    )


def _not_exported(keys: Keys) -> Keys:
    """An agent's keys need no copy: its hub says again what they seal."""
    return dataclasses.replace(keys, is_exported=True)


def _fleet(choice: Choice) -> Fleet:
    async def ask() -> Fleet:
        async with connect(choice) as hub:
            return await look_fleet.look(hub)

    try:
        return asyncio.run(ask())
    except OnecoError as failure:
        return Fleet(server=choice.kubeconfig or "kubeconfig", error=str(failure))


def _reached(file: Path) -> Fleet:
    """Whether an agent's hub answers: more an agent may not ask."""

    async def ask() -> Fleet:
        async with connect(Choice(kubeconfig=str(file))) as hub:
            async with asyncio.timeout(20):
                await hub.api.discover()
            return Fleet(server=hub.server, error="")

    try:
        return asyncio.run(ask())
    except (OnecoError, TimeoutError) as failure:
        return Fleet(server=str(file), error=str(failure) or "it does not answer")
