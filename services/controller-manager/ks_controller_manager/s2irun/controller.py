"""Deletes the S2iBinary of each S2iRun with it, and those that were never uploaded."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from ks_controller_manager.s2ibinary import binaries
from ks_controller_manager.s2ibinary.binaries import BINARY_INDEX, FINALIZER, S2I_BINARIES, S2I_RUNS
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome
from kubekit.errors import KubernetesError, NotFound
from kubekit.events import EventRecorder
from kubekit.finalizers import add_finalizer, remove_finalizer
from kubekit.objects import being_deleted
from kubekit.resource import Object


class S2iRunController(Controller):
    """S2iRuns; their status is for the operator that runs them to say."""

    name = "s2irun-controller"
    reconciles = S2I_RUNS

    def __init__(self, cluster: Cluster) -> None:
        self.watches = {S2I_BINARIES: _nobody}
        super().__init__(cluster)
        self.cache[S2I_RUNS].add_index(BINARY_INDEX, binaries.binary_key)
        self._events = EventRecorder(cluster, self.name)

    async def reconcile(self, key: Key) -> Outcome:
        run = self.cache[S2I_RUNS].get(key.name, key.namespace)
        if run is None:
            return DONE
        if being_deleted(run):
            if FINALIZER in (run["metadata"].get("finalizers") or []):
                await self._end(run)
        elif binaries.binary_of(run):
            with suppress(NotFound):
                await add_finalizer(self.cluster, S2I_RUNS, run, FINALIZER)
        return DONE

    async def _end(self, run: Object) -> None:
        try:
            await self._delete_binaries(run)
        except KubernetesError as error:
            text = f"The finalizer {FINALIZER} stays until its S2iBinary can be deleted: {error}"
            await self._events.warning(run, "BinaryNotDeleted", text)
            raise
        await remove_finalizer(self.cluster, S2I_RUNS, run, FINALIZER)

    async def _delete_binaries(self, run: Object) -> None:
        """The one that the run is of, unless another run is too, and what was abandoned in the namespace."""
        namespace, now = run["metadata"]["namespace"], datetime.now(UTC)
        for binary in self.cache[S2I_BINARIES].all(namespace):
            name = binary["metadata"]["name"]
            found = self.cache[S2I_RUNS].by(BINARY_INDEX, binaries.key_in(namespace, name))
            runs = binaries.others(found, run)
            is_its_own = name == binaries.binary_of(run) and not runs and not being_deleted(binary)
            if is_its_own or binaries.abandoned(binary, runs, now):
                why = "its last S2iRun ends" if is_its_own else "it was never uploaded, and is a day old"
                with suppress(NotFound):
                    uid = binary["metadata"]["uid"]
                    await self.cluster.delete(S2I_BINARIES, name, namespace, uid=uid)
                    await self._events.normal(binary, "Deleted", f"deleted, as {why}")


def _nobody(_binary: Object) -> Iterable[Key]:
    return ()
