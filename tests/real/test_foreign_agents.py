"""Open Cluster Management's own agents serve one member of the main job, on both kinds of hub."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial

import pytest

from oneco.kinds import ocm
from oneco.kube import objects
from oneco.kube.api import Api, Patch
from oneco.kube.refs import Address
from oneco.worlds.cluster.client import connect
from tests.real import cloning, company, ocm_site
from tests.real.ocm_site import FOREIGN, Ocm
from tests.real.site import NAMES
from tests.real.watching import watched

POLICY = {
    **company.POLICY,
    "progressDeadline": "25s",
    "waves": [{"name": name, "environments": [name]} for name in NAMES],
}


CLONES = {
    "batches": ["25%", "50%", "100%"],
    "batchSilence": "2s",
    "progressDeadline": "15s",
    "onFailure": "Rollback",
}


class Told:
    """A site, its hub and its members, as somebody with all their kubeconfigs sees them."""

    def __init__(self, site: Ocm, hub: Api, members: Mapping[str, Api]) -> None:
        self.site, self.hub, self.members = site, hub, members

    async def apply(self, version: str) -> None:
        """Apply the shop at one version."""
        body = company.application(version)
        body["spec"]["policies"][0]["properties"] = POLICY
        await self.hub.apply(company.APPLICATION, body, company._OPTIONS)

    async def runs_everywhere(self, version: str) -> None:
        """Return when every member runs the version."""
        for member in self.members.values():
            look = partial(company.runs, member, version)
            await company.until(look, self.site.klusterlet.words(), self.hub)


@pytest.fixture(scope="module", params=["embedded", "real"])
def site(request, real_fleet, kruise_fleet, ocm_agents, tmp_path_factory) -> Iterator[Ocm]:
    """A hub with three members, the first of them served by Open Cluster Management's agents."""
    folder = tmp_path_factory.mktemp(f"ocm-{request.param}")
    hub = None if request.param == "embedded" else request.getfixturevalue("real_cluster")
    members = (*kruise_fleet(1), *real_fleet(2))
    made = ocm_site.made(folder, hub, members, ocm_agents)
    try:
        made.start()
        yield made
    finally:
        made.end()


def tell(site: Ocm, story: Callable[[Told], Awaitable[None]]) -> None:
    """Let a story happen."""

    async def told() -> None:
        async with contextlib.AsyncExitStack() as stack:
            hub = await stack.enter_async_context(connect(str(site.kubeconfig)))
            members = {
                name: await stack.enter_async_context(connect(str(cluster.kubeconfig)))
                for name, cluster in site.members.items()
            }
            await story(Told(site, hub, members))

    asyncio.run(told())


def test_it_says_whose_agent_serves_each_cluster(site):
    rows = {one["name"]: one for one in site.asked("clusters")["clusters"]}
    assert {name: row["agent"].split()[0] for name, row in rows.items()} == {
        "test": "foreign",
        "canary": "oneco",
        "production": "oneco",
    }


def test_a_release_passes_through_all_waves_in_the_batches_of_its_plan(site):
    async def story(told: Told) -> None:
        await told.apply("v1")
        assert (await company.ending(told.hub, 1)).phase == "Succeeded"
        await told.runs_everywhere("v1")
        async with contextlib.AsyncExitStack() as stack:
            seen = {
                name: await stack.enter_async_context(watched(member, "v2"))
                for name, member in told.members.items()
            }
            await told.apply("v2")
            assert (await company.ending(told.hub, 2)).phase == "Succeeded"
            await told.runs_everywhere("v2")
        for name, exposure in seen.items():
            assert all(step >= company.SILENCE_SECONDS for step in exposure.steps()), name
            assert exposure.fewest_ready == 3, name

    tell(site, story)


def test_a_bad_version_reaches_one_pod_and_is_rolled_back_there_too(site):
    async def story(told: Told) -> None:
        async with contextlib.AsyncExitStack() as stack:
            seen = {
                name: await stack.enter_async_context(watched(member, "v3-bad"))
                for name, member in told.members.items()
            }
            await told.apply("v3-bad")
            status = await company.ending(told.hub, 3)
            assert status.phase == "RolledBack", status
            assert "the agent there is not oneco's" in status.message
            await told.runs_everywhere("v2")
        assert seen[FOREIGN].most == 1
        assert seen[FOREIGN].fewest_ready == 3
        assert [seen[name].most for name in NAMES if name != FOREIGN] == [0, 0]
        company_live = await company.settled(told.members[FOREIGN])
        assert "minReadySeconds" not in company_live["spec"]

    tell(site, story)


@pytest.mark.parametrize("site", ["embedded"], indirect=True)  # Half a minute, alike on both.
def test_a_clone_set_goes_in_its_batches_under_their_agent_and_a_bad_one_comes_back(site):
    async def story(told: Told) -> None:
        member = told.members[FOREIGN]
        await cloning.prepare(told.hub)
        await cloning.apply(told.hub, "v1", FOREIGN, **CLONES)
        assert (await cloning.ending(told.hub, 1)).phase == "Succeeded"
        async with cloning.counted(told.hub, member, "v2") as most:
            await cloning.apply(told.hub, "v2", FOREIGN, **CLONES)
            assert (await cloning.ending(told.hub, 2)).phase == "Succeeded"
        assert (most[1], most[2]) == (1, 2)
        async with cloning.counted(told.hub, member, "v3-bad") as most:
            await cloning.apply(told.hub, "v3-bad", FOREIGN, **CLONES)
            assert (await cloning.ending(told.hub, 3)).phase == "RolledBack"
        assert max(most.values()) == 1
        live = await member.get(cloning.CLONE_SET)
        assert not objects.dig(live, "spec", "updateStrategy", "partition", default=0)
        await cloning.delete(told.hub, member)

    tell(site, story)


def test_their_certificate_is_renewed_by_their_own_agent_and_works(site):
    """It looks every five minutes, or when its Secret changes: there something calls for one."""

    async def story(told: Told) -> None:
        member = told.members[FOREIGN]
        before = objects.dig(await member.get(ocm_site.CREDENTIAL), "data", "tls.crt")
        change = {"data": {"agent-name": base64.b64encode(b"somebody").decode()}}
        await member.patch(ocm_site.CREDENTIAL, Patch("merge", change))

        async def is_another() -> bool:
            now = objects.dig(await member.get(ocm_site.CREDENTIAL), "data", "tls.crt")
            return bool(now) and now != before

        await company.until(is_another, site.klusterlet.words(), told.hub)
        requests = (await told.hub.list(ocm_site.REQUESTS)).items
        reasons = [one["reason"] for each in requests for one in each["status"]["conditions"]]
        assert "AgentRenews" in reasons

    tell(site, story)
    # With what it has now it goes on renewing its lease and answering works.
    assert {one["name"]: one["available"] for one in site.asked("clusters")["clusters"]}[
        FOREIGN
    ] == "yes"


def test_deleting_takes_everything_off_and_the_work_goes(site):
    async def story(told: Told) -> None:
        await told.hub.delete(company.APPLICATION)

        async def is_gone() -> bool:
            works = (await told.hub.list(Address(ocm.WORKS))).items
            there = [await company.exists(one, company.DEPLOYMENT) for one in told.members.values()]
            return not works and not any(there)

        await company.until(is_gone, site.klusterlet.words(), told.hub)
        records = (await told.members[FOREIGN].list(Address(ocm.APPLIED_WORKS))).items
        left = [objects.name(one) for one in records]
        assert not left

    tell(site, story)
