"""Accepting a cluster answers what its agent asked for."""

from __future__ import annotations

import asyncio
import base64

from oneco.fleet.joining import AGENT_PREFIX, AGENTS_GROUP, REQUESTS, SIGNER
from oneco.fleet.ports import Subject
from oneco.integrations.x509 import requests
from oneco.kinds.ocm import CLUSTER_NAME_LABEL
from oneco.kube import times
from oneco.kube.refs import Address
from oneco.main import admitting
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import VirtualClock, run
from oneco.worlds.sim.local import LocalApi

NOW = times.from_text("2026-11-21T08:00:00Z")


def a_request(cluster: str, *, of: str):
    """What an agent of `of` asks for under the label of `cluster`."""
    groups = frozenset({AGENT_PREFIX + of, AGENTS_GROUP})
    subject = Subject(f"{AGENT_PREFIX}{of}:agent", groups)
    pem = requests.request(requests.new_key(), subject)
    usages = ["digital signature", "key encipherment", "client auth"]
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": f"{cluster}-", "labels": {CLUSTER_NAME_LABEL: cluster}},
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": SIGNER,
            "usages": usages,
        },
    }


def test_only_what_an_agent_of_this_very_cluster_asked_for_is_approved():
    async def story(clock: VirtualClock):
        hub = LocalApi(ApiServer(MemoryStore(), clock))
        for body in (a_request("c1", of="c1"), a_request("c1", of="c2"), a_request("c2", of="c2")):
            await hub.create(Address(REQUESTS), body)
        first = await admitting.admit(hub, "c1", clock.now())
        again = await admitting.admit(hub, "c1", clock.now())
        return first, again, (await hub.list(Address(REQUESTS))).items

    first, again, found = run(lambda clock: asyncio.wait_for(story(clock), 60), NOW)
    assert (first, again) == (1, 0)
    answered = [one for one in found if one.get("status", {}).get("conditions")]
    [approved] = answered
    assert approved["status"]["conditions"][0]["type"] == "Approved"
    assert approved["status"]["conditions"][0]["reason"] == "ClusterAccepted"
