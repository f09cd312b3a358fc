"""What one write to a simulated cluster costs.

A Deployment of the Online Boutique as the agent applies it (server-side apply by one manager,
without anything watching): with one field changed every time, and with nothing changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from benchmarks import boutique
from benchmarks.figures import Figure
from oneco.clock import Instant
from oneco.kube import objects
from oneco.kube.api import WriteOptions
from oneco.kube.objects import Object
from oneco.kube.refs import Address, Resource
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.server import ApiServer
from oneco.worlds.clocks import StepClock

_DEPLOYMENTS = Resource("apps", "v1", "deployments")
_AS_AGENT = WriteOptions(manager="oneco-agent", force=True)


def measure(samples: int) -> list[Figure]:
    """Microseconds of an apply, one sample each."""
    server = ApiServer(MemoryStore(), StepClock(Instant(1_800_000_000.0)))
    body = boutique.a_deployment()
    address = Address(_DEPLOYMENTS, "default", objects.name(body))

    def apply(one: Object) -> None:
        server.apply(address, one, _AS_AGENT)

    apply(body)
    images = (f"shop/frontend:{number}" for number in range(samples))
    changed = _timed(apply, [boutique.with_image(body, image) for image in images])
    last = boutique.with_image(body, "shop/frontend:last")
    apply(last)
    # The body of a no-op is decoded anew, as it comes from another process.
    equal = _timed(apply, [boutique.decoded_anew(last) for _ in range(samples)])
    same = _timed(apply, [last] * samples)
    return [
        _figure("changed", "apply, one field changed", changed),
        _figure("equal", "apply, nothing changed", equal),
        _figure("same", "apply, the very same value", same),
    ]


def _figure(name: str, title: str, samples: tuple[float, ...]) -> Figure:
    return Figure(name=name, title=title, unit="µs", samples=samples)


def _timed(apply: Callable[[Object], None], bodies: Iterable[Object]) -> tuple[float, ...]:
    found = []
    for body in bodies:
        began = time.perf_counter()
        apply(body)
        found.append((time.perf_counter() - began) * 1e6)
    return tuple(found)
