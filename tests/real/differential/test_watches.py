"""Watches: the events of generated writes, resumed from any version, through selectors."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st

from oneco.kube.api import DeleteOptions, Match, Patch, WatchOptions
from oneco.kube.errors import ApiError, Conflict, NotFound
from oneco.kube.refs import Address
from tests.real.differential.comparing import compare
from tests.real.differential.shapes import CONFIG_MAPS, few
from tests.real.differential.steps import Place

NAMES = few(["a", "b"])
LAST = "last"
AHEAD = "99999999999"
_PATIENCE_SECONDS = 20.0


class Story(NamedTuple):
    """Writes to two objects, and how they are watched: from the version before which write."""

    writes: Sequence[tuple[str, str, Any]]
    start: int
    labels: str
    fields: str
    initial: bool


WRITES = st.one_of(
    st.tuples(st.just("create"), NAMES, few([{}, {"x": "1"}, {"x": "2"}])),
    st.tuples(st.just("label"), NAMES, few([{"x": "1"}, {"x": "2"}, {"x": None}, {"z": "1"}])),
    st.tuples(st.just("data"), NAMES, few([{"k": "1"}, {"k": "2"}, {"k": None}])),
    st.tuples(st.just("hold"), NAMES, few([["x.io/a"], None])),
    st.tuples(st.just("delete"), NAMES, few(["Background", "Foreground", "Orphan"])),
)
STORIES = st.builds(
    Story,
    st.lists(WRITES, min_size=3, max_size=9),
    st.integers(-1, 6),
    few(["", "", "x=1", "x!=1", "x", "!x", "x in (1,2)", "z"]),
    few(["", "", "", "metadata.name=NAME-a"]),
    st.booleans(),
)


async def tell(place: Place, story: Story) -> list[Any]:
    """The events that a watch sees which starts among the writes."""
    collection = Address(CONFIG_MAPS, place.namespace)
    version = (await place.api.list(collection)).resource_version
    starts = {0: version}
    for number, write in enumerate(story.writes):
        starts[number + 1] = await _written(place, write) or starts[number]
    ending = await place.api.create(collection, _body(place, LAST, {}))
    start = "" if story.start < 0 else starts.get(story.start, version)
    options = WatchOptions(
        match=Match(labels=story.labels, fields=story.fields.replace("NAME", place.name)),
        from_version=start,
        initial_events=story.initial and not start,
    )
    # Whoever selects does not see the last object; a bookmark or silence ends the story then.
    seen = await _events(place, collection, options, ending["metadata"]["resourceVersion"])
    return [{"object": event} for event in seen]


async def _events(place: Place, at: Address, options: WatchOptions, until: str) -> list[Any]:
    own, seen = f"{place.name}-", []
    watching = place.api.watch(at, options)
    selects = bool(options.match.labels or options.match.fields)
    try:
        async with asyncio.timeout(1.0 if selects else _PATIENCE_SECONDS):
            async for event in watching:
                meta = event.object.get("metadata") or {}
                if event.type == "BOOKMARK":
                    notes = meta.get("annotations") or {}
                    if notes:
                        seen.append({"type": "BOOKMARK", "annotations": notes})
                    continue
                if not meta["name"].startswith(own):
                    continue
                seen.append({"type": event.type, "object": event.object})
                if meta["resourceVersion"] == until and event.type == "ADDED":
                    break
    except TimeoutError:
        pass
    finally:
        await watching.aclose()  # type: ignore[attr-defined]
    return seen if options.from_version else _present(seen)


def _present(seen: list[Any]) -> list[Any]:
    """The state that the first events lead to.

    The real server's cache gives the present objects in any order, and may begin a little earlier.
    """
    last = {_place_of(event): event for event in seen}
    kept = [event for event in last.values() if event["type"] != "DELETED"]
    told = [{**one, "type": "ADDED"} if one["type"] == "MODIFIED" else one for one in kept]
    return sorted(told, key=_place_of)


def _place_of(event: Any) -> tuple[bool, str]:
    name = event.get("object", {}).get("metadata", {}).get("name", "")
    return event["type"] == "BOOKMARK", name


async def _written(place: Place, write: tuple[str, str, Any]) -> str:
    verb, name, detail = write
    at = Address(CONFIG_MAPS, place.namespace, f"{place.name}-{name}")
    with contextlib.suppress(NotFound, Conflict, ApiError):
        if verb == "create":
            made = await place.api.create(at._replace(name=""), _body(place, name, detail))
            return str(made["metadata"]["resourceVersion"])
        if verb == "delete":
            await place.api.delete(at, DeleteOptions(propagation=detail))
            return ""
        body = {
            "label": {"metadata": {"labels": detail}},
            "data": {"data": detail},
            "hold": {"metadata": {"finalizers": detail}},
        }[verb]
        done = await place.api.patch(at, Patch("merge", body))
        return str(done["metadata"]["resourceVersion"])
    return ""


def _body(place: Place, name: str, labels: Any) -> Any:
    meta = {"name": f"{place.name}-{name}", "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


def test_a_watch_tells_the_same_story(pair):
    # The collector answers deletions with propagation a moment later: only direct ones here.
    direct = STORIES.map(
        lambda story: story._replace(writes=[_direct(one) for one in story.writes])
    )
    compare(pair, "watches", direct, 200, tell)


def _direct(write: tuple[str, str, Any]) -> tuple[str, str, Any]:
    return (*write[:2], "Background") if write[0] == "delete" else write


@pytest.mark.parametrize("version", ["1", AHEAD, "x", "-1", "0"])
def test_a_watch_from_a_strange_version_is_refused_alike(pair, version):
    async def first(api: Any) -> Any:
        options = WatchOptions(from_version=version)
        watching = api.watch(Address(CONFIG_MAPS, pair.namespace), options)
        try:
            async with asyncio.timeout(3):
                async for event in watching:
                    if event.type != "BOOKMARK":
                        return event.type
        except ApiError as error:
            return error.code, error.reason
        except TimeoutError:
            return "silence"
        finally:
            await watching.aclose()
        return "an end"

    ours, theirs = (pair.runner.run(first(api)) for api in (pair.ours, pair.theirs))
    print(f"watch from {version}: {ours} | {theirs}")
    if version == "1":
        # A young server remembers everything; ours always does.
        assert theirs in (ours, (410, "Expired"), "silence")
    elif version == AHEAD:
        # Deliberately: who is ahead of a hub was there before it started from a copy.
        assert (ours, theirs) == ((504, "Timeout"), "silence")
    else:
        assert ours == theirs
