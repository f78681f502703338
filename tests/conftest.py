"""Loads the fixtures that all tests share, marks the tests by what they need, and orders and groups them."""

import pytest

pytest_plugins = ["harness.fixtures"]

_MARKS = {"kubernetes": "kubernetes", "kubernetes_node": "node", "platform": "kubernetes"}
"""What a test that uses a fixture, by whatever way, is marked with."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks a test. Of several processes (`-n`), one runs all tests that need a node; those of each other
    file stay together.
    """
    used = _MARKS.keys() & getattr(item, "fixturenames", ())
    for mark in {_MARKS[fixture] for fixture in used}:
        item.add_marker(mark)
    item.add_marker(pytest.mark.xdist_group("node" if _needs_node(item) else item.path.as_posix()))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole platform come last: it keeps its node to the end, and a machine runs one."""
    items.sort(key=_uses_platform)


def _uses_platform(item: pytest.Item) -> bool:
    return "platform" in getattr(item, "fixturenames", ())


def _needs_node(item: pytest.Item) -> bool:
    return _uses_platform(item) or item.get_closest_marker("node") is not None
