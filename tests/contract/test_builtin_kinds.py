"""What the server does for particular built-in kinds."""

import pytest

from oneco.kube.api import Patch
from oneco.kube.errors import Invalid, NotFound
from oneco.kube.refs import Address, Resource
from tests.contract.given import DEPLOYMENTS, PODS, SERVICES, deployment, pod, service

EVENTS = Resource("", "v1", "events")
NEW_EVENTS = Resource("events.k8s.io", "v1", "events")
AUTOSCALERS = Resource("autoscaling", "v2", "horizontalpodautoscalers")
OLD_AUTOSCALERS = Resource("autoscaling", "v1", "horizontalpodautoscalers")
JOBS = Resource("batch", "v1", "jobs")
TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}


@pytest.fixture
def services(space):
    return Address(SERVICES, space)


async def test_a_service_is_given_an_address(api, services):
    spec = (await api.create(services, service("s")))["spec"]
    assert spec["clusterIP"].startswith("10.0.") and spec["clusterIPs"] == [spec["clusterIP"]]
    assert spec["type"] == "ClusterIP" and spec["sessionAffinity"] == "None"
    assert spec["ipFamilies"] == ["IPv4"] and spec["ipFamilyPolicy"] == "SingleStack"
    assert spec["ports"] == [{"protocol": "TCP", "port": 80, "targetPort": 80}]


async def test_an_address_is_given_once(api, services):
    made = await api.create(services, service("s"))
    taken = made["spec"]["clusterIP"]
    with pytest.raises(Invalid) as caught:
        await api.create(services, service("t", clusterIP=taken))
    assert caught.value.message == (
        f'Service "t" is invalid: spec.clusterIPs: Invalid value: ["{taken}"]: failed to allocate '
        f"IP {taken}: provided IP is already allocated"
    )
    await api.delete(services._replace(name="s"))
    again = await api.create(services, service("t", clusterIP=taken))
    assert again["spec"]["clusterIP"] == taken


async def test_an_address_outside_the_range_is_refused(api, services):
    with pytest.raises(Invalid) as caught:
        await api.create(services, service("s", clusterIP="1.0.7.7"))
    assert caught.value.message.endswith(
        "failed to allocate IP 1.0.7.7: the provided network does not match the current range"
    )


async def test_an_address_stays_when_the_service_is_replaced(api, services):
    made = await api.create(services, service("s"))
    done = await api.replace(services._replace(name="s"), service("s", ports=[{"port": 81}]))
    assert done["spec"]["clusterIP"] == made["spec"]["clusterIP"]


async def test_an_address_does_not_change(api, services):
    made = await api.create(services, service("s"))
    other = "10.0.9.9" if made["spec"]["clusterIP"] != "10.0.9.9" else "10.0.9.8"
    with pytest.raises(Invalid) as caught:
        await api.patch(services._replace(name="s"), Patch("merge", {"spec": {"clusterIP": other}}))
    assert caught.value.message == (
        f'Service "s" is invalid: spec.clusterIPs[0]: Invalid value: ["{other}"]: may not change '
        "once set"
    )


async def test_a_headless_service_has_no_address(api, services):
    spec = (await api.create(services, service("s", clusterIP="None")))["spec"]
    assert (spec["clusterIP"], spec["clusterIPs"]) == ("None", ["None"])


async def test_an_external_name_has_no_address(api, services):
    body = service("s", type="ExternalName", externalName="example.org")
    assert "clusterIP" not in (await api.create(services, body))["spec"]


async def test_node_ports_are_given_and_taken_back(api, services):
    made = await api.create(services, service("s", type="NodePort"))
    port = made["spec"]["ports"][0]["nodePort"]
    assert 30000 <= port <= 32767
    taken = {"port": 80, "nodePort": port}
    with pytest.raises(Invalid) as caught:
        await api.create(services, service("t", type="NodePort", ports=[taken]))
    assert caught.value.message == (
        f'Service "t" is invalid: spec.ports[0].nodePort: Invalid value: {port}: provided port '
        "is already allocated"
    )
    at = services._replace(name="s")
    done = await api.patch(at, Patch("merge", {"spec": {"type": "ClusterIP"}}))
    assert "nodePort" not in done["spec"]["ports"][0]


async def test_a_node_port_outside_the_range_is_refused(api, services):
    ports = [{"port": 80, "nodePort": 1000}]
    with pytest.raises(Invalid) as caught:
        await api.create(services, service("s", type="NodePort", ports=ports))
    assert caught.value.message.endswith(
        "provided port is not in the valid range. The range of valid ports is 30000-32767"
    )


async def test_an_event_is_one_object_in_both_groups(api, space):
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": space},
        "involvedObject": {"kind": "Pod", "name": "x", "namespace": space},
        "reason": "Started",
        "message": "It runs.",
        "type": "Normal",
        "count": 2,
        "source": {"component": "test"},
    }
    await api.create(Address(EVENTS, space), body)
    found = await api.get(Address(NEW_EVENTS, space, "e"))
    assert found["apiVersion"] == "events.k8s.io/v1"
    assert found["note"] == "It runs." and found["regarding"]["name"] == "x"
    assert found["deprecatedCount"] == 2


async def test_an_autoscaler_is_one_object_in_both_versions(api, space):
    body = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {
            "maxReplicas": 3,
            "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
            "targetCPUUtilizationPercentage": 60,
        },
    }
    made = await api.create(Address(OLD_AUTOSCALERS, space), body)
    assert made["apiVersion"] == "autoscaling/v1"
    assert made["spec"]["targetCPUUtilizationPercentage"] == 60
    found = await api.get(Address(AUTOSCALERS, space, "h"))
    assert found["spec"]["metrics"] == [
        {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 60},
            },
        }
    ]
    assert found["spec"]["minReplicas"] == 1
    await api.delete(Address(OLD_AUTOSCALERS, space, "h"))
    with pytest.raises(NotFound):
        await api.get(Address(AUTOSCALERS, space, "h"))


async def test_a_job_chooses_its_own_pods(api, space):
    template = {
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i:1"}]},
    }
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {"suspend": True, "template": template},
    }
    made = await api.create(Address(JOBS, space), body)
    uid = made["metadata"]["uid"]
    labels = {"batch.kubernetes.io/controller-uid": uid}
    assert made["spec"]["selector"] == {"matchLabels": labels}
    assert made["spec"]["template"]["metadata"]["labels"]["batch.kubernetes.io/job-name"] == "j"
    assert (made["spec"]["completions"], made["spec"]["backoffLimit"]) == (1, 6)


async def test_a_new_pod_belongs_to_who_made_it_but_for_what_admission_added(api, space):
    await api.create(Address(PODS, space), pod("p", schedulerName="nobody"))
    made = await api.get(Address(PODS, space, "p"))
    (entry,) = made["metadata"]["managedFields"]
    assert not {"f:priority", "f:preemptionPolicy", "f:tolerations"} & set(
        entry["fieldsV1"]["f:spec"]
    )
    assert made["spec"]["priority"] == 0 and len(made["spec"]["tolerations"]) == 2


async def test_an_autoscaler_that_measured_nothing_says_null(api, space):
    body = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h"},
        "spec": {"maxReplicas": 3, "scaleTargetRef": TARGET},
    }
    made = await api.create(Address(AUTOSCALERS, space), body)
    assert made["status"] == {"desiredReplicas": 0, "currentMetrics": None}


async def test_what_a_service_is_given_belongs_to_nobody(api, services):
    await api.create(services, service("s", type="NodePort"))
    await api.patch(services._replace(name="s"), Patch("merge", {"spec": {"selector": {"a": "b"}}}))
    (entry,) = (await api.get(services._replace(name="s")))["metadata"]["managedFields"]
    fields = entry["fieldsV1"]["f:spec"]
    assert not {"f:clusterIP", "f:clusterIPs", "f:ipFamilies", "f:ipFamilyPolicy"} & set(fields)
    assert "f:nodePort" not in fields["f:ports"]['k:{"port":80,"protocol":"TCP"}']


async def test_a_service_that_becomes_a_name_elsewhere_has_no_traffic_policy(api, services):
    made = await api.create(services, service("s"))
    assert made["spec"]["internalTrafficPolicy"] == "Cluster"
    patch = Patch("merge", {"spec": {"type": "ExternalName", "externalName": "x.example"}})
    done = await api.patch(services._replace(name="s"), patch)
    assert not {"internalTrafficPolicy", "clusterIP"} & set(done["spec"])


async def test_a_template_is_not_looked_at_whose_selector_means_nothing(api, space):
    body = deployment("web")
    labels = {"z z": "b", "b": "c"}
    spec = {**body["spec"], "selector": {"matchLabels": labels}, "template": {}}
    with pytest.raises(Invalid) as refused:
        await api.create(Address(DEPLOYMENTS, space), {**body, "spec": spec})
    first, second = refused.value.causes
    assert first.field == "spec.selector.matchLabels"
    shown = '{"matchLabels":{"b":"c","z z":"b"}}'
    assert second.message == f"Invalid value: {shown}: invalid label selector"
