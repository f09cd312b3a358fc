from __future__ import annotations

import pytest

from oneco.kube import decoding, defaults, types, validation
from oneco.kube.errors import BadRequest
from oneco.kube.refs import kind_of
from tests.kube.recordings import as_rows, cases

NAMESPACED = {(info.resource.group, info.kind): info.namespaced for info in types.resources()}


def is_namespaced(obj):
    kind = kind_of(obj)
    return NAMESPACED[kind.group, kind.kind]


def in_its_place(obj):
    place = {"namespace": "default"} if is_namespaced(obj) else {}
    return obj | {"metadata": obj["metadata"] | place}


def merged(obj, patch):
    if not isinstance(patch, dict):
        return patch
    result = dict(obj) if isinstance(obj, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def named(case):
    obj = case.get("object") or case["old"]
    return f"{obj['kind']} {str(case.get('patch') or obj.get('spec'))[:60]}"


CREATES = cases("creates")
READABLE = [case for case in CREATES if "undecodable" not in case]
UNDECODABLE = [case for case in CREATES if "undecodable" in case]


@pytest.mark.parametrize("case", READABLE, ids=named)
def test_an_object_is_refused_as_the_real_server_refuses_it(case):
    obj = case["object"]
    kind = types.of(kind_of(obj))
    assert kind is not None
    decoding.check(obj, kind)
    found = validation.validate(defaults.default(in_its_place(obj)), namespaced=is_namespaced(obj))
    assert as_rows(found) == sorted(case.get("refused", []))


@pytest.mark.parametrize("case", UNDECODABLE, ids=named)
def test_a_wrong_type_is_a_bad_request_in_the_real_servers_words(case):
    obj = case["object"]
    kind = types.of(kind_of(obj))
    assert kind is not None
    with pytest.raises(BadRequest) as caught:
        decoding.check(obj, kind)
    assert caught.value.message == case["undecodable"]


@pytest.mark.parametrize("case", cases("updates"), ids=named)
def test_a_change_is_refused_as_the_real_server_refuses_it(case):
    old = case["old"]
    new = defaults.default(merged(old, case["patch"]))
    found = validation.validate(new, old, namespaced=is_namespaced(old))
    fields = sorted({(row[0], row[2]) for row in as_rows(found)})
    assert fields == sorted({(row[0], row[2]) for row in case["refused"]})


def test_unknown_fields_of_a_built_in_kind_are_named():
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "lables": {}},
        "spec": {"containers": [{"name": "c", "imagee": "i"}], "nodeSelector": {"any": "key"}},
    }
    kind = types.of(kind_of(pod))
    assert kind is not None
    assert validation.unknown_fields(pod, kind) == [
        'unknown field "metadata.lables"',
        'unknown field "spec.containers[0].imagee"',
    ]


def test_a_cluster_wide_object_takes_no_namespace():
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "namespace": "x"}}
    (cause,) = validation.validate(node, namespaced=False)
    assert (cause.field, cause.message) == (
        "metadata.namespace",
        "Forbidden: not allowed on this type",
    )
