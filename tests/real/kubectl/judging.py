"""Runs one case on both worlds side by side, and says where their answers differ.

A case is a file of commands, and a namespace with the file's name. A line is compared as it is:
output, errors and exit status. `- ` prepares: it must succeed on both worlds, and what it says does
not matter. `% ` compares the lines of the answer in alphabetical order.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.real.kubectl.normal import normal, unordered
from tests.real.kubectl.worlds import Said, World


def commands(case: Path) -> list[str]:
    """The lines of a case."""
    lines = map(str.strip, case.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def differences(ours: World, real: World, case: Path) -> Iterator[str]:
    """Every command whose answers differ, with how."""
    lines = commands(case)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(_answers, world, case.stem, lines) for world in (ours, real)]
        answers = [one.result() for one in both]
    for line, mine, theirs in zip(lines, *answers, strict=True):
        yield from _difference((ours, real), line, mine, theirs)


def _answers(world: World, space: str, lines: Sequence[str]) -> list[Said]:
    world.ask(f"kubectl create namespace {space}")
    within = world.within(space)
    # The account that controllers make in a new namespace.
    within.ask("kubectl wait --for=create sa/default cm/kube-root-ca.crt --timeout=10s")
    answers = [within.ask(line.removeprefix("- ").removeprefix("% ")) for line in lines]
    world.ask(f"kubectl delete namespace {space} --wait=false")
    return answers


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
        mine, other = map(_text, both)
        told = difflib.unified_diff(mine, other, names[0], names[1], n=2, lineterm="")
        yield f"$ {line}\n" + "\n".join(told)


def _text(said: Said) -> list[str]:
    err = [f"stderr: {line}" for line in said.err.splitlines()]
    return [f"exit status {said.status}", *said.out.splitlines(), *err]
