"""Lets volumes grow that do so only while unmounted: stops their workloads, and starts them again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

from ks_controller_manager.config import VolumeExpansionConfig
from ks_controller_manager.volumeexpansion import claims, workloads
from ks_controller_manager.volumeexpansion.workloads import Record
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome, RequeueAfter
from kubekit.errors import NotFound
from kubekit.events import EventRecorder
from kubekit.objects import key_of
from kubekit.resource import (
    DEPLOYMENTS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    STORAGE_CLASSES,
    Object,
    Resource,
)

_CLASS_INDEX = "storage-class"
_WORKLOADS: dict[str, Resource] = {resource.kind: resource for resource in (DEPLOYMENTS, STATEFUL_SETS)}

_AGAIN = 60.0
"""Seconds until a claim is looked at again for which nothing can be stopped at present."""

_REMEMBERED = 1000
"""Claims of which it was said that nothing can be stopped for them; beyond, it may be said once more."""


class VolumeExpansionController(Controller):
    """Claims; their class wakes them, and so do the workloads that were stopped for them."""

    name = "volumeexpansion-controller"
    reconciles = PERSISTENT_VOLUME_CLAIMS

    def __init__(self, cluster: Cluster, config: VolumeExpansionConfig | None = None) -> None:
        self.watches = {
            **dict.fromkeys(_WORKLOADS.values(), _claims_waited_for),
            STORAGE_CLASSES: self._claims_of_class,
        }
        super().__init__(cluster)
        self._config = config or VolumeExpansionConfig()
        self.cache[PERSISTENT_VOLUME_CLAIMS].add_index(_CLASS_INDEX, claims.class_of)
        for resource in _WORKLOADS.values():
            self.cache[resource].add_index(workloads.STOPPED_INDEX, workloads.claims_waited_for)
        self._events = EventRecorder(cluster, self.name)
        self._told: set[tuple[str, str]] = set()

    async def reconcile(self, key: Key) -> Outcome:
        for resource in _WORKLOADS.values():
            stopped = self.cache[resource].by(
                workloads.STOPPED_INDEX, workloads.claim_key(key.namespace, key.name)
            )
            for workload in stopped:
                return await self._proceed(resource, workload)
        claim = self.cache[PERSISTENT_VOLUME_CLAIMS].get(key.name, key.namespace)
        if claim is None or not self._waits(claim):
            return DONE
        return await self._stop(claim)

    def _waits(self, claim: Object) -> bool:
        storage_class = self.cache[STORAGE_CLASSES].get(claims.class_of(claim))
        return (
            storage_class is not None
            and claims.grows_offline(storage_class, self._config.provisioners)
            and claims.waits(claim)
        )

    async def _stop(self, claim: Object) -> Outcome:
        """Stops what mounts the claim, if that is one workload."""
        name, namespace = claim["metadata"]["name"], claim["metadata"]["namespace"]
        pods = [pod for pod in await self._pods(namespace) if name in workloads.mounted(pod)]
        owners = {await self._owner(pod) for pod in pods}
        if len(owners) != 1:
            if owners:
                await self._cannot(claim, "pods of several workloads mount it: stop them to let it grow")
            return RequeueAfter(_AGAIN)  # what nothing mounts grows by itself
        kind, owner = owners.pop()
        if kind not in _WORKLOADS:
            await self._cannot(
                claim, f"a pod mounts it that no {' or '.join(_WORKLOADS)} has made: delete it to let it grow"
            )
            return RequeueAfter(_AGAIN)
        with suppress(NotFound):
            workload = await self.cluster.get(_WORKLOADS[kind], owner, namespace)
            if workloads.replicas(workload) > 0 and workloads.record_of(workload) is None:
                await self._patch(_WORKLOADS[kind], workload, workloads.stopped(workload, name, time.time()))
                text = f"stopped, with {workloads.replicas(workload)} replicas, for the claim {name} to grow"
                await self._events.normal(workload, "StoppedForExpansion", text)
                text = f"{kind} {owner} is stopped until the volume has {claims.requested(claim)}"
                await self._events.normal(claim, "ExpansionStarted", text)
        return RequeueAfter(self._config.poll)

    async def _proceed(self, resource: Resource, workload: Object) -> Outcome:
        """Starts a workload again that was stopped, once its claims have grown or will not grow."""
        record = workloads.record_of(workload)
        assert record is not None
        waiting = self._waiting(workload, record)
        interrupted = workloads.replicas(workload) > 0
        late = time.time() - record.since > self._config.deadline
        if not interrupted and not late and not await self._ready(waiting, workload["metadata"]["namespace"]):
            return RequeueAfter(self._config.poll)
        # First the claims: a workload that is still stopped is started by whoever comes next.
        for claim in waiting:
            await self._serve(claim, resource.kind, interrupted)
        with suppress(NotFound):
            await self._patch(resource, workload, workloads.started(workload, record))
            text = (
                "somebody started it before its volumes had grown"
                if interrupted
                else f"started again with {record.replicas} replicas"
            )
            await self._events.normal(workload, "StartedAfterExpansion", text)
        return DONE

    def _waiting(self, workload: Object, record: Record) -> list[Object]:
        namespace = workload["metadata"]["namespace"]
        cache = self.cache[PERSISTENT_VOLUME_CLAIMS]
        found = [cache.get(name, namespace) for name in workloads.claims_of(workload, record)]
        return [claim for claim in found if claim is not None and self._waits(claim)]

    async def _ready(self, waiting: list[Object], namespace: str) -> bool:
        if not all(claims.grown(claim) or claims.refused(claim) for claim in waiting):
            return False
        names = {claim["metadata"]["name"] for claim in waiting}
        return not any(names.intersection(workloads.mounted(pod)) for pod in await self._pods(namespace))

    async def _serve(self, claim: Object, kind: str, interrupted: bool) -> None:
        with suppress(NotFound):
            await self._patch(PERSISTENT_VOLUME_CLAIMS, claim, claims.served(claim))
            if claims.grown(claim):
                text = f"the volume has {claims.requested(claim)}; its {kind} is started again"
                await self._events.normal(claim, "ExpansionFinished", text)
            elif reason := claims.refused(claim):
                await self._events.warning(claim, "ExpansionRefused", reason)
            elif interrupted:
                await self._events.warning(claim, "ExpansionInterrupted", f"somebody started its {kind}")
            else:
                text = f"the volume did not grow within {self._config.deadline:.0f} s"
                await self._events.warning(claim, "ExpansionTimedOut", f"{text}; its {kind} is started again")

    async def _cannot(self, claim: Object, why: str) -> None:
        told = (claim["metadata"]["uid"], claims.requested(claim))
        if told in self._told:
            return
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told.add(told)
        await self._events.warning(
            claim, "ExpansionNotPossible", f"the volume grows unmounted only, and {why}"
        )

    async def _pods(self, namespace: str) -> list[Object]:
        listed = await self.cluster.list(PODS, namespace)
        return [pod for pod in listed.items if workloads.running(pod)]

    async def _owner(self, pod: Object) -> tuple[str, str]:
        kind, name = workloads.owner_of(pod)
        if kind != REPLICA_SETS.kind:
            return kind, name
        try:
            replica_set = await self.cluster.get(REPLICA_SETS, name, pod["metadata"]["namespace"])
        except NotFound:
            return "", ""
        return workloads.owner_of(replica_set)

    async def _patch(self, resource: Resource, obj: Object, patch: Object) -> None:
        metadata = obj["metadata"]
        await self.cluster.patch(
            resource, metadata["name"], patch, metadata["namespace"], field_manager=self.name
        )

    def _claims_of_class(self, storage_class: Object) -> Iterable[Key]:
        name = storage_class["metadata"]["name"]
        return self.cache[PERSISTENT_VOLUME_CLAIMS].keys_by(_CLASS_INDEX, name)


def _claims_waited_for(workload: Object) -> Iterable[Key]:
    record = workloads.record_of(workload)
    if record is not None:
        namespace = key_of(workload).namespace
        yield from (Key(namespace, claim) for claim in workloads.claims_of(workload, record))
