from __future__ import annotations

import pytest

from oneco.clock import Instant
from oneco.kube import tables
from oneco.kube.refs import Resource, ResourceInfo, split_api_version
from tests.kube.recordings import cases, recording

CUSTOM_COLUMNS = recording("custom-resources")["columns"]
CONFIG_MAPS = ResourceInfo(Resource("", "v1", "configmaps"), "ConfigMap", True)
NOON = Instant(1_763_726_400)
A_CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings", "creationTimestamp": "2025-11-21T11:55:00Z"},
    "data": {"a": "b"},
}


def printed(case, **how):
    objects = [row["object"] for row in case["rows"]]
    group, version = split_api_version(objects[0]["apiVersion"])
    info = ResourceInfo(Resource(group, version, "any"), case["kind"], True)
    columns = CUSTOM_COLUMNS if case["kind"] == "Widget" else None
    return tables.table(info, objects, now=case["now"], columns=columns, **how)


@pytest.mark.parametrize("case", cases("tables"), ids=lambda case: case["kind"])
def test_a_table_has_the_real_servers_columns_and_cells(case):
    table = printed(case)
    shape = [
        [column["name"], column["type"], column["format"], column["priority"]]
        for column in table["columnDefinitions"]
    ]
    assert shape == case["columns"]
    assert [row["cells"] for row in table["rows"]] == [row["cells"] for row in case["rows"]]
    conditions = [row.get("conditions") for row in table["rows"]]
    assert conditions == [row.get("conditions") for row in case["rows"]]


@pytest.mark.parametrize(
    ("include", "kind"), [("Metadata", "PartialObjectMetadata"), ("Object", "ConfigMap")]
)
def test_a_row_carries_as_much_of_its_object_as_was_asked(include, kind):
    table = tables.table(CONFIG_MAPS, [A_CONFIG_MAP], now=NOON, include_object=include)
    assert table["rows"][0]["object"]["kind"] == kind
    assert table["rows"][0]["cells"] == ["settings", 1, "5m"]


def test_a_row_may_carry_no_object():
    table = tables.table(CONFIG_MAPS, [A_CONFIG_MAP], now=NOON, include_object="None")
    assert table["rows"][0]["object"] is None


def test_a_custom_resource_without_columns_shows_its_age():
    info = ResourceInfo(Resource("t.dev", "v1", "widgets"), "Widget", True)
    table = tables.table(info, [A_CONFIG_MAP], now=NOON, columns=[])
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Age"]
    assert table["rows"][0]["cells"] == ["settings", "5m"]
