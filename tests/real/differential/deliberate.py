"""Where ours differs from a kube-apiserver on purpose, each with its reason.

Nothing else is left out of a comparison. `docs/kubernetes-compatibility.md` tells users of these.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Difference(NamedTuple):
    """A place (`path: ours | theirs`, as a regular expression) and why it may differ."""

    place: str
    reason: str


LISTED: tuple[Difference, ...] = (
    Difference(
        r"^\[\d+\]\.object\.status\.(acceptedNames|conditions)",
        "A definition is accepted within the write that brings it: nobody waits for it. The real "
        "server does it a moment later, so its first answer has an empty status.",
    ),
    Difference(
        r"\.error\.(message|details\.causes\[0\]\.message): .*patch: Invalid value"
        r"|\.error\.details\.causes\[0\]\.message: .*(unmarshal|restore|unrecognized type|convert)",
        "A patch that makes something of the wrong type: the server shows the patch as Go prints a "
        "map and names Go's own types. Status, reason and field are the same; ours shows JSON.",
    ),
)


NORMALISED = {
    "uid, resourceVersion, times": "each server gives out its own; how they relate is kept",
    "order of managedFields": "it follows the second of each write",
    "order of a conflict's causes": "the server takes the managers as a Go map gives them",
    "1.0 and 1": "the same number; how it is written in JSON differs",
    "a cause said again": (
        "on updates the server looks at metadata two to four times and lists each fault as often; "
        "its message, like our causes, says it once"
    ),
}
"""What `differences.comparable` makes equal, and why it may."""


def is_listed(place: str) -> bool:
    """Whether a difference at `place` is a deliberate one."""
    return any(re.search(one.place, place, re.DOTALL) for one in LISTED)
