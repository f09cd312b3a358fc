"""Owner references: what goes with its owner, what waits, what stays."""

from typing import Any

from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.refs import Address
from tests.contract.given import (
    CONFIG_MAPS,
    SECRETS,
    config_map,
    eventually,
    is_gone,
    owner_reference,
)

KEPT = ["example.io/kept"]


def at(space, name):
    return Address(CONFIG_MAPS, space, name)


async def family(api, space, **meta):
    """An owner and its dependent, whose metadata may say more."""
    owner = await api.create(Address(CONFIG_MAPS, space), config_map("owner"))
    reference = owner_reference(owner, blockOwnerDeletion=True)
    body = config_map("child", ownerReferences=[reference], **meta)
    await api.create(Address(CONFIG_MAPS, space), body)
    return owner


async def test_a_dependent_goes_with_its_owner(api, space):
    await family(api, space)
    await api.delete(at(space, "owner"))
    assert await is_gone(api, at(space, "owner"))
    await eventually(lambda: is_gone(api, at(space, "child")))


async def test_dependents_of_dependents_go_too(api, space):
    await family(api, space)
    child = await api.get(at(space, "child"))
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "grandchild", "ownerReferences": [owner_reference(child)]},
    }
    await api.create(Address(SECRETS, space), body)
    await api.delete(at(space, "owner"))
    await eventually(lambda: is_gone(api, Address(SECRETS, space, "grandchild")))


async def test_an_orphan_stays_without_its_owner(api, space):
    await family(api, space)
    await api.delete(at(space, "owner"), DeleteOptions(propagation="Orphan"))
    await eventually(lambda: is_gone(api, at(space, "owner")))
    child = await api.get(at(space, "child"))
    assert not child["metadata"].get("ownerReferences")


async def test_in_the_foreground_the_owner_waits_for_its_dependents(api, space):
    await family(api, space, finalizers=KEPT)
    marked = await api.delete(at(space, "owner"), DeleteOptions(propagation="Foreground"))
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]

    async def child_is_deleting():
        return "deletionTimestamp" in (await api.get(at(space, "child")))["metadata"]

    await eventually(child_is_deleting)
    assert (await api.get(at(space, "owner")))["metadata"]["deletionTimestamp"]
    await api.patch(at(space, "child"), Patch("merge", {"metadata": {"finalizers": None}}))
    await eventually(lambda: is_gone(api, at(space, "owner")))


async def test_in_the_foreground_an_owner_without_dependents_goes(api, space):
    await api.create(Address(CONFIG_MAPS, space), config_map("owner"))
    await api.delete(at(space, "owner"), DeleteOptions(propagation="Foreground"))
    await eventually(lambda: is_gone(api, at(space, "owner")))


async def test_a_dependent_that_blocks_nobody_is_not_waited_for(api, space):
    owner = await api.create(Address(CONFIG_MAPS, space), config_map("owner"))
    body = config_map("child", ownerReferences=[owner_reference(owner)], finalizers=KEPT)
    await api.create(Address(CONFIG_MAPS, space), body)
    await api.delete(at(space, "owner"), DeleteOptions(propagation="Foreground"))
    await eventually(lambda: is_gone(api, at(space, "owner")))
    await api.patch(at(space, "child"), Patch("merge", {"metadata": {"finalizers": None}}))


async def test_a_second_owner_keeps_a_dependent(api, space):
    first = await api.create(Address(CONFIG_MAPS, space), config_map("first"))
    second = await api.create(Address(CONFIG_MAPS, space), config_map("second"))
    references = [owner_reference(first), owner_reference(second)]
    await api.create(Address(CONFIG_MAPS, space), config_map("child", ownerReferences=references))
    await api.delete(at(space, "first"))

    async def has_one_owner():
        child = await api.get(at(space, "child"))
        return [one["name"] for one in child["metadata"]["ownerReferences"]] == ["second"]

    await eventually(has_one_owner)
    await api.delete(at(space, "second"))
    await eventually(lambda: is_gone(api, at(space, "child")))


async def test_a_dependent_of_an_owner_that_never_was_goes(api, space):
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "nobody",
        "uid": "00000000-0000-4000-a000-000000000000",
    }
    made = await api.create(
        Address(CONFIG_MAPS, space), config_map("child", ownerReferences=[reference])
    )
    assert made["metadata"]["ownerReferences"] == [reference]
    await eventually(lambda: is_gone(api, at(space, "child")))


async def test_a_dependent_that_was_let_go_stays(api, space):
    await family(api, space)
    await api.patch(at(space, "child"), Patch("merge", {"metadata": {"ownerReferences": None}}))
    await api.delete(at(space, "owner"))
    assert (await api.get(at(space, "child")))["metadata"]["name"] == "child"


async def test_an_owner_that_is_not_there_is_forgotten_beside_one_that_is(api, space):
    owner = await api.create(Address(CONFIG_MAPS, space), config_map("owner"))
    nobody = {
        **owner_reference(owner),
        "name": "nobody",
        "uid": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
    }
    body = config_map("child", ownerReferences=[owner_reference(owner), nobody])
    await api.create(Address(CONFIG_MAPS, space), body)

    async def has_one_owner():
        child = await api.get(at(space, "child"))
        return [one["name"] for one in child["metadata"]["ownerReferences"]] == ["owner"]

    await eventually(has_one_owner)


async def test_an_orphan_is_let_go_also_while_its_owner_is_held(api, space):
    await family(api, space)
    hold = Patch("merge", {"metadata": {"finalizers": KEPT}})
    await api.patch(at(space, "owner"), hold)
    await api.delete(at(space, "owner"), DeleteOptions(propagation="Orphan"))

    async def is_let_go():
        child = await api.get(at(space, "child"))
        return not child["metadata"].get("ownerReferences")

    await eventually(is_let_go)
    await api.patch(at(space, "owner"), Patch("merge", {"metadata": {"finalizers": None}}))


async def test_two_owners_that_both_wait_in_the_foreground_are_waited_for(api, space):
    """The first owns the others; the last, which is held, holds all of them."""
    made: dict[str, Any] = {}
    for name, above in (("a", ""), ("b", "a"), ("c", "ab"), ("d", "ca")):
        owners = [owner_reference(made[one], blockOwnerDeletion=True) for one in above]
        held = KEPT if name == "d" else None
        body = config_map(name, ownerReferences=owners, finalizers=held)
        made[name] = await api.create(Address(CONFIG_MAPS, space), body)
    await api.delete(at(space, "a"), DeleteOptions(propagation="Foreground"))

    async def all_go():
        found = [await api.get(at(space, name)) for name in "abcd"]
        return all("deletionTimestamp" in one["metadata"] for one in found)

    await eventually(all_go)
    await api.patch(at(space, "d"), Patch("merge", {"metadata": {"finalizers": None}}))
    await eventually(lambda: is_gone(api, at(space, "a")))
