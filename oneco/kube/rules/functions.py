"""The functions that Kubernetes adds to CEL, written out for the library.

A value of a type of Kubernetes' own (a quantity, an address, a URL …) is a text with a mark in
front: equal values are equal texts, and no JSON text begins with that mark.
"""

from __future__ import annotations

import ipaddress
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from cel_expr_python import cel

from oneco.kube import quantity
from oneco.kube.rules import text_formats
from oneco.kube.rules.fields import OWN
from oneco.kube.schema_checks import compile_pattern

T = cel.Type
_MARK: Final = "\U0010fffd"
_DYNAMIC_LIST: Final = T.List(T.DYN)


class Fn(NamedTuple):
    """One overload: its name, what it takes, what it gives, and how."""

    name: str
    takes: tuple[Any, ...]
    gives: Any
    run: Callable[..., Any]
    is_member: bool = True


class Own(NamedTuple):
    """A type of Kubernetes' own, and the mark of its values."""

    name: str
    mark: str


QUANTITY, URL, SEMVER, IP, CIDR, FORMAT = map(
    Own, OWN, ("quantity", "url", "semver", "ip", "cidr", "format")
)


class Maybe(NamedTuple):
    """An optional of another type. `run` gives what is nothing as an empty list or text."""

    of: Any


def marked(kind: str, text: str) -> str:
    """A value of a type of Kubernetes' own."""
    return f"{_MARK}{kind}{_MARK}{text}"


def mark_of(value: object) -> str:
    """The mark of a value of a type of Kubernetes' own, empty for any other."""
    return value.split(_MARK)[1] if isinstance(value, str) and value.startswith(_MARK) else ""


def text_of(value: str) -> str:
    """What stands behind the mark."""
    return value.rpartition(_MARK)[2]


def _is(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            read(text)
        except ValueError:
            return False
        return True

    return check


def _to_quantity(text: str) -> str:
    number = quantity.parse(text)
    return marked("quantity", f"{number.numerator}/{number.denominator}")


def _number(value: Any) -> Fraction:
    return Fraction(text_of(value)) if isinstance(value, str) else Fraction(value)


def _of_number(number: Fraction) -> str:
    return marked("quantity", f"{number.numerator}/{number.denominator}")


def _sign(value: str) -> int:
    number = _number(value)
    return (number > 0) - (number < 0)


def _integer(value: str) -> int:
    number = _number(value)
    if number.denominator != 1 or not -(2**63) <= number < 2**63:
        raise ValueError("cannot convert value to integer")
    return int(number)


def _to_ip(text: str) -> str:
    if "%" in text or text.lower().startswith("::ffff:"):
        raise ValueError(f"IP Address {text!r} in string conversion is not allowed")
    return marked("ip", str(ipaddress.ip_address(text)))


def _address(value: str) -> Any:
    return ipaddress.ip_address(text_of(value))


def _to_cidr(text: str) -> str:
    if "/" not in text or "%" in text:
        raise ValueError(f"network address parse error: {text}")
    made = ipaddress.ip_interface(text)
    return marked("cidr", f"{made.ip}/{made.network.prefixlen}")


def _network(value: str) -> Any:
    return ipaddress.ip_network(text_of(value), strict=False)


def _holds(network: str, other: str) -> bool:
    outer, inner = _network(network), ipaddress.ip_network(text_of(other), strict=False)
    return outer.version == inner.version and bool(inner.subnet_of(outer))


def _to_url(text: str) -> str:
    parts = urllib.parse.urlsplit(text)
    is_absolute = bool(parts.scheme) or text.startswith("/")
    if (
        not is_absolute
        or re.search(r"[\x00-\x20\x7f]", text)
        or not re.fullmatch(r"(?:[^%]|%[0-9A-Fa-f]{2})*", text)
    ):
        raise ValueError(f"URL parse error during conversion from string: {text}")
    _ = parts.port
    return marked("url", text)


def _url_part(name: str) -> Callable[[str], Any]:
    def part(value: str) -> Any:
        parts = urllib.parse.urlsplit(text_of(value))
        found = {
            "scheme": parts.scheme,
            "host": parts.netloc.rpartition("@")[2],
            "hostname": parts.hostname or "",
            "port": str(parts.port) if parts.port is not None else "",
            "path": parts.path,
        }
        return found[name]

    return part


def _query(value: str) -> dict[str, list[str]]:
    query = urllib.parse.urlsplit(text_of(value)).query
    return urllib.parse.parse_qs(query, keep_blank_values=True)


def _to_semver(text: str) -> str:
    found = re.fullmatch(
        r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
        r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?",
        text,
    )
    if found is None:
        raise ValueError(f"No Major.Minor.Patch elements found in {text}")
    return marked("semver", text)


def _to_loose_semver(text: str, is_loose: bool) -> str:
    """The version, to which a `v`, zeros in front and missing parts do no harm if `is_loose`."""
    if not is_loose:
        return _to_semver(text)
    core, mark, rest = re.fullmatch(r"v?([^-+]*)([-+]?)(.*)", text.strip(), re.DOTALL).groups()  # type: ignore[union-attr]
    parts = [part.lstrip("0") or "0" if part else part for part in core.split(".", 2)]
    if not mark or len(parts) == 3:
        parts += ["0"] * (3 - len(parts))
    return _to_semver(f"{'.'.join(parts)}{mark}{rest}")


def _is_loose_semver(text: str, is_loose: bool) -> bool:
    return _is(lambda given: _to_loose_semver(given, is_loose))(text)


def _version(value: str) -> tuple[Any, ...]:
    core, _, before = text_of(value).partition("+")[0].partition("-")
    names = tuple(
        (0, int(one), "") if one.isdigit() else (1, 0, one) for one in before.split(".") if one
    )
    return (*map(int, core.split(".")), not before, names)


def _compare(key: Callable[[Any], Any]) -> Callable[[Any, Any], int]:
    def compare(left: Any, right: Any) -> int:
        return int(key(left) > key(right)) - int(key(left) < key(right))

    return compare


def _extreme(choose: Callable[[Sequence[Any]], Any], name: str) -> Callable[[Any], Any]:
    def pick(items: Sequence[Any]) -> Any:
        if not items:
            raise ValueError(f"{name} called on empty list")
        return choose(items)

    return pick


def _place(items: Sequence[Any], value: Any) -> int:
    return next((place for place, item in enumerate(items) if item == value), -1)


def _last_place(items: Sequence[Any], value: Any) -> int:
    back = _place(list(reversed(items)), value)
    return len(items) - 1 - back if back >= 0 else -1


def _find(text: str, pattern: str) -> str:
    compiled = compile_pattern(pattern)
    found = compiled.search(text) if compiled else None
    return found.group() if found else ""


def _find_all(text: str, pattern: str, most: int = -1) -> list[str]:
    compiled = compile_pattern(pattern)
    found = [one.group() for one in compiled.finditer(text)] if compiled else []
    return found if most < 0 else found[:most]


def _lists() -> list[Fn]:
    return [
        Fn("isSorted", (_DYNAMIC_LIST,), T.BOOL, lambda items: list(items) == sorted(items)),
        Fn("sum", (_DYNAMIC_LIST,), T.DYN, lambda items: sum(items)),
        Fn("min", (_DYNAMIC_LIST,), T.DYN, _extreme(min, "min")),
        Fn("max", (_DYNAMIC_LIST,), T.DYN, _extreme(max, "max")),
        Fn("indexOf", (_DYNAMIC_LIST, T.DYN), T.INT, _place),
        Fn("lastIndexOf", (_DYNAMIC_LIST, T.DYN), T.INT, _last_place),
        Fn("find", (T.STRING, T.STRING), T.STRING, _find),
        Fn("findAll", (T.STRING, T.STRING), T.List(T.STRING), _find_all),
        Fn("findAll", (T.STRING, T.STRING, T.INT), T.List(T.STRING), _find_all),
    ]


def _quantities() -> list[Fn]:
    q = QUANTITY
    made = [
        Fn("quantity", (T.STRING,), q, _to_quantity, is_member=False),
        Fn("isQuantity", (T.STRING,), T.BOOL, _is(_to_quantity), is_member=False),
        Fn("sign", (q,), T.INT, _sign, is_member=False),
        Fn("isInteger", (q,), T.BOOL, _is(_integer)),
        Fn("asInteger", (q,), T.INT, _integer),
        Fn("asApproximateFloat", (q,), T.DOUBLE, lambda one: float(_number(one))),
        Fn("isGreaterThan", (q, q), T.BOOL, lambda one, other: _number(one) > _number(other)),
        Fn("isLessThan", (q, q), T.BOOL, lambda one, other: _number(one) < _number(other)),
        Fn("compareTo", (q, q), T.INT, _compare(_number)),
    ]
    for other in (q, T.INT):
        made += [
            Fn("add", (q, other), q, lambda one, by: _of_number(_number(one) + _number(by))),
            Fn("sub", (q, other), q, lambda one, by: _of_number(_number(one) - _number(by))),
        ]
    return made


def _addresses() -> list[Fn]:
    is_what = {
        "isUnspecified": "is_unspecified", "isLoopback": "is_loopback",
        "isLinkLocalUnicast": "is_link_local",
    }  # fmt: skip
    made = [
        Fn("ip", (T.STRING,), IP, _to_ip, is_member=False),
        Fn("isIP", (T.STRING,), T.BOOL, _is(_to_ip), is_member=False),
        Fn("family", (IP,), T.INT, lambda one: _address(one).version),
        Fn(
            "ip.isCanonical", (T.STRING,), T.BOOL, lambda one: text_of(_to_ip(one)) == one,
            is_member=False,
        ),
        Fn(
            "isGlobalUnicast", (IP,), T.BOOL,
            lambda one: not (
                _address(one).is_multicast
                or _address(one).is_loopback
                or _address(one).is_link_local
                or _address(one).is_unspecified
            ),
        ),
        Fn("cidr", (T.STRING,), CIDR, _to_cidr, is_member=False),
        Fn("isCIDR", (T.STRING,), T.BOOL, _is(_to_cidr), is_member=False),
        Fn("ip", (CIDR,), IP, lambda one: marked("ip", text_of(one).partition("/")[0])),
        Fn("prefixLength", (CIDR,), T.INT, lambda one: _network(one).prefixlen),
        Fn("masked", (CIDR,), CIDR, lambda one: marked("cidr", str(_network(one)))),
    ]  # fmt: skip
    made.append(Fn("isLinkLocalMulticast", (IP,), T.BOOL, _is_link_local_multicast))
    for name, attribute in is_what.items():
        made.append(Fn(name, (IP,), T.BOOL, _asks(attribute)))
    for given, read in ((T.STRING, _to_ip), (IP, str)):
        made.append(Fn("containsIP", (CIDR, given), T.BOOL, _held(read)))
    for given, read in ((T.STRING, _to_cidr), (CIDR, str)):
        made.append(Fn("containsCIDR", (CIDR, given), T.BOOL, _held(read)))
    return made


def _is_link_local_multicast(value: str) -> bool:
    address = _address(value)
    if address.version == 4:
        return address in ipaddress.ip_network("224.0.0.0/24")
    return bool(address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02)


def _asks(attribute: str) -> Callable[[str], bool]:
    return lambda one: bool(getattr(_address(one), attribute))


def _held(read: Callable[[str], str]) -> Callable[[str, str], bool]:
    return lambda network, other: _holds(network, read(other))


def _urls() -> list[Fn]:
    parts = {
        "getScheme": "scheme", "getHost": "host", "getHostname": "hostname", "getPort": "port",
        "getEscapedPath": "path",
    }  # fmt: skip
    return [
        Fn("url", (T.STRING,), URL, _to_url, is_member=False),
        Fn("isURL", (T.STRING,), T.BOOL, _is(_to_url), is_member=False),
        Fn("getQuery", (URL,), T.Map(T.STRING, T.List(T.STRING)), _query),
        *(Fn(name, (URL,), T.STRING, _url_part(part)) for name, part in parts.items()),
    ]


def _versions() -> list[Fn]:
    parts = ("major", "minor", "patch")
    v = SEMVER
    return [
        Fn("semver", (T.STRING,), v, _to_semver, is_member=False),
        Fn("isSemver", (T.STRING,), T.BOOL, _is(_to_semver), is_member=False),
        Fn("semver", (T.STRING, T.BOOL), v, _to_loose_semver, is_member=False),
        Fn("isSemver", (T.STRING, T.BOOL), T.BOOL, _is_loose_semver, is_member=False),
        Fn("isGreaterThan", (v, v), T.BOOL, lambda one, other: _version(one) > _version(other)),
        Fn("isLessThan", (v, v), T.BOOL, lambda one, other: _version(one) < _version(other)),
        Fn("compareTo", (v, v), T.INT, _compare(_version)),
        *(Fn(part, (v,), T.INT, _version_part(place)) for place, part in enumerate(parts)),
    ]


def _version_part(place: int) -> Callable[[str], int]:
    return lambda one: int(_version(one)[place])


def _formats() -> list[Fn]:
    def validate(kind: str, text: str) -> list[str]:
        return text_formats.faults(text_of(kind), text)

    def named(name: str) -> str:
        return marked("format", name) if name in text_formats.NAMED else ""

    return [
        Fn("validate", (FORMAT, T.STRING), Maybe(T.List(T.STRING)), validate),
        Fn("format.named", (T.STRING,), Maybe(FORMAT), named, is_member=False),
        *(Fn(f"format.{name}", (), FORMAT, _format(name), is_member=False)
          for name in text_formats.NAMED),
    ]  # fmt: skip


def _format(name: str) -> Callable[[], str]:
    return lambda: marked("format", name)


def everything() -> list[Fn]:
    """All overloads."""
    return [
        *_lists(), *_quantities(), *_addresses(), *_urls(), *_versions(), *_formats(),
    ]  # fmt: skip


def conversions() -> list[Fn]:
    """Overloads of what the library has already, for the checker alone.

    When rules are evaluated `text` follows on them.
    """
    return [Fn("string", (kind,), T.STRING, text_of, is_member=False) for kind in (IP, CIDR)]


def insert(into: Mapping[Any, Any], key: Any, value: Any) -> dict[Any, Any]:
    """A map with one entry more."""
    if key in into:
        raise ValueError(f"insert failed: key {key} already exists")
    return {**into, key: value}


def insert_all(into: Mapping[Any, Any], more: Mapping[Any, Any]) -> dict[Any, Any]:
    """A map with the entries of another."""
    for key, value in more.items():
        into = insert(into, key, value)
    return dict(into)


def text(value: Any) -> Any:
    """What `string` gives for `value`, which it has left alone."""
    return text_of(value) if mark_of(value) else value
