"""What each verb asks of the server, and what discovery makes of the answers."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp import web

from oneco.kube.api import DeleteOptions, ListOptions, Match, Patch, WriteOptions
from oneco.kube.refs import Address, Resource, ResourceInfo
from oneco.worlds.cluster.wire import keep_all, keep_none
from tests.cluster.servers import client_of, failing

WEB = Address(Resource("apps", "v1", "deployments"), "shop", "web")
BODY = {"kind": "Deployment"}
WRITES = "fieldManager=oneco&fieldValidation=Warn"
ALL = WriteOptions(manager="me", force=True, dry_run=True, field_validation="Strict")
PATH = "/apis/apps/v1/namespaces/shop/deployments"


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (lambda api: api.get(WEB), ("GET", f"{PATH}/web", None, None)),
        (
            lambda api: api.get(Address(Resource("", "v1", "nodes"), name="a:b/c%")),
            ("GET", "/api/v1/nodes/a:b%2Fc%25", None, None),
        ),
        (
            lambda api: api.create(WEB, BODY),
            ("POST", f"{PATH}?{WRITES}", "application/json", BODY),
        ),
        (
            lambda api: api.create(WEB._replace(subresource="eviction"), BODY),
            ("POST", f"{PATH}/web/eviction?{WRITES}", "application/json", BODY),
        ),
        (
            lambda api: api.replace(WEB._replace(subresource="status"), BODY),
            ("PUT", f"{PATH}/web/status?{WRITES}", "application/json", BODY),
        ),
        (
            lambda api: api.patch(WEB, Patch("json", [])),
            ("PATCH", f"{PATH}/web?{WRITES}", "application/json-patch+json", []),
        ),
        (
            lambda api: api.patch(WEB, Patch("merge", {})),
            ("PATCH", f"{PATH}/web?{WRITES}", "application/merge-patch+json", {}),
        ),
        (
            lambda api: api.patch(WEB, Patch("strategic", {})),
            ("PATCH", f"{PATH}/web?{WRITES}", "application/strategic-merge-patch+json", {}),
        ),
        (
            lambda api: api.apply(WEB, BODY, ALL),
            (
                "PATCH",
                f"{PATH}/web?fieldManager=me&fieldValidation=Strict&dryRun=All&force=true",
                "application/apply-patch+yaml",
                BODY,
            ),
        ),
        (
            lambda api: api.delete(
                WEB, DeleteOptions(uid="u", resource_version="3", grace_seconds=0, dry_run=True)
            ),
            (
                "DELETE",
                f"{PATH}/web",
                "application/json",
                {
                    "kind": "DeleteOptions",
                    "apiVersion": "v1",
                    "propagationPolicy": "Background",
                    "preconditions": {"uid": "u", "resourceVersion": "3"},
                    "gracePeriodSeconds": 0,
                    "dryRun": ["All"],
                },
            ),
        ),
        (
            lambda api: api.delete_many(WEB._replace(name=""), Match(labels="a=b")),
            (
                "DELETE",
                f"{PATH}?labelSelector=a%3Db",
                "application/json",
                {
                    "kind": "DeleteOptions",
                    "apiVersion": "v1",
                    "propagationPolicy": "Background",
                },
            ),
        ),
        (
            lambda api: api.list(
                Address(WEB.resource),
                ListOptions(limit=5, continue_token="t", resource_version="9"),
            ),
            ("GET", "/apis/apps/v1/deployments?limit=5&continue=t", None, None),
        ),
    ],
)
def test_each_verb_asks_as_the_kubernetes_api_defines_it(act, asked):
    seen = []

    async def handler(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        kind = request.headers.get("Content-Type") if body else None
        seen.append((request.method, request.raw_path, kind, json.loads(body) if body else None))
        return web.json_response({})

    async def run():
        async with client_of(handler) as api:
            await act(api)

    asyncio.run(run())
    assert seen == [asked]


def test_a_page_tells_its_kind_version_and_what_is_left():
    async def handler(request: web.Request) -> web.StreamResponse:
        meta = {"resourceVersion": "5", "continue": "t", "remainingItemCount": 3}
        items = [{"metadata": {"name": "a"}}]
        return web.json_response(
            {"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": meta, "items": items}
        )

    async def run():
        async with client_of(handler) as api:
            return await api.list(WEB)

    page = asyncio.run(run())
    said = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}
    assert page == ([said], "5", "t", 3)


DEPLOYMENTS = ResourceInfo(
    Resource("apps", "v1", "deployments"), "Deployment", True, "deployment", ("deploy",),
    ("all",), ("scale", "status"), ("get", "list"),
)  # fmt: skip


def aggregated(items: list) -> web.Response:
    body = {"kind": "APIGroupDiscoveryList", "items": items}
    return web.json_response(body, headers={"ETag": '"1"'})


APPS = {
    "metadata": {"name": "apps"},
    "versions": [
        {
            "version": "v1",
            "resources": [
                {
                    "resource": "deployments",
                    "responseKind": {"kind": "Deployment"},
                    "scope": "Namespaced",
                    "singularResource": "deployment",
                    "shortNames": ["deploy"],
                    "categories": ["all"],
                    "verbs": ["get", "list"],
                    "subresources": [{"subresource": "status"}, {"subresource": "scale"}],
                }
            ],
        }
    ],
}


def test_aggregated_discovery_is_two_requests_and_then_only_asks_for_changes():
    asked = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append((request.path, request.headers.get("If-None-Match")))
        if "If-None-Match" in request.headers:
            return web.Response(status=304)
        return aggregated([APPS] if request.path == "/apis" else [])

    async def run():
        async with client_of(handler) as api:
            first = await api.discover()
            return first, await api.discover()

    assert asyncio.run(run()) == ([DEPLOYMENTS], [DEPLOYMENTS])
    assert asked == [("/api", None), ("/apis", None), ("/api", '"1"'), ("/apis", '"1"')]


def test_older_servers_are_asked_group_by_group_and_a_group_that_is_down_hides_only_itself():
    listed = {
        "name": "deployments",
        "kind": "Deployment",
        "namespaced": True,
        "singularName": "deployment",
        "shortNames": ["deploy"],
        "categories": ["all"],
        "verbs": ["get", "list"],
    }
    subresources = [{"name": f"deployments/{sub}", "kind": "X"} for sub in ("status", "scale")]
    answers = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {
            "kind": "APIGroupList",
            "groups": [
                {
                    "versions": [{"groupVersion": "apps/v1beta1"}, {"groupVersion": "apps/v1"}],
                    "preferredVersion": {"groupVersion": "apps/v1"},
                },
                {"versions": [{"groupVersion": "down.example/v1"}]},
            ],
        },
        "/api/v1": {"resources": [{"name": "nodes", "kind": "Node", "namespaced": False}]},
        "/apis/apps/v1": {"resources": [listed, *subresources]},
        "/apis/apps/v1beta1": {"resources": [listed]},
    }

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path not in answers:
            return failing(503, "ServiceUnavailable")
        return web.json_response(answers[request.path])

    async def run():
        async with client_of(handler) as api:
            return await api.discover()

    infos = asyncio.run(run())
    assert infos[1] == DEPLOYMENTS
    assert [str(info.resource.api_version) for info in infos] == ["v1", "apps/v1", "apps/v1beta1"]


@pytest.mark.parametrize("keeps", [keep_all, keep_none, lambda obj: "spec" in obj])
def test_managers_are_kept_of_the_objects_that_are_asked_for_by_every_way_that_they_come(keeps):
    managed = {"name": "web", "managedFields": [{"manager": "me"}]}
    body = {"kind": "Deployment", "metadata": managed}
    line = json.dumps({"type": "ADDED", "object": body}) + "\n"

    async def answer(request):
        if "watch" in request.query:
            return web.Response(text=line)
        many = {"kind": "DeploymentList", "metadata": {}, "items": [body]}
        return web.json_response(body if request.path.endswith("/web") else many)

    async def story():
        async with client_of(answer, keeps_managers=keeps) as api:
            collection = WEB._replace(name="")
            watch = api.watch(collection)
            event = await anext(watch)
            await watch.aclose()
            page = await api.list(collection)
            changed = await api.patch(WEB, Patch("merge", {}))
            return [await api.get(WEB), changed, page.items[0], event.object]

    for found in asyncio.run(story()):
        assert found["metadata"] == (managed if keeps is keep_all else {"name": "web"})
