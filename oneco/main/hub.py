"""The hub's own work over any `Api`: its kinds, its epoch, its deciders."""

from __future__ import annotations

from collections.abc import Sequence

from oneco.clock import Clock
from oneco.control.journal import Journal, forget
from oneco.control.shell import Controller, Shell
from oneco.fleet import rights
from oneco.kube.api import Api, WriteOptions
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import controllers, crds, epoch

_WORKERS = 8


async def prepare(api: Api, clock: Clock, *, is_copy: bool = False) -> str:
    """Teach the hub our kinds and who may do what with them, and begin, or go on with, its epoch.

    The answer is the epoch.
    """
    await crds.install(api, crds.for_hub())
    await crds.served(api, crds.for_hub(), clock)
    for address, body in rights.for_hub():
        await _allow(api, address, body)
    return await epoch.begin(api, is_copy=is_copy)


async def _allow(api: Api, address: Address, body: Object) -> None:
    """Write a role or binding where it is not as it should be: only administrators may."""
    try:
        there = await api.get(address)
    except NotFound:
        there = None
    if not rights.is_as_wanted(there, body):
        await api.apply(address, body, WriteOptions(manager="oneco", force=True))


def shell(
    api: Api, clock: Clock, *, more: Sequence[Controller] = (), journal: Journal = forget
) -> Shell:
    """The deciders of the hub; `more` are runners that this process has besides."""
    deciders = (*controllers.hub(), *more)
    return Shell({"hub": api}, deciders, clock, journal=journal, workers=_WORKERS)
