"""What a folder asks to be rehearsed is refused where it could not mean anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from oneco.errors import Refused
from oneco.main import scenario

_GROUP = "apiVersion: onepersoncompany.io/v1alpha1"
_WHOLE = f"""
{_GROUP}
kind: Fleet
metadata: {{name: two}}
spec: {{clusters: [{{name: test}}, {{name: production, count: 2}}]}}
---
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata: {{name: shop}}
spec:
  components:
    - {{name: web, type: webservice, properties: {{image: "shop/web:v1"}}}}
---
"""


def a_fault(*clusters: str) -> str:
    spec = f"{{type: CrashLoop, image: web, clusters: [{', '.join(clusters)}]}}"
    return f"{_GROUP}\nkind: Fault\nmetadata: {{name: bad}}\nspec: {spec}\n"


def a_rehearsal(spec: str) -> str:
    return f"{_GROUP}\nkind: Rehearsal\nmetadata: {{name: try}}\nspec: {spec}\n"


def read(folder: Path, more: str, whole: str = _WHOLE) -> scenario.Scenario:
    (folder / "all.yaml").write_text(whole + more)
    return scenario.read(folder)


def with_policy(kind: str, properties: str) -> str:
    policy = f"  policies: [{{name: one, type: {kind}, properties: {properties}}}]\n"
    return _WHOLE.removesuffix("---\n") + policy + "---\n"


def with_pods(count: int) -> str:
    trait = f"traits: [{{type: scaler, properties: {{replicas: {count}}}}}]"
    return _WHOLE.replace('"shop/web:v1"}}', f'"shop/web:v1"}}, {trait}}}')


def test_a_fault_that_names_no_cluster_of_the_fleet_is_refused(tmp_path: Path):
    with pytest.raises(Refused, match=r'clusters\[0\]: found "tset".*did you mean "test"'):
        read(tmp_path, a_fault("tset"))


def test_a_fault_may_name_clusters_by_a_star(tmp_path: Path):
    assert len(read(tmp_path, a_fault('"production-*"', "test")).faults) == 1


def test_an_application_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path):
    with pytest.raises(Refused, match=r'spec\.application: found "sohp", wanted shop'):
        read(tmp_path, a_rehearsal("{application: sohp, to: {}}"))


def test_only_what_is_there_can_be_scaled(tmp_path: Path):
    action = "{at: 1m, do: scale, component: wbe, replicas: 2}"
    with pytest.raises(Refused, match=r'spec\.actions\.component: found "wbe", wanted web'):
        read(tmp_path, a_rehearsal(f"{{to: {{}}, actions: [{action}]}}"))


def test_a_topology_that_names_a_cluster_the_fleet_lacks_is_refused(tmp_path: Path):
    path = r"application shop: spec\.policies\[0\]\.properties\.clusters\[1\]"
    with pytest.raises(Refused, match=path + r': found "tset".*did you mean "test"'):
        read(tmp_path, "", with_policy("topology", "{clusters: [test, tset]}"))


def test_a_topology_of_clusters_that_are_there_is_taken(tmp_path: Path):
    assert (
        read(
            tmp_path, "", with_policy("topology", "{clusters: [test, production-001]}")
        ).application
        == "shop"
    )


def test_an_override_of_a_component_that_is_not_there_is_refused(tmp_path: Path):
    override = "{components: [{name: wbe, properties: {image: other}}]}"
    with pytest.raises(Refused, match=r'components\[0\]\.name: found "wbe", wanted web'):
        read(tmp_path, "", with_policy("override", override))


@pytest.mark.parametrize("name", ["web", "w*", "other, type: worker"])
def test_an_override_that_fits_or_adds_a_component_is_taken(tmp_path: Path, name: str):
    override = f"{{components: [{{name: {name}, properties: {{image: other}}}}]}}"
    assert read(tmp_path, "", with_policy("override", override)).application == "shop"


def test_more_pods_than_a_rehearsal_can_follow_are_refused(tmp_path: Path):
    path = r"spec\.components\[0\]\.traits\[0\]\.properties\.replicas"
    with pytest.raises(Refused, match=path + ': found "100000", wanted at most 20000 pods'):
        read(tmp_path, "", with_pods(100_000))
    assert read(tmp_path, "", with_pods(20_000)).application == "shop"
    many = with_pods(5000).replace("count: 2", "count: 20")
    with pytest.raises(Refused, match=r'105000 pods in 21 clusters", wanted at most 100000'):
        read(tmp_path, "", many)
    action = "{at: 1m, do: scale, component: web, replicas: 20001}"
    with pytest.raises(Refused, match=r'spec\.actions\.replicas: found "20001"'):
        read(tmp_path, a_rehearsal(f"{{to: {{}}, actions: [{action}]}}"))


def test_a_set_that_goes_pod_by_pod_may_have_fewer(tmp_path: Path):
    whole = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db}, spec: {replicas: 1001}}"
    more = f"    - {{name: db, type: k8s-objects, properties: {{objects: [{whole}]}}}}\n"
    path = r"objects\[0\]\.spec\.replicas"
    with pytest.raises(Refused, match=path + ': found "1001", wanted at most 1000 pods'):
        read(tmp_path, "", _WHOLE.removesuffix("---\n") + more + "---\n")
