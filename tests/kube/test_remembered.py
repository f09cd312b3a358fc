"""What was answered is remembered for as long as somebody can ask for it again."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from oneco.kube.remembered import Remembered

MANY = 5_000


def counting() -> tuple[Callable[..., Any], list[tuple[Any, ...]]]:
    """Makes answers, and notes what it was asked."""
    asked: list[tuple[Any, ...]] = []

    def make(*values: Any) -> Any:
        asked.append(values)
        return [len(asked)]

    return make, asked


def test_the_same_values_are_asked_about_once_and_equal_ones_again() -> None:
    make, asked = counting()
    memory: Remembered[Any] = Remembered()
    one, same = {"a": 1}, {"a": 1}
    assert memory.ask(make, one) is memory.ask(make, one)
    assert memory.ask(make, one) is not memory.ask(make, same)
    assert len(asked) == 2


def test_values_that_nobody_else_holds_are_let_go() -> None:
    memory: Remembered[Any] = Remembered(50_000)
    for number in range(MANY):
        memory.ask(dict, {"a": number})
    assert len(memory) < 600


def test_values_that_somebody_holds_keep_their_answers_however_many_pass_by() -> None:
    memory: Remembered[Any] = Remembered(50_000)
    make, asked = counting()
    kept = [{"a": number} for number in range(1_000)]
    answers = [memory.ask(make, one) for one in kept]
    for number in range(MANY):
        memory.ask(dict, {"b": number})
    before = len(asked)
    again = [memory.ask(make, one) for one in kept]
    assert all(one is other for one, other in zip(answers, again, strict=True))
    assert len(asked) == before
    assert len(memory) < 3_000


def test_never_more_are_remembered_than_was_said() -> None:
    memory: Remembered[Any] = Remembered(100)
    kept = [{"a": number} for number in range(MANY)]
    for one in kept:
        memory.ask(dict, one)
        assert len(memory) <= 100


@pytest.mark.parametrize("make", [lambda value: value, lambda value: [value]])
def test_an_answer_that_is_or_holds_its_value_does_not_keep_it_for_ever(make: Any) -> None:
    """One that merely holds it does, up to the bound: what holds the answer could ask again."""
    memory: Remembered[Any] = Remembered(300)
    for number in range(MANY):
        memory.ask(make, {"a": number})
        assert len(memory) <= 300


def test_answers_are_right_whatever_was_let_go_before() -> None:
    """Identities come back when values go: none may lead to another value's answer."""
    chance = random.Random(7)
    memory: Remembered[int] = Remembered(200)
    kept: list[dict[str, int]] = []
    for number in range(MANY):
        one = {"n": number}
        assert memory.ask(lambda value: value["n"], one) == number
        if chance.random() < 0.2:
            kept.append(one)
        if kept and chance.random() < 0.1:
            kept.pop(chance.randrange(len(kept)))
        if kept:
            old = chance.choice(kept)
            assert memory.ask(lambda value: value["n"], old) == old["n"]
