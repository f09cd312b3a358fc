"""The main job with real members: the hub in this process, each member a real control plane."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from oneco.kube.api import Patch
from tests.real import company
from tests.real.hub import Hub
from tests.real.watching import watched

BAD_IMAGE = {"name": "web", "image": "registry.example/web:somebody-elses"}


@pytest.fixture(scope="module")
def hub(real_fleet, tmp_path_factory) -> Iterator[Hub]:
    """A hub with the members `test` and `production`, which run the first version."""
    clusters = dict(zip(("test", "production"), real_fleet(2), strict=True))
    with asyncio.Runner() as runner:
        hub = Hub(runner, clusters)
        context = hub.up(tmp_path_factory.mktemp("hub"))
        runner.run(context.__aenter__())
        try:
            yield hub
        finally:
            runner.run(context.__aexit__(None, None, None))


def test_batches_are_held_at_the_gate_by_the_deployment_controller(hub):
    async def story():
        async with contextlib.AsyncExitStack() as stack:
            seen = {
                name: await stack.enter_async_context(watched(member, hub.next_version()))
                for name, member in hub.members.items()
            }
            await hub.deliver()
            return seen, [await company.settled(one) for one in hub.members.values()]

    seen, lives = hub.run(story())
    for name, exposure in seen.items():
        assert exposure.most == company.REPLICAS
        assert all(step >= company.SILENCE_SECONDS for step in exposure.steps()), (
            f"{name}: batches began {exposure.steps()} s after one another"
        )
        # A quarter may be missing: one pod of four.
        assert exposure.fewest_ready == 3, name
    for live in lives:
        assert_is_ungated(live)


def assert_is_ungated(live):
    """The gate is made of fields; when a release is over, they are as they were before."""
    assert "minReadySeconds" not in live["spec"]
    assert live["spec"]["progressDeadlineSeconds"] == 600
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    assert live["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": rolling}


def test_a_bad_version_reaches_one_pod_and_is_rolled_back(hub):
    async def story():
        async with contextlib.AsyncExitStack() as stack:
            seen = {
                name: await stack.enter_async_context(watched(member, hub.next_version("-bad")))
                for name, member in hub.members.items()
            }
            await hub.apply("-bad")
            await hub.ends("RolledBack")
            await hub.runs_everywhere(hub.good)
            return seen, await company.settled(hub.members["test"])

    seen, live = hub.run(story())
    assert seen["test"].most == 1
    assert seen["test"].fewest_ready == 3
    assert seen["production"].most == 0
    assert seen["production"].fewest_ready == company.REPLICAS
    assert_is_ungated(live)


def test_what_somebody_changes_in_a_member_is_put_back(hub):
    async def story():
        member = hub.members["test"]
        drift = {"spec": {"template": {"spec": {"containers": [BAD_IMAGE]}}}}
        await member.patch(company.DEPLOYMENT, Patch("strategic", drift))
        await member.delete(company.SERVICE)

        async def is_back():
            live = await member.get(company.DEPLOYMENT)
            containers = live["spec"]["template"]["spec"]["containers"]
            return containers[0]["image"] == company.image(hub.good)

        await company.until(is_back, "the image stayed as somebody changed it", hub.api)
        await company.until(lambda: company.exists(member, company.SERVICE), "no Service", hub.api)
        await hub.runs_everywhere(hub.good)

    hub.run(story())


def test_a_release_goes_on_when_a_members_api_server_comes_back(hub):
    production = hub.clusters["production"]

    async def story():
        async with watched(hub.members["production"], hub.next_version()) as exposure:
            version = await hub.apply()

            async def has_begun():
                return exposure.most >= 1

            await company.until(has_begun, "production was never reached", hub.api)
            production.server.end()
            # Longer than a batch's silence: nobody may take a silent member for a healthy one.
            await asyncio.sleep(company.SILENCE_SECONDS * 2)
            status = await hub.status()
            assert status.phase == "Progressing", status
            production.server.start()
            await hub.ends("Succeeded")
            await hub.runs_everywhere(version)
            return exposure

    assert all(step >= company.SILENCE_SECONDS for step in hub.run(story()).steps())
