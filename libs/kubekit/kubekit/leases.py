"""Leader election on a coordination.k8s.io Lease, so that one of several processes leads.

The protocol is client-go's (https://pkg.go.dev/k8s.io/client-go/tools/leaderelection): the holder renews,
and whoever has seen the lease unchanged for its whole duration takes it. Nobody compares clocks: a
candidate measures by its own clock since it last saw a change, and the holder measures from before it sent
its last successful renewal. As the holder stops leading `renew` seconds after that, and a candidate waits
`duration` > `renew` since it saw the result, two never lead at once. Every write carries the version that
was read, so of two candidates one meets a Conflict.
"""

import asyncio
import logging
import math
import os
import random
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import orjson

from kubekit import metrics
from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists, Conflict, KubernetesError, NotFound
from kubekit.resource import LEASES, Object

log = logging.getLogger(__name__)

Lead = Callable[[asyncio.Event], Awaitable[None]]
"""What the leader does. The event asks it to finish; being cancelled tells it that it leads no longer."""


class StillLeading(Exception):
    """What led did not end when cancelled, so another may lead beside it: end this process."""


def default_identity() -> str:
    """A name that no other process has: host, process and a random part."""
    return f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"


def now() -> float:
    """Seconds on a clock that also runs in suspend, so a resumed leader sees its time is up."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class LeaderElector:
    """Campaigns for a Lease, leads while it holds it, and campaigns again when it lost it. Times are in
    seconds.

    duration: how long others must see the lease unchanged before they take it.
    renew: how long the holder may fail to renew before it stops leading; less than `duration`.
    retry: between attempts to acquire or renew; less than `renew`.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        namespace: str,
        identity: str | None = None,
        duration: float = 15,
        renew: float = 10,
        retry: float = 2,
    ) -> None:
        if not 0 < retry < renew < duration:
            raise ValueError(f"need 0 < retry < renew < duration, got {retry:g}, {renew:g}, {duration:g}")
        self.identity = identity or default_identity()
        self.name, self.namespace = name, namespace
        self._cluster = cluster
        self._duration, self._renew, self._retry = duration, renew, retry
        self._held_until = 0.0
        self._seen: tuple[str, str] | None = None
        self._seen_at = self._seen_duration = 0.0
        self.holder = ""
        """Who held the lease when it was last read; "" when nobody did."""

    @property
    def is_leader(self) -> bool:
        """Whether this process may act as the leader at this very moment."""
        return now() < self._held_until

    async def run(self, lead: Lead, stop: asyncio.Event) -> None:
        """Runs `lead` whenever this process leads, until `stop` is set, `lead` returns, or it raises.

        On stop, `lead` is asked to finish, which it does still leading; then the lease is given up at
        once. Raises what `lead` raises, and StillLeading when it outlives the lease.
        """
        while not stop.is_set():
            if not await self._acquire(stop):
                return
            log.info("%s leads %s/%s", self.identity, self.namespace, self.name)
            metrics.LEADER.labels(self.name).set(1)
            try:
                if await self._lead(lead, stop):
                    return
            finally:
                metrics.LEADER.labels(self.name).set(0)
            log.warning("%s lost the lease %s/%s", self.identity, self.namespace, self.name)

    async def _lead(self, lead: Lead, stop: asyncio.Event) -> bool:
        """Leads once. Gives whether `lead` came to its end, rather than the lease."""
        leading = asyncio.ensure_future(lead(stop))
        renewing = asyncio.create_task(self._keep(), name=f"lease {self.name}")
        try:
            await asyncio.wait({leading, renewing}, return_when=asyncio.FIRST_COMPLETED)
            if not leading.done():
                return False
            leading.result()
            return True
        finally:
            ended = await self._end(leading)
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            if ended and self.is_leader:
                await self._release()
            self._held_until = 0.0
            if not ended:
                raise StillLeading(f"what led {self.namespace}/{self.name} does not end; end this process")

    async def _end(self, leading: "asyncio.Future[None]") -> bool:
        """Cancels what leads, and waits for as long as nobody else can lead. Gives whether it ended."""
        leading.cancel()
        margin = max(0.0, self._held_until - now()) + (self._duration - self._renew) / 2
        done, _ = await asyncio.wait({leading}, timeout=margin)
        return bool(done)

    async def _acquire(self, stop: asyncio.Event) -> bool:
        """Waits until the lease is ours. Gives False when `stop` is set first."""
        while not stop.is_set():
            if await self._attempt():
                return True
            try:
                async with asyncio.timeout(self._pause()):
                    await stop.wait()
            except TimeoutError:
                continue
        return False

    def _pause(self) -> float:
        """Seconds until a candidate looks again: twice as often as a holder renews, so that a lease that was
        given up is soon another's, and no later than the one that was seen expires.
        """
        # The jitter keeps candidates from colliding again and again.
        usual = self._retry / 2 * random.uniform(0.8, 1.2)  # noqa: S311
        expiry = self._seen_at + self._seen_duration - now()
        return min(usual, expiry + 0.01) if expiry > 0 else usual

    async def _keep(self) -> None:
        """Renews until that has failed for too long, or the lease is another's."""
        while self.is_leader:
            await asyncio.sleep(min(self._retry, max(0.0, self._held_until - now())))
            if not await self._attempt() and self.holder not in {"", self.identity}:
                return  # somebody else was made the holder, by hand perhaps

    async def _attempt(self) -> bool:
        """Tries once to take or renew the lease. Gives whether it is ours; failures are logged."""
        started = now()
        try:
            # Bounded well below `renew`, so that one lost answer does not cost the leadership.
            async with asyncio.timeout(max(self._renew / 3, self._retry)):
                if not await self._take():
                    return False
        except Conflict as error:
            log.debug("lease %s/%s changed meanwhile: %s", self.namespace, self.name, error)
            return False
        except (KubernetesError, TimeoutError) as error:
            log.warning("lease %s/%s: %s", self.namespace, self.name, error or "no answer in time")
            return False
        self._held_until = started + self._renew
        return True

    async def _take(self) -> bool:
        lease = await self._read()
        if lease is None:
            return await self._create()
        spec: Object = lease.get("spec") or {}
        self.holder = spec.get("holderIdentity") or ""
        if self.holder not in {"", self.identity} and not self._expired(lease, spec):
            return False
        taking = self.holder != self.identity
        transitions = int(spec.get("leaseTransitions") or 0) + taking
        await self._write(lease, self._spec(transitions, None if taking else spec.get("acquireTime")))
        self.holder = self.identity
        return True

    def _expired(self, lease: Object, spec: Object) -> bool:
        """Whether the lease has stayed as it is for its whole duration, by our clock."""
        seen = (lease["metadata"]["uid"], lease["metadata"]["resourceVersion"])
        if seen != self._seen:
            self._seen, self._seen_at = seen, now()
            self._seen_duration = float(spec.get("leaseDurationSeconds") or self._duration)
            return False
        return now() - self._seen_at > self._seen_duration

    def _spec(self, transitions: int, acquired: str | None) -> Object:
        at = _micro_time()
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": math.ceil(self._duration),
            "acquireTime": acquired or at,
            "renewTime": at,
            "leaseTransitions": transitions,
        }

    async def _release(self) -> None:
        """Gives the lease up, so that another need not wait for it to expire."""
        try:
            async with asyncio.timeout(self._retry):
                lease = await self._read()
                if lease is None or lease["spec"].get("holderIdentity") != self.identity:
                    return
                spec = {
                    **lease["spec"],
                    "holderIdentity": "",
                    "leaseDurationSeconds": 1,
                    "renewTime": _micro_time(),
                }
                await self._write(lease, spec)
                log.info("%s gave up the lease %s/%s", self.identity, self.namespace, self.name)
        except (KubernetesError, TimeoutError) as error:
            log.warning(
                "lease %s/%s was not given up, others wait for it to expire: %s",
                self.namespace,
                self.name,
                error,
            )

    async def _read(self) -> Object | None:
        path = LEASES.path(self.namespace, self.name)
        try:
            return orjson.loads(await self._cluster.request("GET", path, limited=False))
        except NotFound:
            return None

    async def _create(self) -> bool:
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": self._spec(0, None),
        }
        try:
            await self._cluster.request("POST", LEASES.path(self.namespace), body=body, limited=False)
        except AlreadyExists:
            return False
        self.holder = self.identity
        return True

    async def _write(self, lease: Object, spec: Object) -> None:
        path = LEASES.path(self.namespace, self.name)
        await self._cluster.request("PUT", path, body={**lease, "spec": spec}, limited=False)


def _micro_time() -> str:
    """Now, as metav1.MicroTime: RFC 3339 with microseconds, for people to read."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
