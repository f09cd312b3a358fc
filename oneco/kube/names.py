"""Names, labels and annotations: what Kubernetes accepts, and why not when it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from oneco.kube import causes
from oneco.kube.errors import Cause
from oneco.kube.objects import Object

SUFFIX_LENGTH: Final = 5
_SUFFIX_ALPHABET: Final = "bcdfghjklmnpqrstvwxz2456789"
_LONGEST_GENERATED: Final = 63

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LETTER_LABEL = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = rf"({_QUALIFIED})?"

_is_label = re.compile(_LABEL).fullmatch
_is_subdomain = re.compile(_SUBDOMAIN).fullmatch
_is_letter_label = re.compile(_LETTER_LABEL).fullmatch
_is_qualified = re.compile(_QUALIFIED).fullmatch
_is_value = re.compile(_VALUE).fullmatch

_ENDS = "and must start and end with an alphanumeric character"
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    f"{_ENDS} (e.g. 'my-name',  or '123-abc', regex used for validation is '{_LABEL}')"
)
_LETTER_LABEL_WORDS = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
    "alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', "
    f"regex used for validation is '{_LETTER_LABEL}')"
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    f"'.', {_ENDS} (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
_QUALIFIED_WORDS = (
    f"must consist of alphanumeric characters, '-', '_' or '.', {_ENDS} "
    f"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)
_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    f"{_ENDS} (e.g. 'MyValue',  or 'my_value',  or '12345', "
    f"regex used for validation is '{_VALUE}')"
)

_LABEL_KINDS = frozenset({"Namespace", "Service"})
_PATH_KINDS = frozenset({"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})
_STANDARD_FINALIZERS = frozenset({"orphan", "foregroundDeletion", "kubernetes"})
_ANNOTATIONS_LIMIT_BYTES: Final = 262_144


def generate(prefix: str, bits: int) -> str:
    """`prefix` and five letters chosen by `bits`; equal bits give equal names."""
    letters = []
    for _ in range(SUFFIX_LENGTH):
        bits, index = divmod(bits, len(_SUFFIX_ALPHABET))
        letters.append(_SUFFIX_ALPHABET[index])
    return prefix[: _LONGEST_GENERATED - SUFFIX_LENGTH] + "".join(letters)


def label_faults(text: str) -> list[str]:
    """Why `text` is no DNS-1123 label; empty if it is one."""
    faults = [_longer_than(63)] if len(text) > 63 else []
    if not _is_label(text):
        faults.append("must not contain dots" if _is_subdomain(text) else _LABEL_WORDS)
    return faults


def letter_label_faults(text: str) -> list[str]:
    """Why `text` is no DNS-1035 label, which begins with a letter; empty if it is one."""
    faults = [_longer_than(63)] if len(text) > 63 else []
    return faults if _is_letter_label(text) else [*faults, _LETTER_LABEL_WORDS]


def subdomain_faults(text: str) -> list[str]:
    """Why `text` is no DNS-1123 subdomain; empty if it is one."""
    faults = [_longer_than(253)] if len(text) > 253 else []
    return faults if _is_subdomain(text) else [*faults, _SUBDOMAIN_WORDS]


def path_faults(text: str) -> list[str]:
    """Why `text` cannot stand as one part of a URL path; empty if it can."""
    if text in (".", ".."):
        return [f"may not be '{text}'"]
    return [f"may not contain '{mark}'" for mark in "/%" if mark in text]


def key_faults(text: str) -> list[str]:
    """Why `text` is no key of a label or annotation; empty if it is one."""
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        return [
            f"a valid label key {_QUALIFIED_WORDS} with an optional DNS subdomain prefix and '/' "
            "(e.g. 'example.com/MyName')"
        ]
    faults = _prefix_faults(prefix) if slash else []
    if not name:
        faults.append("name part must be non-empty")
    elif len(name) > 63:
        faults.append("name part must be no more than 63 bytes")
    return faults if _is_qualified(name) else [*faults, f"name part {_QUALIFIED_WORDS}"]


def value_faults(text: str) -> list[str]:
    """Why `text` is no value of a label; empty if it is one."""
    faults = ["must be no more than 63 bytes"] if len(text.encode()) > 63 else []
    return faults if _is_value(text) else [*faults, _VALUE_WORDS]


def name_faults(text: str, kind: str = "") -> list[str]:
    """Why `text` cannot name an object of `kind`; empty if it can."""
    if kind in _LABEL_KINDS:
        return label_faults(text)
    return path_faults(text) if kind in _PATH_KINDS else subdomain_faults(text)


def validate_metadata(
    meta: Object, *, kind: str = "", namespaced: bool = True, field: str = "metadata"
) -> list[Cause]:
    """What an API server refuses about the metadata of an object of `kind`."""
    found = _validate_names(meta, kind, namespaced, field)
    if (meta.get("generation") or 0) < 0:
        words = "must be greater than or equal to 0"
        found.append(causes.invalid(f"{field}.generation", meta["generation"], words))
    found += validate_labels(meta.get("labels"), f"{field}.labels")
    found += _validate_annotations(meta.get("annotations") or {}, f"{field}.annotations")
    found += _validate_owners(meta.get("ownerReferences") or (), f"{field}.ownerReferences")
    found += _validate_finalizers(meta.get("finalizers") or (), f"{field}.finalizers")
    return found


def validate_labels(labels: Mapping[str, str] | None, field: str) -> list[Cause]:
    """What an API server refuses about `labels`, which stand at `field`."""
    found = []
    for key, value in (labels or {}).items():
        if not _is_plain(key):
            found += [causes.invalid(field, key, fault) for fault in key_faults(key)]
        if value and not _is_plain(value):
            found += [causes.invalid(field, value, fault) for fault in value_faults(value)]
    return found


# Nearly every key and value is short and plain: one match answers for both rules at once.
_is_plain = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?").fullmatch


def _validate_names(meta: Object, kind: str, namespaced: bool, field: str) -> list[Cause]:
    name, prefix = meta.get("name") or "", meta.get("generateName") or ""
    found = []
    if prefix:
        # A generated name goes on after the prefix, so a final dash is not its end.
        end = prefix[:-1] + "a" if prefix.endswith("-") and len(prefix) > 1 else prefix
        faults = name_faults(end, kind)
        found += [causes.invalid(f"{field}.generateName", prefix, fault) for fault in faults]
    if not name:
        found.append(causes.required(f"{field}.name", "name or generateName is required"))
    else:
        faults = name_faults(name, kind)
        found += [causes.invalid(f"{field}.name", name, fault) for fault in faults]
    return found + _validate_namespace(meta.get("namespace") or "", namespaced, field)


def _validate_namespace(namespace: str, namespaced: bool, field: str) -> list[Cause]:
    where = f"{field}.namespace"
    if not namespaced:
        return [causes.forbidden(where, "not allowed on this type")] if namespace else []
    if not namespace:
        return [causes.required(where)]
    return [causes.invalid(where, namespace, fault) for fault in label_faults(namespace)]


def _validate_annotations(annotations: Mapping[str, str], field: str) -> list[Cause]:
    found = []
    size = 0
    for key, value in annotations.items():
        size += len(key) + len(value or "")
        # Annotation keys are compared without regard to case.
        if not _is_plain(key):
            found += [causes.invalid(field, key, fault) for fault in key_faults(key.lower())]
    if size > _ANNOTATIONS_LIMIT_BYTES:
        found.append(causes.too_long(field, _ANNOTATIONS_LIMIT_BYTES))
    return found


def _validate_owners(owners: Sequence[Object], field: str) -> list[Cause]:
    found = []
    for owner in owners:
        found += _validate_owner(owner, field)
    controllers = [
        f"{one.get('kind')}/{one.get('name')}" for one in owners if one.get("controller")
    ]
    if len(controllers) > 1:
        words = (
            'Only one reference can have Controller set to true. Found "true" in references for '
            f"{controllers[0]} and {controllers[1]}"
        )
        found.append(causes.invalid(field, owners, words))
    return found


def _validate_owner(owner: Object, field: str) -> list[Cause]:
    api_version = owner.get("apiVersion") or ""
    found = []
    if not api_version.rpartition("/")[2]:
        found.append(
            causes.invalid(f"{field}.apiVersion", api_version, "version must not be empty")
        )
    found += [
        causes.invalid(f"{field}.{part}", "", "must not be empty")
        for part in ("kind", "name", "uid")
        if not owner.get(part)
    ]
    if api_version == "v1" and owner.get("kind") == "Event":
        words = "/v1, Kind=Event is disallowed from being an owner"
        found.append(causes.invalid(field, owner, words))
    return found


def _validate_finalizers(finalizers: Sequence[str], field: str) -> list[Cause]:
    found = []
    for finalizer in finalizers:
        found += [causes.invalid(field, finalizer, fault) for fault in key_faults(finalizer)]
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        words = "finalizer orphan and foregroundDeletion cannot be both set"
        found.append(causes.invalid(field, finalizers, words))
    words = "name is neither a standard finalizer name nor is it fully qualified"
    for index, finalizer in enumerate(finalizers):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            found.append(causes.invalid(f"{field}[{index}]", finalizer, words))
    return found


def _prefix_faults(prefix: str) -> list[str]:
    if not prefix:
        return ["prefix part must be non-empty"]
    faults = subdomain_faults(prefix)
    return [f"prefix part {fault.replace('253 characters', '253 bytes')}" for fault in faults]


def _longer_than(limit: int) -> str:
    return f"must be no more than {limit} characters"
