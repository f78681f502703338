"""Loads the fixtures that all tests share, and puts the tests in an order in which their servers fit."""

import pytest

pytest_plugins = ["harness.fixtures"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole platform come last: it keeps its node to the end, and a machine runs one."""
    items.sort(key=lambda item: "platform" in getattr(item, "fixturenames", ()))
