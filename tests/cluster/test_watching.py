"""Watches: lines however they arrive, what ends one, and servers that cannot begin with a list."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from oneco.kube import errors
from oneco.kube.api import INITIAL_EVENTS_END, Match, WatchOptions
from oneco.kube.refs import Address, Resource
from oneco.worlds.cluster.lines import LineSplitter
from tests.cluster.servers import client_of, failing

CONFIGS = Address(Resource("", "v1", "configmaps"), "default")


def config(name: str, **data: str) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def line(kind: str, obj: dict) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


def bookmark(version: str, *, is_end: bool = False) -> bytes:
    meta: dict = {"resourceVersion": version}
    if is_end:
        meta["annotations"] = {INITIAL_EVENTS_END: "true"}
    return line("BOOKMARK", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})


def answering(*chunks: bytes, broken=False, open_seconds=0.0, asked=None):
    """A server that answers every request by these chunks."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if asked is not None:
            asked.append(dict(request.query))
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0.005)
        await asyncio.sleep(open_seconds)
        if broken:
            assert request.transport is not None
            request.transport.abort()
        return response

    return handler


def watch(handler, options=WatchOptions(), **of_client):
    """What was seen as (type, name), and the error that ended it."""

    async def run():
        seen, ended_by = [], None
        async with client_of(handler, **of_client) as api:
            try:
                async for event in api.watch(CONFIGS, options):
                    seen.append((event.type, event.object["metadata"].get("name")))
            except errors.ApiError as error:
                ended_by = error
        return seen, ended_by

    return asyncio.run(run())


@given(st.lists(st.binary(max_size=20).map(lambda one: one.replace(b"\n", b""))), st.data())
def test_lines_are_the_same_however_the_bytes_are_cut(lines, data):
    stream = b"".join(one + b"\n" for one in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter = LineSplitter()
    found: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += splitter.feed(stream[start:end])
    assert found == [one for one in lines if one.strip()]


def test_events_arrive_in_order_when_lines_are_cut_anywhere():
    stream = (
        line("ADDED", config("ä")) + line("MODIFIED", config("b")) + line("DELETED", config("c"))
    )
    chunks = [stream[at : at + 7] for at in range(0, len(stream), 7)]
    seen, _ = watch(answering(*chunks))
    assert seen == [("ADDED", "ä"), ("MODIFIED", "b"), ("DELETED", "c")]


def test_a_line_of_700_kilobytes_is_one_event():
    seen, _ = watch(answering(line("ADDED", config("big", text="x" * 700_000))))
    assert seen == [("ADDED", "big")]


def test_an_old_version_is_expired_by_an_error_event():
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    seen, ended_by = watch(answering(line("ADDED", config("a")), line("ERROR", gone)))
    assert seen == [("ADDED", "a")]
    assert isinstance(ended_by, errors.Expired)
    assert ended_by.message == "too old"


def test_an_old_version_is_expired_by_the_answer_itself():
    async def handler(request: web.Request) -> web.StreamResponse:
        return failing(410, "Gone", "too old")

    assert isinstance(watch(handler)[1], errors.Expired)


def test_a_connection_that_breaks_is_an_outage():
    seen, ended_by = watch(answering(line("ADDED", config("a")), b'{"type":"ADD', broken=True))
    assert seen == [("ADDED", "a")]
    assert isinstance(ended_by, errors.ServiceUnavailable)


def test_a_watch_that_the_server_ends_is_an_outage():
    _, ended_by = watch(answering(line("ADDED", config("a"))))
    assert isinstance(ended_by, errors.ServiceUnavailable)
    assert ended_by.message == "the server ended the watch of configmaps default"


def test_a_watch_with_a_timeout_of_its_own_just_ends():
    asked: list[dict] = []
    options = WatchOptions(timeout_seconds=30)
    assert watch(answering(line("ADDED", config("a")), asked=asked), options) == (
        [("ADDED", "a")],
        None,
    )
    assert asked[0]["timeoutSeconds"] == "30"


def test_a_watch_that_falls_silent_ends():
    _, ended_by = watch(answering(bookmark("5"), open_seconds=5), quiet_seconds=0.05)
    assert isinstance(ended_by, errors.Timeout)


def test_something_else_than_events_is_an_outage():
    _, ended_by = watch(answering(b"<html>\n"))
    assert isinstance(ended_by, errors.ServiceUnavailable)


def test_bookmarks_come_only_where_they_are_wanted():
    chunks = (line("ADDED", config("a")), bookmark("3", is_end=True), bookmark("4"))
    assert [kind for kind, _ in watch(answering(*chunks))[0]] == ["ADDED", "BOOKMARK", "BOOKMARK"]
    options = WatchOptions(bookmarks=False, initial_events=True)
    assert [kind for kind, _ in watch(answering(*chunks), options)[0]] == ["ADDED", "BOOKMARK"]


def test_what_is_asked_for_reaches_the_server():
    asked: list[dict] = []
    options = WatchOptions(
        match=Match(labels="a in (b,c)", fields="metadata.name=x"),
        from_version="7",
        initial_events=True,
    )
    watch(answering(asked=asked), options)
    assert asked == [
        {
            "watch": "true",
            "labelSelector": "a in (b,c)",
            "fieldSelector": "metadata.name=x",
            "resourceVersion": "7",
            "allowWatchBookmarks": "true",
            "sendInitialEvents": "true",
            "resourceVersionMatch": "NotOlderThan",
        }
    ]


def an_older_server(asked: list[str]):
    """Refuses initial events; lists two pages; watches from version 9."""
    pages = {
        None: {"metadata": {"resourceVersion": "9", "continue": "next"}, "items": ["a"]},
        "next": {"metadata": {"resourceVersion": "9"}, "items": ["b"]},
    }

    async def handler(request: web.Request) -> web.StreamResponse:
        query = request.query
        if "sendInitialEvents" in query:
            asked.append("refused")
            return failing(422, "Invalid", "sendInitialEvents is forbidden")
        if "watch" not in query:
            asked.append("list")
            page = pages[query.get("continue")]
            items = [{"metadata": {"name": name}} for name in page["items"]]
            return web.json_response(
                {"kind": "ConfigMapList", "apiVersion": "v1", **page, "items": items}
            )
        asked.append(f"watch from {query['resourceVersion']}")
        return await answering(line("MODIFIED", config("a")))(request)

    return handler


def test_a_server_without_initial_events_is_listed_and_then_watched():
    asked: list[str] = []
    seen, _ = watch(an_older_server(asked), WatchOptions(initial_events=True))
    assert seen == [("ADDED", "a"), ("ADDED", "b"), ("BOOKMARK", None), ("MODIFIED", "a")]
    assert asked == ["refused", "list", "list", "watch from 9"]


def test_a_refusal_of_initial_events_is_remembered_and_their_end_is_marked():
    asked: list[str] = []

    async def run():
        async with client_of(an_older_server(asked)) as api:
            for _ in range(2):
                events = []
                with contextlib.suppress(errors.ServiceUnavailable):
                    async for event in api.watch(CONFIGS, WatchOptions(initial_events=True)):
                        events.append(event.object)
        return events

    events = asyncio.run(run())
    assert asked.count("refused") == 1
    assert events[0] == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    assert events[2] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"resourceVersion": "9", "annotations": {INITIAL_EVENTS_END: "true"}},
    }


def test_a_wrong_selector_is_no_reason_to_forget_initial_events():
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.query.get("labelSelector"):
            return failing(400, "BadRequest", "unable to parse")
        return await answering(bookmark("1", is_end=True))(request)

    async def run():
        async with client_of(handler) as api:
            wrong = WatchOptions(match=Match(labels="="), initial_events=True)
            with pytest.raises(errors.BadRequest):
                await anext(aiter(api.watch(CONFIGS, wrong)))
            return await anext(aiter(api.watch(CONFIGS, WatchOptions(initial_events=True))))

    assert asyncio.run(run()).type == "BOOKMARK"


def test_a_watch_that_is_left_closes_its_connection():
    left = asyncio.Event()

    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(line("ADDED", config("a")))
        while request.transport is not None and not request.transport.is_closing():
            await asyncio.sleep(0.01)
        left.set()
        return response

    async def run():
        async with client_of(handler) as api:
            async with contextlib.aclosing(api.watch(CONFIGS)) as events:
                await anext(events)
            await asyncio.wait_for(left.wait(), 2)

    asyncio.run(run())
