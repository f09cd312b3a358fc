"""Where ours differs from a kube-apiserver on purpose, each with its reason.

Nothing else is left out of a comparison. `docs/kubernetes-compatibility.md` tells users of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple


class Difference(NamedTuple):
    """A place (`path: ours | theirs`, as a regular expression) and why it may differ."""

    place: str
    reason: str
    ends: bool = False
    """Whether the case is over there: what follows differs because of it."""


LISTED: tuple[Difference, ...] = (
    Difference(
        r"\.object\.metadata\.deletionGracePeriodSeconds: '\(missing\)' \| 0",
        "A pod that goes at once is answered as it was; the real server marks it a moment before.",
        ends=True,
    ),
    Difference(
        r"f:spec\.f:(preemptionPolicy|priority|tolerations): \{\} \| '\(missing\)'",
        "Admission plugins of a real server add these to a pod after its managers were recorded; "
        "here the server itself adds them, and whoever made the pod owns them.",
    ),
    Difference(
        r"\.status\.currentMetrics: '\(missing\)' \| None",
        "A required list that nobody wrote is null on the real server and absent here.",
    ),
    Difference(
        r"^: \[\] \| .*initial-events-end",
        "The real server ends the first events of a watch with a bookmark also for those who did "
        "not ask; ours for those who did, as clients cannot count on the other.",
    ),
    Difference(
        r"\.error: '\(missing\)' \| .*must be of type (object|array): .?\"null",
        "Whoever applies an empty map or list in place of one with fields of its own leaves null "
        "on the real server, which its schema then refuses. Here the empty map or list stays.",
        ends=True,
    ),
    Difference(
        r"^\[\d+\]\.object\.metadata\.uid: 'uid 0' \| 'uid 1'",
        "A dry run answers with the uid that the object gets if it is created next: nothing here "
        "is left to chance, so that two rehearsals never differ.",
    ),
    Difference(
        r"^\[\d+\]\.object\.status\.(acceptedNames|conditions)",
        "A definition is accepted within the write that brings it: nobody waits for it. The real "
        "server does it a moment later, so its first answer has an empty status.",
    ),
    Difference(
        r"\.error\.(message|details\.causes\[0\]\.message): .*patch: Invalid value"
        r"|\.error\.details\.causes\[0\]\.message: "
        r".*(unmarshal|restore|unrecognized type|convert|strict decoding)",
        "A patch that makes something of the wrong type: the server shows the patch as Go prints a "
        "map and names Go's own types. Status, reason and field are the same; ours shows JSON.",
    ),
)


NORMALISED = {
    "uids, versions, times, addresses": "each server gives its own; how they relate stays",
    "order of managedFields": "it follows the second of each write",
    "order of a conflict's causes": "the server takes the managers as a Go map gives them",
    "order of a custom object's faults": "the server walks Go maps; ours keeps the body's order",
    "which fault of an applied body is told": "the server walks Go maps and may stop at any one",
    "a Status without a reason": "the client of the real server takes the one of its code",
    "1.0 and 1": "the same number; how it is written in JSON differs",
    "a cause said again": (
        "on updates the server looks at metadata two to four times and lists each fault as often; "
        "its message, like our causes, says it once"
    ),
}
"""What `differences.comparable` makes equal, and why it may."""


def remaining(places: Iterable[str]) -> list[str]:
    """Those of a case's differences that are not deliberate."""
    left = []
    for place in places:
        listed = next((one for one in LISTED if re.search(one.place, place, re.DOTALL)), None)
        if listed is None:
            left.append(place)
        elif listed.ends:
            break
    return left
