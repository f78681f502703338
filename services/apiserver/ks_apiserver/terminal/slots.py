"""How many connections of a kind are open at once, of one user and of all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from servicekit.errors import Overloaded, TooManyRequests

RETRY_AFTER = 5.0
"""Seconds after which another try makes sense."""


class Slots:
    """`what` they are is told to whom is refused."""

    def __init__(self, what: str, per_user: int, total: int) -> None:
        self._what = what
        self._per_user = per_user
        self._total = total
        self._open: Counter[str] = Counter()

    @contextmanager
    def of(self, user: str) -> Iterator[None]:
        """One of the user's. Raises TooManyRequests when the user has no more, Overloaded when nobody has."""
        if self._open[user] >= self._per_user:
            raise TooManyRequests(
                f"you have {self._per_user} {self._what} open (terminal.maxSessionsPerUser); close one",
                retry_after=RETRY_AFTER,
            )
        if self._open.total() >= self._total:
            raise Overloaded(
                f"{self._total} {self._what} are open (terminal.maxSessions); try again later",
                retry_after=RETRY_AFTER,
            )
        self._open[user] += 1
        try:
            yield
        finally:
            self._open[user] -= 1
            if not self._open[user]:
                del self._open[user]
