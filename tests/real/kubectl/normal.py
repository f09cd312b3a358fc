"""What two honest answers to one command may differ in, taken away: times, ids and addresses."""

from __future__ import annotations

import re

from oneco.worlds.apiserver.strategies import KEPT_ONLY
from tests.real.kubectl.worlds import Said

_AGE = r"(?:\d+y)?(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?"
_SAFE = "bcdfghjklmnpqrstvwxz2456789"
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE), replacement)
    for pattern, replacement in (
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uid>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", "<time>"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}", "<time>"),
        (r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "<time>"),
        (r"^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ \S+\]", "<log>"),
        # What client-go notes when time is up depends on where its watch is at that moment.
        (r"^<log> .* reflector=.*\n?", ""),
        (r'("?resourceVersion"?:) ?"?\d+"?', r"\1 <version>"),
        (r"(Resource Version:) +\d+", r"\1 <version>"),
        (r'("?uid"?:) ?"?<uid>"?', r"\1 <uid>"),
        (r"/tmp/[^\s\"']*(?:LIVE|MERGED)-\d+", "<folder>"),
        (r"/\S*\.kubeconfig", "<kubeconfig>"),
        # Said by ours alone, of kinds that it keeps without an effect.
        (rf"^Warning: \w+: {KEPT_ONLY}\n?", ""),
        (r"https://127\.0\.0\.1:\d+", "<server>"),
        (r"\b127\.0\.0\.1:\d+\b", "<server>"),
        (r"\b10\.\d+\.\d+\.\d+\b", "<ip>"),
        (r":3[0-2]\d{3}\b", ":<port>"),
        (r"(nodePort\"?: ?|NodePort: .* )3[0-2]\d{3}\b", r"\1<port>"),
        (r"\bnode-\d\b", "<node>"),
        (rf"(?<=-)[{_SAFE}]{{8,10}}(?=-[{_SAFE}]{{5}}\b)", "<hash>"),
        (rf"(?<=-)[{_SAFE}]{{9,10}}\b", "<hash>"),
        (rf"(?<=-)[{_SAFE}]{{5}}\b", "<id>"),
        (r"(pod-template-hash[=:] ?\"?)[0-9a-z]{6,10}\b", r"\1<hash>"),
        (r"(controller-revision-hash[=:] ?\"?)\S+", r"\1<hash>"),
    )
)
_DEEP = 18
"""As far in, a line goes on in a column, whose place depends on the width of the one before."""
_AGED = re.compile(rf"(?<![\w=.:/-])(?=\d){_AGE}(?![\w.%-])")


def normal(said: Said) -> Said:
    """The answer without what differs between two runs on one cluster."""
    return Said(said.status, _normal(said.out), _normal(said.err))


def unordered(said: Said) -> Said:
    """The answer with its lines in alphabetical order."""
    return Said(said.status, *(_sorted(text) for text in (said.out, said.err)))


def _sorted(text: str) -> str:
    return "\n".join(sorted(text.splitlines()))


def _normal(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    text = _AGED.sub(_aged, text)
    return "\n".join(map(_spaced, text.splitlines()))


def _aged(found: re.Match[str]) -> str:
    # A bare number is a number; only with its unit is it an age.
    return "<age>" if found.group() and not found.group().isdigit() else found.group()


def _spaced(line: str) -> str:
    """Columns are as wide as their widest cell, which may be an age: their widths say nothing."""
    body = line.lstrip(" ")
    return " " * min(len(line) - len(body), _DEEP) + re.sub(r" {2,}|\t+", "  ", body).rstrip()
