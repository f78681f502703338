"""Rates: the section `gateway.rateLimits`, and `rateLimit` of a route."""

from enum import StrEnum
from math import ceil

from pydantic import Field

from servicekit.section import Section


class Rate(Section):
    """So many requests a second, and so many at once after a rest."""

    rate: float = Field(gt=0, le=1_000_000)
    """A second."""
    burst: int | None = Field(default=None, ge=1, le=1_000_000)
    """By default a second's worth."""

    @property
    def size(self) -> int:
        """Requests at once after a rest."""
        return self.burst or max(1, ceil(self.rate))


class By(StrEnum):
    """Whose requests are counted together."""

    USER = "user"
    """Those of one user; of somebody who did not sign in, those of the address."""
    ADDRESS = "address"
    ALL = "all"


class RouteRate(Rate):
    """The rate of one route."""

    by: By = By.USER


class RateLimitsSection(Section):
    """Limits over all routes; none where it is not set. Each process counts for itself."""

    per_user: Rate | None = None
    per_address: Rate | None = None
    """IPv6 addresses count by their network of 64 bits, which one client has as a whole."""
    remembered: int = Field(default=50_000, ge=1000, le=10_000_000)
    """Users, addresses and, on each route, whoever is counted there; who was quiet longest is forgotten."""
