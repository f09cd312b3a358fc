"""Status, scale, binding, eviction, approval."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from oneco.kube.api import Patch
from oneco.kube.errors import Conflict, Invalid, NotFound
from oneco.kube.refs import Address, Resource
from tests.contract.given import CONFIG_MAPS, DEPLOYMENTS, PODS, config_map, deployment, pod

REQUESTS = Resource("certificates.k8s.io", "v1", "certificatesigningrequests")
REVIEWS = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews")


@pytest.fixture
def web(space):
    return Address(DEPLOYMENTS, space, "web")


async def created(api, at, body):
    return await api.create(at._replace(name=""), body)


async def test_the_status_is_written_by_its_own_address(api, web):
    made = await created(api, web, deployment("web"))
    body = {**made, "status": {"readyReplicas": 1, "replicas": 1}}
    body["metadata"] = {"name": "web"}
    done = await api.replace(web._replace(subresource="status"), body)
    assert done["status"]["readyReplicas"] == 1
    assert done["metadata"]["generation"] == 1


async def test_the_status_address_does_not_write_the_spec(api, web):
    await created(api, web, deployment("web"))
    patch = {"spec": {"replicas": 9}, "status": {"observedGeneration": 1}}
    done = await api.patch(web._replace(subresource="status"), Patch("merge", patch))
    assert done["spec"]["replicas"] == 2
    assert done["status"]["observedGeneration"] == 1


async def test_the_status_address_writes_annotations_and_no_labels(api, web):
    await created(api, web, deployment("web"))
    meta = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
    done = await api.patch(web._replace(subresource="status"), Patch("merge", {"metadata": meta}))
    assert done["metadata"]["annotations"]["c"] == "d"
    assert "labels" not in done["metadata"]


async def test_a_kind_without_status_has_no_status_address(api, space):
    at = Address(CONFIG_MAPS, space, "a")
    await created(api, at, config_map("a"))
    with pytest.raises(NotFound) as caught:
        await api.replace(at._replace(subresource="status"), config_map("a"))
    assert caught.value.message == "the server could not find the requested resource"


async def test_the_scale_shows_the_size(api, web):
    await created(api, web, deployment("web"))
    scale = await api.get(web._replace(subresource="scale"))
    assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
    assert scale["spec"] == {"replicas": 2}
    assert scale["status"] == {"replicas": 0, "selector": "app=web"}
    assert scale["metadata"]["name"] == "web"


async def test_writing_the_scale_changes_the_size(api, web):
    await created(api, web, deployment("web"))
    body = {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": "web", "namespace": web.namespace},
        "spec": {"replicas": 3},
    }
    done = await api.replace(web._replace(subresource="scale"), body)
    assert done["spec"] == {"replicas": 3}
    found = await api.get(web)
    assert found["spec"]["replicas"] == 3 and found["metadata"]["generation"] >= 2


async def test_the_scale_can_be_patched(api, web):
    await created(api, web, deployment("web"))
    patch = Patch("merge", {"spec": {"replicas": 5}})
    done = await api.patch(web._replace(subresource="scale"), patch)
    assert done["spec"] == {"replicas": 5}
    assert (await api.get(web))["spec"]["replicas"] == 5


async def test_a_scale_below_zero_is_refused(api, web):
    await created(api, web, deployment("web"))
    patch = Patch("merge", {"spec": {"replicas": -1}})
    with pytest.raises(Invalid) as caught:
        await api.patch(web._replace(subresource="scale"), patch)
    assert caught.value.causes[0].field == "spec.replicas"


async def test_a_scale_of_an_old_version_is_refused(api, web):
    await created(api, web, deployment("web"))
    scale = await api.get(web._replace(subresource="scale"))
    await api.patch(web, Patch("merge", {"spec": {"minReadySeconds": 9}}))
    with pytest.raises(Conflict):
        await api.replace(web._replace(subresource="scale"), {**scale, "spec": {"replicas": 7}})


def binding(node):
    target = {"kind": "Node", "name": node}
    return {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "p"}, "target": target}


async def test_a_new_pod_is_pending(api, space):
    made = await created(api, Address(PODS, space, "p"), pod("p"))
    assert made["status"]["phase"] == "Pending"
    assert made["status"]["qosClass"] == "BestEffort"
    assert made["spec"]["terminationGracePeriodSeconds"] == 30
    assert [one["key"] for one in made["spec"]["tolerations"]] == [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]


async def test_binding_puts_a_pod_on_a_node(api, space):
    at = Address(PODS, space, "p")
    await created(api, at, pod("p"))
    await api.create(at._replace(subresource="binding"), binding("node-1"))
    found = await api.get(at)
    assert found["spec"]["nodeName"] == "node-1"
    condition = found["status"]["conditions"][0]
    assert (condition["type"], condition["status"]) == ("PodScheduled", "True")


async def test_a_bound_pod_is_not_bound_again(api, space):
    at = Address(PODS, space, "p")
    await created(api, at, pod("p"))
    await api.create(at._replace(subresource="binding"), binding("node-1"))
    with pytest.raises(Conflict) as caught:
        await api.create(at._replace(subresource="binding"), binding("node-2"))
    assert caught.value.message == (
        'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node '
        '"node-1"'
    )


async def test_most_of_a_pods_spec_is_fixed(api, space):
    at = Address(PODS, space, "p")
    await created(api, at, pod("p", nodeName="node-1"))
    with pytest.raises(Invalid) as caught:
        await api.patch(at, Patch("merge", {"spec": {"nodeName": "node-2"}}))
    assert caught.value.message.startswith(
        'Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than'
    )
    done = await api.patch(at, Patch("json", [
        {"op": "replace", "path": "/spec/containers/0/image", "value": "registry.example/app:2"}
    ]))  # fmt: skip
    assert done["metadata"]["generation"] == 2


async def test_an_evicted_pod_is_deleted(api, space):
    at = Address(PODS, space, "p")
    await created(api, at, pod("p"))
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "p"}}
    await api.create(at._replace(subresource="eviction"), body)
    with pytest.raises(NotFound):
        await api.get(at)


async def test_a_client_may_ask_what_it_may_do(api):
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}},
    }
    assert (await api.create(Address(REVIEWS), body))["status"]["allowed"] is True


def signing_request(name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "agent")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    text = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": name},
        "spec": {
            "request": base64.b64encode(text).decode(),
            "signerName": "example.io/agent",
            "usages": ["client auth"],
        },
    }


async def test_a_signing_request_is_approved_at_its_own_address(api):
    body = signing_request("agent-")
    made = await api.create(Address(REQUESTS), body)
    assert made["spec"]["username"] and "system:authenticated" in made["spec"]["groups"]
    at = Address(REQUESTS, name=made["metadata"]["name"])
    condition = {"type": "Approved", "status": "True", "reason": "Known", "message": "It is ours."}
    approved = {**made, "status": {"conditions": [condition]}}
    done = await api.replace(at._replace(subresource="approval"), approved)
    found = done["status"]["conditions"][0]
    assert (found["type"], found["status"], found["reason"]) == ("Approved", "True", "Known")
    assert found["lastUpdateTime"] and found["lastTransitionTime"]
    await api.delete(at)


async def test_the_body_of_a_signing_request_is_fixed(api):
    made = await api.create(Address(REQUESTS), signing_request("agent-"))
    at = Address(REQUESTS, name=made["metadata"]["name"])
    changed = {**made, "spec": {**made["spec"], "username": "somebody-else"}}
    done = await api.replace(at, changed)
    assert done["spec"]["username"] == made["spec"]["username"]
    await api.delete(at)
