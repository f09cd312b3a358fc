"""How many pods each batch means."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from oneco.kinds.release import DEFAULT_BATCHES
from oneco.release import batches


def test_percentages_are_cumulative_and_rounded_up():
    assert batches.plan(["10%", "50%", "100%"], [15]) == ((2,), (8,), (15,))


def test_a_batch_updates_at_least_one_pod():
    assert batches.plan(["1%", "50%", "100%"], [4]) == ((1,), (2,), (4,))


def test_batches_that_come_to_the_same_numbers_are_one():
    assert batches.plan(DEFAULT_BATCHES, [3]) == ((1,), (2,), (3,))
    assert batches.plan(DEFAULT_BATCHES, [1]) == ((1,),)


def test_every_workload_is_divided_by_itself_and_all_advance_together():
    assert batches.plan(["10%", "100%"], [3, 40]) == ((1, 4), (3, 40))


def test_the_last_batch_is_everything_even_where_nobody_says_so():
    assert batches.plan(["25%"], [8]) == ((2,), (8,))
    assert batches.plan([], [8]) == ((8,),)


def test_a_batch_may_be_a_number_of_pods():
    assert batches.plan([1, 6, "100%"], [4]) == ((1,), (4,))


def test_what_was_updated_is_never_taken_back_where_numbers_and_shares_stand_mixed():
    assert batches.plan([6, "20%", "100%"], [10]) == ((6,), (10,))


def test_a_first_batch_of_nothing_updates_no_pod():
    assert batches.plan(["0%", "100%"], [5]) == ((0,), (5,))
    assert batches.plan([0, 2], [5]) == ((0,), (2,), (5,))


def test_a_workload_without_pods_needs_no_batch_of_its_own():
    assert batches.plan(["10%", "100%"], [0]) == ((0,),)
    assert batches.plan(["10%", "100%"], [0, 10]) == ((0, 1), (0, 10))


def test_without_a_workload_to_divide_there_is_one_batch():
    assert batches.plan(DEFAULT_BATCHES, []) == ((),)


def test_seven_percent_of_a_hundred_pods_are_seven():
    assert batches.plan(["7%"], [100]) == ((7,), (100,))


def test_fractions_of_a_percent_count():
    assert batches.plan(["0.5%"], [1000]) == ((5,), (1000,))


AMOUNTS = st.lists(
    st.one_of(st.integers(0, 500), st.integers(0, 100).map("{}%".format)), max_size=7
)


@given(AMOUNTS, st.lists(st.integers(0, 400), max_size=4))
def test_batches_only_ever_rise_to_everything_and_never_beyond(amounts, replicas):
    steps = batches.plan(amounts, replicas)
    assert steps[-1] == tuple(replicas)
    for before, after in itertools.pairwise(steps):
        assert all(one <= two for one, two in zip(before, after, strict=True))
        assert before != after
    for step in steps:
        assert all(0 <= one <= most for one, most in zip(step, replicas, strict=True))
