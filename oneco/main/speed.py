"""Time that is sped up reaches only this process: no cluster outside may depend on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from oneco.errors import Refused
from oneco.kube import causes, objects
from oneco.kube.errors import Cause
from oneco.kube.objects import Object
from oneco.worlds.apiserver.store import Store

_CLUSTERS = ("cluster.open-cluster-management.io", "ManagedCluster")
_COLLECTION = "cluster.open-cluster-management.io/managedclusters"


class OnlyBuiltin:
    """Admits no cluster but the built-in ones to a hub whose time runs at `speed`."""

    def __init__(self, builtin: Collection[str], speed: float) -> None:
        self._builtin, self._speed = builtin, speed

    def kinds(self) -> Sequence[tuple[str, str]]:
        """Clusters."""
        return (_CLUSTERS,)

    def validate(self, operation: str, old: Object | None, new: Object | None) -> Sequence[Cause]:
        """What speaks against the cluster that is being registered."""
        del old
        if operation != "CREATE" or new is None or objects.name(new) in self._builtin:
            return ()
        why = f"this hub's time runs {self._speed:g} times as fast: only its own clusters can join"
        return (causes.invalid("metadata.name", objects.name(new), why),)


def check(store: Store, builtin: Collection[str], speed: float) -> None:
    """Refuse a speed that clusters outside this process could not keep up with."""
    if speed == 1.0:
        return
    outside = [name for name in map(objects.name, store.scan(_COLLECTION)) if name not in builtin]
    if outside or not builtin:
        who = f"cluster {outside[0]}, which is" if outside else "no built-in clusters (--fleet)"
        wanted = f"1 with {who}{' outside this process' if outside else ''}"
        raise Refused("--speed", found=f"{speed:g}", wanted=wanted)
