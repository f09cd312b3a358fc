"""The definitions that the product brings: components, traits and policies.

Each is one small module: a frozen struct of parameters, and a pure function from them to objects
or to a changed workload. What an Application does with them is `delivery`'s.
"""

from __future__ import annotations

from oneco.definitions import policies
from oneco.definitions.components import objects, webservice, worker
from oneco.definitions.traits import env, expose, gateway, metadata, resource, scaler, storage
from oneco.delivery.ports import Definition, Registry

_BUILTIN: tuple[Definition, ...] = (
    webservice.DEFINITION,
    worker.DEFINITION,
    objects.DEFINITION,
    scaler.DEFINITION,
    metadata.LABELS,
    metadata.ANNOTATIONS,
    expose.DEFINITION,
    gateway.DEFINITION,
    resource.DEFINITION,
    env.DEFINITION,
    storage.DEFINITION,
    policies.TOPOLOGY,
    policies.OVERRIDE,
    policies.RELEASE,
)
_REGISTRY: Registry = {(one.family, one.name): one for one in _BUILTIN}


def builtin() -> Registry:
    """All of them, by family and type name; always the same mapping."""
    return _REGISTRY
