from __future__ import annotations

import pytest

from oneco.clock import Instant
from oneco.kube import ages

MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (2 * MINUTE, "2m"),
        (5 * MINUTE + 3, "5m3s"), (10 * MINUTE + 3, "10m"), (179 * MINUTE, "179m"),
        (3 * HOUR, "3h"), (7 * HOUR + 5 * MINUTE, "7h5m"), (8 * HOUR + 5 * MINUTE, "8h"),
        (47 * HOUR, "47h"), (2 * DAY, "2d"), (2 * DAY + 4 * HOUR, "2d4h"), (8 * DAY + HOUR, "8d"),
        (729 * DAY, "729d"), (730 * DAY, "2y"), (731 * DAY, "2y1d"), (3000 * DAY, "8y"),
    ],
)  # fmt: skip
def test_an_age_is_as_short_as_kubectl_shows_it(seconds, text):
    assert ages.of_seconds(seconds) == text


def test_the_age_of_no_instant_is_unknown():
    assert ages.since(None, Instant(0)) == "<unknown>"
    assert ages.since("yesterday", Instant(0)) == "<unknown>"
