"""More objects than are decoded at once: every form of a list shows all of them."""

from __future__ import annotations

import pytest

MAPS = "/api/v1/namespaces/long/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
COUNT = 1_100
NAMES = [f"m{number:04}" for number in range(COUNT)]


@pytest.fixture(scope="module")
def filled(server):
    """A namespace with many ConfigMaps."""
    from tests.embedded.servers import an_administrator

    admin = an_administrator(server)
    admin.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "long"}})
    from oneco.worlds.apiserver.store import Key

    for name in NAMES:
        meta = {"name": name, "namespace": "long", "labels": {"odd": str(int(name[1:]) % 2)}}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"n": name}}
        server.store.commit(Key("/configmaps", "long", name), body)
    return admin


def test_objects(filled):
    found = filled.ask("GET", MAPS).json["items"]
    assert [one["metadata"]["name"] for one in found] == NAMES
    assert found[7] == filled.ask("GET", f"{MAPS}/m0007").json


def test_a_table(filled):
    rows = filled.ask("GET", MAPS, accept=TABLE).json["rows"]
    assert [row["cells"][0] for row in rows] == NAMES
    assert rows[0]["object"]["metadata"]["name"] == "m0000"


def test_metadata_alone(filled):
    found = filled.ask("GET", MAPS, accept=METADATA).json["items"]
    assert [one["metadata"]["name"] for one in found] == NAMES
    assert all("data" not in one for one in found)


def test_those_with_a_label(filled):
    found = filled.ask("GET", f"{MAPS}?labelSelector=odd%3D1").json["items"]
    assert [one["metadata"]["name"] for one in found] == NAMES[1::2]


def test_pages(filled):
    names, token = [], ""
    while True:
        page = filled.ask("GET", f"{MAPS}?limit=1050&continue={token}").json
        names += [one["metadata"]["name"] for one in page["items"]]
        token = page["metadata"].get("continue", "")
        if not token:
            break
    assert names == NAMES
