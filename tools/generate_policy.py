"""Writes oneco/generated/policy.py out of the roles that a running kube-apiserver begins with.

    python tools/generate_policy.py KUBECONFIG

The cluster must be a new one whose controllers run, as a test control plane is.
"""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys
from typing import Any

from oneco.kube.api import ListOptions, Match
from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster.client import connect

GROUP = "rbac.authorization.k8s.io"
PLURALS = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
TARGET = pathlib.Path(__file__).parent.parent / "oneco" / "generated" / "policy.py"
GIVEN_OUT = ("creationTimestamp", "resourceVersion", "uid", "managedFields")
OURS = Match(labels="kubernetes.io/bootstrapping=rbac-defaults")


async def main(kubeconfig: str) -> None:
    """Ask the server, write the table."""
    rows = []
    async with connect(kubeconfig) as api:
        for plural in PLURALS:
            at = Address(Resource(GROUP, "v1", plural))
            page = await api.list(at, ListOptions(match=OURS))
            rows += [compact(one) for one in page.items]
    TARGET.write_text(written(rows), "utf-8")


def compact(obj: Any) -> str:
    """One object without what each server gives out itself."""
    metadata = {key: one for key, one in obj["metadata"].items() if key not in GIVEN_OUT}
    return json.dumps({**obj, "metadata": metadata}, separators=(",", ":"), sort_keys=True)


def written(rows: list[str]) -> str:
    """The text of the module."""
    lines = [
        '"""DO NOT EDIT. The roles and bindings that every Kubernetes cluster begins with.',
        "",
        "Read by: python tools/generate_policy.py KUBECONFIG",
        '"""',
        "",
        "OBJECTS = (",
        *(f"    {row!r}," for row in rows),
        ")",
        '"""Each as JSON."""',
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
