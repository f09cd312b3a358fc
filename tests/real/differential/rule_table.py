"""Schemas with rules, and values that rules hold for or not."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def ruled(kind: Any, rule: str | dict[str, Any], **more: Any) -> Schema:
    """A schema of a type (or a whole schema) with one rule."""
    schema = {"type": kind} if isinstance(kind, str) else kind
    given = {"rule": rule} if isinstance(rule, str) else rule
    return {**schema, **more, "x-kubernetes-validations": [given]}


def obj(**properties: Any) -> Schema:
    return {
        "type": "object",
        "properties": {
            name: {"type": part} if isinstance(part, str) else part
            for name, part in properties.items()
        },
    }


def array(items: Any, **more: Any) -> Schema:
    return {
        "type": "array",
        "items": {"type": items} if isinstance(items, str) else items,
        "maxItems": 10,
        **more,
    }


def mapping(values: Any) -> Schema:
    return {
        "type": "object",
        "maxProperties": 10,
        "additionalProperties": {"type": values, "maxLength": 10}
        if values == "string"
        else {"type": values},
    }


TEXT = {"type": "string", "maxLength": 100}
SMALL = obj(a="integer", b=TEXT)
KEYED = array(
    {**obj(name=TEXT, n="integer"), "required": ["name"]},
    **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
)
ANY = {"x-kubernetes-int-or-string": True}

LONG = {"type": "string", "maxLength": 300}
FORMATS = {
    "dns1123Label": ["abc", "A.b", "", "a" * 64],
    "dns1123Subdomain": ["a.b", "A", "a" * 254],
    "dns1035Label": ["a-b", "1a", "A"],
    "qualifiedName": ["a/b", "a b", "/", "a/b/c", ""],
    "labelValue": ["a", "-a", ""],
    "dns1123LabelPrefix": ["a-", "-", " "],
    "dns1123SubdomainPrefix": ["a.-", "a.b-"],
    "dns1035LabelPrefix": ["a-", "1-"],
    "uri": ["http://a", "a", "", "/p"],
    "uuid": ["123e4567-e89b-12d3-a456-426614174000", "x"],
    "byte": ["YQ==", "Y", "*", ""],
    "date": ["2021-01-01", "2021-1-1", "x"],
    "datetime": ["2021-01-01T00:00:00Z", "2021-01-01", "2021-13-01T00:00:00Z"],
}
VALUES: list[tuple[Schema, list[Any]]] = [
    (ruled("integer", "self > 0"), [1, 0, -1]),
    (ruled("integer", {"rule": "self % 2 == 0", "message": " must be even "}), [2, 3]),
    (ruled("integer", {"rule": "self > 5", "messageExpression": "self > 3 ? 'four or five' : 'less'"}), [6, 5]),
    (ruled("integer", {"rule": "self > 5", "message": "m", "messageExpression": "1 / (self - 5) > 0 ? 'p' : 'q'"}), [5, 4]),
    (ruled("integer", {"rule": "self > 5", "reason": "FieldValueForbidden"}), [1]),
    (ruled("integer", {"rule": "self > 5", "reason": "FieldValueRequired"}), [1]),
    (ruled("integer", {"rule": "self > 5", "reason": "FieldValueDuplicate"}), [1]),
    (ruled("integer", {"rule": "self > 5", "reason": "FieldValueInvalid"}), [1]),
    (ruled("integer", "10 / self > 1"), [0, 2, 20]),
    (ruled("integer", "self + 9223372036854775800 > 0"), [1, 100]),
    (ruled("number", "self < 1.5"), [1, 1.0, 1.5, 2.5]),
    (ruled("number", "self * 2.0 == 3.0"), [1.5, 1]),
    (ruled("boolean", "self"), [True, False]),
    (ruled("boolean", "!self"), [True, False]),
    (ruled(TEXT, "self.startsWith('a')"), ["ab", "b"]),
    (ruled(TEXT, "self.matches('^[a-z]+$')"), ["ab", "B", ""]),
    (ruled(TEXT, "size(self) < 3 && self.size() > 0"), ["ab", "abc", "", "日本", "日本語"]),
    (ruled(TEXT, "self.lowerAscii() == 'ab' || self.upperAscii() == 'CD'"), ["Ab", "cD", "x"]),
    (ruled(TEXT, "self.split(',').size() == 2"), ["a,b", "a"]),
    (ruled(TEXT, "self.replace('a', 'b') == 'bb'"), ["aa", "ab", "c"]),
    (ruled(TEXT, "self.substring(1) == 'b' && self.charAt(0) == 'a'"), ["ab", "b", ""]),
    (ruled(TEXT, "self.trim() == 'a'"), [" a ", "b"]),
    (ruled(TEXT, "self.indexOf('b') == 1 && self.lastIndexOf('b') == 2"), ["abb", "ab"]),
    (ruled(TEXT, "self.find('[0-9]+') == '12'"), ["a12b", "a1"]),
    (ruled(TEXT, "self.findAll('[0-9]').size() == 2"), ["a12b", "a1"]),
    (ruled(TEXT, "self.findAll('[0-9]', 1).size() == 1"), ["a12b", "a"]),
    (ruled(TEXT, "isURL(self) && url(self).getScheme() == 'https'"), ["https://a.b/c", "http://a", "a b", "/p"]),
    (ruled(TEXT, "url(self).getHost() == 'a.b:80' && url(self).getPort() == '80'"), ["http://a.b:80/c", "http://a.b/"]),
    (ruled(TEXT, "url(self).getHostname() == '::1' && url(self).getEscapedPath() == '/p'"), ["http://[::1]:80/p", "x://y/p"]),
    (ruled(TEXT, "url(self).getQuery()['k'][0] == 'v'"), ["http://a/?k=v", "http://a/"]),
    (ruled(TEXT, "isQuantity(self) && quantity(self).isLessThan(quantity('1Gi'))"), ["1Mi", "2Gi", "x", "100m"]),
    (ruled(TEXT, "quantity(self) == quantity('1000m')"), ["1", "2"]),
    (ruled(TEXT, "quantity(self).isInteger() && quantity(self).asInteger() == 1024"), ["1Ki", "1500m", "2"]),
    (ruled(TEXT, "quantity(self).add(quantity('1')).sub(1).compareTo(quantity('2')) == 0"), ["2", "3"]),
    (ruled(TEXT, "sign(quantity(self)) == -1"), ["-1", "1"]),
    (ruled(TEXT, "quantity(self).asApproximateFloat() < 1.5"), ["1.2", "2"]),
    (ruled(TEXT, "isIP(self) && ip(self).family() == 4"), ["1.2.3.4", "::1", "x", "1.2.3", "::ffff:1.2.3.4"]),
    (ruled(TEXT, "ip(self).isLoopback()"), ["127.0.0.1", "10.0.0.1", "::1"]),
    (ruled(TEXT, "ip.isCanonical(self)"), ["::1", "0:0:0:0:0:0:0:1", "1.1.1.1"]),
    (ruled(TEXT, "isCIDR(self) && cidr(self).containsIP('10.0.0.1')"), ["10.0.0.0/8", "11.0.0.0/8", "10.0.0.0", "x"]),
    (ruled(TEXT, "cidr(self).containsCIDR(cidr('10.1.0.0/16')) && cidr(self).prefixLength() == 8"), ["10.0.0.0/8", "10.0.0.0/16"]),
    (ruled(TEXT, "cidr(self).masked() == cidr(self) && cidr(self).ip().family() == 4"), ["10.0.0.0/8", "10.0.0.1/8"]),
    (ruled(TEXT, "isSemver(self) && semver(self).isGreaterThan(semver('1.2.3'))"), ["1.2.4", "1.2.3", "1.2.3-a", "2", "v1.2.4"]),
    (ruled(TEXT, "semver(self).major() == 1 && semver(self).minor() == 2"), ["1.2.0", "2.2.0"]),
    (ruled({**TEXT, "format": "date-time"}, "self < timestamp('2020-01-01T00:00:00Z')"), ["2019-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]),
    (ruled({**TEXT, "format": "date-time"}, "self.getFullYear() == 2019"), ["2019-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]),
    (ruled({**TEXT, "format": "duration"}, "self < duration('1h')"), ["30m", "2h", "1h30m"]),
    (ruled({**TEXT, "format": "byte"}, "self == b'abc'"), ["YWJj", "YWI="]),
    (ruled(ANY, "type(self) == int ? self < 5 : self == 'x'"), [1, 7, "x", "y"]),
    (ruled(ANY, "self + 1 > 0"), [1, "x"]),
    (ruled(array("integer"), "self.all(x, x > 0)"), [[1, 2], [0], []]),
    (ruled(array("integer"), "self.exists(x, x == 1) && self.exists_one(x, x == 2)"), [[1, 2], [1, 2, 2], []]),
    (ruled(array("integer"), "self.map(x, x * 2).sum() == 6"), [[1, 2], [1]]),
    (ruled(array("integer"), "self.filter(x, x > 1).size() == 1"), [[1, 2], [1]]),
    (ruled(array("integer"), "self.isSorted() && self.min() == 1 && self.max() == 3"), [[1, 3], [3, 1], [1, 2], []]),
    (ruled(array("integer"), "self.indexOf(2) == 1 && self.lastIndexOf(2) == 2"), [[1, 2, 2], [2]]),
    (ruled(array("integer"), "self[1] == 2"), [[1, 2], [1]]),
    (ruled(array("integer"), "1 in self"), [[1, 2], [2]]),
    (ruled(array("integer"), "sets.contains(self, [1, 2]) && sets.intersects(self, [3])"), [[1, 2, 3], [1, 2]]),
    (ruled(array("integer"), "self.distinct().size() == self.size()"), [[1, 2], [1, 1]]),
    (ruled(mapping("integer"), "self.all(k, self[k] > 0)"), [{"a": 1}, {"a": 0}, {}]),
    (ruled(mapping("integer"), "'a' in self && has(self.a)"), [{"a": 1}, {"b": 0}]),
    (ruled(mapping("integer"), "self.all(k, v, k == 'a' && v == 1)"), [{"a": 1}, {"b": 1}]),
    (ruled(SMALL, "has(self.a) || has(self.b)"), [{"a": 1}, {"b": "x"}, {}]),
    (ruled(SMALL, "self.a > 0"), [{"a": 1}, {"a": 0}, {}, {"b": "x"}]),
    (ruled(SMALL, "self.?a.orValue(5) == 5"), [{"a": 5}, {"a": 4}, {}]),
    (ruled(SMALL, "self.?a.hasValue() ? self.a == 1 : true"), [{"a": 1}, {"a": 4}, {}]),
    (ruled(SMALL, {"rule": "self.a > 0", "fieldPath": ".a"}), [{"a": 0}]),
    (ruled(SMALL, {"rule": "self.a > 0", "fieldPath": ".a", "reason": "FieldValueRequired", "message": "m"}), [{"a": 0}]),
    (ruled(SMALL, {"rule": "self.a > 0", "reason": "FieldValueDuplicate"}), [{"a": 0}]),
    (ruled(mapping("integer"), {"rule": "self['x/y'] > 0", "fieldPath": "['x/y']"}), [{"x/y": 0}, {"x/y": 1}]),
    (ruled(obj(**{"x-y": "integer", "a.b": "integer", "namespace": "integer", "a__b": "integer"}),
           "self.x__dash__y + self.a__dot__b + self.__namespace__ + self.a__underscores__b == 4"),
     [{"x-y": 1, "a.b": 1, "namespace": 1, "a__b": 1}, {"x-y": 2, "a.b": 1, "namespace": 1, "a__b": 1}]),
    (ruled(obj(some_map=mapping("string"), x__y=mapping("integer"), objects={"type": "object", "maxProperties": 3, "additionalProperties": obj(a="integer")}),
           "size(self.some_map) == 1 && self.x__underscores__y.all(k, self.x__underscores__y[k] > 0) && self.objects['o'].a == 1"),
     [{"some_map": {"a": "b"}, "x__y": {"k": 1}, "objects": {"o": {"a": 1}}}, {"some_map": {}, "x__y": {}, "objects": {}}]),
    (ruled(obj(l=array("string", maxItems=3), m="integer"), "self.l.size() == self.m"), [{"l": ["a"], "m": 1}, {"l": [], "m": 1}]),
    (ruled(KEYED, "self.all(x, x.n > 0)"), [[{"name": "a", "n": 1}], [{"name": "a", "n": 0}], [{"name": "a"}]]),
    (array(ruled(SMALL, "self.a > 0")), [[{"a": 1}, {"a": 0}], []]),
    ({"type": "object", "maxProperties": 5, "additionalProperties": ruled("integer", "self > 0")}, [{"k": 0}, {"k": 1}]),
    (obj(deep=obj(n=ruled("integer", "self > 0"))), [{"deep": {"n": 0}}, {"deep": {"n": 1}}]),
    ({**obj(a=TEXT), "required": ["a"], "x-kubernetes-validations": [{"rule": "self.a == 'x'"}]}, [{}, {"a": 1}, {"a": "y"}]),
    ({**obj(a=TEXT), "x-kubernetes-validations": [{"rule": "self.a == 'x'"}, {"rule": "self.a != 'y'", "message": "no y"}]}, [{"a": "y"}]),
    (ruled({**obj(a="integer"), "x-kubernetes-preserve-unknown-fields": True}, "has(self.a)"), [{"a": 1}, {"z": 1}]),
    (ruled(TEXT, "'%s-%d'.format([self, 1]) == 'a-1'"), ["a", "b"]),
    (ruled(array("string", maxItems=3), "self.join('-') == 'a-b'"), [["a", "b"], ["a"]]),
    (ruled(TEXT, "int(self) > 5"), ["6", "5", "x"]),
    (ruled(TEXT, "dyn(self) == 5"), ["5"]),
    (ruled(TEXT, "isIP(self) && string(ip(self)) == self"), ["1.2.3.4", "::1", "0::1", "x"]),
    (ruled(TEXT, "string(cidr(self)) == self"), ["10.0.0.0/8", "10.0.0.1/8", "0::/0"]),
    (ruled(TEXT, "string(self) == 'a' && string(1.5) == '1.5' && string(duration('1h')) == '3600s'"), ["a", "b"]),
    (ruled(TEXT, "format.named(self).hasValue()"), ["uri", "x", ""]),
    (ruled(mapping("integer"), "self.transformMap(k, v, v + 1) == {'a': 2}"), [{"a": 1}, {"a": 2}]),
    (ruled(mapping("integer"), "self.transformMap(k, v, v > 1, v + 1) == {'b': 3}"), [{"a": 1, "b": 2}, {"a": 2}]),
    (ruled(mapping("integer"), "self.transformMapEntry(k, v, {v: k}).size() == 1"), [{"a": 1}, {"a": 2, "b": 3}]),
    (ruled(array("integer"), "self.transformList(i, v, v > 1, v + i) == [3]"), [[1, 2], [2]]),
    (ruled(array("integer"), "self.exists(i, v, i == v) && self.existsOne(i, v, v == 1)"), [[1, 1], [2], [0, 1]]),
    (ruled(array("integer"), "self.sort() == [1, 2] || self.sortBy(x, -x) == [3, 2]"), [[2, 1], [2, 3], [1]]),
    (ruled(TEXT, "url(self) == url('http://a')"), ["http://a", "http://b"]),
    (ruled(TEXT, "semver(self, true) == semver('1.0.0') && isSemver(self, true)"), ["v1.0", "1", "x", "v01.0.0"]),
    (ruled(TEXT, "ip(self).isLinkLocalMulticast()"), ["224.0.0.1", "ff02::1", "8.8.8.8"]),
    *((ruled(LONG, {"rule": f"!format.{name}().validate(self).hasValue()",
                    "messageExpression": f"format.{name}().validate(self).value()[0]"}), texts)
      for name, texts in FORMATS.items()),
]  # fmt: skip

CHANGES: list[tuple[Schema, list[tuple[Any, Any]]]] = [
    (ruled("integer", "self >= oldSelf"), [(1, 2), (2, 1), (None, 1), (2, 2)]),
    (ruled("integer", {"rule": "self == oldSelf", "message": "immutable"}), [(1, 2), (1, 1), (None, 1)]),
    (ruled("integer", {"rule": "oldSelf.hasValue() || self == 1", "optionalOldSelf": True}), [(1, 2), (None, 1)]),
    (ruled("integer", {"rule": "self >= oldSelf.orValue(self)", "optionalOldSelf": True}), [(1, 2), (2, 1), (None, 1)]),
    (ruled(SMALL, "!has(oldSelf.a) || has(self.a)"), [({"a": 1}, {}), ({}, {"a": 1})]),
    (ruled(SMALL, "self == oldSelf"), [({"a": 1}, {"a": 2}), ({"a": 1}, {"a": 1})]),
    (array({**ruled(obj(name=TEXT, n="integer"), "self.n >= oldSelf.n"), "required": ["name"]},
           **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}),
     [([{"name": "a", "n": 2}], [{"name": "b", "n": 1}, {"name": "a", "n": 1}]),
      ([{"name": "a", "n": 2}], [{"name": "b", "n": 1}])]),
    ({"type": "object", "maxProperties": 5, "additionalProperties": ruled("integer", "self >= oldSelf")},
     [({"k": 2}, {"k": 1}), ({"k": 2}, {"l": 1})]),
    (ruled(array("integer"), "oldSelf.all(x, x in self)"), [([1], [1, 2]), ([1], [2])]),
    (obj(deep=ruled(SMALL, {"rule": "self.a == oldSelf.a", "fieldPath": ".a", "reason": "FieldValueForbidden", "message": "m"})),
     [({"deep": {"a": 1}}, {"deep": {"a": 2}}), ({}, {"deep": {"a": 2}})]),
]  # fmt: skip

BAD: list[Schema] = [
    ruled(TEXT, "cel.bind(x, self + self, x == 'aa')"),
    ruled("integer", "self >"),
    ruled("integer", "self > 'a'"),
    ruled("integer", "foo > 1"),
    ruled("integer", "self"),
    ruled("integer", "self + 1"),
    ruled("integer", "self.size() > 1"),
    ruled("integer", ""),
    ruled("integer", "  "),
    ruled("integer", {"rule": "self > 1", "message": "  "}),
    ruled("integer", {"rule": "self > 1", "message": "a\nb"}),
    ruled("integer", "self >\n1"),
    ruled("integer", {"rule": "self >\n1", "message": "m"}),
    ruled("integer", {"rule": "self > 1", "messageExpression": "  "}),
    ruled("integer", {"rule": "self > 1", "messageExpression": "1"}),
    ruled("integer", {"rule": "self > 1", "messageExpression": "self + 'a'"}),
    ruled("integer", {"rule": "self > 1", "reason": "Other"}),
    ruled("integer", {"rule": "self > 1", "optionalOldSelf": True}),
    ruled("integer", {"rule": "self > oldSelf", "optionalOldSelf": True}),
    ruled("integer", {"rule": "self > oldSelf", "optionalOldSelf": False}),
    ruled(SMALL, {"rule": "self.a > 1", "fieldPath": ".z"}),
    ruled(SMALL, {"rule": "self.a > 1", "fieldPath": "a"}),
    ruled(SMALL, {"rule": "self.a > 1", "fieldPath": "  "}),
    ruled(SMALL, {"rule": "self.a > 1", "fieldPath": ".a.b"}),
    ruled(SMALL, {"rule": "self.a > 1", "fieldPath": ".a"}),
    ruled(SMALL, "self.z > 1"),
    ruled(SMALL, "has(self.z)"),
    ruled(SMALL, "self.a.b"),
    ruled(SMALL, "self.a > self.b"),
    ruled(SMALL, "self.?z.hasValue()"),
    ruled({**obj(), "x-kubernetes-preserve-unknown-fields": True, "properties": {"u": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}, "has(self.u)"),
    array(ruled(obj(a="integer"), "self.a == oldSelf.a")),
    ruled(array("integer"), "self.all(x, x.startsWith('a'))"),
    ruled(array("integer"), "self.foo()"),
    ruled(array("integer"), "self.all(x, y, x == y)"),
    ruled(mapping("integer"), "self.a.startsWith('x')"),
    ruled(TEXT, "quantity(self) > 1"),
    ruled(TEXT, "quantity(self).add('1') == quantity('2')"),
    ruled(TEXT, "url(1).getHost() == ''"),
    ruled(TEXT, "isIP(1)"),
    ruled(TEXT, "self.matches('a') + 1"),
    ruled(TEXT, "unknownFunction(self)"),
    ruled(obj(**{"x-y": "integer"}), "self.x-y > 1"),
    ruled(obj(**{"1a": "integer"}), "has(self.z)"),
    ruled({**TEXT, "format": "date-time"}, "self == 'x'"),
    ruled({**TEXT, "format": "duration"}, "self < 5"),
    ruled(TEXT, "self.matches('(') || self.matches('a[')"),
    ruled(TEXT, "duration('x') == duration('1s') && duration('1h3m') > duration('1d')"),
    ruled(TEXT, "timestamp('2020-01-01') == timestamp('2020-01-01T00:00:00Z')"),
    ruled(TEXT, "[1, 'a'].size() == 2 && {'a': 1, 2: 'b'}.size() == 2"),
    ruled(TEXT, "'%s-%d'.format([self, 1]) == 'a' && [1, 1.5, 2u].size() == 1"),
    ruled(TEXT, "self.reverse() == 'ba'"),
    ruled(TEXT, {"rule": "self == ''", "messageExpression": "self.matches('(') ? 'a' : 'b'"}),
    ruled(TEXT, {"rule": "oldSelf.hasValue() && self.matches('(')", "optionalOldSelf": True}),
    ruled(TEXT, {"rule": "self == '' ||\nself.matches('(')", "message": "m"}),
    ruled(array("integer"), "self in [[1], ['a']] || self == [] || self in [[], [1]]"),
]  # fmt: skip
