"""Which node a pod goes to: the one with the fewest pods among those where it may run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oneco.kube.objects import Object

_REPELLING = ("NoSchedule", "NoExecute")


def choose(pod: Object, nodes: Iterable[tuple[Object, int]]) -> str | None:
    """The name of the best node among `nodes`, each with how many pods it has; None if none fits.

    Ties go to the first, so the answer depends on the order of `nodes` and on nothing else.
    """
    best, fewest = None, -1
    for node, count in nodes:
        if (best is None or count < fewest) and _fits(pod, node, count):
            best, fewest = node["metadata"]["name"], count
    return best


def is_open(node: Object) -> bool:
    """Whether the node is ready and takes new pods."""
    if (node.get("spec") or {}).get("unschedulable"):
        return False
    for condition in (node.get("status") or {}).get("conditions") or ():
        if condition["type"] == "Ready":
            return bool(condition["status"] == "True")
    return False


def _fits(pod: Object, node: Object, count: int) -> bool:
    spec = pod["spec"]
    room = (node.get("status") or {}).get("allocatable", {}).get("pods", "110")
    if count >= int(room):
        return False
    taints = (node.get("spec") or {}).get("taints")
    if taints and not all(_tolerates(spec.get("tolerations") or (), taint) for taint in taints):
        return False
    return is_chosen(pod, node)


def is_chosen(pod: Object, node: Object) -> bool:
    """Whether the pod's own node selector and affinity choose the node."""
    spec = pod["spec"]
    wanted = spec.get("nodeSelector")
    if wanted:
        labels = node["metadata"].get("labels") or {}
        if any(labels.get(key) != value for key, value in wanted.items()):
            return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(_chosen(term, node) for term in required["nodeSelectorTerms"])


def _tolerates(tolerations: Sequence[Object], taint: Object) -> bool:
    return taint["effect"] not in _REPELLING or any(
        tolerates(toleration, taint) for toleration in tolerations
    )


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether the toleration is for this taint."""
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if not toleration.get("key"):
        return bool(toleration.get("operator") == "Exists")
    if toleration["key"] != taint["key"]:
        return False
    if toleration.get("operator") == "Exists":
        return True
    return (toleration.get("value") or "") == (taint.get("value") or "")


def _chosen(term: Object, node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    name = {"metadata.name": node["metadata"]["name"]}
    expressions = term.get("matchExpressions") or ()
    fields = term.get("matchFields") or ()
    return bool(expressions or fields) and (
        all(_holds(one, labels) for one in expressions) and all(_holds(one, name) for one in fields)
    )


def _holds(expression: Object, labels: Object) -> bool:
    found = labels.get(expression["key"])
    operator, values = expression["operator"], expression.get("values") or ()
    if operator == "Exists":
        return found is not None
    if operator == "DoesNotExist":
        return found is None
    if operator == "In":
        return found in values
    if operator == "NotIn":
        return found not in values
    number = _number(found)
    bound = _number(values[0] if values else None)
    if number is None or bound is None:
        return False
    return number > bound if operator == "Gt" else number < bound


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.lstrip("-").isdigit() else None
