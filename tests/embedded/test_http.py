"""The REST API as plain HTTP clients meet it."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
import threading
import time
from typing import Any

import pytest

from oneco.errors import Refused
from oneco.worlds.clocks import RealClock
from oneco.worlds.embedded.serve import EmbeddedServer, Settings
from tests.embedded.servers import Client, a_server, an_administrator

MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def a_map(name: str, **data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_request_goes_from_creation_to_deletion(admin):
    created = admin.ask("POST", MAPS, a_map("life", a="1"))
    assert (created.code, created.json["data"]) == (201, {"a": "1"})
    read = admin.ask("GET", f"{MAPS}/life")
    assert (read.code, read.json) == (200, created.json)
    replaced = admin.ask("PUT", f"{MAPS}/life", {**read.json, "data": {"a": "2"}})
    assert (replaced.code, replaced.json["data"]) == (200, {"a": "2"})
    stale = admin.ask("PUT", f"{MAPS}/life", {**read.json, "data": {"a": "3"}})
    assert (stale.code, stale.json["reason"]) == (409, "Conflict")
    deleted = admin.ask("DELETE", f"{MAPS}/life")
    assert (deleted.code, deleted.json["status"]) == (200, "Success")
    assert deleted.json["details"]["name"] == "life"
    assert admin.ask("GET", f"{MAPS}/life").code == 404


def test_what_only_a_container_could_answer_is_refused_in_words(admin):
    for method, path in (("GET", "log"), ("POST", "exec")):
        answer = admin.ask(method, f"/api/v1/namespaces/default/pods/web/{path}")
        assert (answer.code, answer.json["reason"]) == (400, "BadRequest")
        assert answer.json["message"] == (
            f"this cluster starts no containers: web has nothing for {path}"
        )


def test_an_apply_that_creates_is_told_from_one_that_changes(admin):
    path, kind = f"{MAPS}/ssa?fieldManager=me", "application/apply-patch+yaml"
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ssa}\ndata:\n  a: 'yes'\n"
    assert admin.ask("PATCH", path, text, content_type=kind).code == 201
    again = admin.ask("PATCH", path, text, content_type=kind)
    assert (again.code, again.json["data"]) == (200, {"a": "yes"})
    nameless = admin.ask("PATCH", f"{MAPS}/ssa", text, content_type=kind)
    assert (nameless.code, "is required for apply patch" in nameless.json["message"]) == (422, True)


def test_a_list_has_pages_that_are_one_snapshot(admin):
    space = "/api/v1/namespaces/kube-public/configmaps"
    for number in range(5):
        admin.ask("POST", space, a_map(f"p{number}"))
    first = admin.ask("GET", f"{space}?limit=3").json
    assert (first["kind"], first["metadata"]["remainingItemCount"]) == ("ConfigMapList", 2)
    admin.ask("POST", space, a_map("p9"))
    rest = admin.ask("GET", f"{space}?limit=3&continue={first['metadata']['continue']}").json
    names = [one["metadata"]["name"] for one in first["items"] + rest["items"]]
    assert names == ["p0", "p1", "p2", "p3", "p4"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_metadata_alone_and_tables_are_given_to_those_who_ask(admin):
    admin.ask("POST", MAPS, a_map("forms", a="1"))
    accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
    slim = admin.ask("GET", f"{MAPS}/forms", accept=accept).json
    assert (slim["kind"], "data" in slim) == ("PartialObjectMetadata", False)
    table = admin.ask("GET", f"{MAPS}/forms", accept=TABLE).json
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["forms", 1]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_large_answers_are_compressed_for_those_who_ask(admin):
    admin.ask("POST", MAPS, a_map("large", a="x" * 200_000))
    plain = admin.ask("GET", f"{MAPS}/large")
    small = admin.ask("GET", f"{MAPS}/large", accept_encoding="gzip")
    assert small.headers["content-encoding"] == "gzip"
    assert (len(small.body) < 10_000, gzip.decompress(small.body)) == (True, plain.body)


def test_pretty_is_for_people(admin):
    assert b'\n  "kind": "ConfigMapList"' in admin.ask("GET", f"{MAPS}?pretty=true").body


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_health_is_open_to_everybody(server, path):
    reply = Client(server).ask("GET", path)
    assert (reply.code, reply.body) == (200, b"ok")


def test_strangers_see_the_version_and_nothing_else(server):
    stranger = Client(server)
    assert stranger.ask("GET", "/version").json["minor"] == "36"
    for path in (MAPS, "/api", "/apis", "/openapi/v3", "/metrics", "/"):
        reply = stranger.ask("GET", path)
        assert (reply.code, reply.json["reason"]) == (403, "Forbidden"), path
    refused = stranger.ask("GET", MAPS).json["message"]
    assert refused == (
        'configmaps is forbidden: User "system:anonymous" cannot list resource "configmaps" in'
        ' API group "" in the namespace "default"'
    )


def test_a_wrong_token_is_not_taken_for_nobody(server):
    reply = Client(server, token="nonsense").ask("GET", "/version")
    assert (reply.code, reply.json["reason"]) == (401, "Unauthorized")


def test_a_certificate_of_another_authority_is_turned_away(server, tmp_path):
    with a_server(tmp_path / "other") as other:
        stranger = an_administrator(other)
        stranger._context.load_verify_locations(server.authority.directory / "ca.crt")
        stranger._host = server.url.removeprefix("https://")
        with pytest.raises((OSError, http.client.HTTPException)):
            stranger.ask("GET", "/version")


def test_a_group_that_nobody_defines_is_a_page_that_is_not_there(admin):
    reply = admin.ask("GET", "/apis/none.example/v1/things")
    assert (reply.code, reply.body) == (404, b"404 page not found\n")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "code", "part"),
    [
        ("POST", MAPS, b"{", {}, 400, "not JSON"),
        ("POST", MAPS, b"[]", {}, 400, "one object"),
        ("POST", MAPS, b"a: b: c", {"content_type": "application/yaml"}, 400, "not YAML"),
        ("POST", MAPS, b"", {}, 400, "not JSON"),
        ("POST", MAPS, b"k8s\0", {"content_type": "application/x"}, 415, "unknown format"),
        ("POST", MAPS, {"apiVersion": "v1", "kind": "Secret"}, {}, 400, "Secret"),
        ("POST", MAPS, a_map("x", a="y" * (3 << 20)), {}, 413, "too large"),
        ("PATCH", f"{MAPS}/x", b"{}", {}, 415, "application/merge-patch+json"),
        ("PATCH", f"{MAPS}/x", b"{}", {"content_type": "application/merge-patch+json"}, 404, "x"),
        ("GET", f"{MAPS}?limit=many", None, {}, 400, "limit"),
        ("GET", f"{MAPS}?limit=-1", None, {}, 400, "limit"),
        ("GET", f"{MAPS}?continue=nonsense", None, {}, 400, "continue"),
        ("GET", f"{MAPS}?resourceVersion=abc", None, {}, 400, "resource version"),
        ("GET", f"{MAPS}?resourceVersion=999999999", None, {}, 504, "Too large"),
        ("GET", f"{MAPS}?resourceVersionMatch=Exact", None, {}, 422, "resourceVersion"),
        ("GET", f"{MAPS}?labelSelector=a%20in", None, {}, 400, "unable to parse"),
        ("GET", f"{MAPS}?watch=1&resourceVersion=999999999", None, {}, 504, "Too large"),
        ("GET", f"{MAPS}?watch=1&sendInitialEvents=true", None, {}, 422, "NotOlderThan"),
        ("GET", MAPS, None, {"accept": "application/vnd.kubernetes.protobuf"}, 406, "json"),
        ("GET", MAPS, None, {"accept": "text/html"}, 406, "application/json"),
        ("GET", "/api/v1/nonsense", None, {}, 404, "could not find"),
        ("GET", "/apis/apps/v1/deployments/x", None, {}, 404, "could not find"),
        ("GET", f"{MAPS}/a/b/c/d", None, {}, 404, "could not find"),
        ("GET", f"{MAPS}/x/status", None, {}, 404, "could not find"),
        ("POST", f"{MAPS}?dryRun=Some", a_map("x"), {}, 422, "dryRun"),
        ("POST", f"{MAPS}?fieldValidation=Hard", a_map("x"), {}, 422, "fieldValidation"),
        ("DELETE", f"{MAPS}/x?propagationPolicy=Sideways", None, {}, 422, "propagationPolicy"),
        ("DELETE", f"{MAPS}/x", {"dryRun": 3}, {}, 400, "DeleteOptions"),
        ("DELETE", f"{MAPS}/x", b"nonsense", {}, 400, "not JSON"),
        ("BREW", MAPS, None, {}, 400, ""),
        ("OPTIONS", MAPS, None, {}, 405, "not allow"),
        ("POST", "/version", {}, {}, 405, "not allow"),
    ],
)
def test_wrong_requests_get_one_clear_status(admin, method, path, body, headers, code, part):
    before = admin.ask("GET", MAPS).json["metadata"]["resourceVersion"]
    reply = admin.ask(method, path, body, **headers)
    assert reply.code == code, reply.body
    assert part in reply.body.decode()
    if method != "BREW":
        assert (reply.json["kind"], reply.json["code"]) == ("Status", code)
    assert admin.ask("GET", MAPS).json["metadata"]["resourceVersion"] == before


def test_discovery_in_both_forms_names_the_same_kinds(admin):
    groups = {group["name"] for group in admin.ask("GET", "/apis").json["groups"]}
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    whole = admin.ask("GET", "/apis", accept=accept)
    assert whole.headers["content-type"] == accept
    assert {item["metadata"]["name"] for item in whole.json["items"]} == groups
    apps = admin.ask("GET", "/apis/apps/v1").json["resources"]
    scale = next(row for row in apps if row["name"] == "deployments/scale")
    assert (scale["group"], scale["kind"]) == ("autoscaling", "Scale")
    assert admin.ask("GET", "/apis/apps").json["preferredVersion"]["version"] == "v1"
    assert admin.ask("GET", "/api").json["versions"] == ["v1"]


class Watching:
    """A watch that is read line by line."""

    def __init__(self, client: Client, path: str, **headers: str) -> None:
        self._connection = http.client.HTTPSConnection(
            client._host, context=client._context, timeout=10
        )
        self._connection.request("GET", path, headers=headers)
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()

    def next(self) -> Any:
        line = self._answer.readline()
        return json.loads(line) if line else None

    def close(self) -> None:
        self._connection.close()


def test_a_watch_without_a_version_begins_with_what_is_there(admin):
    admin.ask("POST", MAPS, a_map("seen"))
    watch = Watching(admin, f"{MAPS}?watch=1&fieldSelector=metadata.name=seen")
    first = watch.next()
    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "seen")
    admin.ask("DELETE", f"{MAPS}/seen")
    assert watch.next()["type"] == "DELETED"
    watch.close()


def test_a_watch_resumes_where_it_was(admin):
    version = admin.ask("POST", MAPS, a_map("resumed")).json["metadata"]["resourceVersion"]
    admin.ask("DELETE", f"{MAPS}/resumed")
    watch = Watching(admin, f"{MAPS}?watch=true&resourceVersion={version}")
    assert watch.next()["type"] == "DELETED"
    watch.close()


def test_initial_events_end_with_a_bookmark(admin):
    admin.ask("POST", "/api/v1/namespaces/kube-system/configmaps", a_map("one"))
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    path = f"/api/v1/namespaces/kube-system/configmaps?{query}&allowWatchBookmarks=true"
    watch = Watching(admin, path)
    assert watch.next()["type"] == "ADDED"
    end = watch.next()
    assert end["type"] == "BOOKMARK"
    assert end["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    watch.close()


def test_a_watch_prints_tables_to_those_who_ask(admin):
    admin.ask("POST", MAPS, a_map("tabled", a="1"))
    path = f"{MAPS}?watch=1&fieldSelector=metadata.name=tabled"
    watch = Watching(admin, path, accept=TABLE)
    assert watch.next()["object"]["rows"][0]["cells"][:2] == ["tabled", 1]
    watch.close()


def test_a_watch_ends_at_its_timeout(admin):
    version = admin.ask("GET", MAPS).json["metadata"]["resourceVersion"]
    watch = Watching(admin, f"{MAPS}?watch=1&resourceVersion={version}&timeoutSeconds=1")
    assert watch.next() is None


def test_a_forgotten_version_is_gone(tmp_path):
    with a_server(tmp_path / "short", Settings(history=10)) as server:
        admin = an_administrator(server)
        for number in range(30):
            admin.ask("POST", MAPS, a_map(f"m{number}"))
        reply = admin.ask("GET", f"{MAPS}?watch=1&resourceVersion=2")
        assert (reply.code, reply.json["reason"]) == (410, "Expired")


def test_stopping_ends_watches_and_is_quick(tmp_path):
    ended = threading.Event()
    with a_server(tmp_path / "stopped") as server:
        version = an_administrator(server).ask("GET", MAPS).json["metadata"]["resourceVersion"]
        path = f"{MAPS}?watch=1&resourceVersion={version}"
        watches = [Watching(an_administrator(server), path) for _ in range(5)]

        def read_all():
            if all(watch.next() is None for watch in watches):
                ended.set()

        reader = threading.Thread(target=read_all)
        reader.start()
        began = time.monotonic()
    assert time.monotonic() - began < 1
    reader.join(5)
    assert ended.is_set()


def test_a_restart_keeps_the_port_and_the_objects(tmp_path):
    with a_server(tmp_path / "kept") as server:
        url = server.url
        an_administrator(server).ask("POST", MAPS, a_map("kept", a="1"))
    with a_server(tmp_path / "kept") as server:
        assert server.url == url
        assert an_administrator(server).ask("GET", f"{MAPS}/kept").json["data"] == {"a": "1"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com", ""])
def test_listening_for_other_machines_is_refused(tmp_path, host):
    async def run():
        server = EmbeddedServer(tmp_path / "s", RealClock())
        try:
            await server.start(host)
        finally:
            await server.stop()

    with pytest.raises(Refused, match="rights for other machines do not exist yet"):
        asyncio.run(run())


def test_plain_http_and_noise_harm_nobody(server, admin):
    host, _, port = server.url.removeprefix("https://").partition(":")
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff", b""):
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(noise)
    assert admin.ask("GET", "/livez").code == 200


def nested(levels: int, name: str = "deep") -> bytes:
    """A custom object with so many levels inside one another."""
    start = f'{{"apiVersion":"tea.example/v1","kind":"Pot","metadata":{{"name":"{name}"}},"spec":'
    return start.encode() + b'{"a":' * (levels - 1) + b"1" + b"}" * levels


POTS = "/apis/tea.example/v1/namespaces/default/pots"


@pytest.fixture
def pots(admin) -> Client:
    """A server with a kind that takes anything."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True}
    spec = {
        "group": "tea.example",
        "scope": "Namespaced",
        "names": {"plural": "pots", "kind": "Pot"},
        "versions": [{**version, "schema": {"openAPIV3Schema": anything}}],
    }
    body = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "pots.tea.example"},
        "spec": spec,
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert admin.ask("POST", path, body).code in (201, 409)
    return admin


@pytest.mark.parametrize("levels", [201, 900, 100_000])
def test_an_object_that_no_stack_could_read_again_is_refused(pots, levels):
    reply = pots.ask("POST", POTS, nested(levels))
    assert (reply.code, "at most 200 levels" in reply.json["message"]) == (400, True)


def test_patches_cannot_make_an_object_deeper_than_it_may_be(pots):
    assert pots.ask("POST", POTS, nested(150, "grows")).code == 201
    place = "/spec" + "/a" * 148
    value: dict[str, Any] = {"a": 1}
    for _ in range(100):
        value = {"a": value}
    change = [{"op": "replace", "path": place, "value": value}]
    reply = pots.ask("PATCH", f"{POTS}/grows", change, content_type="application/json-patch+json")
    assert (reply.code, "at most 200 levels" in reply.json["message"]) == (400, True)


@pytest.mark.parametrize("number", ["-1", "9" * 30, "many"])
def test_a_number_that_no_server_counts_to_is_refused(admin, number):
    assert admin.ask("GET", f"{MAPS}?watch=1&timeoutSeconds={number}").code == 400


def test_whoever_creates_what_is_not_enforced_is_told_so(admin):
    body = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few"},
        "spec": {"hard": {"pods": "1"}},
    }
    made = admin.ask("POST", "/api/v1/namespaces/default/resourcequotas", body)
    assert made.code == 201
    words = "ResourceQuota: this server keeps it and does not enforce it"
    assert words in made.headers["warning"]
