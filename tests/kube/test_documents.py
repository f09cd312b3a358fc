from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.errors import Refused
from oneco.kube import documents

APP = """\
# an application
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: web
  annotations:
    a.b/c: d
spec:
  components:
  - name: front
    type: webservice
  - name: back
    type: worker
"""


def one(text, source="app.yaml"):
    (document,) = documents.read(text, source)
    return document


def value(text):
    """What a plain scalar means."""
    return one(f"apiVersion: v1\nkind: X\nvalue: {text}\n").object["value"]


def refused(text, source="app.yaml", **how):
    with pytest.raises(Refused) as caught:
        documents.read(text, source, **how)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("", 2),
        ("metadata.name", 5),
        ("metadata.annotations[a.b/c]", 7),
        ("spec.components[1].type", 13),
        ("spec.components[1].properties.image", 12),
        ("spec.workflow", 8),
    ],
)
def test_every_path_has_a_line(path, line):
    assert one(APP).line(path) == line


def test_a_place_is_named_with_file_line_and_path():
    assert one(APP).where("spec.components[0].type") == "app.yaml:11: spec.components[0].type"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2001-12-14", "2001-12-14"), ("1:30:00", "1:30:00"), ("1.2.3", "1.2.3"),
        ("0o17", 15), ("017", 15), ("09", 9), ("0x1F", 31), ("0b101", 5), ("1e3", 1000),
        ("+12", 12), ("1_000", 1000), (".5", 0.5), ("5.", 5), ("1.10", 1.1), ("1e400", "1e400"),
        ("on", True), ("OFF", False), ("yes", True), ("No", False), ("y", True), ("N", False),
        ("~", None), ("NULL", None), ("'yes'", "yes"), ('"1"', "1"), ("!!str 123", "123"),
        ("!!binary aGVsbG8=", "hello"), ("=", "="), ("tRue", "tRue"), ("0o9", "0o9"),
        ("18446744073709551615", 18446744073709551615),
        ("123456789012345678901234567890", 1.2345678901234568e29),
    ],
)  # fmt: skip
def test_a_plain_scalar_means_what_it_means_to_kubectl(text, meaning):
    found = value(text)
    assert found == meaning
    assert type(found) is type(meaning)


def test_keys_are_always_text():
    data = "apiVersion: v1\nkind: X\ndata: {1: a, on: b, 1.5: c}"
    assert one(data).object["data"] == {"1": "a", "true": "b", "1.5": "c"}


def test_a_key_that_stands_twice_is_refused_with_both_lines():
    text = "apiVersion: v1\nkind: X\nspec:\n  a: 1\n  b: 2\n  a: 3\n"
    assert refused(text) == 'app.yaml:6:3: found "a", wanted each key once; line 4 has it already'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: b: c", 'app.yaml:1:5: found "a: b: c", wanted YAML (mapping values are not allowed '
                    "in this context: put text with a colon in quotes, and check the indentation)"),
        ("a:\n\tb: 1", 'app.yaml:2:1: found "\\tb: 1", wanted YAML (while scanning for the next '
                       "token found character that cannot start any token: indent with spaces, "
                       "not with tabs)"),
        ("a: [1", 'app.yaml:1:1: found "a: [1", wanted YAML (while parsing a flow sequence did '
                  "not find expected ',' or ']')"),
        ("- 1", 'app.yaml:1: found "[1]", wanted an object: apiVersion, kind, metadata'),
        ("kind: X", 'app.yaml:1: apiVersion: found "nothing", wanted the version of its API, '
                    "such as apps/v1"),
        ("apiVersion: v1\nkind: X\nmetadata:\n  labels:\n    a: yes",
         'app.yaml:5: metadata.labels.a: found "true", wanted text; put it in quotes'),
        ("apiVersion: v1\nkind: X\nmetadata: {name: 007}",
         'app.yaml:3: metadata.name: found "7", wanted text; put it in quotes'),
        ("a: .inf", 'app.yaml:1:4: found ".inf", wanted a number that JSON can say; '
                    "put it in quotes if it is text"),
        ("a: &x [*x]", 'app.yaml:1:4: found "an alias inside what it names", wanted an end'),
        ("a: \x07", 'app.yaml:1:4: found "\'\\x07\'", wanted printable text'),
        ("? [a]\n: b", 'app.yaml:1:3: found "a list or mapping as a key", wanted text as a key'),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_would_be_accepted(text, message):
    assert refused(text) == message


def test_broken_json_is_refused_as_json():
    text = '{"apiVersion": "v1",\n "kind": }'
    assert refused(text, "app.json") == (
        'app.json:2:10: found ""kind": }", wanted JSON (Expecting value)'
    )


def test_a_key_that_stands_twice_in_json_is_refused_too():
    assert refused('{"a": 1,\n "a": 2}', "app.json") == (
        'app.json:2:2: found "a", wanted each key once; line 1 has it already'
    )


@pytest.mark.parametrize("text", ["a: " + "[" * 5000, "- " * 5000, '{"a":[' * 3000])
def test_endless_nesting_is_refused(text):
    assert "wanted at most 100 levels" in refused(text)


def test_aliases_that_multiply_are_refused():
    rows = [f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    text = "\n".join(["apiVersion: v1", "kind: X", "a0: &a0 [1]", *rows])
    assert "too many aliases" in refused(text)


def test_a_huge_document_is_refused_before_it_is_read():
    text = "apiVersion: v1\nkind: X\n---\ndata: " + "x" * 2000
    assert refused(text, limit_bytes=1000) == (
        'app.yaml:3: found "a document of 2010 bytes", wanted at most 1000 bytes in one document'
    )


def test_empty_documents_are_skipped_and_lists_are_opened():
    text = "---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n" + "".join(
        f"- apiVersion: v1\n  kind: ConfigMap\n  metadata: {{name: c{index}}}\n" for index in "ab"
    )
    found = documents.read(text, "all.yaml")
    assert [document.object["metadata"]["name"] for document in found] == ["ca", "cb"]
    assert [document.line() for document in found] == [7, 10]


def test_windows_files_and_byte_order_marks_are_read():
    assert one("\ufeff" + APP.replace("\n", "\r\n")).object == one(APP).object


def test_json_keeps_its_own_escapes():
    text = '{"apiVersion": "v1", "kind": "X", "metadata": {"name": "\\ud83d\\ude00\\/"}}'
    assert one(text).object["metadata"]["name"] == "😀/"


def test_a_directory_is_read_in_the_order_of_names(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.yaml", "a.json", "deep/c.yml", "notes.txt"):
        body = {"apiVersion": "v1", "kind": "X", "metadata": {"name": name[0]}}
        (tmp_path / name).write_text(json.dumps(body))
    names = [one.object["metadata"]["name"] for one in documents.read_files([tmp_path])]
    assert names == ["a", "b", "d"]


def test_an_object_that_stands_in_two_files_is_refused_with_both(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(APP)
    with pytest.raises(Refused) as caught:
        documents.read_files([tmp_path])
    assert str(caught.value) == (
        f'{tmp_path}/b.yaml:5: metadata.name: found "Application web again", '
        f"wanted each object once; it stands in {tmp_path}/a.yaml:2 already"
    )


def test_a_kind_may_stand_in_two_files_where_they_are_its_versions(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(APP)
    found = documents.read_files([tmp_path], versions_of={"Application"})
    assert [one.source for one in found] == [f"{tmp_path}/a.yaml", f"{tmp_path}/b.yaml"]


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"a: 1\nb: \xff\xff\n")
    with pytest.raises(Refused) as caught:
        documents.read_files([tmp_path / "a.yaml"])
    assert str(caught.value) == f'{tmp_path}/a.yaml:2: found "bytes ff ff 0a", wanted UTF-8 text'


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(Refused, match="wanted a file or a directory that exists"):
        documents.read_files([tmp_path / "none.yaml"])


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"b": 1, "a10": 2, "a9": 3}, "a9: 3\na10: 2\nb: 1\n"),
        ({"a": [1, [2], {"b": []}]}, "a:\n- 1\n- - 2\n- b: []\n"),
        ({"a": "x\ny\n"}, "a: |\n  x\n  y\n"),
        ({"a": "x\n\n"}, "a: |+\n  x\n\n"),
        ({"a": "yes", "b": "1:30", "c": "", "d": "2001-01-01"},
         'a: "yes"\nb: "1:30"\nc: ""\nd: "2001-01-01"\n'),
        ({"a": "b: c", "d": "#e"}, "a: 'b: c'\nd: '#e'\n"),
        ({"a": 1.0, "b": 1e20, "c": 123456789.5, "d": None, "e": True},
         "a: 1\nb: 1e+20\nc: 1.234567895e+08\nd: null\ne: true\n"),
    ],
)  # fmt: skip
def test_objects_are_written_as_kubectl_prints_them(found, text):
    assert documents.write(found) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab1-.y~", min_size=1),
                                                                inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_what_is_written_reads_as_the_same_object(inner):
    obj = {"apiVersion": "v1", "kind": "X", "value": inner}
    assert one(documents.write(obj)).object == obj


@given(JSON)
def test_yaml_and_json_of_one_object_are_read_alike(inner):
    obj = {"apiVersion": "v1", "kind": "X", "value": inner}
    assert one(json.dumps(obj)).object == obj
