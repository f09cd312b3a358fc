"""A sped-up clock that goes on where it was, however often its process is killed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from oneco.clock import Instant
from oneco.worlds.clocks import Alarm, RealClock, ScaledClock

_FILE = "clock.json"


class _Anchor(msgspec.Struct, frozen=True):
    """At `real`, `shown` was the time, and from then on it ran `speed` times as fast."""

    real: float
    shown: float
    speed: float

    def at(self, real: Instant) -> Instant:
        return Instant(self.shown + (real - self.real) * self.speed)


def clock(data: Path, speed: float) -> Alarm:
    """The clock of the data directory, running at `speed` from now on.

    Only a clock that was ever sped up is written down: time must not run back when the process
    comes again, or what it had waited for would be waited for once more.
    """
    real = RealClock()
    path = data / _FILE
    anchor = msgspec.json.decode(path.read_bytes(), type=_Anchor) if path.exists() else None
    if anchor is None and speed == 1.0:
        return real
    now = real.now()
    shown = anchor.at(now) if anchor is not None else now
    if anchor is None or anchor.speed != speed:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(_Anchor(real=now, shown=shown, speed=speed)))
    return ScaledClock(speed, start=shown)


def shown(data: Path, real: Instant) -> Instant:
    """What the clock of the data directory shows at the real instant `real`."""
    path = data / _FILE
    if not path.exists():
        return real
    return msgspec.json.decode(path.read_bytes(), type=_Anchor).at(real)
