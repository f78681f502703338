"""Deletes the file of each S2iBinary with it."""

from __future__ import annotations

from contextlib import suppress

from ks_controller_manager import conditions
from ks_controller_manager.config import S2iConfig
from ks_controller_manager.s2ibinary import binaries
from ks_controller_manager.s2ibinary.binaries import FILE_INDEX, FINALIZER, S2I_BINARIES
from ks_controller_manager.s2ibinary.store import BinaryStore, StoreError
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome, RequeueAfter
from kubekit.errors import NotFound
from kubekit.events import EventRecorder
from kubekit.finalizers import add_finalizer, remove_finalizer
from kubekit.objects import being_deleted
from kubekit.resource import Object


class S2iBinaryController(Controller):
    """S2iBinaries. None is kept for longer than the configuration says because its file cannot be deleted."""

    name = "s2ibinary-controller"
    reconciles = S2I_BINARIES

    def __init__(self, cluster: Cluster, store: BinaryStore, config: S2iConfig) -> None:
        super().__init__(cluster)
        self.cache[S2I_BINARIES].add_index(FILE_INDEX, binaries.file_of)
        self._store = store
        self._config = config
        self._events = EventRecorder(cluster, self.name)

    async def reconcile(self, key: Key) -> Outcome:
        binary = self.cache[S2I_BINARIES].get(key.name, key.namespace)
        if binary is None:
            return DONE
        if not being_deleted(binary):
            if self._store.configured:
                with suppress(NotFound):
                    await add_finalizer(self.cluster, S2I_BINARIES, binary, FINALIZER)
            return DONE
        if FINALIZER not in (binary["metadata"].get("finalizers") or []):
            return DONE
        return await self._end(binary)

    async def _end(self, binary: Object) -> Outcome:
        file = binaries.file_of(binary)
        if binaries.others(self.cache[S2I_BINARIES].by(FILE_INDEX, file), binary):
            text = f"the file {file} stays: another S2iBinary has the same"
            await self._events.normal(binary, "FileShared", text)
        elif not self._store.configured:
            text = f"the file {file} was not deleted: no object store is configured"
            await self._events.warning(binary, "FileLeftBehind", text)
        else:
            try:
                await self._store.delete(file)
            except StoreError as error:
                if await self._waits(binary, file, error):
                    return RequeueAfter(self._config.retry)
        await remove_finalizer(self.cluster, S2I_BINARIES, binary, FINALIZER)
        return DONE

    async def _waits(self, binary: Object, file: str, error: StoreError) -> bool:
        """Says why the file is still there; gives whether its binary is to wait for it any longer."""
        if binaries.ended_for(binary).total_seconds() > self._config.give_up:
            text = f"the file {file} was not deleted within {self._config.give_up:.0f} s: {error}"
            await self._events.warning(binary, "FileLeftBehind", text)
            return False
        text = f"The finalizer {FINALIZER} stays until the file {file} can be deleted: {error}"
        await self._events.warning(binary, "FileNotDeleted", text)
        now = conditions.timestamp()
        said = conditions.ready(binary, False, error.reason, text, now, has_subresource=False)
        await self.patch(S2I_BINARIES, binary, said)
        return True
