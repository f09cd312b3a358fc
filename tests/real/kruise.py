"""OpenKruise in a real cluster: its definitions, its webhooks, its manager.

Nothing of theirs stands here: it is read from their module in Go's module cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from oneco.kube.api import Api
from oneco.kube.errors import ApiError, NotFound
from oneco.kube.objects import Object, dig, name
from oneco.kube.refs import Address, Resource
from tests.real.processes import Program, free_ports
from tools.real import building

NAMESPACE = "kruise-system"
CLONE_SETS = Resource("apps.kruise.io", "v1alpha1", "clonesets")

_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
_NAMESPACES = Resource("", "v1", "namespaces")
_REGISTRATION, _VERSION = "admissionregistration.k8s.io", "v1"
_WEBHOOKS = {
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
}
_PROBE = "oneco-harness-probe"
_READY_SECONDS = 90.0


class Kruise:
    """OpenKruise of one cluster. Ending `manager` alone blocks every write of a pod: its webhooks
    stay registered. Its webhook server listens on all addresses; its authors made that fixed.
    """

    def __init__(self, folder: Path, kubeconfig: Path, program: Path) -> None:
        webhook, metrics, health = free_ports(3)
        environment = {
            "KUBECONFIG": kubeconfig,
            "POD_NAMESPACE": NAMESPACE,
            "WEBHOOK_HOST": "127.0.0.1",
            "WEBHOOK_PORT": webhook,
            "WEBHOOK_CERT_DIR": folder / "kruise-certificates",
        }
        words: list[str | Path] = ["env", *(f"{key}={value}" for key, value in environment.items())]
        words += [
            program,
            "--enable-leader-election=false",
            "--enable-pprof=false",
            f"--metrics-addr=127.0.0.1:{metrics}",
            f"--health-probe-addr=127.0.0.1:{health}",
            "--rest-config-qps=300",
            "--rest-config-burst=600",
        ]
        self.manager = Program("kruise-manager", words, folder / "kruise-manager.log")

    async def install(self, api: Api) -> None:
        """Write what the manager needs before it starts. From now on pods need the manager."""
        wanted = list(definitions())
        await asyncio.gather(
            *(api.create(Address(_DEFINITIONS), one) for one in wanted),
            api.create(Address(_NAMESPACES), _namespace()),
        )
        # The manager looks for its kinds once, and ends if one is not served yet.
        async with asyncio.timeout(_READY_SECONDS):
            while not {name(one) for one in wanted} <= await _served(api):
                await asyncio.sleep(0.1)
        for one in webhooks():
            resource = Resource(_REGISTRATION, _VERSION, _WEBHOOKS[one["kind"]])
            await api.create(Address(resource), one)

    async def settle(self, api: Api) -> None:
        """Return when the webhooks answer and the controllers have acted for the first time."""
        probe = Address(CLONE_SETS, NAMESPACE, _PROBE)
        async with asyncio.timeout(_READY_SECONDS):
            while not await self._is_answered(api, probe):
                self.manager.check()
                await asyncio.sleep(0.1)
        await api.delete(probe)

    async def _is_answered(self, api: Api, probe: Address) -> bool:
        try:
            live = await api.get(probe)
        except NotFound:
            # Refused until the webhooks answer.
            try:
                await api.create(Address(CLONE_SETS, NAMESPACE), _clone_set())
            except ApiError:
                return False
            return False
        return dig(live, "status", "observedGeneration", default=0) == 1


async def _served(api: Api) -> set[str]:
    found = (info.resource for info in await api.discover())
    return {f"{one.plural}.{one.group}" for one in found}


def definitions() -> Iterator[Object]:
    """OpenKruise's CustomResourceDefinitions."""
    for file in sorted((building.source("kruise") / "config" / "crd" / "bases").glob("*.yaml")):
        yield from filter(None, yaml.safe_load_all(file.read_text()))


def webhooks() -> Iterator[Object]:
    """Its webhook configurations, under the names that its manager looks for."""
    file = building.source("kruise") / "config" / "webhook" / "manifests.yaml"
    for one in filter(None, yaml.safe_load_all(file.read_text())):
        hooks = [_in_namespace(hook) for hook in one["webhooks"]]
        yield {**one, "metadata": {"name": f"kruise-{name(one)}"}, "webhooks": hooks}


def _in_namespace(hook: dict[str, Any]) -> dict[str, Any]:
    service = {
        **hook["clientConfig"]["service"],
        "name": "kruise-webhook-service",
        "namespace": NAMESPACE,
    }
    return {**hook, "clientConfig": {**hook["clientConfig"], "service": service}}


def _namespace() -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}


def _clone_set() -> Object:
    labels = {"probe": _PROBE}
    containers = [{"name": "main", "image": "registry.example/probe:1"}]
    return {
        "apiVersion": "apps.kruise.io/v1alpha1",
        "kind": "CloneSet",
        "metadata": {"name": _PROBE},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }
