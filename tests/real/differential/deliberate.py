"""Where ours differs from a kube-apiserver on purpose, each with its reason.

Nothing else is left out of a comparison. `docs/kubernetes-compatibility.md` tells users of these.

The seed of the cases is fixed (`ONECO_DIFFERENTIAL_SEED` chooses another) until ten fresh ones in a
row find nothing: the last of six, with 3,600 cases each, found two, in how many faults are told.
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
        r"\.error\.(code: 500 \| 503|reason: 'InternalError' \| 'ServiceUnavailable'"
        r"|message: .* \| .*hung up without an answer)",
        "Some patches make a kube-apiserver panic and hang up, such as one whose merge key is a "
        "list. Here they are a 500 that says what is wrong with them.",
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
        r".*(unmarshal|restore|unrecognized type|convert|strict decoding|is registered for)",
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
