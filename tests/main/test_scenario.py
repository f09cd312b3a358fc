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


def read(folder: Path, more: str) -> scenario.Scenario:
    (folder / "all.yaml").write_text(_WHOLE + more)
    return scenario.read(folder)


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
