"""Garbage collection: what goes and what stays when owners are deleted, in generated graphs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, NamedTuple

from hypothesis import strategies as st

from oneco.kube.api import Api, DeleteOptions, ListOptions, Match, Propagation
from oneco.kube.errors import NotFound
from oneco.kube.refs import Address
from tests.real.differential.comparing import compare
from tests.real.differential.shapes import CONFIG_MAPS, few
from tests.real.differential.steps import Place

_SETTLED_SECONDS = 25.0
_QUIET_SECONDS = 0.8
MISSING_UID = "00000000-0000-4000-8000-000000000000"


class Graph(NamedTuple):
    """Objects by number, each with its owners (a number, or none that is there), and deletions."""

    owners: tuple[tuple[tuple[int, bool], ...], ...]
    missing: frozenset[int]
    held: frozenset[int]
    deletions: tuple[tuple[int, Propagation], ...]


@st.composite
def graphs(draw: Any) -> Graph:
    """Up to six objects that are owned by earlier ones, and one or two deletions."""
    size = draw(st.integers(2, 6))
    owners: list[tuple[tuple[int, bool], ...]] = []
    for number in range(size):
        earlier = list(range(number))
        chosen = draw(st.lists(few(earlier), max_size=2, unique=True)) if earlier else []
        owners.append(tuple((one, draw(st.booleans())) for one in chosen))
    deletions = draw(
        st.lists(
            st.tuples(st.integers(0, size - 1), few(["Background", "Foreground", "Orphan"])),
            min_size=1, max_size=2, unique_by=lambda pair: pair[0],
        )
    )  # fmt: skip
    missing = draw(st.frozensets(st.integers(0, size - 1), max_size=1))
    held = draw(st.frozensets(st.integers(0, size - 1), max_size=1))
    return Graph(tuple(owners), missing, held, tuple(deletions))


async def settle(place: Place, graph: Graph) -> list[Any]:
    """What is left of the graph when nothing goes any more."""
    api = place.api
    made: list[Any] = []
    for number, owners in enumerate(graph.owners):
        body = _object(place, number, [(made[one], blocks) for one, blocks in owners], graph)
        made.append(await api.create(Address(CONFIG_MAPS, place.namespace), body))
    # The collector has seen them all: what it does otherwise depends on when it looks.
    left = await _left(api, place)
    for number, propagation in graph.deletions:
        # What the collector took before, nobody can delete any more.
        with contextlib.suppress(NotFound):
            await api.delete(_at(place, number), DeleteOptions(propagation=propagation))
        left = await _left(api, place)
    return [left]


def _object(place: Place, number: int, owners: list[tuple[Any, bool]], graph: Graph) -> Any:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            **({"blockOwnerDeletion": True} if blocks else {}),
        }
        for owner, blocks in owners
    ]
    if number in graph.missing:
        gone = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": MISSING_UID}
        references.append(gone)
    meta: dict[str, Any] = {"name": f"{place.name}-{number}", "labels": {"case": place.name}}
    if references:
        meta["ownerReferences"] = references
    if number in graph.held:
        meta["finalizers"] = ["x.io/held"]
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}


async def _left(api: Api, place: Place) -> Any:
    """The state that stays the same for a while."""
    loop = asyncio.get_running_loop()
    end, seen, since = loop.time() + _SETTLED_SECONDS, None, loop.time()
    while loop.time() < end:
        now = await _state(api, place)
        if now != seen:
            seen, since = now, loop.time()
        elif loop.time() - since > _QUIET_SECONDS or not hasattr(api, "target"):
            break
        await asyncio.sleep(0.3 if hasattr(api, "target") else 0)
    return seen


async def _state(api: Api, place: Place) -> Any:
    options = ListOptions(match=Match(labels=f"case={place.name}"))
    page = await api.list(Address(CONFIG_MAPS, place.namespace), options)
    return {one["metadata"]["name"]: _shown(one["metadata"]) for one in page.items}


def _shown(meta: Any) -> Any:
    # Which of two owners went first while it was going itself, the collector's threads decide.
    goes = "deletionTimestamp" in meta
    owners = () if goes else meta.get("ownerReferences") or ()
    return {
        "owners": sorted(one["name"] for one in owners),
        "finalizers": sorted(meta.get("finalizers") or ()),
        "goes": goes,
    }


def _at(place: Place, number: int) -> Address:
    return Address(CONFIG_MAPS, place.namespace, f"{place.name}-{number}")


def test_what_goes_with_its_owners_goes_in_both_worlds(pair):
    compare(pair, "garbage collection", graphs(), 120, settle)
