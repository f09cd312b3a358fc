"""Everything that a cluster must have to be a hub, and to run the hub's process itself.

`python -m oneco.main.manifests` writes them to deploy/install.yaml; with `--check` it compares.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from oneco.fleet import rights
from oneco.fleet.joining import TOKEN_NAMESPACE
from oneco.kinds import catalogue, validity
from oneco.kube import document_text, objects
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.main import crds, epoch, hub_rights
from oneco.main.hub_rights import ACCOUNT, WEBHOOK

FILE: Final = Path(__file__).parents[2] / "deploy" / "install.yaml"
IMAGE: Final = "onepersoncompany/oneco"
"""In the generated file; `oneco install --image` names the one that you have."""
PORT: Final = 8443
NAMESPACE: Final = epoch.SYSTEM_NAMESPACE
DEPLOYMENTS: Final = Resource("apps", "v1", "deployments")
_HEADER: Final = (
    "# DO NOT EDIT: written by python -m oneco.main.manifests; `oneco install -o yaml`.\n"
)
_LABELS: Final = {"app.kubernetes.io/name": "oneco", "app.kubernetes.io/component": "hub"}
_ROLES: Final = Resource(rights.GROUP, "v1", "roles")
_GOODBYE_SECONDS: Final = 10

Placed = tuple[Address, Object]


def kinds() -> list[Placed]:
    """The definitions of every kind, ours and the compatible ones."""
    return [_placed(crds.DEFINITIONS, crds.marked(one)) for one in crds.for_hub()]


def account() -> list[Placed]:
    """The hub's namespace, its service account, and what that may do."""
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
    return [
        _placed(epoch.NAMESPACE.resource, _namespace()),
        _placed(Resource("", "v1", "serviceaccounts"), _object("v1", "ServiceAccount")),
        *rights.for_hub(),
        _role(rights.ROLES, "ClusterRole", "", hub_rights.everywhere()),
        _binding(rights.BINDINGS, "ClusterRoleBinding", "ClusterRole", "", subject),
        _role(_ROLES, "Role", NAMESPACE, hub_rights.in_own_namespace()),
        _binding(rights.LOCAL_BINDINGS, "RoleBinding", "Role", NAMESPACE, subject),
        _role(_ROLES, "Role", TOKEN_NAMESPACE, hub_rights.over_tokens()),
        _binding(rights.LOCAL_BINDINGS, "RoleBinding", "Role", TOKEN_NAMESPACE, subject),
    ]


def process(image: str, replicas: int) -> list[Placed]:
    """The hub's process inside its own cluster, and how the API server asks it."""
    return [
        _placed(Resource("", "v1", "services"), _service()),
        _placed(DEPLOYMENTS, _deployment(image, replicas)),
        _placed(hub_rights.WEBHOOKS, webhook({"service": _service_reference()})),
    ]


def webhook(client: Object, *, is_spared: str = "") -> Object:
    """How an API server asks about objects before it keeps them; `is_spared` is a user unasked.

    A hub that does not answer holds nobody up: the deciders say the same afterwards.
    """
    one: dict[str, Any] = {
        "name": "validity.onepersoncompany.io",
        "clientConfig": client,
        "rules": _rules(),
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "timeoutSeconds": 5,
    }
    user = is_spared or f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
    spares = {"name": "not-the-hub-itself", "expression": f"request.userInfo.username != '{user}'"}
    one["matchConditions"] = [spares]
    body = _object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "", WEBHOOK)
    return {**body, "webhooks": [one]}


def all(image: str, replicas: int) -> list[Placed]:
    """All of it, in an order in which each finds what it needs."""
    return [*kinds(), *account(), *process(image, replicas)]


def _rules() -> list[Object]:
    asked = set(validity.Admission().kinds())
    places: dict[tuple[str, str], list[str]] = {}
    for one in catalogue.KINDS:
        if (one.resource.group, one.kind) in asked:
            key = (one.resource.group, one.resource.version)
            places.setdefault(key, []).append(one.resource.plural)
    return [
        {
            "apiGroups": [group],
            "apiVersions": [version],
            "operations": ["CREATE", "UPDATE"],
            "resources": sorted(plurals),
            "scope": "*",
        }
        for (group, version), plurals in sorted(places.items())
    ]


def _namespace() -> Object:
    # Nothing here needs more than the strictest of Kubernetes' standards for pods allows.
    label = {"pod-security.kubernetes.io/enforce": "restricted"}
    return objects.put(epoch.namespace(), ("metadata", "labels"), {**_LABELS, **label})


def _service_reference() -> Object:
    return {"namespace": NAMESPACE, "name": ACCOUNT, "path": "/validate", "port": 443}


def _service() -> Object:
    port = {"name": "https", "port": 443, "targetPort": "https", "protocol": "TCP"}
    spec = {"selector": dict(_LABELS), "ports": [port]}
    return {**_object("v1", "Service"), "spec": spec}


def _deployment(image: str, replicas: int) -> Object:
    pod = {
        "serviceAccountName": ACCOUNT,
        "terminationGracePeriodSeconds": _GOODBYE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "runAsGroup": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(image)],
        "volumes": [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": dict(_LABELS)},
            }
        ],
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": dict(_LABELS)},
        "template": {"metadata": {"labels": dict(_LABELS)}, "spec": pod},
    }
    return {**_object("apps/v1", "Deployment"), "spec": spec}


def _container(image: str) -> Object:
    return {
        "name": "hub",
        "image": image,
        "command": ["oneco", "up", "--in-cluster", "--listen", f"0.0.0.0:{PORT}"],
        # Members' kubeconfigs pass through files; nothing else is written anywhere.
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        "ports": [{"name": "https", "containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": _probe("/readyz", 5),
        "livenessProbe": {**_probe("/healthz", 20), "initialDelaySeconds": 10},
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _probe(path: str, seconds: int) -> dict[str, Any]:
    get = {"path": path, "port": "https", "scheme": "HTTPS"}
    return {"httpGet": get, "periodSeconds": seconds, "timeoutSeconds": 5}


def _role(resource: Resource, kind: str, namespace: str, rules: Sequence[Object]) -> Placed:
    body = _object(f"{rights.GROUP}/v1", kind, namespace)
    return _placed(resource, {**body, "rules": list(rules)})


def _binding(resource: Resource, kind: str, of: str, namespace: str, subject: Object) -> Placed:
    body = _object(f"{rights.GROUP}/v1", kind, namespace)
    role = {"apiGroup": rights.GROUP, "kind": of, "name": ACCOUNT}
    return _placed(resource, {**body, "roleRef": role, "subjects": [subject]})


def _object(api_version: str, kind: str, namespace: str = NAMESPACE, name: str = ACCOUNT) -> Object:
    metadata: dict[str, Any] = {"name": name, "labels": dict(_LABELS)}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def _placed(resource: Resource, obj: Object) -> Placed:
    return Address(resource, objects.namespace(obj), objects.name(obj)), obj


def text(found: Sequence[Placed]) -> str:
    """All of it as one YAML file."""
    return "---\n".join(document_text.write(obj) for _, obj in found)


def main(arguments: Sequence[str]) -> int:
    """Write deploy/install.yaml, or with `--check` say that it differs; 1 if it does."""
    wanted = _HEADER + text(all(IMAGE, 2))
    is_current = FILE.exists() and FILE.read_text(encoding="utf-8") == wanted
    if "--check" in arguments:
        if not is_current:
            sys.stdout.write(f"{FILE} is not what oneco/main/manifests.py says\n")
        return 0 if is_current else 1
    if not is_current:
        FILE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
