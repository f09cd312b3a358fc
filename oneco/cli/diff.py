"""`oneco diff`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from oneco.cli import changes, checking, impact, printing, reading, session, source
from oneco.cli.changes import Change, Changes, Request
from oneco.cli.failures import NoSuccess
from oneco.cli.fields import Field
from oneco.cli.impact import Hub, Impact
from oneco.cli.program import command as a_command
from oneco.errors import Refused
from oneco.kinds.oam import APPLICATIONS, NAME_LABEL, REVISIONS
from oneco.kinds.ocm import CLUSTERS
from oneco.kinds.release import POLICIES, UNITS
from oneco.kube import objects
from oneco.kube.api import Api
from oneco.kube.objects import Json, Object, encode
from oneco.kube.refs import Address
from oneco.main.connecting import Connected

_LONGEST = 100
_NAMED_CLUSTERS = 6


@a_command("diff")
@click.option(
    "-f", "--filename", "paths", multiple=True, required=True, metavar="FILE|DIR|-",
    help="A file, a directory with all below it, or - for standard input.",
)  # fmt: skip
@click.option("--exit-code", is_flag=True, help="End with 3 where something would change.")
@click.option("--source", "named", default="", metavar="NAME", help="Another name for DIR.")
@click.option("--force-conflicts", is_flag=True, help="As if fields of others were taken over.")
def command(paths: tuple[str, ...], exit_code: bool, named: str, force_conflicts: bool) -> None:
    """Show what applying would change: in the files' own objects and in every cluster.

    What left its directory is shown too; only `oneco apply --prune` removes it.
    """
    current = session.current()
    documents = checking.load(paths)

    async def work(cluster: Connected) -> tuple[Changes, dict[str, Impact]]:
        request = Request(
            documents,
            current.namespace_of(cluster),
            is_namespace_fixed=bool(current.namespace),
            source=source.of(paths, named),
            force=force_conflicts,
        )
        planned = await changes.plan(cluster.api, request)
        return planned, await _impacts(cluster.api, planned)

    planned, impacts = current.run(work)
    text = "\n".join(_lines(planned, impacts)) or "Nothing would change."
    printing.show(_document(planned, impacts), current.output, text)
    if exit_code and (planned.surplus or _changed(planned)):
        raise NoSuccess


async def _impacts(api: Api, planned: Changes) -> dict[str, Impact]:
    """What each changed Application would change in the clusters, by its title."""
    asked = [one for one in planned.changes if _is_application(one) and one.verdict != "unchanged"]
    if not asked:
        return {}
    try:
        clusters = await reading.listed(api, CLUSTERS)
        found = await asyncio.gather(*(_hub(api, one.wanted, clusters) for one in asked))
    except Refused:
        # A server that keeps no fleet: the objects themselves are all there is to tell.
        return {}
    return {
        _title(one): impact.impact(one.wanted, hub) for one, hub in zip(asked, found, strict=True)
    }


async def _hub(api: Api, application: Object, clusters: Sequence[Object]) -> Hub:
    namespace, label = objects.namespace(application), f"{NAME_LABEL}={objects.name(application)}"
    units, revisions, policies = await asyncio.gather(
        reading.everything(api, Address(UNITS), label),
        reading.listed(api, REVISIONS, namespace, label),
        reading.listed(api, POLICIES, namespace),
    )
    return Hub(clusters, units, revisions, policies)


def _is_application(change: Change) -> bool:
    obj = change.wanted
    return bool(obj["apiVersion"] == APPLICATIONS.api_version and obj["kind"] == "Application")


def _changed(planned: Changes) -> list[Change]:
    return [one for one in planned.changes if one.verdict != "unchanged"]


def _title(change: Change) -> str:
    return _named(change.wanted)


def _named(obj: Object) -> str:
    place = "/".join(part for part in (objects.namespace(obj), objects.name(obj)) if part)
    return f"{obj['kind']} {place}"


def _lines(planned: Changes, impacts: Mapping[str, Impact]) -> Iterator[str]:
    for change in _changed(planned):
        yield f"{_title(change)} would be {change.verdict}"
        yield from _field_lines(change.fields, "  ")
        found = impacts.get(_title(change))
        if found is not None:
            yield from _impact_lines(found)
    for one in planned.surplus:
        yield f"{_named(one.object)} is in no file any more; apply --prune would remove it"
    same = len(planned.changes) - len(_changed(planned))
    if same and (planned.surplus or _changed(planned)):
        yield f"{printing.counted(same, 'object')} would stay unchanged"


def _field_lines(fields: Sequence[Field], indent: str) -> Iterator[str]:
    for field in fields:
        if field.old is None:
            yield f"{indent}+ {field.path}: {_short(field.new)}"
        elif field.new is None:
            yield f"{indent}- {field.path}: {_short(field.old)}"
        else:
            yield f"{indent}~ {field.path}: {_short(field.old)} → {_short(field.new)}"


def _impact_lines(found: Impact) -> Iterator[str]:
    if not found.variants:
        yield "  In the clusters nothing would change."
        return
    for variant in found.variants:
        yield f"  In {_clusters(variant.clusters)}:"
        for row in variant.objects:
            place = "/".join(part for part in (row.namespace, row.name) if part)
            yield f"    {row.kind} {place} {row.verdict}"
            yield from _field_lines(row.fields, "      ")
    if found.unchanged:
        yield f"  {printing.counted(found.unchanged, 'cluster')} would stay as they are."
    for number, wave in enumerate(found.waves, 1):
        yield f"  wave {number} {wave.name}: {_clusters(wave.clusters)}"


def _clusters(names: Sequence[str]) -> str:
    if len(names) <= _NAMED_CLUSTERS:
        return ", ".join(names)
    shown = ", ".join(names[: _NAMED_CLUSTERS - 1])
    return f"{len(names)} clusters ({shown} and others)"


def _short(value: Json) -> str:
    text = value if isinstance(value, str) else encode(value).decode()
    text = text.replace("\n", "⏎")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _document(planned: Changes, impacts: Mapping[str, Impact]) -> dict[str, Any]:
    rows = [
        {
            **_identity(one.wanted),
            "verdict": one.verdict,
            "fields": [field._asdict() for field in one.fields],
            "impact": impacts[_title(one)].document() if _title(one) in impacts else None,
        }
        for one in planned.changes
    ]
    return {"objects": rows, "surplus": [_identity(one.object) for one in planned.surplus]}


def _identity(obj: Object) -> dict[str, Any]:
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "namespace": objects.namespace(obj) or None,
        "name": objects.name(obj),
    }
