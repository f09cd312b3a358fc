"""What single definitions make of their parameters, beyond what KubeVela's own cases show."""

from __future__ import annotations

from oneco import definitions
from oneco.delivery.rendering import render
from oneco.kube.objects import Object

REGISTRY = definitions.builtin()


def made(*traits: object, **properties: object) -> dict[str, Object]:
    web = {
        "name": "web",
        "type": "webservice",
        "properties": {"image": "nginx", **properties},
        "traits": [*traits],
    }
    application = {"metadata": {"name": "shop"}, "spec": {"components": [web]}}
    return {
        f"{one.manifest['kind']}/{one.manifest['metadata']['name']}": one.manifest
        for one in render(application, REGISTRY)
    }


def container(*traits: object, **properties: object) -> Object:
    workload = made(*traits, **properties)["Deployment/web"]
    return dict(workload["spec"]["template"]["spec"]["containers"][0])


def a_trait(kind: str, **properties: object) -> dict:
    return {"type": kind, "properties": properties}


def test_every_definition_has_a_schema_that_knows_its_fields():
    for definition in REGISTRY.values():
        assert definition.schema()
    schema = REGISTRY["component", "webservice"].schema()
    fields = schema["$defs"]["WebserviceParameters"]
    assert fields["required"] == ["image"]
    assert {"ports", "exposeType", "livenessProbe", "hostAliases"} <= set(fields["properties"])


def test_a_limit_is_apart_from_what_is_asked_for():
    found = container(cpu="0.5", memory="128Mi", limit={"cpu": "1"})
    assert found["resources"] == {
        "requests": {"cpu": "0.5", "memory": "128Mi"},
        "limits": {"cpu": "1", "memory": "128Mi"},
    }


def test_a_probe_is_written_with_its_defaults():
    found = container(readinessProbe={"grpc": {"port": 8080}})
    assert found["readinessProbe"] == {
        "grpc": {"port": 8080},
        "initialDelaySeconds": 0,
        "periodSeconds": 10,
        "timeoutSeconds": 1,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def test_one_volume_is_mounted_at_several_paths():
    mounts = [
        {"name": "data", "mountPath": "/a", "claimName": "data"},
        {"name": "data", "mountPath": "/b", "subPath": "b", "claimName": "data"},
    ]
    workload = made(volumeMounts={"pvc": mounts})["Deployment/web"]
    pod = workload["spec"]["template"]["spec"]
    assert pod["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    assert [one["mountPath"] for one in pod["containers"][0]["volumeMounts"]] == ["/a", "/b"]


def test_the_older_form_of_volumes_still_works():
    volumes = [
        {"name": "conf", "mountPath": "/conf", "type": "configMap", "cmName": "conf"},
        {"name": "tmp", "mountPath": "/tmp", "type": "emptyDir"},
    ]
    pod = made(volumes=volumes)["Deployment/web"]["spec"]["template"]["spec"]
    assert pod["volumes"] == [
        {"name": "conf", "configMap": {"defaultMode": 420, "name": "conf"}},
        {"name": "tmp", "emptyDir": {"medium": ""}},
    ]


def test_ports_of_another_protocol_have_another_name_and_node_ports_need_their_type():
    ports = [{"port": 53, "protocol": "UDP", "expose": True, "nodePort": 30053}]
    assert made(ports=ports)["Service/web"]["spec"]["ports"] == [
        {"port": 53, "targetPort": 53, "name": "port-53-udp", "protocol": "UDP"}
    ]
    exposed = made(ports=ports, exposeType="NodePort")["Service/web"]["spec"]
    assert exposed["ports"][0]["nodePort"] == 30053


def test_images_are_pulled_with_secrets_and_names_resolved_by_aliases():
    workload = made(
        imagePullSecrets=["hub"], hostAliases=[{"ip": "10.0.0.1", "hostnames": ["db"]}]
    )["Deployment/web"]
    pod = workload["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "hub"}]
    assert pod["hostAliases"] == [{"ip": "10.0.0.1", "hostnames": ["db"]}]


def test_expose_makes_a_service_of_its_ports():
    expose = a_trait(
        "expose",
        ports=[{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}],
        type="NodePort",
        annotations={"a": "b"},
        matchLabels={"c": "d"},
    )
    service = made(expose)["Service/web"]
    assert service["metadata"]["annotations"] == {"a": "b"}
    assert service["spec"] == {
        "selector": {"c": "d"},
        "ports": [
            {"port": 80, "targetPort": 80, "name": "port-80", "nodePort": 30080, "protocol": "TCP"},
            {"port": 53, "targetPort": 53, "name": "port-53-udp", "protocol": "UDP"},
        ],
        "type": "NodePort",
    }


def test_gateways_with_names_stand_side_by_side():
    found = made(
        a_trait("gateway", http={"/": 80}, name="a", classInSpec=True, secretName="tls"),
        a_trait("gateway", http={"/api": 81}, domain="b.example", existingServiceName="other"),
    )
    assert set(found) == {"Deployment/web", "Service/web-a", "Ingress/web-a", "Ingress/web"}
    assert found["Ingress/web-a"]["spec"]["ingressClassName"] == "nginx"
    assert found["Ingress/web-a"]["spec"]["tls"] == [{"secretName": "tls"}]
    path = found["Ingress/web"]["spec"]["rules"][0]["http"]["paths"][0]
    assert path["backend"]["service"] == {"name": "other", "port": {"number": 81}}


def test_paths_may_share_a_port():
    service = made(a_trait("gateway", http={"/": 80, "/api": 80}))["Service/web"]
    assert [one["port"] for one in service["spec"]["ports"]] == [80]


def test_a_service_that_two_definitions_make_has_the_ports_of_both():
    ports = [{"port": 80, "expose": True}, {"port": 9090, "expose": True}]
    gateway = a_trait("gateway", http={"/": 80})
    one, other = (
        made(gateway, ports=ports, exposeType="LoadBalancer")["Service/web"] for _ in range(2)
    )
    assert one["spec"]["type"] == "LoadBalancer"
    assert [port["port"] for port in one["spec"]["ports"]] == [80, 9090]
    assert one is other


def test_one_of_cpu_and_memory_is_enough_for_the_resource_trait():
    found = container(a_trait("resource", memory="1Gi"), cpu="0.1")
    assert found["resources"] == {
        "requests": {"cpu": "0.1", "memory": "1Gi"},
        "limits": {"cpu": "0.1", "memory": "1Gi"},
    }


def test_env_replaces_unsets_and_keeps():
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    changed = container(a_trait("env", env={"A": "3", "C": "4"}, unset=["B"]), env=env)
    assert changed["env"] == [{"name": "A", "value": "3"}, {"name": "C", "value": "4"}]
    replaced = container(a_trait("env", env={"C": "4"}, replace=True), env=env)
    assert replaced["env"] == [{"name": "C", "value": "4"}]


def test_storage_only_mounts_what_exists_already():
    trait = a_trait(
        "storage",
        configMap=[{"name": "conf", "mountOnly": True, "mountPath": "/conf", "readOnly": True}],
        hostPath=[{"name": "logs", "path": "/var/log", "mountPath": "/logs"}],
        pvc=[{"name": "disk", "mountPath": "/dev/xvda", "volumeMode": "Block"}],
    )
    found = made(trait)
    assert set(found) == {"Deployment/web", "PersistentVolumeClaim/disk"}
    pod = found["Deployment/web"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["volumeMounts"] == [
        {"name": "configmap-conf", "mountPath": "/conf", "readOnly": True},
        {"name": "hostpath-logs", "mountPath": "/logs"},
    ]
    assert pod["containers"][0]["volumeDevices"] == [
        {"name": "pvc-disk", "devicePath": "/dev/xvda"}
    ]
    assert {"name": "hostpath-logs", "hostPath": {"path": "/var/log", "type": "Directory"}} in pod[
        "volumes"
    ]


def test_traits_never_change_the_parameters_or_the_workload_they_were_given():
    objects = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}}]
    before = repr(objects)
    component = {
        "name": "raw",
        "type": "k8s-objects",
        "properties": {"objects": objects},
        "traits": [a_trait("labels", a="b")],
    }
    render({"metadata": {"name": "shop"}, "spec": {"components": [component]}}, REGISTRY)
    assert repr(objects) == before
