"""Schemas whose rules cost much, for as long as nothing limits what they are asked about."""

from __future__ import annotations

from typing import Any

from tests.real.differential.rule_table import Schema, obj, ruled


def many(items: Any, **more: Any) -> Schema:
    """A list of anything of that type, however long."""
    return {"type": "array", "items": {"type": items} if isinstance(items, str) else items, **more}


def entries(values: Any, **more: Any) -> Schema:
    """A map to anything of that type, however large."""
    inner = {"type": values} if isinstance(values, str) else values
    return {"type": "object", "additionalProperties": inner, **more}


S = {"type": "string"}
SHORT = {"type": "string", "maxLength": 5}
DEAR: list[Schema] = [
    ruled(many("string"), "self.all(x, x == 'a')"),
    ruled(many("string"), "self.all(x, self.all(y, x == y))"),
    ruled(many("string",maxItems=3000), "self.all(x, x.contains('abc'))"),
    ruled(many({**S,"maxLength":10},maxItems=3000), "self.all(x, self.exists(y, x == y))"),
    ruled(many({**S,"maxLength":64},maxItems=700), "self.map(x, x + 'a').all(y, y.matches('^[a-z]+$'))"),
    ruled(entries("string"), "self.all(k, self[k].size() > 0 && k.startsWith('a'))"),
    ruled(entries("string"), "self.all(k, v, v.contains(k))"),
    ruled(entries({**S,"maxLength":30}), "self.exists_one(k, self[k].split(',').size() > 1)"),
    many(ruled(obj(a="string",b="integer"), "self.a.startsWith('x') && self.b > 0")),
    many(ruled({**obj(a="string",b="integer"),"required":["a","b"]}, "self.a.matches('abc.*')")),
    many(many(ruled("string", "self.replace('a','bc').size() < 10"),maxItems=20),maxItems=30),
    ruled(many("integer"), "self.isSorted() && self.sum() > 1 && self.indexOf(3) == 1"),
    ruled(many("string"), "self.isSorted() && self.max() > 'a' && self.join(',') == ''"),
    ruled(many("string",maxItems=1000), "self.distinct().size() == self.size()"),
    ruled(many({**S,"maxLength":5},maxItems=2000), "self.sort() == self"),
    ruled(many(obj(n={**S,"maxLength":5}),maxItems=2000), "self.sortBy(x, x.n) == self"),
    ruled(many(many("string")), "self.flatten().all(x, x.size() > 1)"),
    ruled(many("string"), "self.reverse().slice(1, 3).size() > 1"),
    ruled(many("string",maxItems=5000), "sets.contains(self, self) && sets.equivalent(self, ['a'])"),
    ruled("string", "self.find('[0-9]+') == '1' && self.findAll('[a-z]{1,100}').size() > 1"),
    ruled(many("string",maxItems=100), "self.all(x, url(x).getHost() == 'a' && isURL(x))"),
    ruled(many("string",maxItems=100), "self.all(x, isIP(x) && ip(x).family() == 4 && ip.isCanonical(x))"),
    ruled(many("string",maxItems=100), "self.all(x, cidr(x).containsIP(x) && cidr(x).containsCIDR(cidr(x)))"),
    ruled(many("string",maxItems=100), "self.all(x, quantity(x).isGreaterThan(quantity('1')) && isQuantity(x))"),
    ruled(many("string",maxItems=100), "self.all(x, semver(x) == semver('1.0.0') && quantity(x) == quantity('1'))"),
    ruled(many("string",maxItems=100), "self.all(x, url(x) == url('http://a') && ip(x) == ip('1.1.1.1'))"),
    ruled(many("string",maxItems=100), "self.all(x, x.lowerAscii().trim().substring(1, 5).upperAscii() == 'A')"),
    ruled(many("string",maxItems=100), "self.all(x, bytes(x) == b'a' && string(bytes(x)) == x)"),
    ruled(many({"type":"string","format":"byte"},maxItems=1000), "self.all(x, string(x) in ['a', 'b'])"),
    ruled(many({"type":"string","format":"date-time"}), "self.all(x, self.all(y, x < y))"),
    ruled(many({"type":"string","enum":["abc","de"]},maxItems=10000), "self.all(x, self.exists(y, x + y == 'ab'))"),
    ruled(many({"x-kubernetes-int-or-string":True}), "self.all(x, type(x) == int ? x > 1 : x.matches('^[0-9]+%$'))"),
    ruled(many({"x-kubernetes-int-or-string":True,"maxLength":5}), "self.all(x, type(x) == int ? x > 1 : x.matches('^[0-9]+%$'))"),
    ruled(obj(a=many("string"),b=many("string",maxItems=10)), "self.a.all(x, x in self.b) || self.b.exists(y, self.a.filter(z, z == y).size() > 1)"),
    ruled(obj(a=many("string"),b=many("string",maxItems=10)), "has(self.a) && self.?b.orValue([]).all(x, self.a.exists(y, x == y))"),
    ruled(many("string"), {"rule":"self.size() < 10","messageExpression":"'%s'.format([self])"}),
    ruled(many("string"), {"rule":"self.size() < 10","messageExpression":"self.map(x, x + x).join('')"}),
    ruled(many("string"), {"rule":"oldSelf.hasValue() ? self.all(x, x in oldSelf.value()) : true","optionalOldSelf":True}),
    ruled(many("string"), {"rule":"oldSelf.orValue([]).all(x, self.exists(y, x == y))","optionalOldSelf":True}),
    ruled(many("string",maxItems=100), "self == oldSelf || self.all(x, oldSelf.exists(y, y == x))"),
    ruled(obj(m=entries(obj(n=many("string")))), "self.m.all(k, self.m[k].n.all(x, x.size() > 2))"),
    entries(entries(ruled(many("integer"),"self.all(x, x > 1)"))),
    {**many("string", maxItems=1000), "x-kubernetes-validations": [
        {"rule": f"self.all(x, x.contains('{'a' * (28 - 9 * n)}'))"} for n in range(3)]},
    ruled({**obj(a=many("string")),"x-kubernetes-embedded-resource":True,"x-kubernetes-preserve-unknown-fields":True}, "self.metadata.name.contains('abc') || self.a.all(x, x.contains(self.kind))"),
    ruled(many("string"), "self.map(x, [x, x]).all(y, y.all(z, z.size() > 1))"),
    ruled(many("string"), "self.map(x, {'a': x}).all(y, y['a'].contains('bcd'))"),
    ruled(many("string",maxItems=300), "self.map(x, x.size() > 1, x.split(',')).all(y, y.exists(z, z == 'a'))"),
    ruled(many("string",maxItems=300), "self.transformList(i, x, i > 1, x + 'a').all(y, y.size() > 3)"),
    ruled(entries("string",maxProperties=300), "self.transformMap(k, v, v + k).all(y, y.size() > 3)"),
    ruled(many("string",maxItems=3000), "self.transformMapEntry(i, x, {x: i}).all(y, y.size() > 3)"),
    ruled(many("string",maxItems=300), "self.exists(i, x, i > 1 && x.contains('zzzzzzzzzzzzzzzzzzz'))"),
    ruled(many("string",maxItems=300), "self.all(x, format.dns1123Label().validate(x).hasValue())"),
    ruled(many("string",maxItems=300), "self.all(x, format.named('uri').hasValue() && !format.named('uri').value().validate(x).hasValue())"),
    ruled(many("string",maxItems=300), "self.all(x, string(ip(x)) == x && string(cidr(x)).size() > 1)"),
    ruled(many("string",maxItems=100), "self.all(x, dyn(x) == 'abc' && x < 'abc' && x != self[0])"),
    ruled(many("number"), "lists.range(1000000).all(x, self.exists(y, y > double(x)))"),
]  # fmt: skip
"""Rules that cost much: which of them are too dear, and by how much, the server says."""
