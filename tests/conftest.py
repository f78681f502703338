"""Loads the fixtures that all tests share, marks the tests by what they need, and orders and groups them."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["harness.fixtures"]

_MARKS = {"kubernetes": "kubernetes", "kubernetes_node": "node", "platform": "kubernetes"}
"""What a test that uses a fixture, by whatever way, is marked with."""
_NODE_FILES = (
    "tests/browser/",
    "tests/system/",
    "tests/contract/apiserver/test_running.py",
    "tests/contract/apiserver/test_terminal.py",
    "tests/tools/localkube/test_node.py",
)
"""Where the tests are that need a node: a machine runs one at a time."""


class ByFile(LoadScopeScheduling):
    """Of several processes (`-n`), one runs all tests that need a node; each other file's stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return "node" if nodeid.startswith(_NODE_FILES) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How tests are handed out."""
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the whole platform come last: it keeps its node to the end."""
    for item in items:
        used = _MARKS.keys() & getattr(item, "fixturenames", ())
        for mark in {_MARKS[fixture] for fixture in used}:
            item.add_marker(mark)
    items.sort(key=_uses_platform)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints what tests have measured on their way, and recorded by `record_property`."""
    reports: list[pytest.TestReport] = terminalreporter.getreports("passed")
    for name, figure in (figure for report in reports for figure in report.user_properties):
        terminalreporter.write_line(f"{name}: {figure}")


def _uses_platform(item: pytest.Item) -> bool:
    return "platform" in getattr(item, "fixturenames", ())
