"""Certificate requests of agents: who may have a certificate for which cluster.

Approving says that the one who asks is the cluster's agent. That the hub accepts the cluster
(`spec.hubAcceptsClient`) is a person's word apart, as in Open Cluster Management.
"""

from __future__ import annotations

import base64
import dataclasses
from typing import Final, NamedTuple

from oneco.clock import Instant
from oneco.decision import NOTHING, Change, Decision, Reader, Reason
from oneco.fleet.ports import Registrar, Subject
from oneco.kinds.ocm import CLUSTER_NAME_LABEL, CLUSTERS, RESERVED_NAMES
from oneco.kube import names, objects, times
from oneco.kube.api import Patch
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
"""All who hold a join token that was not used yet."""
FETCHERS_GROUP: Final = "system:bootstrappers:oneco-fetch"
"""All whose join token has led to a certificate."""
TOKEN_NAMESPACE: Final = "kube-system"
TOKEN_TYPE: Final = "bootstrap.kubernetes.io/token"
SPENT_ANNOTATION: Final = "onepersoncompany.io/spent-on"
"""On the Secret of a join token: the certificate request that it led to."""
_TOKEN_USER_PREFIX: Final = "system:bootstrap:"
_ADDON_LABEL: Final = "open-cluster-management.io/addon-name"
_USAGES: Final = frozenset({"digital signature", "key encipherment", "client auth"})


class RequestSeen(NamedTuple):
    """One request, whom it asks to be, and of the hub the cluster and the token that it names."""

    request: Object
    subject: Subject | None
    cluster: Object | None = None
    token: Object | None = None


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
        return RequestSeen(
            request,
            self.registrar.subject(dig(request, "spec", "request", default="")),
            reader.get(Address(CLUSTERS, name=cluster)),
            reader.get(_token_of(request)),
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
    """Approve the one request that the token leads to, once the token can ask for nothing more."""
    request, token = seen.request, seen.token
    user, name = dig(request, "spec", "username", default=""), objects.name(request)
    if token is None or objects.is_deleting(token):
        return _waits(f"the join token of {user} is gone")
    ends = expires(token)
    if ends is not None and ends <= now:
        return _waits(f"the join token of {user} has expired")
    spent_on = objects.annotations_of(token).get(SPENT_ANNOTATION, "")
    if spent_on not in ("", name):
        spent = f"The join token of {user} was used already, for request {spent_on}."
        return _answer(request, "Denied", Reason("TokenSpent", spent), now)
    why = Reason("JoinToken", f"{user} holds the join token of cluster {cluster}.")
    answered = _answer(request, "Approved", why, now)
    if spent_on:
        return answered
    return Decision(actions=[_spending(token, name), *answered.actions], reasons=[why])


def _spending(token: Object, request: str) -> Change:
    """From now on the token only fetches what came of `request`.

    Fenced: of two requests by one token, the second to come here finds it spent.
    """
    groups = base64.b64encode(FETCHERS_GROUP.encode()).decode()
    body = {
        "metadata": {
            "resourceVersion": objects.resource_version(token),
            "annotations": {SPENT_ANNOTATION: request},
        },
        "data": {"auth-extra-groups": groups},
    }
    address = Address(SECRETS, TOKEN_NAMESPACE, objects.name(token))
    return Change(address, Patch("merge", body))


def _waits(why: str) -> Decision:
    return Decision(reasons=[Reason("WaitsForPerson", f"{why}; a person may approve.")])


def _is_accepted(cluster: Object | None) -> bool:
    if cluster is None or objects.is_deleting(cluster):
        return False
    return dig(cluster, "spec", "hubAcceptsClient") is True


def _token_of(request: Object) -> Address:
    """The Secret of the token that the request was made with, if it was made with one."""
    user = dig(request, "spec", "username", default="")
    token_id = user.removeprefix(_TOKEN_USER_PREFIX)
    return Address(SECRETS, TOKEN_NAMESPACE, f"bootstrap-token-{token_id}")


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
