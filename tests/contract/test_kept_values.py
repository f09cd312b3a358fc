"""What a server keeps of what it is given, and what it says about the rest: cases that differed."""

import pytest

from oneco.kube.api import Patch, WriteOptions
from oneco.kube.errors import Invalid
from oneco.kube.refs import Address, Resource
from tests.contract.given import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    PODS,
    SERVICES,
    config_map,
    deployment,
    pod,
    service,
)

POD_TEMPLATES = Resource("", "v1", "podtemplates")


def pod_template(**spec):
    body = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "a"}}
    return {**body, "template": {"spec": {**pod("x")["spec"], **spec}}}


def fields(refused):
    return [(one.field, one.reason) for one in refused.value.causes]


async def test_a_zero_that_cannot_be_told_from_nothing_is_not_kept(api, space):
    at = Address(DEPLOYMENTS, space)
    made = await api.create(at, deployment("web", paused=False, minReadySeconds=0))
    assert "paused" not in made["spec"] and "minReadySeconds" not in made["spec"]


async def test_a_zero_that_can_be_told_from_nothing_is_kept(api, space):
    body = pod(
        "a", terminationGracePeriodSeconds=0, hostNetwork=False, automountServiceAccountToken=False
    )
    made = (await api.create(Address(PODS, space), body))["spec"]
    assert made["terminationGracePeriodSeconds"] == 0
    assert made["automountServiceAccountToken"] is False
    assert "hostNetwork" not in made


async def test_annotations_of_a_deployment_are_a_new_generation(api, space):
    at = Address(DEPLOYMENTS, space, "web")
    await api.create(at._replace(name=""), deployment("web"))
    patch = Patch("merge", {"metadata": {"annotations": {"a": "b"}}})
    assert (await api.patch(at, patch))["metadata"]["generation"] == 2
    patch = Patch("merge", {"metadata": {"labels": {"a": "b"}}})
    assert (await api.patch(at, patch))["metadata"]["generation"] == 2


async def test_who_applies_nothing_manages_nothing(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    await api.apply(at, config_map("a", {}), WriteOptions(manager="alice"))
    done = await api.apply(at, config_map("a"), WriteOptions(manager="alice"))
    assert "managedFields" not in done["metadata"]


async def test_a_pod_template_is_held_to_the_rules_of_pods(api, space):
    with pytest.raises(Invalid) as refused:
        await api.create(Address(POD_TEMPLATES, space), pod_template(containers=[]))
    assert fields(refused) == [("template.spec.containers", "FieldValueRequired")]


async def test_a_container_that_ends_before_the_others_has_no_probe(api, space):
    first = {"name": "first", "image": "i:1", "readinessProbe": {"httpGet": {"port": 80}}}
    with pytest.raises(Invalid) as refused:
        await api.create(Address(POD_TEMPLATES, space), pod_template(initContainers=[first]))
    where = "template.spec.initContainers[0].readinessProbe"
    assert fields(refused) == [(where, "FieldValueForbidden")]


async def test_a_volume_of_two_kinds_cannot_be_mounted(api, space):
    volume = {"name": "v", "emptyDir": {}, "configMap": {"name": "c"}}
    container = {"name": "a", "image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    body = pod_template(volumes=[volume], containers=[container])
    with pytest.raises(Invalid) as refused:
        await api.create(Address(POD_TEMPLATES, space), body)
    assert fields(refused) == [
        ("template.spec.volumes[0].configMap", "FieldValueForbidden"),
        ("template.spec.containers[0].volumeMounts[0].name", "FieldValueNotFound"),
    ]


async def test_a_template_is_judged_before_the_strategy(api, space):
    body = deployment("a", strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}})
    body["spec"]["template"]["spec"] = {"containers": []}
    with pytest.raises(Invalid) as refused:
        await api.create(Address(DEPLOYMENTS, space), body)
    assert fields(refused) == [
        ("spec.template.spec.containers", "FieldValueRequired"),
        ("spec.strategy.rollingUpdate", "FieldValueForbidden"),
    ]


async def test_a_name_elsewhere_has_no_policy_for_traffic_from_outside(api, space):
    body = service("a", type="ExternalName", externalName="x.example", externalIPs=["1.1.1.1"])
    made = await api.create(Address(SERVICES, space), body)
    assert "externalTrafficPolicy" not in made["spec"]
