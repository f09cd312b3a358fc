"""An application's tree followed to the end of its release, drawn anew as it changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import msgspec

from oneco.cli import drawing, reading, session
from oneco.cli.tree import Application
from oneco.clock import Clock, Instant
from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.errors import ApiOutage
from oneco.kube.objects import Object
from oneco.main.connecting import Connected

_LOOK_SECONDS = 1.0
_PATIENCE = 60
"""So many looks may fail one after the other before the person is told."""

Show = Callable[[Application], None]


def of(
    current: session.Session, application: Object
) -> Callable[[Connected], Awaitable[dict[str, Any]]]:
    """Work that follows this application and answers how it ended."""

    async def work(cluster: Connected) -> dict[str, Any]:
        place = objects.namespace(application), objects.name(application)
        with showing(current.output) as show:
            end = await follow(cluster.api, cluster.clock, place, show)
        return {**msgspec.to_builtins(end), "isSuccessful": end.state == "done"}

    return work


async def follow(api: Api, clock: Clock, place: tuple[str, str], show: Show) -> Application:
    """The tree when nothing more happens by itself; `show` sees each change on the way."""
    before: Application | None = None
    failures = 0
    while True:
        try:
            now = (await reading.course(api, *place)).tree()
            failures = 0
        except ApiOutage:
            failures += 1
            if failures > _PATIENCE:
                raise
        else:
            if now != before:
                show(now)
            if now.is_at_rest:
                return now
            before = now
        await clock.sleep_until(Instant(clock.now() + _LOOK_SECONDS))


@contextmanager
def showing(output: str) -> Iterator[Show]:
    """A way to show trees: alive on a terminal, one after the other elsewhere, not at all."""
    if output != "text":
        yield lambda tree: None
    elif session.is_terminal():
        from rich.console import Console
        from rich.live import Live

        with Live(console=Console(), auto_refresh=False, vertical_overflow="ellipsis") as live:
            yield lambda tree: live.update(drawing.styled(tree, is_cut=True), refresh=True)
    else:
        yield lambda tree: click.echo(f"{drawing.text(tree)}\n")
