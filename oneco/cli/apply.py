"""`oneco apply`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from oneco.cli import applying, changes, checking, failures, printing, session, source
from oneco.cli.applying import Applied
from oneco.cli.changes import Changes, Request, Surplus
from oneco.cli.program import command as a_command
from oneco.errors import Refused
from oneco.kinds.oam import APPLICATIONS
from oneco.kube import objects
from oneco.main.connecting import Connected


@a_command("apply")
@click.option(
    "-f", "--filename", "paths", multiple=True, required=True, metavar="FILE|DIR|-",
    help="A file, a directory with all below it, or - for standard input.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--prune", is_flag=True, help="Remove what came from this directory and left it.")
@click.option("-y", "--yes", is_flag=True, help="Remove without asking.")
@click.option("--source", "named", default="", metavar="NAME", help="Another name for DIR.")
@click.option("--force-conflicts", is_flag=True, help="Take over fields that others manage.")
@click.option("--wait", is_flag=True, help="Follow the releases to their end.")
def command(
    paths: tuple[str, ...],
    dry_run: bool,
    prune: bool,
    yes: bool,
    named: str,
    force_conflicts: bool,
    wait: bool,
) -> None:
    """Apply files. Everything is checked first; if anything is wrong, nothing changes."""
    current = session.current()
    from_source = source.needed(paths, named) if prune else source.of(paths, named)
    documents = checking.load(paths)

    async def work(cluster: Connected) -> list[Applied]:
        request = Request(
            documents,
            current.namespace_of(cluster),
            is_namespace_fixed=bool(current.namespace),
            source=from_source,
            force=force_conflicts,
        )
        planned = await changes.plan(cluster.api, request, finds_surplus=prune)
        if dry_run:
            return applying.announced(planned, prunes=prune)
        if prune and planned.surplus and not yes:
            _confirm(planned.surplus, current.output)
        return await _carry_out(cluster, request, planned, prunes=prune)

    done = current.run(work)
    applications = [objects.name(one.object) for one in done if _is_delivered(one)]
    if wait and applications and not dry_run:
        _report(done, "text" if current.output == "text" else "", is_dry=False)
        _follow(current, done)
        return
    _report(done, current.output, is_dry=dry_run)


async def _carry_out(
    cluster: Connected, request: Request, planned: Changes, *, prunes: bool
) -> list[Applied]:
    done = await applying.carry_out(cluster.api, cluster.clock, request, planned)
    if prunes:
        done += await applying.prune(cluster.api, planned.surplus)
    return done


def _confirm(surplus: Sequence[Surplus], output: str) -> None:
    if output != "text":
        wanted = f"--yes, to remove {printing.counted(len(surplus), 'object')} without being asked"
        raise Refused("--prune", found=f"-o {output}", wanted=wanted)
    click.echo("These came from the same directory and are no longer in it:", err=True)
    for one in surplus:
        click.echo(f"  {Applied(one.object, 'pruned').title}", err=True)
    try:
        is_agreed = click.confirm("Remove them?", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        # An answer that never comes is no interruption.
        wanted = f"--yes, to remove {printing.counted(len(surplus), 'object')} without being asked"
        raise Refused("--prune", found="no answer", wanted=wanted) from None
    if not is_agreed:
        raise click.Abort


def _report(done: Sequence[Applied], output: str, *, is_dry: bool) -> None:
    if output:
        lines = [f"{one.title} {one.result}{' (dry run)' if is_dry else ''}" for one in done]
        printing.show({"objects": [row(one) for one in done]}, output, "\n".join(lines))


def row(one: Applied) -> dict[str, Any]:
    """One object's result as JSON."""
    return {
        "apiVersion": one.object["apiVersion"],
        "kind": one.object["kind"],
        "namespace": objects.namespace(one.object) or None,
        "name": objects.name(one.object),
        "result": one.result,
    }


def _is_delivered(one: Applied) -> bool:
    is_ours = one.object["apiVersion"] == APPLICATIONS.api_version
    return is_ours and one.object["kind"] == "Application" and one.result != "pruned"


def _follow(current: session.Session, done: Sequence[Applied]) -> None:
    from oneco.cli import following

    ended = [current.run(following.of(current, one.object)) for one in done if _is_delivered(one)]
    if current.output != "text":
        value = {"objects": [row(one) for one in done], "releases": ended}
        printing.show(value, current.output, "")
    if not all(one["isSuccessful"] for one in ended):
        raise failures.NoSuccess
