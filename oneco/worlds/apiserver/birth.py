"""What every cluster has from its first moment on."""

from __future__ import annotations

from typing import Final

from oneco.kube.objects import Object
from oneco.worlds.apiserver.core import Core
from oneco.worlds.apiserver.inside import Inside
from oneco.worlds.apiserver.removal import NAMESPACES
from oneco.worlds.apiserver.services import COLLECTION, KUBERNETES_ADDRESS
from oneco.worlds.apiserver.store import Key


def populate(core: Core, inside: Inside) -> None:
    """Create the built-in namespaces and the Service of the API server itself, if missing."""
    for key, body in _BORN:
        if core.get(key) is None:
            inside.create(key, body)


def _namespace(name: str) -> tuple[Key, Object]:
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
    return Key(NAMESPACES, "", name), body


_KUBERNETES: Final[Object] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"labels": {"component": "apiserver", "provider": "kubernetes"}},
    "spec": {
        "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}],
        "clusterIP": KUBERNETES_ADDRESS,
        "clusterIPs": [KUBERNETES_ADDRESS],
        "type": "ClusterIP",
        "sessionAffinity": "None",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
    },
    "status": {"loadBalancer": {}},
}
_BORN: Final = (
    _namespace("default"),
    _namespace("kube-system"),
    _namespace("kube-public"),
    _namespace("kube-node-lease"),
    (Key(COLLECTION, "default", "kubernetes"), _KUBERNETES),
)
