"""`oneco up --kubeconfig` on a real API server: who works, what is refused, what is said."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from oneco.kinds import ocm
from oneco.kinds.oam import APPLICATIONS
from oneco.kube import objects
from oneco.kube.api import Patch, WriteOptions
from oneco.kube.errors import Invalid, NotFound
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import adding, asked, crds, installing, manifests
from oneco.main.connecting import Choice
from oneco.main.epoch import SYSTEM_NAMESPACE
from oneco.main.kubeconfigs import SECRETS
from oneco.main.remote import LEASE
from oneco.worlds.cluster.client import connect
from tests.real.cluster import RealCluster
from tests.real.processes import Program, until
from tests.real.site import ONECO, ROOT, write_account

_SECONDS = 60.0
BAD = {
    "apiVersion": APPLICATIONS.api_version,
    "kind": "Application",
    "metadata": {"name": "wrong", "namespace": "default"},
    "spec": {
        "components": [{"name": "web", "type": "webservice", "properties": {"image": "a"}}],
        "policies": [{"name": "p", "type": "release", "properties": {"batches": ["9%", "5%"]}}],
    },
}
PLACE = Address(APPLICATIONS, "default", "wrong")


class Processes:
    """Processes that stand for one real hub, one after the other or side by side."""

    def __init__(self, cluster: RealCluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        self.started: list[Program] = []

    def up(self, *words: str, kubeconfig: Path | None = None) -> Program:
        """Start one more, as an administrator or with another kubeconfig."""
        name = f"hub-{len(self.started)}"
        whose = kubeconfig or self.cluster.kubeconfig
        whole: list[str | Path] = [*ONECO, "up", "--kubeconfig", whose, *words]
        program = Program(name, [*whole, "--data", self.folder / name], self.folder / f"{name}.log")
        self.started.append(program)
        program.start()
        return program

    def says(self, program: Program, text: str) -> None:
        """Return when it has said this."""

        def is_said() -> bool:
            program.check()
            return text in program.log.read_text()

        until(is_said, program.last_words, _SECONDS)

    def journal(self, program: Program) -> list[str]:
        """What it did."""
        return (self.folder / program.name / "journal.jsonl").read_text().splitlines()

    def ask(self, work):
        """What `work` answers about the hub."""

        async def asking():
            async with connect(str(self.cluster.kubeconfig)) as api:
                return await work(api)

        return asyncio.run(asking())


@pytest.fixture
def processes(real_cluster, tmp_path) -> Iterator[Processes]:
    made = Processes(real_cluster, tmp_path)
    try:
        yield made
    finally:
        for one in made.started:
            one.end()


def an_application(name: str) -> Object:
    component = {"name": "web", "type": "webservice", "properties": {"image": "web:1"}}
    return {**BAD, "metadata": {"name": name, "namespace": "default"},
            "spec": {"components": [component]}}  # fmt: skip


def test_one_that_was_stopped_while_another_took_over_writes_nothing_when_it_goes_on(processes):
    first = processes.up()
    processes.says(first, "The hub is at")
    second = processes.up()
    processes.says(second, "waits to take over")
    first.tell(signal.SIGSTOP)
    processes.says(second, "The hub is at")
    before = processes.journal(first)
    # There is work to do in the moment in which the first wakes up.
    news = Address(APPLICATIONS, "default", "news")
    first.tell(signal.SIGCONT)
    processes.ask(lambda api: api.apply(news, an_application("news"), WriteOptions(force=True)))
    processes.says(first, "does not lead any more")
    until(lambda: "news" in "".join(processes.journal(second)), second.last_words, _SECONDS)
    assert processes.journal(first) == before
    lease = processes.ask(lambda api: api.get(LEASE))
    assert objects.dig(lease, "spec", "leaseTransitions", default=0) >= 1
    # One that ends in good order lets the other begin at once.
    second.end(signal.SIGTERM)
    processes.says(first, "does not lead any more")
    processes.ask(lambda api: api.delete(news))


def test_what_is_wrong_is_said_before_it_is_kept_and_without_that_afterwards(processes):
    judge = processes.up("--listen", "127.0.0.1:0")
    processes.says(judge, "are judged at")
    processes.says(judge, "The hub is at")

    async def refused(api) -> Invalid | None:
        try:
            await api.apply(PLACE, BAD, WriteOptions(force=True))
        except Invalid as error:
            return error
        await api.delete(PLACE)
        return None

    found = None
    for _ in range(20):
        # The server looks at the configuration a moment after it was written.
        found = processes.ask(refused)
        if found is not None:
            break
    assert found is not None, judge.last_words()
    assert found.causes[0].field.startswith("spec.policies[0]")
    judge.end(signal.SIGTERM)
    with pytest.raises(NotFound):
        processes.ask(lambda api: api.get(asked.CONFIGURATION))

    plain = processes.up()
    processes.says(plain, "The hub is at")
    processes.ask(lambda api: api.apply(PLACE, BAD, WriteOptions(force=True)))

    def is_told() -> bool:
        kept = processes.ask(lambda api: api.get(PLACE))
        said = objects.dig(kept, "status", "conditions", default=())
        return any(found.causes[0].message in one.get("message", "") for one in said)

    until(is_told, plain.last_words, _SECONDS)
    processes.ask(lambda api: api.delete(PLACE))


def test_what_stands_in_the_way_is_said_in_words(processes, tmp_path):
    def fails(kubeconfig: Path) -> str:
        words = [*ONECO, "up", "--kubeconfig", str(kubeconfig)]
        done = subprocess.run(
            words, cwd=ROOT, text=True, capture_output=True, timeout=60, env={**os.environ}
        )
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    own = yaml.safe_load(processes.cluster.kubeconfig.read_text())
    stranger, nobody = tmp_path / "stranger", tmp_path / "nobody"
    stranger.write_text(yaml.safe_dump({**own, "users": [{"name": own["users"][0]["name"],
        "user": {"token": "unknown"}}]}))  # fmt: skip
    user = {**own["users"][0]["user"], "as": "nobody"}
    nobody.write_text(yaml.safe_dump({**own, "users": [{**own["users"][0], "user": user}]}))
    assert "wanted credentials that the hub knows" in fails(stranger)
    assert "`oneco install` as an administrator" in fails(nobody)

    name = "checkruns.onepersoncompany.io"
    place = Address(Resource("apiextensions.k8s.io", "v1", crds.DEFINITIONS.plural), "", name)

    async def make_foreign(api) -> Object:
        await crds.install(api, crds.for_hub())
        there = await api.get(place)
        await api.delete(place)
        spec = there["spec"]
        version = {**spec["versions"][0], "name": "v9"}
        meta = {"name": name}
        made = {**there, "metadata": meta, "spec": {**spec, "versions": [version]}}
        made.pop("status", None)
        for _ in range(100):
            try:
                return await api.create(place._replace(name=""), made)
            except Exception:
                await asyncio.sleep(0.1)
        raise AssertionError("the definition never went")

    processes.ask(make_foreign)
    try:
        assert "one that serves v9" in fails(processes.cluster.kubeconfig)
    finally:
        processes.ask(lambda api: api.delete(place))


def test_a_member_that_the_hub_reaches_itself_is_served_with_the_rights_of_the_account(
    processes, real_fleet, tmp_path
):
    member, account = real_fleet(1)[0], tmp_path / "account"
    processes.ask(lambda api: installing.install(api, [*manifests.kinds(), *manifests.account()]))
    asyncio.run(write_account(processes.cluster.kubeconfig, account))
    program = processes.up(kubeconfig=account)
    processes.says(program, "The hub is at")
    choice = Choice(kubeconfig=str(member.kubeconfig))
    processes.ask(lambda api: adding.add(api, "reached", choice, {}))
    place = Address(APPLICATIONS, "default", "reached")
    topology = {"name": "t", "type": "topology", "properties": {"clusters": ["reached"]}}
    wanted = an_application("reached")
    wanted = {**wanted, "spec": {**wanted["spec"], "policies": [topology]}}
    processes.ask(lambda api: api.apply(place, wanted, WriteOptions(force=True)))

    def runs() -> bool:
        found = processes.ask(lambda api: api.get(place))
        return objects.dig(found, "status", "status") == "running"

    until(runs, program.last_words, _SECONDS)
    processes.ask(lambda api: api.delete(place))
    until(lambda: is_gone(processes, place), program.last_words, _SECONDS)
    secret = Address(SECRETS, SYSTEM_NAMESPACE, "member-reached")
    processes.ask(lambda api: api.delete(secret))
    processes.ask(lambda api: api.delete(Address(ocm.CLUSTERS, "", "reached")))


def is_gone(processes: Processes, place: Address) -> bool:
    """Whether there is nothing at `place` any more."""
    try:
        processes.ask(lambda api: api.get(place))
    except NotFound:
        return True
    return False


def test_a_hub_that_is_away_at_the_start_is_waited_for(processes):
    server = processes.cluster.server
    server.end()
    program = processes.up()
    processes.says(program, "the hub cannot be had")
    server.start()
    processes.says(program, "The hub is at")
    processes.ask(lambda api: api.patch(LEASE, Patch("merge", {"metadata": {}})))
