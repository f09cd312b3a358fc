"""Which representation a client wants, chosen from its Accept header."""

from __future__ import annotations

from typing import Literal, NamedTuple

from oneco.kube.errors import NotAcceptable

Form = Literal["Object", "Table", "PartialObjectMetadata", "APIGroupDiscoveryList"]

JSON = "application/json"
_ANY = ("", "*/*", "application/*", JSON)
_FORMS: dict[str, Form] = {
    "Table": "Table",
    "PartialObjectMetadata": "PartialObjectMetadata",
    "PartialObjectMetadataList": "PartialObjectMetadata",
    "APIGroupDiscoveryList": "APIGroupDiscoveryList",
}
_VERSIONS = {"meta.k8s.io": ("v1", "v1beta1"), "apidiscovery.k8s.io": ("v2", "v2beta1")}


class Representation(NamedTuple):
    """A form of the answer and, for forms other than the object itself, its version."""

    form: Form
    version: str = ""


OBJECT = Representation("Object")


def choose(accept: str, *, offered: tuple[Form, ...] = ()) -> Representation:
    """The first representation in `accept` that can be given: JSON, as itself or as `offered`."""
    if accept in _ANY:
        return OBJECT
    for part in accept.split(","):
        media, *pairs = (piece.strip() for piece in part.split(";"))
        if media.lower() not in _ANY:
            continue
        wanted = dict(pair.partition("=")[::2] for pair in pairs)
        if "as" not in wanted:
            return OBJECT
        form, version = _FORMS.get(wanted["as"]), wanted.get("v", "")
        if form in offered and version in _VERSIONS.get(wanted.get("g", ""), ()):
            return Representation(form, version)
    raise NotAcceptable(
        "only the following media types are accepted: application/json"
        + "".join(f", application/json;as={form}" for form in offered)
    )
