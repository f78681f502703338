"""A token bucket for asyncio: so many events a second, with a burst."""

import asyncio
from time import monotonic

from kubekit.errors import TooManyRequests


class RateLimiter:
    """Lets `rate` events a second pass, `burst` of them at once. In the order of arrival, without a task
    of its own.

    A rate of 0 lets everything pass.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = max(1, burst)
        self._tokens = float(self._burst)
        self._at = monotonic()

    def reserve(self) -> float:
        """Takes a token, and gives the seconds to wait until it is valid."""
        if self._rate <= 0:
            return 0.0
        self._refill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def take(self) -> bool:
        """Takes a token if one is there now. Gives whether."""
        if self.reserve() > 0:
            self._tokens += 1
            return False
        return True

    async def wait(self, longest: float) -> None:
        """Waits for a token; raises TooManyRequests at once when it takes over `longest` seconds."""
        if self._rate <= 0:
            return
        delay = self.reserve()
        if delay > longest:
            self._tokens += 1
            raise TooManyRequests(
                f"the own limit of {self._rate:g} requests/s to Kubernetes is used up for {delay:.1f} s; "
                "raise qps and burst, or ask less",
                429,
                "TooManyRequests",
                retry_after=delay,
            )
        if delay > 0:
            await asyncio.sleep(delay)

    def _refill(self) -> None:
        now = monotonic()
        self._tokens = min(float(self._burst), self._tokens + (now - self._at) * self._rate)
        self._at = now
