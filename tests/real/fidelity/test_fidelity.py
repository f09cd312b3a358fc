"""The twin tells the truth: what happens to a release rehearsed happens to it on real clusters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from oneco.main.rehearsal import BEGINNING
from oneco.worlds import clocks
from oneco.worlds.clocks import RealClock, VirtualClock
from tests.real.cluster import RealCluster, running
from tests.real.fidelity import company, comparing, stages
from tests.real.fidelity.playing import Stage, Told, play
from tests.real.fidelity.stories import MEMBERS, NODES, Story

STORIES = (*company.NATIVE, *company.KRUISE)

Ends = dict[str, Told | BaseException]


@pytest.fixture(scope="module")
def real(programs, kruise_fleet, tmp_path_factory) -> Iterator[Ends]:
    """How each story ended on real clusters; all are played there at once."""
    hub = RealCluster(tmp_path_factory.mktemp("fidelity-hub"), programs)
    members = dict(zip(MEMBERS, kruise_fleet(len(MEMBERS), nodes=NODES), strict=True))
    with running(hub):
        yield asyncio.run(_play_all(hub, members, STORIES))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_release_goes_on_real_clusters_as_it_was_rehearsed(story: Story, real: Ends):
    told = real[story.name]
    if isinstance(told, BaseException):
        raise told
    found = comparing.differences(rehearsed(story), told, is_loose=story.is_loose)
    assert not found, found
    if story.ends == "RolledBack":
        assert _specs(told.end) == _specs(told.begin)


def rehearsed(story: Story) -> Told:
    """How the story ends in memory."""

    async def told(clock: VirtualClock) -> Told:
        async with stages.rehearsed(clock) as fleet:
            return await play(Stage(fleet, story))

    with clocks.rare_collections():
        return clocks.run(told, BEGINNING)


async def _play_all(
    hub: RealCluster, members: dict[str, RealCluster], stories: Sequence[Story]
) -> Ends:
    async with stages.real(hub, members, RealClock()) as fleet:
        plays = [play(Stage(fleet, one)) for one in stories]
        ends = await asyncio.gather(*plays, return_exceptions=True)
    return {story.name: end for story, end in zip(stories, ends, strict=True)}


def _specs(state: Any) -> Any:
    return {name: one["spec"] for name, one in state["members"].items()}
