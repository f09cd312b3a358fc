"""Bodies as the generated clients of Go programs send them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.kube.errors import ApiError, BadRequest, UnsupportedMediaType
from oneco.worlds.embedded import protobuf
from tests.embedded.servers import needs_kubectl


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """A message whose numbers and lengths are all below 128."""
    parts = [
        bytes([number << 3, value]) if isinstance(value, int)
        else bytes([number << 3 | 2, len(value)]) + value
        for number, value in fields
    ]  # fmt: skip
    return b"".join(parts)


def an_object(api_version: str, kind: str, *fields: tuple[int, bytes | int]) -> bytes:
    names = message((1, api_version.encode()), (2, kind.encode()))
    return b"k8s\0" + message((1, names), (2, message(*fields)))


def test_maps_bytes_and_metadata_are_read():
    entry = message((1, b"key"), (2, b"\xff\xfe"))
    meta = message((1, b"s"), (2, b""), (11, message((1, b"a"), (2, b"b"))), (8, b""))
    assert protobuf.decode(an_object("v1", "Secret", (1, meta), (2, entry), (3, b"Opaque"))) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "labels": {"a": "b"}},
        "data": {"key": "//4="},
        "type": "Opaque",
    }


def test_a_time_that_no_calendar_has_is_refused():
    seconds = b"\x08" + b"\xff" * 8 + b"\x7f"
    body = an_object("v1", "Pod", (1, message((8, seconds))))
    with pytest.raises(BadRequest, match="not valid protobuf"):
        protobuf.decode(body)


def test_a_zero_that_was_set_is_told_from_one_that_was_not():
    # The size of a Deployment is a pointer, its minReadySeconds is not: only one means anything.
    spec = message((1, 0), (5, 0))
    found = protobuf.decode(an_object("apps/v1", "Deployment", (2, spec)))
    assert found["spec"] == {"replicas": 0}


def test_what_is_a_number_or_a_word_is_read_as_it_was_meant():
    port = message((1, 0), (2, 80), (3, b""))
    named = message((1, 1), (2, 0), (3, b"http"))
    ports = [(1, message((4, one))) for one in (port, named)]
    found = protobuf.decode(an_object("v1", "Service", (2, message(*ports))))
    assert [one["targetPort"] for one in found["spec"]["ports"]] == [80, "http"]


def test_options_of_a_deletion_are_read_in_any_group():
    body = an_object("apps/v1", "DeleteOptions", (1, 0), (4, b"Orphan"))
    found = protobuf.decode(body)
    assert (found["gracePeriodSeconds"], found["propagationPolicy"]) == (0, "Orphan")


def test_a_custom_kind_is_asked_for_as_json():
    with pytest.raises(UnsupportedMediaType, match="application/json"):
        protobuf.decode(an_object("example.com/v1", "Widget"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"k8s\0",
        b"k8s\0\xff",
        b"k8s\0" + message((1, 5)),
        an_object("v1", "Secret", (1, 5)),
        an_object("v1", "Secret", (3, b"\xff")),
        an_object("v1", "Secret")[:-1] + b"\x09",
        an_object("v1", "Secret", (1, message((1, b"x"))))[:-1],
    ],
)
def test_nonsense_is_a_bad_request(body):
    with pytest.raises(BadRequest):
        protobuf.decode(body)


@given(st.binary(max_size=60))
def test_no_bytes_do_more_than_be_refused(noise):
    for body in (noise, b"k8s\0" + noise, an_object("v1", "Pod") + noise):
        try:
            protobuf.decode(body)
        except ApiError:
            continue


@needs_kubectl
@pytest.mark.parametrize(
    "words",
    [
        ("deployment", "d", "--image=nginx:1", "--replicas=3", "--port=80"),
        ("configmap", "c", "--from-literal=a=b"),
        ("secret", "generic", "s", "--from-literal=a=b"),
        ("cronjob", "j", "--image=busybox", "--schedule=* * * * *"),
        ("ingress", "i", "--rule=example.com/*=svc:8080"),
        ("poddisruptionbudget", "p", "--selector=app=a", "--min-available=50%"),
    ],
)
def test_what_kubectl_sends_as_protobuf_is_what_it_would_send_as_json(kubectl, words):
    def read(found: str) -> dict:
        kept = json.loads(found)
        kept["metadata"] = {"name": kept["metadata"]["name"]}
        return kept

    sent = kubectl("create", *words, "--dry-run=client", "-o", "json")
    kubectl("create", "-f", "-", stdin=sent)
    kind, name = json.loads(sent)["kind"], json.loads(sent)["metadata"]["name"]
    as_json = read(kubectl("get", kind, name, "-o", "json"))
    kubectl("delete", kind, name)
    kubectl("create", *words)
    assert read(kubectl("get", kind, name, "-o", "json")) == as_json
