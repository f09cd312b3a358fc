"""Quantities as Kubernetes reads and writes them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneco.kube import quantity

SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "e-3"]
texts = st.builds(
    lambda whole, part, suffix: f"{whole}.{part}{suffix}" if part else f"{whole}{suffix}",
    st.integers(0, 999_999),
    st.one_of(st.none(), st.integers(0, 999)),
    st.sampled_from(SUFFIXES),
)


# Each pair was asked of a kube-apiserver.
@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("0.1", "100m"), ("1024Mi", "1Gi"), ("1.5", "1500m"), ("2e3", "2e3"), ("1000", "1k"),
        ("1000m", "1"), ("0.5Gi", "512Mi"), ("1.5Gi", "1536Mi"), ("100Ki", "100Ki"),
        ("12345678", "12345678"), ("0m", "0"), ("1e-3", "1e-3"), ("1023Ki", "1023Ki"),
        (".5", "500m"), ("0.1Ki", "102400m"), ("1000k", "1M"), ("10e2", "1e3"),
        ("1.25e3", "1250"), ("129e6", "129e6"), ("2048", "2048"), ("0.9Mi", "943718400m"),
        ("2000m", "2"), (0.25, "250m"), (4, "4"),
    ],
)  # fmt: skip
def test_a_quantity_is_stored_as_the_server_stores_it(written, stored):
    assert quantity.canonical(written) == stored


@pytest.mark.parametrize("text", ["", "1 Gi", "1GiB", "one", "1K", "--1", "1e", "0x10", "1..5"])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="is not a quantity"):
        quantity.parse(text)


def test_quantities_compare_by_value():
    assert quantity.compare("1Gi", "1G") == 1
    assert quantity.compare("100m", "0.1") == 0
    assert quantity.compare("999Mi", "1Gi") == -1


def test_a_sum_keeps_the_format_of_its_first_part():
    assert quantity.total(["512Mi", "512Mi"]) == "1Gi"
    assert quantity.total(["100m", "0.4"]) == "500m"


def test_a_fraction_finer_than_a_billionth_is_rounded_away_from_zero():
    assert quantity.parse("0.1n") == Fraction(1, 10**9)


@given(texts)
def test_writing_a_quantity_keeps_its_value_and_is_final(text):
    canonical = quantity.canonical(text)
    assert quantity.parse(canonical) == quantity.parse(text)
    assert quantity.canonical(canonical) == canonical
