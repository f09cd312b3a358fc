"""Certificate requests of agents: who may have a certificate for which cluster.

Approving says that the one who asks is the cluster's agent. That the hub accepts the cluster
(`spec.hubAcceptsClient`) is a person's word apart, as in Open Cluster Management.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Final, NamedTuple

from oneco.clock import Instant
from oneco.decision import NOTHING, Action, Change, Decision, Delete, Reader, Reason
from oneco.fleet.ports import Registrar, Subject
from oneco.kinds.ocm import CLUSTER_NAME_LABEL, CLUSTERS, RESERVED_NAMES
from oneco.kube import names, objects, times
from oneco.kube.api import DeleteOptions, Patch
from oneco.kube.objects import Object, dig
from oneco.kube.refs import Address, Resource

SECRETS: Final = Resource("", "v1", "secrets")
REQUESTS: Final = Resource("certificates.k8s.io", "v1", "certificatesigningrequests")

SIGNER: Final = "kubernetes.io/kube-apiserver-client"
AGENT_PREFIX: Final = "system:open-cluster-management:"
AGENTS_GROUP: Final = "system:open-cluster-management:managed-clusters"
JOIN_GROUP_PREFIX: Final = "system:bootstrappers:oneco:"
"""A join token's user is in the group of this prefix and its cluster's name."""
JOINERS_GROUP: Final = "system:bootstrappers:oneco"
"""All who hold a join token."""
FETCHERS_GROUP: Final = "system:bootstrappers:oneco-fetch"
"""All whose join token has led to a certificate, and is gone."""
TOKEN_NAMESPACE: Final = "kube-system"
TOKEN_TYPE: Final = "bootstrap.kubernetes.io/token"
SPENT_ANNOTATION: Final = "onepersoncompany.io/spent-on"
"""On the Secret of a fetch token: the certificate request that its join token led to."""
FETCH_SECONDS: Final = 3600.0
"""How long a certificate may be fetched that a join token has led to."""
_TOKEN_USER_PREFIX: Final = "system:bootstrap:"
_ADDON_LABEL: Final = "open-cluster-management.io/addon-name"
_TOKEN_ID, _TOKEN_SECRET = 6, 16
_USAGES: Final = frozenset({"digital signature", "key encipherment", "client auth"})


class RequestSeen(NamedTuple):
    """One request, whom it asks to be, and of the hub the cluster and the tokens that it names."""

    request: Object
    subject: Subject | None
    cluster: Object | None = None
    token: Object | None = None
    fetch: Object | None = None
    """What fetches the certificate once the token is gone."""


@dataclasses.dataclass(frozen=True, slots=True)
class Joining:
    """The decider over the certificate requests of one hub."""

    registrar: Registrar

    def gather(self, reader: Reader, key: tuple[str, str]) -> RequestSeen | None:
        """The request that `key` names, or None where it is gone or is no agent's."""
        request = reader.get(Address(REQUESTS, name=key[1]))
        if request is None or not _is_of_an_agent(request):
            return None
        cluster = objects.labels(request)[CLUSTER_NAME_LABEL]
        token_id = dig(request, "spec", "username", default="").removeprefix(_TOKEN_USER_PREFIX)
        return RequestSeen(
            request,
            self.registrar.subject(dig(request, "spec", "request", default="")),
            reader.get(Address(CLUSTERS, name=cluster)),
            reader.get(token_place(token_id)),
            reader.get(token_place(fetch_id(token_id))),
        )

    def decide(self, seen: RequestSeen, now: Instant) -> Decision:
        """Approve, deny, or leave the request to a person."""
        return decide(seen, now)


def decide(seen: RequestSeen, now: Instant) -> Decision:
    """Approve what a cluster may have, deny what nobody may, leave the rest to a person."""
    request = seen.request
    if dig(request, "status", "conditions") or dig(request, "status", "certificate"):
        return NOTHING
    fault = _fault(request, seen.subject)
    if fault:
        return _answer(request, "Denied", Reason("NotAnAgentsRequest", fault), now)
    assert seen.subject is not None, "a request without a subject has a fault"
    cluster = objects.labels(request)[CLUSTER_NAME_LABEL]
    user = dig(request, "spec", "username", default="")
    groups = dig(request, "spec", "groups", default=())
    joins = user.startswith(_TOKEN_USER_PREFIX) and JOIN_GROUP_PREFIX + cluster in groups
    renews = user == seen.subject.common_name and _own_groups(cluster) <= set(groups)
    if not (joins or renews):
        return _waits(f"{user} asks to join as cluster {cluster} without its join token")
    if not _is_accepted(seen.cluster):
        return _waits(f"cluster {cluster} is not accepted")
    if joins:
        return _joined(seen, cluster, now)
    why = Reason("AgentRenews", f"The agent of cluster {cluster} renews its certificate.")
    return _answer(request, "Approved", why, now)


def fetch_id(token_id: str) -> str:
    """The id of the fetch token that belongs to the join token of this id."""
    return hashlib.sha256(f"fetch {token_id}".encode()).hexdigest()[:_TOKEN_ID]


def fetch_token(token: str) -> str:
    """The fetch token that belongs to a join token, empty for what is none of ours.

    Whoever holds the join token knows it; whoever reads it where it is kept learns nothing of the
    join token.
    """
    token_id, _, secret = token.partition(".")
    if (len(token_id), len(secret)) != (_TOKEN_ID, _TOKEN_SECRET):
        return ""
    derived = hashlib.sha256(f"fetch {token}".encode()).hexdigest()
    return f"{fetch_id(token_id)}.{derived[:_TOKEN_SECRET]}"


def token_place(token_id: str) -> Address:
    """Where the Secret of a token is."""
    return Address(SECRETS, TOKEN_NAMESPACE, f"bootstrap-token-{token_id}")


def expires(token: Object) -> Instant | None:
    """When a token ends, None for one that does not; one that nobody can read has ended."""
    written = token_text(token, "expiration")
    if not written:
        return None
    try:
        return times.from_text(written)
    except ValueError:
        return Instant(0.0)


def token_text(token: Object, key: str) -> str:
    """What the Secret of a token says under `key`."""
    try:
        return base64.b64decode(dig(token, "data", key, default="")).decode("ascii")
    except ValueError:
        return ""


def _joined(seen: RequestSeen, cluster: str, now: Instant) -> Decision:
    """Approve the one request that the token leads to; the token is gone before that."""
    request = seen.request
    user, name = dig(request, "spec", "username", default=""), objects.name(request)
    spent_on = objects.annotations_of(seen.fetch or {}).get(SPENT_ANNOTATION, "")
    if spent_on not in ("", name):
        spent = f"The join token of {user} was used already, for request {spent_on}."
        return _answer(request, "Denied", Reason("TokenSpent", spent), now)
    actions: list[Action] = []
    if not spent_on:
        trouble = _trouble(seen, now)
        if trouble or seen.fetch is None:
            return _waits(f"the join token of {user} {trouble}")
        actions.append(_opened(seen.fetch, name, now))
    if seen.token is not None:
        address = Address(SECRETS, TOKEN_NAMESPACE, objects.name(seen.token))
        actions.append(Delete(address, DeleteOptions(uid=objects.uid(seen.token))))
    why = Reason("JoinToken", f"{user} held the join token of cluster {cluster}.")
    actions += _answer(request, "Approved", why, now).actions
    return Decision(actions=actions, reasons=[why])


def _trouble(seen: RequestSeen, now: Instant) -> str:
    """Why a token that was not used leads to nothing, in words; empty if it does."""
    if seen.token is None or objects.is_deleting(seen.token):
        return "is gone"
    ends = expires(seen.token)
    if ends is not None and ends <= now:
        return "has expired"
    if seen.fetch is None or objects.is_deleting(seen.fetch):
        return "has no token to fetch a certificate with, as `oneco clusters join` makes it"
    return ""


def _opened(fetch: Object, request: str, now: Instant) -> Change:
    """From now on the certificate can be fetched, and nothing else can come of the join token.

    Fenced: of two requests by one token, the second to come here finds it spent.
    """
    said = {
        "usage-bootstrap-authentication": "true",
        "expiration": times.to_text(Instant(now + FETCH_SECONDS)),
    }
    body = {
        "metadata": {
            "resourceVersion": objects.resource_version(fetch),
            "annotations": {SPENT_ANNOTATION: request},
        },
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in said.items()},
    }
    return Change(Address(SECRETS, TOKEN_NAMESPACE, objects.name(fetch)), Patch("merge", body))


def _waits(why: str) -> Decision:
    return Decision(reasons=[Reason("WaitsForPerson", f"{why}; a person may approve.")])


def _is_accepted(cluster: Object | None) -> bool:
    if cluster is None or objects.is_deleting(cluster):
        return False
    return dig(cluster, "spec", "hubAcceptsClient") is True


def admitted(seen: RequestSeen, now: Instant) -> Change | None:
    """A person's approval of a request; None where it is answered already or no agent's at all."""
    request = seen.request
    is_open = not dig(request, "status", "conditions") and _is_of_an_agent(request)
    if not is_open or _fault(request, seen.subject):
        return None
    cluster = objects.labels(request)[CLUSTER_NAME_LABEL]
    reason = Reason("ClusterAccepted", f"A person accepted cluster {cluster}.")
    (change,) = _answer(request, "Approved", reason, now).actions
    assert isinstance(change, Change), "an answer is one change of the request"
    return change


def _is_of_an_agent(request: Object) -> bool:
    labels = objects.labels(request)
    if _ADDON_LABEL in labels or CLUSTER_NAME_LABEL not in labels:
        return False
    return bool(dig(request, "spec", "signerName") == SIGNER)


def _own_groups(cluster: str) -> frozenset[str]:
    return frozenset({AGENT_PREFIX + cluster, AGENTS_GROUP})


def _fault(request: Object, subject: Subject | None) -> str:
    """Why this can be no agent's request, in words; empty if it can."""
    if subject is None:
        return "spec.request: wanted a PEM certificate request with one CN and a valid signature."
    cluster = objects.labels(request)[CLUSTER_NAME_LABEL]
    if names.label_faults(cluster) or cluster in RESERVED_NAMES:
        return f'Label {CLUSTER_NAME_LABEL}: found "{cluster}", wanted the name of a cluster.'
    # The whole name and all groups: a prefix would let `c1` pass for `c10`.
    prefix, _, agent = subject.common_name.rpartition(":")
    if prefix != AGENT_PREFIX + cluster or not agent:
        wanted = f"{AGENT_PREFIX}{cluster}:AGENT"
        return f'CN: found "{subject.common_name}", wanted "{wanted}".'
    if subject.organizations != _own_groups(cluster):
        found = ", ".join(sorted(subject.organizations))
        return f'O: found "{found}", wanted "{AGENT_PREFIX}{cluster}" and "{AGENTS_GROUP}".'
    usages = frozenset(dig(request, "spec", "usages", default=()))
    if "client auth" not in usages or not usages <= _USAGES:
        wanted = ", ".join(sorted(_USAGES))
        return f"spec.usages: found {', '.join(sorted(usages))}; wanted client auth, of {wanted}."
    return ""


def _answer(request: Object, answer: str, reason: Reason, now: Instant) -> Decision:
    said = times.to_text(now)
    condition = {
        "type": answer,
        "status": "True",
        "reason": reason.code,
        "message": reason.message,
        "lastUpdateTime": said,
        "lastTransitionTime": said,
    }
    body = {
        "metadata": {"resourceVersion": objects.resource_version(request)},
        "status": {"conditions": [condition]},
    }
    address = Address(REQUESTS, name=objects.name(request), subresource="approval")
    return Decision(actions=[Change(address, Patch("merge", body))], reasons=[reason])
