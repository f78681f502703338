"""Loads the fixtures that all tests share, marks the tests by what they need, and orders them."""

import pytest

pytest_plugins = ["harness.fixtures"]

_MARKS = {"kubernetes": "kubernetes", "kubernetes_node": "node", "platform": "kubernetes"}
"""What a test that uses a fixture, by whatever way, is marked with."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole platform come last: it keeps its node to the end, and a machine runs one."""
    for item in items:
        used = _MARKS.keys() & getattr(item, "fixturenames", ())
        for mark in {_MARKS[fixture] for fixture in used}:
            item.add_marker(mark)
    items.sort(key=lambda item: "platform" in getattr(item, "fixturenames", ()))
