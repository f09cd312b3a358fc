"""Everything that is wrong with what a person wrote, said at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from oneco.errors import Refused

_SHOWN = 25


class Mistakes(Refused):
    """Several refusals in one; each keeps its path, what was found and what would be accepted."""

    def __init__(self, found: Sequence[Refused]) -> None:
        assert found, "nothing is wrong"
        first = found[0]
        super().__init__(first.where, found=first.found, wanted=first.wanted)
        self.all = tuple(found)
        lines = [str(one) for one in self.all[:_SHOWN]]
        if len(self.all) > _SHOWN:
            lines.append(f"and {len(self.all) - _SHOWN} more")
        self.args = ("\n".join(lines),)


def within(path: str, error: Refused) -> tuple[Refused, ...]:
    """The mistakes of `error`, whose paths are relative, as they stand below `path`."""
    every = error.all if isinstance(error, Mistakes) else (error,)
    return tuple(
        Refused(joined(path, one.where), found=one.found, wanted=one.wanted) for one in every
    )


def joined(path: str, rest: str) -> str:
    """`rest` below `path`, as people write paths."""
    if not path or not rest:
        return path or rest
    return path + rest if rest.startswith("[") else f"{path}.{rest}"


def one_of(names: Iterable[str], found: object = None) -> str:
    """Words for what would be accepted: all `names`, and the one that `found` is close to."""
    known = sorted(names)
    text = f"one of {', '.join(known)}" if len(known) > 1 else ", ".join(known) or "nothing"
    near = difflib.get_close_matches(str(found), known, 1, 0.7) if found is not None else []
    return f'{text}; did you mean "{near[0]}"?' if near else text
