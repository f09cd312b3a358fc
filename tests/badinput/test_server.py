"""Wrong requests to the HTTPS server: each answered by one Status with the right code."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from oneco.kinds import validity
from oneco.kube.api import WriteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address
from oneco.main import crds
from oneco.worlds.embedded.serve import EmbeddedServer, Settings
from tests.embedded.servers import Client, a_server, an_administrator

MAPS = "/api/v1/namespaces/default/configmaps"
APPS = "/apis/core.oam.dev/v1beta1/namespaces/default/applications"
JSON, YAML = "application/json", "application/yaml"
MERGE, SIX, SSA = (
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)


class Wrong(NamedTuple):
    """One wrong request; `says` are parts of the message that answers it."""

    title: str
    method: str
    path: str
    body: Any
    content_type: str
    code: int
    says: tuple[str, ...]


def a_map(**meta: Any) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "new", **meta}}


def an_app(**spec: Any) -> Object:
    return {
        "apiVersion": "core.oam.dev/v1beta1", "kind": "Application",
        "metadata": {"name": "new"}, "spec": spec,
    }  # fmt: skip


WEB = {"name": "web", "type": "webservice", "properties": {"image": "nginx"}}

REQUESTS = (
    Wrong("a body that is no JSON", "POST", MAPS, b"{", JSON, 400, ()),
    Wrong("a body that is empty", "POST", MAPS, b"", JSON, 400, ()),
    Wrong("a body that is a list", "POST", MAPS, [], JSON, 400, ()),
    Wrong("a body that is no YAML", "POST", MAPS, b"a: [", YAML, 400, ()),
    Wrong("a body that says nothing", "POST", MAPS, {"apiVersion": "v1"}, JSON, 422, ("name",)),
    Wrong("another kind than the path says", "POST", MAPS,
          {**a_map(), "kind": "Secret"}, JSON, 400, ("Secret",)),
    Wrong("another namespace than the path says", "POST", MAPS,
          a_map(namespace="other"), JSON, 400, ("namespace",)),
    Wrong("no name", "POST", MAPS, a_map(name=""), JSON, 422, ("name",)),
    Wrong("a name that is none", "POST", MAPS, a_map(name="A B"), JSON, 422, ("A B",)),
    Wrong("numbers where texts belong", "POST", MAPS,
          {**a_map(), "data": {"a": 1}}, JSON, 400, ("data",)),
    Wrong("a format that nobody reads", "POST", MAPS, b"<a/>", "text/xml", 415, ()),
    Wrong("more than a server takes", "POST", MAPS,
          {**a_map(), "data": {"a": "x" * (4 << 20)}}, JSON, 413, ()),
    Wrong("more than an object may hold", "POST", MAPS,
          {**a_map(), "data": {"a": "x" * (2 << 20)}}, JSON, 422, ()),
    Wrong("a name that is taken", "POST", MAPS, a_map(name="old"), JSON, 409, ("old",)),
    Wrong("a namespace that is not there", "POST", "/api/v1/namespaces/none/configmaps",
          a_map(), JSON, 404, ("none",)),
    Wrong("a kind that is not there", "GET", "/api/v1/things", None, JSON, 404, ()),
    Wrong("an object that is not there", "GET", f"{MAPS}/none", None, JSON, 404, ("none",)),
    Wrong("a replacement of what is not there", "PUT", f"{MAPS}/new", a_map(), JSON, 404, ("new",)),
    Wrong("a replacement under another name", "PUT", f"{MAPS}/old", a_map(), JSON, 400, ("name",)),
    Wrong("a replacement of an older version", "PUT", f"{MAPS}/old",
          a_map(name="old", resourceVersion="1"), JSON, 409, ("modified",)),
    Wrong("a deletion of what is not there", "DELETE", f"{MAPS}/none", None, JSON, 404, ("none",)),
    Wrong("a verb that a collection has not", "PUT", MAPS, a_map(), JSON, 405, ()),
    Wrong("a verb that an object has not", "POST", f"{MAPS}/old", a_map(), JSON, 405, ()),
    Wrong("a patch of no known type", "PATCH", f"{MAPS}/old", {}, JSON, 415, ()),
    Wrong("a merge patch that is no map", "PATCH", f"{MAPS}/old", [1], MERGE, 400, ()),
    Wrong("a JSON patch that is no list", "PATCH", f"{MAPS}/old", {}, SIX, 400, ()),
    Wrong("a JSON patch of what is not there", "PATCH", f"{MAPS}/old",
          [{"op": "remove", "path": "/data/none"}], SIX, 422, ()),
    Wrong("a JSON patch with an unknown operation", "PATCH", f"{MAPS}/old",
          [{"op": "frob", "path": "/data"}], SIX, 422, ()),
    Wrong("a patch that makes it invalid", "PATCH", f"{MAPS}/old",
          {"data": {"a b": "x"}}, MERGE, 422, ("a b",)),
    Wrong("an apply without a manager", "PATCH", f"{MAPS}/old",
          a_map(name="old"), SSA, 422, ("fieldManager",)),
    Wrong("an apply of broken YAML", "PATCH", f"{MAPS}/old?fieldManager=me", b"a: [", SSA, 400, ()),
    Wrong("a selector that is none", "GET", f"{MAPS}?labelSelector=a%3D%3D%3Db", None, JSON, 400,
          ()),
    Wrong("a limit that is no number", "GET", f"{MAPS}?limit=many", None, JSON, 400, ()),
    Wrong("a page that never was", "GET", f"{MAPS}?limit=1&continue=zzz", None, JSON, 400, ()),
    Wrong("an Application without components", "POST", APPS, an_app(), JSON, 422, ("components",)),
    Wrong("an Application of wrong types", "POST", APPS,
          an_app(components="web"), JSON, 422, ("components",)),
    Wrong("dependencies in a circle", "POST", APPS,
          an_app(components=[{**WEB, "dependsOn": ["web"]}]), JSON, 422, ("web → web",)),
    Wrong("a release without an end", "POST", APPS,
          an_app(components=[WEB], policies=[
              {"name": "r", "type": "release", "properties": {"batches": ["10%"]}}]),
          JSON, 422, ("batches[0]", '"100%" as the last batch')),
    Wrong("a field that nobody knows, when asked to be strict", "POST",
          f"{APPS}?fieldValidation=Strict", {**an_app(components=[WEB]), "spek": 1}, JSON, 400,
          ("spek",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[EmbeddedServer]:
    """A hub's server with one ConfigMap in it."""
    settings = Settings(admission=(validity.Admission(),))
    with a_server(tmp_path_factory.mktemp("server"), settings) as running:
        for definition in crds.for_hub():
            place = Address(crds.DEFINITIONS, "", definition["metadata"]["name"])
            asyncio.run(_apply(running, place, definition))
        assert an_administrator(running).ask("POST", MAPS, a_map(name="old")).code == 201
        yield running


async def _apply(server: EmbeddedServer, place: Address, body: Object) -> None:
    server.server.apply(place, body, WriteOptions())


@pytest.fixture
def admin(server: EmbeddedServer) -> Client:
    return an_administrator(server)


def version(admin: Client) -> str:
    found: str = admin.ask("GET", MAPS).json["metadata"]["resourceVersion"]
    return found


@pytest.mark.parametrize("wrong", REQUESTS, ids=lambda wrong: wrong.title.replace(" ", "-"))
def test_a_wrong_request_is_answered_by_one_status_and_changes_nothing(wrong: Wrong, admin):
    before = version(admin)
    reply = admin.ask(wrong.method, wrong.path, wrong.body, content_type=wrong.content_type)
    assert reply.code == wrong.code, reply.body[:500]
    status = reply.json
    assert (status["kind"], status["status"]) == ("Status", "Failure")
    assert status["code"] == wrong.code
    assert status["reason"]
    assert all(part in status["message"] for part in wrong.says), status["message"]
    assert len(status["message"]) < 1000
    assert version(admin) == before


@pytest.mark.parametrize("token", ["", "wrong", "a.b.c", "x" * 8000, "ä"])
def test_who_shows_no_right_token_is_nobody(server: EmbeddedServer, token: str):
    client = Client(server)
    headers = {"authorization": f"Bearer {token}".encode().decode("latin-1")} if token else {}
    reply = client.ask("POST", MAPS, a_map(), content_type=JSON, **headers)
    assert reply.code in (401, 403)
    assert json.loads(reply.body)["reason"] in ("Unauthorized", "Forbidden")


def test_who_has_no_role_writes_nothing(server: EmbeddedServer, admin):
    before = version(admin)
    reply = Client(server, "jane", groups=("devs",)).ask("POST", MAPS, a_map(), content_type=JSON)
    assert reply.code == 403
    assert "cannot create" in reply.json["message"]
    assert version(admin) == before


def test_an_agent_of_a_cluster_that_nobody_accepted_is_not_let_in(server: EmbeddedServer, admin):
    before = version(admin)
    user = "system:open-cluster-management:eu:agent"
    groups = (
        "system:open-cluster-management:eu",
        "system:open-cluster-management:managed-clusters",
    )
    agent = Client(server, user, groups=groups)
    with pytest.raises((OSError, http.client.HTTPException)):
        agent.ask("POST", MAPS, a_map(), content_type=JSON)
    assert version(admin) == before


def test_a_group_that_is_not_there_is_answered_in_plain_words_as_by_a_real_server(admin):
    reply = admin.ask("GET", "/apis/tea.example/v1/pots")
    assert (reply.code, reply.body) == (404, b"404 page not found\n")
