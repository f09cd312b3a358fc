from __future__ import annotations

import pytest

from oneco.kube import jsonpath

THING = {
    "spec": {"a": 1, "list": [{"n": "x", "v": 1}, {"n": "y", "v": 2}]},
    "metadata": {"labels": {"app.io/name": "web"}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.a", [1]),
        ("{.spec.a}", [1]),
        ("$.spec.a", [1]),
        (".spec.missing", []),
        (".spec.list[0].n", ["x"]),
        (".spec.list[-1].n", ["y"]),
        (".spec.list[9].n", []),
        (".spec.list[*].v", [1, 2]),
        ('.spec.list[?(@.n=="y")].v', [2]),
        (".spec.list[?(@.v>1)].n", ["y"]),
        ("..v", [1, 2]),
        (".metadata.labels.app\\.io/name", ["web"]),
        (".metadata.labels['app.io/name']", ["web"]),
    ],
)
def test_a_path_names_parts_of_an_object(path, found):
    assert jsonpath.find(path, THING) == found


@pytest.mark.parametrize("path", [".spec[", ".a[?(@.b)]", ".a[1:2]"])
def test_a_path_that_cannot_be_read_is_an_error(path):
    with pytest.raises(ValueError, match="cannot be read"):
        jsonpath.find(path, THING)
