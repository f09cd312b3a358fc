from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.kube import selectors
from oneco.kube.errors import BadRequest

WORDS = st.sampled_from(["a", "b", "c", "1", "x.y/z"])
LABELS = st.dictionaries(WORDS, st.sampled_from(["", "1", "2", "v"]))


@pytest.mark.parametrize(
    ("text", "labels", "is_chosen"),
    [
        ("", {}, True),
        ("a=b", {"a": "b"}, True),
        ("a==b", {"a": "c"}, False),
        ("a!=b", {}, True),
        ("a", {"a": ""}, True),
        ("!a", {"a": ""}, False),
        ("a in (b, c)", {"a": "c"}, True),
        ("a in ()", {"a": ""}, True),
        ("a notin (b)", {}, True),
        ("a>1", {"a": "2"}, True),
        ("a<1", {"a": "2"}, False),
        ("a>1", {"a": "many"}, False),
        ("a=b,c in (x,y),!d", {"a": "b", "c": "y"}, True),
        ("in", {"in": "here"}, True),
        ("notin in (in)", {"notin": "in"}, True),
    ],
)
def test_a_selector_chooses_by_labels(text, labels, is_chosen):
    assert selectors.parse(text).matches(labels) is is_chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
        ("=b", "found '=', expected: !, identifier, or 'end of string'"),
        ("a=b c", "found 'c', expected: ',' or 'end of string'"),
        ("!a=b", "found '=', expected: ',' or 'end of string'"),
        ("a==b,", "found '', expected: identifier after ','"),
        ("a,,b", "found ',', expected: identifier after ','"),
        ("a in (x y)", "unable to parse requirement: found 'y', expected: ',' or ')'"),
        ("a in (x,=)", "unable to parse requirement: found '=', expected: ',', or identifier"),
        ("a in", "unable to parse requirement: found '' expected: '('"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("!!a", "unable to parse requirement: found '!', expected: identifier"),
        ("a= =b", "unable to parse requirement: found '=', expected: identifier"),
        ("/a=1", 'unable to parse requirement: <nil>: Invalid value: "/a": '
                 "prefix part must be non-empty"),
        ("a>x", 'unable to parse requirement: values[0]: Invalid value: "x": '
                "for 'Gt', 'Lt' operators, the value must be an integer"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_the_servers_words(text, message):
    with pytest.raises(BadRequest) as caught:
        selectors.parse(text)
    assert caught.value.message == message


@given(st.lists(st.tuples(WORDS, st.sampled_from(["=1", "!=1", " in (1,2)", " notin (v)", ""]))))
def test_the_text_of_a_selector_reads_as_the_same_selector(parts):
    selector = selectors.parse(",".join(key + rest for key, rest in parts))
    assert selectors.parse(str(selector)) == selector


@given(WORDS, LABELS)
def test_asking_for_a_label_and_for_its_absence_never_agree(key, labels):
    has = selectors.parse(key).matches(labels)
    assert selectors.parse(f"!{key}").matches(labels) is not has


def test_one_text_is_parsed_once():
    assert selectors.parse("a=b") is selectors.parse("a=b")


def test_an_absent_selector_object_chooses_nothing_and_an_empty_one_everything():
    assert not selectors.from_object(None).matches({"a": "b"})
    assert selectors.from_object({}).matches({"a": "b"})


def test_a_selector_object_is_shown_sorted_by_key():
    expressions = [
        {"key": "tier", "operator": "In", "values": ["b", "a"]},
        {"key": "x", "operator": "Exists"},
    ]
    found = {"matchLabels": {"app": "web"}, "matchExpressions": expressions}
    assert str(selectors.from_object(found)) == "app=web,tier in (a,b),x"


def test_a_selector_object_with_mistakes_names_each():
    expressions = [
        {"key": "k", "operator": "Bad"},
        {"key": "k", "operator": "In"},
        {"key": "k", "operator": "Exists", "values": ["v"]},
    ]
    found = selectors.validate({"matchExpressions": expressions}, "spec.selector")
    assert [(cause.field, cause.message) for cause in found] == [
        ("spec.selector.matchExpressions[0].operator",
         'Invalid value: "Bad": not a valid selector operator'),
        ("spec.selector.matchExpressions[1].values",
         "Required value: must be specified when `operator` is 'In' or 'NotIn'"),
        ("spec.selector.matchExpressions[2].values",
         "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
    ]  # fmt: skip


def test_the_one_value_that_a_selector_requires_is_told():
    selector = selectors.parse("app=web,tier in (a,b)")
    assert selector.required_value("app") == "web"
    assert selector.required_value("tier") is None


POD = {"metadata": {"name": "p"}, "spec": {"nodeName": "n,1"}, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("text", "is_chosen"),
    [
        ("metadata.name=p,status.phase!=Failed", True),
        ("spec.nodeName==n\\,1", True),
        ("spec.nodeName=", False),
        ("spec.hostNetwork=false", True),
        ("metadata.namespace=", True),
    ],
)
def test_a_field_selector_chooses_by_fields(text, is_chosen):
    assert selectors.parse_fields(text).matches(POD) is is_chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
        ("a=b\\x", "invalid field selector: invalid escape sequence: \\x"),
        ("a=b=c", "invalid field selector: unescaped character in value: 61"),
    ],
)
def test_a_field_selector_that_cannot_be_read_is_refused(text, message):
    with pytest.raises(BadRequest) as caught:
        selectors.parse_fields(text)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("Pod", "field label not supported: zz"),
        ("Job", 'field label "zz" not supported for Job'),
        ("Deployment", '"zz" is not a known field selector: only "metadata.name", '
                       '"metadata.namespace"'),
    ],
)  # fmt: skip
def test_a_field_that_its_kind_does_not_offer_is_refused(kind, message):
    with pytest.raises(BadRequest) as caught:
        selectors.check_fields(selectors.parse_fields("zz=x"), kind)
    assert caught.value.message == message
