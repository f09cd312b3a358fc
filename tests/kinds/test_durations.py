"""Durations as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.errors import Refused
from oneco.kinds import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("1h30m", 5400), ("2d", 172800), ("0", 0), ("1.5h", 5400)],
)
def test_a_duration_is_so_many_seconds(text, seconds):
    assert durations.parse(text, "spec.silence") == seconds


@pytest.mark.parametrize("found", ["10", 10, "-5"])
def test_a_bare_number_has_no_unit(found):
    with pytest.raises(Refused) as caught:
        durations.parse(found, "spec.silence")
    wanted = 'wanted a duration such as "10m"; a bare number has no unit'
    assert str(caught.value) == f'spec.silence: found "{found}", {wanted}'


@pytest.mark.parametrize("found", ["", "soon", "10 m", "m10", True, None, "10x", "1h-30m"])
def test_anything_else_is_refused(found):
    with pytest.raises(Refused, match='wanted a duration such as "10m"'):
        durations.parse(found, "spec.silence")


@given(st.integers(min_value=0, max_value=10**8))
def test_what_is_shown_is_read_again(seconds):
    assert durations.parse(durations.show(seconds), "") == seconds
