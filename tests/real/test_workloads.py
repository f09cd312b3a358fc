"""Each workload kind under its own real controller: held batch by batch, taken back, disturbed.

The six Applications of a test are released side by side, so that it takes as long as one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from oneco.kube import objects
from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.refs import Address
from tests.real import cluster, six
from tests.real.company import image_of
from tests.real.following import PODS
from tests.real.six import KINDS, PODS_WANTED, SILENCE_SECONDS, SIZED, Six


@pytest.fixture(scope="module")
def company(kruise_fleet, tmp_path_factory) -> Iterator[Six]:
    """The six Applications at their first version."""
    (member,) = kruise_fleet(1, nodes=PODS_WANTED)
    with asyncio.Runner() as runner:
        made = Six(runner, member)
        context = made.up(tmp_path_factory.mktemp("hub"))
        runner.run(context.__aenter__())
        try:
            yield made
        finally:
            runner.run(context.__aexit__(None, None, None))


def test_at_each_gate_exactly_so_many_pods_are_new(company):
    async def held(seen, name):
        found = []
        for batch in (1, 2):
            await company.at_gate(name, batch)
            found.append((seen[name].new(), len(seen[name].living)))
        await company.ends(name, "Succeeded")
        return found

    async def story():
        version = company.next_version()
        async with company.watched(tuple(KINDS), version) as seen:
            for name in KINDS:
                await company.apply(name, version)
            gates = await asyncio.gather(*(held(seen, name) for name in KINDS))
            lives = {name: await company.member.get(six.address(name)) for name in KINDS}
        company.good = version
        return seen, dict(zip(KINDS, gates, strict=True)), lives

    seen, gates, lives = company.run(story())
    assert gates == {name: [(1, PODS_WANTED), (2, PODS_WANTED)] for name in KINDS}
    for name, pods in seen.items():
        assert all(pause >= SILENCE_SECONDS for pause in pods.pauses()), (name, pods.pauses())
        assert (pods.new(), len(pods.living)) == (PODS_WANTED, PODS_WANTED), name
        assert pods.fewest_ready >= PODS_WANTED - 1, name
    for name, live in lives.items():
        marks = objects.annotations_of(live)
        assert "onepersoncompany.io/partition" not in marks, name


def test_a_bad_version_reaches_one_pod_of_each_and_is_taken_back(company):
    async def story():
        version = company.next_version("-bad")
        async with company.watched(tuple(KINDS), version) as seen:
            for name in KINDS:
                await company.apply(name, version)
            await asyncio.gather(*(company.ends(name, "RolledBack") for name in KINDS))
        return seen

    for name, pods in company.run(story()).items():
        assert pods.most == 1, name
        assert pods.fewest_ready == PODS_WANTED - 1, name
        assert (pods.new(), pods.ready()) == (0, PODS_WANTED), name


def test_scaled_in_the_middle_of_a_batch_the_gate_holds_at_the_new_size_and_all_ends_well(company):
    """As an autoscaler does: the manifests leave the size to the cluster."""

    async def scaled(seen, name, version):
        await company.at_gate(name, 1)
        assert seen[name].new() == 1, name
        patch = Patch("merge", {"spec": {"replicas": PODS_WANTED + 2}})
        await company.member.patch(six.address(name)._replace(subresource="scale"), patch)

        async def is_full():
            return seen[name].ready() == PODS_WANTED + 2

        await company.until(is_full, f"{name} never had its new size")
        in_the_middle = seen[name].new()
        await company.ends(name, "Succeeded")
        return in_the_middle, seen[name].new(), len(seen[name].living)

    async def story():
        version = company.next_version()
        async with company.watched(SIZED, version) as seen:
            for name in SIZED:
                # Long enough to be scaled in; the size that is there stays.
                made = six.workload(name, version, replicas=None)
                await company.apply_as(six.application(name, made, batchSilence="8s"))
            told = await asyncio.gather(*(scaled(seen, name, version) for name in SIZED))
        lives = {name: await company.member.get(six.address(name)) for name in SIZED}
        company.good = version
        return dict(zip(SIZED, told, strict=True)), lives

    told, lives = company.run(story())
    for name, (in_the_middle, new, living) in told.items():
        # A Deployment shares added pods out between its versions; a partition counts old pods,
        # so that those which come beside them are new.
        most = 2 if name == "deployment" else 3
        assert 1 <= in_the_middle <= most, (name, in_the_middle)
        assert (new, living) == (PODS_WANTED + 2, PODS_WANTED + 2), name
        assert objects.dig(lives[name], "spec", "replicas") == PODS_WANTED + 2, name


def test_a_node_that_is_lost_in_the_middle_of_a_batch_delays_a_release_and_no_more(company):
    node = Address(cluster.NODES, "", f"node-{PODS_WANTED - 1}")

    async def story():
        version = company.next_version()
        async with company.watched(tuple(KINDS), version) as seen:
            for name in KINDS:
                await company.apply(name, version)
            await asyncio.gather(*(company.at_gate(name, 1) for name in KINDS))
            await company.member.delete(node)
            page = await company.member.list(PODS)
            for pod in page.items:
                # Kubernetes collects them by itself only forty seconds later.
                if objects.dig(pod, "spec", "nodeName") == node.name:
                    address = Address(PODS.resource, six.NAMESPACE, objects.name(pod))
                    await company.member.delete(address, DeleteOptions(grace_seconds=0))
            await asyncio.gather(*(company.ends(name, "Succeeded") for name in KINDS))
            counts = {name: (pods.new(), len(pods.living)) for name, pods in seen.items()}
        company.good = version
        return counts

    async def node_is_back():
        async with company.watched(("daemon", "advanced-daemon"), company.good) as seen:

            async def is_full():
                return all(pods.ready() == PODS_WANTED for pods in seen.values())

            await company.until(is_full, "the new node never had its pods")

    counts = company.run(story())
    company.cluster.need_nodes(PODS_WANTED)
    # A pod that comes to the new node would be one more than the next release lets be new.
    company.run(node_is_back())
    nodes = PODS_WANTED - 1
    sized = dict.fromkeys(SIZED, (PODS_WANTED, PODS_WANTED))
    assert counts == {**sized, "daemon": (nodes, nodes), "advanced-daemon": (nodes, nodes)}


def test_a_new_pod_counts_when_it_was_ready_for_as_long_as_its_owner_asks(company):
    seconds = 4

    async def story():
        version = company.next_version()
        rolling = {"minReadySeconds": seconds}
        specs: dict[str, dict[str, Any]] = {name: dict(rolling) for name in KINDS}
        specs["advanced-stateful"] = {
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling}
        }
        async with company.watched(tuple(KINDS), version) as seen:
            for name in KINDS:
                made = six.workload(name, version, **specs[name])
                await company.apply_as(six.application(name, made, batchSilence="0s"))
            await asyncio.gather(*(company.ends(name, "Succeeded") for name in KINDS))
        company.good = version
        return seen

    for name, pods in company.run(story()).items():
        # Since when a pod is ready is told in whole seconds.
        assert all(pause >= seconds - 1 for pause in pods.pauses()), (name, pods.pauses())


def test_a_workload_that_somebody_pauses_in_the_cluster_holds_its_release_until_it_is_resumed(
    company,
):
    fields = {
        "deployment": ("spec", "paused"),
        "clone": ("spec", "updateStrategy", "paused"),
        "advanced-stateful": ("spec", "updateStrategy", "rollingUpdate", "paused"),
        "advanced-daemon": ("spec", "updateStrategy", "rollingUpdate", "paused"),
    }

    async def paused(seen, name):
        await company.at_gate(name, 1)
        path = fields[name]
        await company.member.patch(six.address(name), Patch("merge", objects.put({}, path, True)))

        async def is_told():
            return (await company.unit(name)).get("reason") == "WorkloadPaused"

        await company.until(is_told, f"nobody said that {name} is paused")
        assert seen[name].new() == 1, name
        await company.member.patch(six.address(name), Patch("merge", objects.put({}, path, None)))
        await company.ends(name, "Succeeded")

    async def story():
        version = company.next_version()
        async with company.watched(tuple(fields), version) as seen:
            for name in fields:
                await company.apply(name, version)
            await asyncio.gather(*(paused(seen, name) for name in fields))
        company.good = version
        return {name: pods.new() for name, pods in seen.items()}

    assert company.run(story()) == dict.fromkeys(fields, PODS_WANTED)


def test_a_workload_that_somebody_deletes_in_a_batch_comes_back_old_before_the_release_goes_on(
    company,
):
    async def deleted(seen, name):
        await company.at_gate(name, 1)
        before = {objects.uid(pod) for pod in seen[name].living.values()}
        gone = objects.uid(await company.member.get(six.address(name)))
        await company.member.delete(six.address(name))

        async def is_back():
            return objects.uid(await company.member.get(six.address(name))) != gone

        await company.until(is_back, f"nobody brought {name} back")
        await company.at_gate(name, 1)
        # Kubernetes may take a while to collect the pods of a kind that it heard of just now.
        again = [pod for pod in seen[name].living.values() if objects.uid(pod) not in before]
        await company.ends(name, "Succeeded")
        return sorted(image_of(pod) == six.image(seen[name].version) for pod in again)

    async def story():
        version = company.next_version()
        async with company.watched(tuple(KINDS), version) as seen:
            for name in KINDS:
                # Long enough to be deleted in.
                slowly = {"batches": ["25%", "100%"], "batchSilence": "5s"}
                made = six.application(name, six.workload(name, version), **slowly)
                await company.apply_as(made)
            told = await asyncio.gather(*(deleted(seen, name) for name in KINDS))
            counts = {name: pods.new() for name, pods in seen.items()}
        company.good = version
        return dict(zip(KINDS, told, strict=True)), counts

    told, counts = company.run(story())
    assert told == {name: [False] * (PODS_WANTED - 1) + [True] for name in KINDS}
    assert all(count >= PODS_WANTED for count in counts.values()), counts
