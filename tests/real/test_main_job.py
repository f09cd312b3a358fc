"""The main job with the example application, on both kinds of hub, while things break.

Three real members, each with an agent process of its own. The tests of one hub go on where the one
before ended: first delivery, a good version while processes die, a bad version.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from oneco.kube.api import Api
from oneco.worlds.cluster.client import connect
from tests.real import boutique
from tests.real.site import NAMES, EmbeddedSite, RealSite, Site

_PATIENCE_SECONDS = 90.0


class Job:
    """A site, the example's files, and the members seen from outside."""

    def __init__(self, site: Site, files: Mapping[str, Path], members: Mapping[str, Api]) -> None:
        self.site, self.files, self.members = site, files, members

    async def oneco(self, *words: str, status: int = 0) -> str:
        """Type a command, while everything else goes on."""
        return await asyncio.to_thread(self.site.oneco, *words, status=status)

    async def apply(self, version: str, *words: str, status: int = 0) -> str:
        """Apply one version of the example."""
        return await self.oneco("apply", "-f", str(self.files[version]), *words, status=status)

    async def release(self) -> dict:
        """The newest release, as the command line shows it."""
        rows = await asyncio.to_thread(self.site.asked, "release", "list")
        return max(rows["releases"], key=lambda one: int(one["name"].rpartition("-v")[2]))

    async def until(self, look: Callable[[], Awaitable[bool]], otherwise: str) -> None:
        """Return once `look` says so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not await look():
                    await asyncio.sleep(0.1)
                return
        raise AssertionError(
            f"{otherwise}\n{await self.oneco('status', boutique.NAME)}\n{self.site.words()}"
        )

    async def ends(self, phase: str) -> dict:
        """The newest release, once it has ended, which must be in this phase."""

        async def is_over() -> bool:
            return (await self.release())["phase"] in ("Succeeded", "RolledBack", "Blocked")

        await self.until(is_over, "the release did not end")
        found = await self.release()
        assert found["phase"] == phase, found
        return found

    async def runs_everywhere(self, version: str) -> None:
        """Return once every pod of every member is of this version and ready."""
        for name, member in self.members.items():
            await self.until(partial(boutique.runs, member, version), f"{name}: not {version}")


@pytest.fixture(scope="module", params=["embedded", "real"])
def site(request, real_fleet, tmp_path_factory) -> Iterator[Site]:
    """A hub with three members, joined by their invitations."""
    folder, members = tmp_path_factory.mktemp(request.param), real_fleet(3)
    if request.param == "embedded":
        made: Site = EmbeddedSite(folder, members)
    else:
        made = RealSite(folder, request.getfixturevalue("real_cluster"), members)
    try:
        made.start()
        yield made
    finally:
        made.end()


def tell(site: Site, story: Callable[[Job], Awaitable[None]]) -> None:
    """Let a story happen."""

    async def told() -> None:
        async with contextlib.AsyncExitStack() as stack:
            members = {
                name: await stack.enter_async_context(connect(str(cluster.kubeconfig)))
                for name, cluster in site.members.items()
            }
            await story(Job(site, boutique.write(site.folder / "files"), members))

    asyncio.run(told())


@contextlib.asynccontextmanager
async def seen(job: Job, version: str):
    """What becomes of a version in each member while the context lasts."""
    async with contextlib.AsyncExitStack() as stack:
        yield {
            name: await stack.enter_async_context(boutique.watched(member, version))
            for name, member in job.members.items()
        }


def test_the_first_version_is_delivered_to_three_real_members(site):
    async def story(job: Job) -> None:
        await job.apply("v1", "--wait")
        await job.runs_everywhere("v1")

    tell(site, story)


def test_the_next_version_keeps_its_batches_while_processes_die(site):
    async def story(job: Job) -> None:
        async with seen(job, "v2") as exposures:
            await job.apply("v2")
            await _lose_the_agent(job, exposures["test"])
            if isinstance(site, RealSite):
                await _lose_the_hub(job, site, exposures["canary"])
            await _lose_the_member(job, exposures["production"])
            await job.ends("Succeeded")
            await job.runs_everywhere("v2")
        for name, exposure in exposures.items():
            assert all(step >= boutique.SILENCE_SECONDS for step in exposure.steps()), name
            assert exposure.fewest_ready == 3, name
        starts = [exposures[name].reached[1] for name in NAMES]
        ends = [exposures[name].reached[4] for name in NAMES]
        assert ends[0] < starts[1] < ends[1] < starts[2], "the waves were not one after the other"

    tell(site, story)


async def _lose_the_agent(job: Job, exposure: boutique.Exposure) -> None:
    """Kill the agent in the first batch: without its word nobody goes on."""
    await job.until(lambda: _reached(exposure, 1), "the first batch never began")
    job.site.kill("test")
    await asyncio.sleep(boutique.SILENCE_SECONDS * 2)
    assert exposure.most <= boutique.BATCHES[1]
    assert (await job.release())["phase"] == "Progressing"
    job.site.agents["test"].start()


async def _lose_the_hub(job: Job, site: RealSite, exposure: boutique.Exposure) -> None:
    """Kill the hub's process, and then its API server: another process goes on with the release."""
    await job.until(lambda: _reached(exposure, 1), "the second wave never began")
    site.hubs[1].start()
    site.hubs[0].end(signal.SIGKILL)
    await job.until(lambda: _leads(site), "nobody took over")
    site.hub.server.end()
    await asyncio.sleep(boutique.SILENCE_SECONDS)
    site.hub.server.start()


async def _lose_the_member(job: Job, exposure: boutique.Exposure) -> None:
    """Stop a member's API server in the middle of its wave."""
    await job.until(lambda: _reached(exposure, 1), "production was never reached")
    server = job.site.members["production"].server
    server.end()
    await asyncio.sleep(boutique.SILENCE_SECONDS * 2)
    assert (await job.release())["phase"] == "Progressing"
    server.start()


async def _reached(exposure: boutique.Exposure, count: int) -> bool:
    return exposure.most >= count


async def _leads(site: RealSite) -> bool:
    return " leads the hub at" in site.hubs[1].last_words()


def test_a_bad_version_reaches_one_pod_and_is_rolled_back(site):
    async def story(job: Job) -> None:
        async with seen(job, "v3-bad") as exposures:
            await job.apply("v3-bad", "--wait", status=3)
            found = await job.ends("RolledBack")
            await job.runs_everywhere("v2")
        assert "frontend" in found["message"], found
        assert exposures["test"].most == boutique.BATCHES[0]
        assert exposures["test"].fewest_ready == 3
        assert [exposures[name].most for name in NAMES[1:]] == [0, 0]

    tell(site, story)
