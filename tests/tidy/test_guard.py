"""The guard against changed objects has to catch one."""

from pathlib import Path

import pytest

from oneco.worlds.apiserver.memory import MemoryStore
from oneco.worlds.apiserver.store import Key

pytest_plugins = ("pytester",)


@pytest.mark.slow
def test_an_object_changed_after_it_was_stored_fails_its_test(pytester, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makeconftest("from tests.guards import nobody_changes_stored_objects\n")
    pytester.makepyfile(
        """
        from oneco.worlds.apiserver.memory import MemoryStore
        from oneco.worlds.apiserver.store import Key

        def test_changes():
            store = MemoryStore()
            for number in range(7):
                stored = store.commit(Key("/configmaps", "a", str(number)), {"metadata": {}}).after
            stored["data"] = {}
        """
    )
    pytester.runpytest_subprocess("-p", "no:xdist").assert_outcomes(passed=1, errors=1)


def test_a_store_stamps_its_own_value_and_leaves_the_one_given_alone():
    given = {"metadata": {"name": "a"}}
    MemoryStore().commit(Key("/configmaps", "a", "a"), given)
    assert given == {"metadata": {"name": "a"}}
