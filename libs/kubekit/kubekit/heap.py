"""Gives memory that a large list needed for a moment back to the system; glibc would keep it for later."""

import ctypes
from collections.abc import Callable
from typing import Any


def _malloc_trim() -> Callable[[int], Any] | None:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None  # another C library, which does as it sees fit


_TRIM = _malloc_trim()


def give_back() -> None:
    """Returns free heap to the system where the C library can."""
    if _TRIM is not None:
        _TRIM(0)
