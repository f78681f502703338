"""Token buckets by key, in one number each.

A bucket is kept as the time at which it will be full again (the generic cell rate algorithm, ITU-T I.371):
taking a token moves that time on by what a token takes to come back.
"""

from ks_apigateway.ratelimit.settings import Rate


class Buckets:
    """As many buckets of one rate as there are keys, up to `capacity`."""

    def __init__(self, rate: Rate, capacity: int) -> None:
        self._interval = 1 / rate.rate
        self._tolerance = (rate.size - 1) * self._interval
        self._capacity = capacity
        self._full_at: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now: float) -> float:
        """Takes a token of `key` at the time `now` (seconds). 0 when there was one, else the seconds until
        there is.
        """
        full_at = self._full_at.pop(key, now)
        if full_at < now:
            full_at = now
        wait = full_at - now - self._tolerance
        if wait > 1e-9:
            self._full_at[key] = full_at
            return wait
        if len(self._full_at) >= self._capacity:
            del self._full_at[next(iter(self._full_at))]
        self._full_at[key] = full_at + self._interval
        return 0.0
