"""Runs the administrator's programs that a node is made with."""

import subprocess

from localkube.errors import NodeRefused
from localkube.packages import program

_WITHIN = 60


def run(name: str, *arguments: str, text: str | None = None) -> str:
    """Run `name` and give what it prints; raises NodeRefused with its own words when it fails."""
    result = attempt(name, *arguments, text=text)
    if result.returncode:
        raise NodeRefused(
            f"{name} {' '.join(arguments)} failed: {result.stderr.strip() or result.stdout.strip()}"
        )
    return result.stdout


def attempt(name: str, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `name` and give the result, good or bad: for what may well be gone already."""
    return subprocess.run(
        [program(name), *arguments], input=text, capture_output=True, text=True, timeout=_WITHIN, check=False
    )
