"""An agent that was away removes what it should have removed meanwhile."""

from __future__ import annotations

from oneco.kinds import ocm
from oneco.kinds.release import OBSERVATIONS
from oneco.kube.api import Patch
from oneco.kube.refs import Address
from tests.agent.place import MAPS, SERVICES, WORK, a_map, a_service, spec_of, tell


def test_what_left_a_work_while_the_agent_was_away_is_removed():
    async def story(place):
        await place.deliver(a_map("kept"), a_service("web"))
        await place.with_an_agent()
        assert await place.names(SERVICES) == ["web"]
        patch = Patch("merge", {"spec": spec_of(a_map("kept"))})
        await place.hub.patch(WORK, patch)
        await place.with_an_agent()
        return await place.names(SERVICES), "kept" in await place.names(MAPS)

    assert tell(story) == ([], True)


def test_a_work_deleted_while_the_agent_was_away_leaves_nothing_behind():
    async def story(place):
        await place.deliver(a_map("kept"), a_service("web"))
        await place.with_an_agent()
        await place.hub.delete(WORK)
        assert await place.works() == ["shop"]
        await place.with_an_agent()
        return await place.works(), await place.names(SERVICES), "kept" in await place.names(MAPS)

    assert tell(story) == ([], [], False)


def test_an_agent_that_must_not_act_counts_only_what_really_differs():
    async def story(place):
        await place.deliver(a_map("same"), a_map("other"), a_service("web"))
        await place.with_an_agent()
        life = {"metadata": {"annotations": {ocm.HUB_EPOCH_ANNOTATION: "second life"}}}
        await place.hub.patch(Address(ocm.CLUSTERS, "", "here"), Patch("merge", life))
        changed = {**a_map("other"), "data": {"now": "different"}}
        patch = Patch("merge", {"spec": spec_of(a_map("same"), changed, a_service("web"))})
        await place.hub.patch(WORK, patch)
        await place.with_an_agent()
        seen = await place.hub.get(Address(OBSERVATIONS, "here", "shop"))
        live = await place.member.get(MAPS._replace(name="other"))
        return seen["observed"], live.get("data")

    observed, data = tell(story)
    assert (observed["isConfirmed"], observed["differences"], data) == (False, 1, None)
