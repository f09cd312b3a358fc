"""Events: what a controller says about an object, counted when it says it again."""

from __future__ import annotations

from typing import Literal

from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Key
from oneco.worlds.behaviours import chances
from oneco.worlds.behaviours.hand import Hand

EVENTS = "/events"


def record(
    hand: Hand,
    about: Object,
    kind: Literal["Normal", "Warning"],
    said: tuple[str, str],
    component: str,
) -> None:
    """Say this reason and message about an object."""
    reason, message = said
    metadata, now = about["metadata"], hand.now_text()
    # One name for one thing said, so that it is found again.
    word = chances.word(16, metadata["uid"], kind, reason, message)
    key = Key(EVENTS, metadata["namespace"], f"{metadata['name']}.{word}")
    there = hand.store.get(key)
    if there is not None:
        hand.put(key, {**there, "count": there["count"] + 1, "lastTimestamp": now})
        return
    involved = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
        "resourceVersion": metadata["resourceVersion"],
    }
    hand.create(
        key,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {},
            "involvedObject": involved,
            "type": kind,
            "reason": reason,
            "message": message,
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": "",
            "eventTime": None,
        },
    )
