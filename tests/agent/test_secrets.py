"""A Secret in plain text is delivered once, and its work is then reported as done."""

from __future__ import annotations

from oneco.kinds.release import OBSERVATIONS
from oneco.kube.refs import Address, Resource
from tests.agent.place import tell

SECRET = Address(Resource("", "v1", "secrets"), "shop", "note")


def test_a_secret_written_as_plain_text_counts_as_applied():
    async def story(place):
        meta = {"name": "note", "namespace": "shop"}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta}
        await place.deliver({**body, "stringData": {"word": "open"}, "data": {"raw": "AAE="}})
        await place.with_an_agent()
        seen = await place.hub.get(Address(OBSERVATIONS, "here", "shop"))
        return (await place.member.get(SECRET))["data"], seen["observed"]["objects"]

    data, rows = tell(story)
    assert data == {"word": "b3Blbg==", "raw": "AAE="}
    assert [(one["ref"]["name"], one["isApplied"]) for one in rows] == [
        ("shop", True),
        ("note", True),
    ]
