"""Who may ask now, and who must wait."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from time import monotonic

from prometheus_client.core import CounterMetricFamily, Metric

from ks_apigateway.ratelimit.buckets import Buckets
from ks_apigateway.ratelimit.settings import By, Rate, RateLimitsSection, RouteRate
from servicekit.errors import TooManyRequests


class Limiter:
    """Counts requests. Every check raises TooManyRequests when one comes too early."""

    def __init__(self, settings: RateLimitsSection) -> None:
        self._capacity = settings.remembered
        self._users = self._buckets(settings.per_user)
        self._addresses = self._buckets(settings.per_address)
        self._routes: dict[str, Buckets] = {}
        self._refused: Counter[str] = Counter({"user": 0, "address": 0, "route": 0})

    def check_address(self, address: str) -> None:
        """Whether somebody at `address` may ask."""
        if self._addresses is not None:
            self._take(self._addresses, network_of(address), "address", "this address")

    def check_user(self, user: str) -> None:
        """Whether `user` may ask."""
        if self._users is not None:
            self._take(self._users, user, "user", "this user")

    def check_route(self, route: str, rate: RouteRate, user: str, address: str) -> None:
        """Whether anything may be asked of `route`; `user` is empty for somebody who did not sign in."""
        buckets = self._routes.get(route)
        if buckets is None:
            buckets = self._routes[route] = Buckets(rate, self._capacity)
        key = ""
        if rate.by is not By.ALL:
            key = f"u:{user}" if user and rate.by is By.USER else f"a:{network_of(address)}"
        self._take(buckets, key, "route", "you or others on this path")

    def forget_routes(self) -> None:
        """The routes have changed, and their rates perhaps with them."""
        self._routes.clear()

    def metrics(self) -> Iterator[Metric]:
        """Requests that were refused, by the limit that refused them."""
        family = CounterMetricFamily(
            "gateway_rate_limited", "Requests that came too early, by the limit.", labels=("limit",)
        )
        for limit, count in self._refused.items():
            family.add_metric((limit,), count)
        yield family

    def _buckets(self, rate: Rate | None) -> Buckets | None:
        return None if rate is None else Buckets(rate, self._capacity)

    def _take(self, buckets: Buckets, key: str, limit: str, whose: str) -> None:
        wait = buckets.take(key, monotonic())
        if wait:
            self._refused[limit] += 1
            raise TooManyRequests(f"too many requests from {whose}; try again later", retry_after=wait)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """`address`, or the network of 64 bits that an IPv6 address is in."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Address(int(parsed) >> 64 << 64))
