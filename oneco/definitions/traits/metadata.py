"""`labels` and `annotations`: on the workload and on the pods that it makes."""

from __future__ import annotations

from collections.abc import Callable

from oneco.delivery.ports import Context, Definition, Rendered
from oneco.kube.objects import Object, dig, put

_ANNOTATED = (("spec", "jobTemplate"), ("spec", "jobTemplate", "spec", "template"))


def _render_labels(
    parameters: dict[str, str | None], context: Context, workload: Object
) -> Rendered:
    return Rendered(_set(workload, "labels", parameters, ()))


def _render_annotations(
    parameters: dict[str, str | None], context: Context, workload: Object
) -> Rendered:
    return Rendered(_set(workload, "annotations", parameters, _ANNOTATED))


def _set(
    workload: Object,
    field: str,
    values: dict[str, str | None],
    more_places: tuple[tuple[str, ...], ...],
) -> Object:
    # KubeVela's API server drops a null before the trait sees it: what the component says stays.
    given = {key: value for key, value in values.items() if value is not None}
    places = ((), ("spec", "template"), *more_places)
    for place in places:
        if dig(workload, *place) is not None:
            path = (*place, "metadata", field)
            workload = put(workload, path, {**dig(workload, *path, default={}), **given})
    return workload


def _definition(name: str, render: Callable[..., Rendered]) -> Definition:
    return Definition(
        name=name,
        family="trait",
        description=f"{name.capitalize()} on the workload and its pods.",
        parameters=dict[str, str | None],
        render=render,
    )


LABELS = _definition("labels", _render_labels)
ANNOTATIONS = _definition("annotations", _render_annotations)
