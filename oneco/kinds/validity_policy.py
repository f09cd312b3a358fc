"""What is wrong with a release policy: waves, batches, durations, checks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from oneco.kinds import ocm
from oneco.kinds.mistakes import duration, repeated
from oneco.kinds.release import CheckPolicy, LabelSelector, PolicySpec, WavePolicy
from oneco.kube import causes, selectors
from oneco.kube.errors import Cause
from oneco.kube.objects import Object

_percent = re.compile(r"(100(\.0+)?|\d{1,2}(\.\d+)?)%").fullmatch
_zero = re.compile(r"(0+[a-z]+)+").fullmatch
_WANTED_AMOUNT = 'a number such as 3 or a share from "0%" to "100%"'


def policy(spec: PolicySpec, where: str) -> list[Cause]:
    """What is wrong with a policy that stands at `where`."""
    found = batches(spec.batches, f"{where}.batches")
    for index, wave in enumerate(spec.waves):
        found += _wave(wave, f"{where}.waves[{index}]")
    found += repeated((f"{where}.waves[{i}].name", wave.name) for i, wave in enumerate(spec.waves))
    for field, text in (
        ("batchSilence", spec.batch_silence),
        ("waveSilence", spec.wave_silence),
        ("progressDeadline", spec.progress_deadline),
    ):
        found += duration(text, f"{where}.{field}")
    if _zero(spec.progress_deadline):
        wanted = 'wanted a time in which a batch can get ready, such as "10m"'
        place = f"{where}.progressDeadline"
        found.append(causes.invalid(place, spec.progress_deadline, wanted))
    found += _at_least_zero(spec.max_failures, f"{where}.maxFailures")
    found += selector(spec.application_selector, f"{where}.applicationSelector")
    for index, one in enumerate(spec.checks):
        found += check(one, f"{where}.checks[{index}]")
    return found + repeated(
        (f"{where}.checks[{i}].name", c.name) for i, c in enumerate(spec.checks)
    )


def batches(amounts: Sequence[str | int], where: str) -> list[Cause]:
    """What is wrong with batches: they rise, and the last one is everything."""
    found: list[Cause] = []
    # Numbers and shares cannot be compared before the workload is known, so each rises by itself.
    highest: dict[type, float] = {}
    for index, amount in enumerate(amounts):
        place = f"{where}[{index}]"
        value = _value(amount)
        if value is None:
            found.append(causes.invalid(place, amount, f"wanted {_WANTED_AMOUNT}"))
            continue
        before = highest.get(type(amount))
        if before is not None and value <= before:
            wanted = f"wanted more than {_shown(amount, before)}: batches are cumulative"
            found.append(causes.invalid(place, amount, wanted))
        highest[type(amount)] = max(value, before or 0.0)
    if amounts and not found and _share(amounts[-1]) != 100:
        place = f"{where}[{len(amounts) - 1}]"
        found.append(causes.invalid(place, amounts[-1], 'wanted "100%" as the last batch'))
    return found


def check(one: CheckPolicy, where: str) -> list[Cause]:
    """What is wrong with a check that stands at `where`."""
    found = [] if one.name else [causes.required(f"{where}.name", "a name for people")]
    if not one.metric:
        found.append(causes.required(f"{where}.metric", 'the name of a metric such as "errors"'))
    if one.max_increase < 0:
        wanted = "wanted 0 or more; 0.5 allows half as much again"
        found.append(causes.invalid(f"{where}.maxIncrease", one.max_increase, wanted))
    return found


def environment(name: str, where: str) -> list[Cause]:
    """Whether `name` looks like a misspelt environment; names of one's own are welcome."""
    known = ocm.ENVIRONMENTS
    if not name or name in known or name.startswith(known):
        return []
    near = difflib.get_close_matches(name, known, 1, 0.8)
    if not near:
        return []
    wanted = f'wanted "{near[0]}", or a name less like it; known are {", ".join(known)}'
    return [causes.invalid(where, name, wanted)]


def selector(one: LabelSelector | None, where: str) -> list[Cause]:
    """What is wrong with a label selector that stands at `where`."""
    if one is None:
        return []
    said: Object = {
        "matchLabels": one.match_labels,
        "matchExpressions": one.match_expressions,
    }
    return selectors.validate(said, where)


def _wave(wave: WavePolicy, where: str) -> list[Cause]:
    found = duration(wave.silence, f"{where}.silence")
    found += _at_least_zero(wave.max_concurrency, f"{where}.maxConcurrency")
    value = _value(wave.up_to)
    if value is None or value == 0:
        wanted = 'wanted a number of clusters from 1 or a share such as "10%"'
        found.append(causes.invalid(f"{where}.upTo", wave.up_to, wanted))
    for index, name in enumerate(wave.environments):
        found += environment(name, f"{where}.environments[{index}]")
    return found + selector(wave.cluster_selector, f"{where}.clusterSelector")


def _at_least_zero(number: int, where: str) -> list[Cause]:
    return [] if number >= 0 else [causes.invalid(where, number, "wanted 0 or more")]


def _value(amount: str | int) -> float | None:
    if isinstance(amount, int):
        return float(amount) if amount >= 0 else None
    return float(amount.rstrip("%")) if _percent(amount) else None


def _share(amount: str | int) -> float | None:
    return None if isinstance(amount, int) else _value(amount)


def _shown(amount: str | int, value: float) -> str:
    return f"{value:g}" if isinstance(amount, int) else f'"{value:g}%"'
