from __future__ import annotations

import msgspec
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


def printed(case, *, of=None, **how):
    objects = [row["object"] for row in case["rows"]]
    group, version = split_api_version((of or case)["rows"][0]["object"]["apiVersion"])
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


@pytest.mark.parametrize("include", ["None", "Metadata", "Object"])
@pytest.mark.parametrize("case", cases("tables"), ids=lambda case: case["kind"])
def test_a_table_is_the_same_of_objects_that_are_only_held_as_their_json(case, include):
    def encoded(row):
        written = {"managedFields": [{"manager": "kubectl", "operation": "Update"}]}
        meta = {**row["object"]["metadata"], **written}
        return {**row, "object": {**row["object"], "metadata": meta}}

    whole = {**case, "rows": list(map(encoded, case["rows"]))}
    held = [{**row, "object": as_held(row["object"])} for row in whole["rows"]]
    made = printed({**case, "rows": held}, of=whole, include_object=include)
    expected = printed(whole, include_object=include)
    assert msgspec.json.decode(msgspec.json.encode(made)) == expected


def as_held(obj):
    return msgspec.Raw(msgspec.json.encode(obj))


@pytest.mark.parametrize(
    "path", [".status.phase", "{.spec['x']}", "$.spec.a[0]", ".metadata.managedFields[0].manager",
             "..phase", "['spec'].x", ".spec[?(@.a==1)].b"]
)  # fmt: skip
def test_a_column_shows_the_same_of_json_whatever_its_path(path):
    info = ResourceInfo(Resource("t.dev", "v1", "widgets"), "Widget", True)
    columns = [{"name": "X", "type": "string", "jsonPath": path}]
    widget = {
        "metadata": {"name": "w", "managedFields": [{"manager": "kubectl"}]},
        "spec": {"x": "1", "a": ["2"]},
        "status": {"phase": "Ready"},
    }
    rows = [
        tables.table(info, [one], now=NOON, columns=columns)["rows"][0]["cells"]
        for one in (widget, as_held(widget))
    ]
    assert rows[0] == rows[1]


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
