"""The order in which components are delivered: those that others depend on first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneco.delivery.mistakes import Mistakes, one_of
from oneco.delivery.usage import ComponentUse
from oneco.errors import Refused


def order(components: Sequence[ComponentUse]) -> tuple[ComponentUse, ...]:
    """`components`, each after those that it depends on, otherwise in the order given.

    A component that is not there is no obstacle: an override may have taken it away.
    """
    left = {one.name: one for one in components}
    ordered: dict[str, ComponentUse] = {}
    while left:
        ready = [one for one in left.values() if all(name not in left for name in one.depends_on)]
        assert ready, "a cycle was not refused"
        # One at a time, so that a component comes as early as the order given allows.
        ordered[ready[0].name] = left.pop(ready[0].name)
    return tuple(ordered.values())


def check(components: Sequence[ComponentUse]) -> None:
    """Refuse dependencies on components that do not exist, and cycles."""
    by_name = {one.name: one for one in components}
    mistakes = [
        Refused(
            f"{one.path}.dependsOn[{position}]",
            found=name,
            wanted=f"the name of another component: {one_of(by_name.keys() - {one.name}, name)}",
        )
        for one in components
        for position, name in enumerate(one.depends_on)
        if name not in by_name
    ]
    cycle = _cycle(by_name)
    if cycle:
        path = f"{by_name[cycle[0]].path}.dependsOn"
        shown = " → ".join((*cycle, cycle[0]))
        wanted = "no circle: remove one of these dependencies"
        mistakes.append(Refused(path, found=shown, wanted=wanted))
    if mistakes:
        raise Mistakes(mistakes)


def _cycle(components: Mapping[str, ComponentUse]) -> tuple[str, ...]:
    """The names along one circle of dependencies, empty if there is none."""
    done: set[str] = set()
    for start in components:
        trail: dict[str, int] = {}
        stack = [iter((start,))]
        while stack:
            name = next(stack[-1], None)
            if name is None:
                stack.pop()
                if trail:
                    done.add(trail.popitem()[0])
            elif name in trail:
                return tuple(trail)[trail[name] :]
            elif name in components and name not in done:
                trail[name] = len(trail)
                stack.append(iter(components[name].depends_on))
    return ()
