"""These tests read the whole tree, which grows: the limits of a unit test are not theirs."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each take its time."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
