"""The drains that this process has under way, and how far the drain of any node has come."""

import asyncio
import contextlib
from dataclasses import asdict
from typing import Any

from ks_apiserver.clients import permissions
from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.clients.permissions import acting_as
from ks_apiserver.operations import record
from ks_apiserver.operations.drain import Drain, pods_of
from ks_apiserver.operations.pods import to_evict, why_still_there
from ks_apiserver.operations.record import Record
from kubekit.cluster import Cluster
from kubekit.errors import Forbidden
from kubekit.resource import NODES, PODS, Object, Resource
from servicekit.errors import Overloaded
from servicekit.identity import Identity

BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True)
SHOWN = 50
"""Pods that are named in one answer, each with why it is still there."""


class Drains:
    """Bounded: so many at once in this process. A node is drained once at a time, in whatever process."""

    def __init__(self, cluster: Cluster, at_once: int, timeout: float, patience: float) -> None:
        """`timeout`: seconds that one may take; `patience`: that the request which starts it waits for it."""
        self._cluster = cluster
        self._at_once = at_once
        self._timeout = timeout
        self._patience = patience
        self._running: dict[str, asyncio.Task[None]] = {}
        self._beginning = asyncio.Lock()

    async def run(self) -> None:
        """Lasts as long as the service does; at its end, drains end and say so on their nodes."""
        try:
            await asyncio.Event().wait()
        finally:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def start(self, caller: Identity, node: str) -> Record:
        """Drains the node, or joins the drain that is under way; gives how far it came in a few seconds.

        Raises Forbidden where Kubernetes does not let the caller change the node or see its pods, NotFound,
        and Overloaded.
        """
        await permissions.require(self._cluster, caller, "patch", NODES, name=node)
        await permissions.require(self._cluster, caller, "list", PODS)
        async with self._beginning:
            if node not in self._running:
                elsewhere = record.of(await self._node(caller, node))
                if elsewhere is not None and elsewhere.is_running:
                    return elsewhere
                await self._begin(caller, node)
            under_way = self._running[node]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                await asyncio.wait((under_way,))
        return record.of(await self._node(caller, node)) or record.begun(caller.user)

    async def status(self, caller: Identity, node: str) -> dict[str, Any]:
        """How far the node's drain has come, and what keeps the pods that are left, as the caller sees them.

        Raises Forbidden where Kubernetes does not let the caller see the node and its pods, and NotFound.
        """
        await permissions.require(self._cluster, caller, "get", NODES, name=node)
        await permissions.require(self._cluster, caller, "list", PODS)
        found = await self._node(caller, node)
        with translated():
            left = to_evict(await pods_of(self._cluster, node, acting_as(caller)))
            reasons = [await self._told(pod, caller) for pod in left[:SHOWN]]
        last = record.of(found)
        return {
            "node": node,
            "unschedulable": bool(found["spec"].get("unschedulable")),
            "drain": None if last is None else asdict(last),
            "left": len(left),
            "pods": reasons,
        }

    async def _begin(self, caller: Identity, node: str) -> None:
        if len(self._running) >= self._at_once:
            raise Overloaded(
                f"{self._at_once} nodes are being drained (operations.maxDrains); try again later"
            )
        drain = Drain(self._cluster, node, acting_as(caller), self._timeout)
        with translated():
            await drain.cordon()
        task = self._running[node] = asyncio.create_task(drain.run(), name=f"drain of {node}")
        task.add_done_callback(lambda _: self._running.pop(node, None))

    async def _node(self, caller: Identity, node: str) -> Object:
        with translated():
            return await self._cluster.get(NODES, node, as_user=acting_as(caller))

    async def _told(self, pod: Object, caller: Identity) -> dict[str, str]:
        namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        try:
            budgets = (await self._cluster.list(BUDGETS, namespace, as_user=acting_as(caller))).items
        except Forbidden:
            budgets = []
        return {"namespace": namespace, "name": name, "reason": why_still_there(pod, budgets)}
