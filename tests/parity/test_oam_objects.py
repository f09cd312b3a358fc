"""What delivery writes is accepted by the CRDs of KubeVela and Open Cluster Management."""

from __future__ import annotations

from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from oneco.kinds.oam import APPLICATIONS, REVISIONS
from oneco.kinds.ocm import PLACEMENTS
from oneco.kube.refs import Address
from tests.delivery.hub import Hub, a_web

CRDS = Path(__file__).parents[3] / "shared" / "crds"
if not CRDS.is_dir():
    pytest.skip(f"the original CRDs are not here: {CRDS}", allow_module_level=True)


def schema(pattern: str, version: str) -> jsonschema_rs.Validator:
    (path,) = CRDS.glob(pattern)
    crd = yaml.load(path.read_text(), yaml.CSafeLoader)
    (found,) = (one for one in crd["spec"]["versions"] if one["name"] == version)
    return jsonschema_rs.Draft4Validator(found["schema"]["openAPIV3Schema"])


def faults(validator: jsonschema_rs.Validator, obj: object) -> list[str]:
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(obj)]


@pytest.fixture(scope="module")
def delivered() -> Hub:
    hub = Hub()
    hub.cluster("berlin")
    selector = {"clusterLabelSelector": {"region": "eu"}}
    hub.application(
        {
            "components": [a_web(traits=[{"type": "scaler", "properties": {"replicas": 2}}])],
            "policies": [{"name": "eu", "type": "topology", "properties": selector}],
        }
    )
    hub.settle()
    hub.choose("berlin")
    hub.settle()
    return hub


def test_the_status_of_an_application_is_accepted(delivered):
    found = delivered.stored[Address(APPLICATIONS, "default", "shop")]
    assert faults(schema("oam/*_applications.yaml", "v1beta1"), found) == []
    delivered.end_release("Succeeded")
    delivered.settle()
    found = delivered.stored[Address(APPLICATIONS, "default", "shop")]
    assert found["status"]["status"] == "running"
    assert faults(schema("oam/*_applications.yaml", "v1beta1"), found) == []


def test_a_revision_is_accepted(delivered):
    found = delivered.stored[Address(REVISIONS, "default", "shop-v1")]
    assert faults(schema("oam/*_applicationrevisions.yaml", "v1beta1"), found) == []


def test_a_placement_is_accepted(delivered):
    (found,) = delivered.list(PLACEMENTS)
    assert faults(schema("ocm/*_placements.crd.yaml", "v1beta1"), found) == []
