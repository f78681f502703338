"""Which shell a terminal begins with."""

from collections.abc import Sequence

KNOWN = frozenset(("bash", "sh", "ash", "dash", "zsh", "ksh", "fish"))
"""Shells that may be asked for by name; v2.1.1 knew the first two."""

_BEST = "exec $(command -v bash || command -v ash || echo sh)"

_DETECTION: Sequence[Sequence[str]] = (
    ("sh", "-c", _BEST),
    ("bash",),
    ("/busybox/sh",),
)
"""One command finds the best shell where there is any `sh`, and what was typed meanwhile reaches it. The
others are for images that have a shell, but not by that name."""

_MISSING = (
    "executable file not found",
    "no such file or directory",
    "not found in $path",
    "is a directory",
    "permission denied",
)
"""What container runtimes say, among other words, of a command that they cannot find."""
_NOT_FOUND = (126, 127)
"""Exit codes that runtimes give instead."""


def commands(wanted: str) -> Sequence[Sequence[str]]:
    """The commands to try, in this order, for the shell that was asked for by name; for another name or none,
    those that find one.
    """
    return ((wanted,),) if wanted in KNOWN else _DETECTION


def is_missing(failure: str, exit_code: int | None) -> bool:
    """Whether a command that printed nothing ended because the container has none of that name."""
    if exit_code is not None:
        return exit_code in _NOT_FOUND
    return any(words in failure.lower() for words in _MISSING)
