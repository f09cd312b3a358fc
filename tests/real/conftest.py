"""Everything in this folder needs a real cluster; the fixtures stand in fixtures.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.fixtures import mark

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if HERE in item.path.parents:
            mark(item)
