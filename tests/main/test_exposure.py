"""How far an unfinished revision has reached."""

from __future__ import annotations

from oneco.main.exposure import Exposure
from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.store import Key

MARK = {"onepersoncompany.io/work": "shop-1"}


class Place:
    """Two clusters whose pods and objects come and go by hand."""

    def __init__(self) -> None:
        self.exposure = Exposure("shop")
        self.stores = {name: MemoryStore() for name in ("a", "b")}
        for name, store in self.stores.items():
            self.exposure.watch(name, store)

    def pod(self, cluster: str, name: str, template: str, application: str = "shop") -> None:
        labels = {"app.oam.dev/name": application, "pod-template-hash": template}
        self._put(cluster, Key("/pods", "default", name), {"labels": labels}, {})

    def owned(self, cluster: str, name: str, template: str, owner: str) -> None:
        """A pod without any label of ours, of a CloneSet."""
        reference = {"kind": "CloneSet", "apiVersion": "apps.kruise.io/v1alpha1", "name": owner}
        meta = {
            "labels": {"controller-revision-hash": template},
            "ownerReferences": [{**reference, "uid": owner, "controller": True}],
        }
        self._put(cluster, Key("/pods", "default", name), meta, {})

    def clones(self, cluster: str, name: str, application: str) -> None:
        labels = {"app.oam.dev/name": application}
        self._put(cluster, Key("apps.kruise.io/clonesets", "default", name), {"labels": labels}, {})

    def config(self, cluster: str, name: str, revision: str, **data: str) -> None:
        labels = {"app.oam.dev/name": "shop", "app.oam.dev/appRevision": revision}
        meta = {"labels": labels, "annotations": MARK}
        self._put(cluster, Key("/configmaps", "default", name), meta, {"data": data})

    def gone(self, cluster: str, collection: str, name: str) -> None:
        self.stores[cluster].commit(Key(collection, "default", name), None)

    def begins(self) -> None:
        self.exposure.begin(dict(self.stores))

    @property
    def reached(self) -> tuple[float, int]:
        return round(self.exposure.share, 3), self.exposure.clusters

    def _put(self, cluster: str, key: Key, meta, body) -> None:
        meta = {"name": key.name, "namespace": key.namespace, **meta}
        self.stores[cluster].commit(key, {"metadata": meta, **body})


def a_place() -> Place:
    """Two old pods in each cluster, and a ConfigMap."""
    place = Place()
    for cluster in ("a", "b"):
        place.config(cluster, "settings", "v1", colour="red")
        for number in range(2):
            place.pod(cluster, f"old-{number}", "one")
    place.begins()
    return place


def test_what_runs_when_it_begins_is_no_exposure():
    assert a_place().reached == (0.0, 0)


def test_a_new_pod_counts_until_it_is_gone_and_the_highest_share_is_kept():
    place = a_place()
    place.pod("a", "new", "two")
    assert place.reached == (0.2, 1)
    place.gone("a", "/pods", "old-0")
    assert place.reached == (0.25, 1)
    place.gone("a", "/pods", "new")
    place.pod("b", "new", "two")
    assert place.reached == (0.25, 1)


def test_pods_of_a_template_that_ran_before_and_pods_of_others_do_not_count():
    place = a_place()
    place.pod("a", "again", "one")
    place.pod("a", "theirs", "two", application="bank")
    assert place.reached == (0.0, 0)


def test_a_changed_object_exposes_every_pod_of_its_cluster_until_it_is_put_back():
    place = a_place()
    place.config("a", "settings", "v2", colour="blue")
    assert place.reached == (0.5, 1)
    place.config("a", "settings", "v1", colour="red")
    place.config("b", "settings", "v2", colour="blue")
    assert place.reached == (0.5, 1)


def test_an_object_that_only_carries_another_revisions_name_has_not_changed():
    place = a_place()
    place.config("a", "settings", "v2", colour="red")
    assert place.reached == (0.0, 0)


def test_an_object_that_comes_or_goes_is_a_change_too():
    place = a_place()
    place.config("a", "more", "v2")
    assert place.reached == (0.5, 1)
    other = a_place()
    other.gone("b", "/configmaps", "settings")
    assert other.reached == (0.5, 1)


def test_pods_without_labels_are_those_of_the_workload_that_made_them():
    place = a_place()
    place.clones("a", "ours", "shop")
    place.clones("a", "theirs", "bank")
    place.owned("a", "one", "two", "ours")
    place.owned("a", "another", "two", "theirs")
    place.owned("a", "lost", "two", "nobody")
    assert place.reached == (0.2, 1)
    place.gone("a", "apps.kruise.io/clonesets", "ours")
    place.gone("a", "/pods", "one")
    place.pod("b", "new", "two")
    assert place.reached == (0.2, 1)


def test_a_pod_that_is_updated_in_its_place_is_new_from_then_on():
    place = a_place()
    place.pod("a", "old-0", "two")
    assert place.reached == (0.25, 1)
    place.pod("a", "old-0", "one")
    place.pod("b", "old-0", "two")
    assert place.reached == (0.25, 1)
