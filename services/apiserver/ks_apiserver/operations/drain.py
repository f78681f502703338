"""Draining one node, as a caller: no new pods on it, and those that may move evicted."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from time import monotonic

from ks_apiserver.operations import record
from ks_apiserver.operations.pods import to_evict
from ks_apiserver.operations.record import Record
from kubekit.cluster import Cluster, Impersonation
from kubekit.errors import Conflict, Forbidden, KubernetesError, NotFound, TooManyRequests
from kubekit.objects import being_deleted
from kubekit.resource import NODES, PODS, Object

log = logging.getLogger(__name__)

PAGE = 500
LOOK_EVERY = 2.0
"""Seconds between looks at what is left."""
RETRY_EVERY = 5.0
"""Seconds after which an eviction that a budget refused is asked for again, as kubectl does."""
TELL_EVERY = 10.0
"""Seconds after which the record is written again although nothing has changed."""
AT_ONCE = 10
"""Evictions under way at the same time."""


async def pods_of(cluster: Cluster, node: str, as_user: Impersonation) -> list[Object]:
    """The pods of the node, as a caller who may list them sees them."""
    pods: list[Object] = []
    token: str | None = None
    while token != "":
        page = await cluster.list(
            PODS, field_selector=f"spec.nodeName={node}", limit=PAGE, continue_=token, as_user=as_user
        )
        pods += page.items
        token = page.continue_
    return pods


class Drain:
    """One drain under way: `cordon` first, then `run`."""

    def __init__(self, cluster: Cluster, node: str, as_user: Impersonation, timeout: float) -> None:
        self._cluster = cluster
        self._node = node
        self._as_user = as_user
        self._timeout = timeout
        self._tried: dict[str, float] = {}
        self._refused: dict[str, str] = {}
        self._told = 0.0
        self.record = record.begun(as_user.user)

    async def cordon(self) -> None:
        """Keeps new pods away. Raises Forbidden and NotFound."""
        await self._write(self.record, cordon=True)

    async def run(self) -> None:
        """Evicts until nothing is left to evict, or the time is up. Ends with the outcome in `record`."""
        try:
            outcome = await self._evict_all()
        except KubernetesError as error:
            outcome = replace(self.record, state="failed", message=error.message)
        except asyncio.CancelledError:
            await self._tell(replace(self.record, state="interrupted", message="the service was stopped"))
            raise
        await self._tell(outcome)

    async def _evict_all(self) -> Record:
        deadline = monotonic() + self._timeout
        while True:
            left = to_evict(await self._seen())
            await self._note(len(left))
            if not left:
                return replace(self.record, state="succeeded", message="")
            if monotonic() >= deadline:
                return self._given_up(left, f"not done within {self._timeout:g} s")
            if await self._is_schedulable():
                return replace(self.record, state="cancelled", message="the node was made schedulable again")
            await self._evict(left)
            if self._refused.keys() >= {_uid(pod) for pod in left}:
                return self._given_up(left, "what is left may not be evicted")
            await asyncio.sleep(LOOK_EVERY)

    async def _seen(self) -> list[Object]:
        return await pods_of(self._cluster, self._node, self._as_user)

    async def _is_schedulable(self) -> bool:
        node = await self._cluster.get(NODES, self._node, as_user=self._as_user)
        return not node["spec"].get("unschedulable")

    def _given_up(self, left: Iterable[Object], why: str) -> Record:
        reasons = Counter(self._refused[uid] for pod in left if (uid := _uid(pod)) in self._refused)
        told = "".join(f"; {count} refused: {reason}" for reason, count in reasons.most_common(3))
        return replace(self.record, state="failed", message=why + told)

    async def _evict(self, pods: Iterable[Object]) -> None:
        """Asks for the eviction of those that were not asked for just now."""
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(pod: Object) -> None:
            async with limit:
                await self._evict_one(pod)

        now = monotonic()
        due = [pod for pod in pods if not being_deleted(pod) and self._is_due(_uid(pod), now)]
        await asyncio.gather(*(one(pod) for pod in due))

    def _is_due(self, uid: str, now: float) -> bool:
        return uid not in self._refused and now - self._tried.get(uid, -RETRY_EVERY) >= RETRY_EVERY

    async def _evict_one(self, pod: Object) -> None:
        metadata = pod["metadata"]
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "deleteOptions": {"preconditions": {"uid": metadata["uid"]}},
        }
        path = PODS.path(metadata["namespace"], metadata["name"], "eviction")
        self._tried[metadata["uid"]] = monotonic()
        try:
            await self._cluster.request("POST", path, body=body, as_user=self._as_user)
        except (NotFound, Conflict, TooManyRequests):
            pass  # it has gone, or a budget does not let it go now
        except Forbidden:
            self._refused[metadata["uid"]] = f'User "{self._as_user.user}" cannot create pods/eviction'
        except KubernetesError as error:
            if error.status in (400, 422):
                self._refused[metadata["uid"]] = error.reason or "Invalid"
            log.info("evicting a pod of %s: %s", self._node, error.message)

    async def _note(self, left: int) -> None:
        """Writes down how many are left, where that has changed or nobody was told for a while."""
        total = max(self.record.total, left)
        changed = (total, left) != (self.record.total, self.record.left)
        if changed or monotonic() - self._told >= TELL_EVERY:
            await self._write(replace(self.record, total=total, left=left))

    async def _tell(self, outcome: Record) -> None:
        """Writes the outcome down; when it cannot be, it is known here."""
        try:
            await self._write(outcome)
        except KubernetesError as error:
            log.warning("how the drain of %s ended could not be written on it: %s", self._node, error)

    async def _write(self, new: Record, *, cordon: bool = False) -> None:
        self.record = replace(new, updated=record.now())
        self._told = monotonic()
        change = record.patch(self.record, {"unschedulable": True} if cordon else None)
        await self._cluster.patch(NODES, self._node, change, as_user=self._as_user)


def _uid(pod: Object) -> str:
    return pod["metadata"]["uid"]
