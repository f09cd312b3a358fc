"""`oneco release`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import msgspec

from oneco.cli import drawing, printing, program, reading, session, verbs
from oneco.cli.verbs import Verb
from oneco.delivery.mistakes import one_of
from oneco.errors import Refused
from oneco.kinds.oam import APPLICATIONS
from oneco.kinds.parts import parse
from oneco.kinds.release import RELEASES, ReleaseSpec, ReleaseStatus
from oneco.kube import ages, objects
from oneco.kube.api import Api, Patch
from oneco.kube.errors import NotFound
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address
from oneco.main.connecting import Connected

command = program.family("release", "list", "Releases: list, show, and say how they go on.")


@program.command("list")
@click.argument("application", default="")
def _list(application: str) -> None:
    """List releases, the newest last."""
    current = session.current()

    async def work(cluster: Connected) -> tuple[list[Object], list[list[object]]]:
        namespace = current.namespace_of(cluster)
        found = await reading.releases(cluster.api, namespace, application)
        if application and not found:
            await reading.needed_application(cluster.api, namespace, application)
        now = cluster.now()
        return found, [_cells(one, ages.since(_made(one), now)) for one in found]

    found, rows = current.run(work)
    header = ("NAME", "APPLICATION", "PHASE", "WAVE", "CLUSTERS", "AGE", "WHY")
    text = printing.table(header, rows) if rows else "There are no releases."
    printing.show({"releases": [_row(one) for one in found]}, current.output, text)


@program.command("show")
@click.argument("name")
def _show(name: str) -> None:
    """Show one release with all its waves and clusters. NAME may be the application's."""
    current = session.current()

    async def work(cluster: Connected) -> Any:
        namespace = current.namespace_of(cluster)
        release, _ = await _find(cluster.api, namespace, name)
        application = str(dig(release, "spec", "application", default=""))
        course = await reading.course(cluster.api, namespace, application)
        units = await reading.units(cluster.api, release)
        return course._replace(releases=[release], units=units).tree(is_whole=True)

    tree = current.run(work)
    printing.show(msgspec.to_builtins(tree.releases[0]), current.output, drawing.text(tree))


def _verb(verb: Verb) -> click.Command:
    @program.command(verb, help=f"{verbs.VERBS[verb]} NAME may be the application's.")
    @click.argument("name")
    def asked(name: str) -> None:
        current = session.current()

        async def work(cluster: Connected) -> tuple[Object, verbs.Answer]:
            return await _ask(cluster.api, current.namespace_of(cluster), name, verb)

        release, answer = current.run(work)
        text = f"release {objects.name(release)} {answer.did}. {answer.next}"
        printing.show(_said(release, answer), current.output, text)

    return asked


async def _ask(api: Api, namespace: str, name: str, verb: Verb) -> tuple[Object, verbs.Answer]:
    release, newest = await _find(api, namespace, name)
    if verb == "resume" and not dig(release, "spec", "paused"):
        answer = await _resume_workflow(api, release)
        if answer is not None:
            return release, answer
    answer = verbs.ask(verb, release, newest)
    if answer.change:
        address = Address(RELEASES, namespace, objects.name(release))
        await api.patch(address, Patch("merge", {"spec": answer.change}))
    return release, answer


async def _resume_workflow(api: Api, release: Object) -> verbs.Answer | None:
    """The answer where it is the application's own order of delivery that waits for a person."""
    name = str(dig(release, "spec", "application", default=""))
    address = Address(APPLICATIONS, objects.namespace(release), name)
    try:
        application = await api.get(address)
    except NotFound:
        return None
    if not dig(application, "status", "workflow", "suspend"):
        return None
    body = {"status": {"workflow": {"suspend": False}}}
    await api.patch(address._replace(subresource="status"), Patch("merge", body))
    return verbs.Answer({}, "goes on", f"{name} continues with its next step.")


async def _find(api: Api, namespace: str, name: str) -> tuple[Object, str]:
    """The release that `name` means, and the name of its application's newest one."""
    every = await reading.releases(api, namespace)
    own = next((one for one in every if objects.name(one) == name), None)
    application = str(dig(own, "spec", "application", default="")) if own else name
    of_application = [one for one in every if dig(one, "spec", "application") == application]
    if not of_application:
        known = {objects.name(one) for one in every}
        known |= {str(dig(one, "spec", "application")) for one in every}
        where = f"releases in namespace {namespace}"
        wanted = one_of(known, name) if known else "one of them; there is none yet"
        raise Refused(where, found=name, wanted=wanted)
    newest = of_application[-1]
    return own or newest, objects.name(newest)


def _made(release: Object) -> str:
    return str(objects.metadata(release).get("creationTimestamp") or "")


def _cells(release: Object, age: str) -> list[object]:
    spec = parse(ReleaseSpec, release.get("spec"), "spec")
    status = parse(ReleaseStatus, release.get("status"), "status")
    wave = f"{status.wave + 1}/{len(status.waves)}" if status.waves else "-"
    done = sum(one.succeeded for one in status.waves)
    clusters = f"{done}/{status.units}" if status.units else "-"
    return [
        objects.name(release),
        spec.application,
        status.phase,
        wave,
        clusters,
        age,
        status.message,
    ]


def _row(release: Object) -> dict[str, Any]:
    spec = parse(ReleaseSpec, release.get("spec"), "spec")
    status = parse(ReleaseStatus, release.get("status"), "status")
    return {
        "name": objects.name(release),
        "namespace": objects.namespace(release),
        "application": spec.application,
        "revision": spec.revision,
        "phase": status.phase,
        "reason": status.reason,
        "message": status.message,
        "wave": status.wave + 1 if status.waves else 0,
        "waves": len(status.waves),
        "clusters": status.units,
        "done": sum(one.succeeded for one in status.waves),
        "startedAt": status.started_at or None,
        "finishedAt": status.finished_at or None,
    }


def _said(release: Object, answer: verbs.Answer) -> dict[str, Any]:
    return {**_row(release), "did": answer.did, "next": answer.next}


def _commands() -> Sequence[click.Command]:
    return (_list, _show, *(_verb(verb) for verb in verbs.VERBS))


for _one in _commands():
    command.add_command(_one)
