"""Runs one case on both worlds side by side, and says where their answers differ."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.real.kubectl.normal import normal, unordered
from tests.real.kubectl.worlds import Said, World


def commands(script: str) -> list[str]:
    """The lines of a case."""
    return [line.strip() for line in script.strip().splitlines() if line.strip()]


def space_of(name: str) -> str:
    """The namespace of a case."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def differences(worlds: Sequence[World], name: str, script: str) -> Iterator[str]:
    """Every command whose answers differ, with how."""
    space = space_of(name)
    lines = commands(script)
    with ThreadPoolExecutor(len(worlds)) as pool:
        for first, second in zip(*pool.map(lambda one: list(_answers(one, space, lines)), worlds)):
            yield from _difference(worlds, *first, second[1])


def _answers(world: World, space: str, lines: Sequence[str]) -> Iterator[tuple[str, Said]]:
    world.ask(f"kubectl create namespace {space}")
    within = world.within(space)
    # The account that controllers make in a new namespace.
    within.ask("kubectl wait --for=create sa/default cm/kube-root-ca.crt --timeout=10s")
    for line in lines:
        yield line, within.ask(line.removeprefix("- ").removeprefix("% "))
    world.ask(f"kubectl delete namespace {space} --wait=false")


def _difference(worlds: Sequence[World], line: str, ours: Said, theirs: Said) -> Iterator[str]:
    if line.startswith("- "):
        for world, said in zip(worlds, (ours, theirs), strict=True):
            if said.status != 0:
                yield f"$ {line}\nfailed on {world.name}: {said.out}{said.err}"
        return
    both = [normal(said) for said in (ours, theirs)]
    if line.startswith("% "):
        both = [unordered(said) for said in both]
    if both[0] != both[1]:
        names = [f"{line} ({world.name})" for world in worlds]
        texts = [_text(said) for said in both]
        told = difflib.unified_diff(*texts, *names, n=2, lineterm="")
        yield f"$ {line}\n" + "\n".join(told)


def _text(said: Said) -> list[str]:
    err = [f"stderr: {line}" for line in said.err.splitlines()]
    return [f"exit status {said.status}", *said.out.splitlines(), *err]
