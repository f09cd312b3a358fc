"""Whole renderings as files: `ONECO_REWRITE_GOLDEN=1` writes them anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from oneco import definitions
from oneco.delivery.rendering import render
from oneco.kube import documents

CASES = Path(__file__).parents[1] / "golden" / "render"
NAMES = sorted(path.name.removesuffix(".input.yaml") for path in CASES.glob("*.input.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_an_application_is_rendered_as_before(name):
    source, result = CASES / f"{name}.input.yaml", CASES / f"{name}.output.yaml"
    (document,) = documents.read(source.read_text(), str(source))
    made = [
        {"component": one.component, "cluster": one.cluster, "manifest": one.manifest}
        for one in render(document.object, definitions.builtin())
    ]
    if os.environ.get("ONECO_REWRITE_GOLDEN"):
        result.write_text(documents.write({"manifests": made}))
    assert made == yaml.load(result.read_text(), yaml.CSafeLoader)["manifests"]
