"""Brings a cluster to what a list of components says, and takes it away again.

Everything is applied server-side with the installer's own field manager, so a second run writes nothing and
what others set stays theirs. Every wait is bounded and names what it waited for.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

from ks_installer import workspaces
from ks_installer.catalogue import Component
from ks_installer.diagnosis import reason_of_workload
from ks_installer.discovery import Discovery
from ks_installer.errors import InstallerError, NotReady, Refused, UsageError
from ks_installer.objects import FIELD_MANAGER, Ref, belongs_to, holds_data, without_fields
from ks_installer.progress import Progress
from ks_installer.readiness import waiting_for
from ks_installer.secrets import completed
from ks_installer.sequence import in_turn
from ks_installer.state import APPLYING, FAILED, READY, REMOVING, Record, State
from kubekit.cluster import Cluster
from kubekit.errors import Forbidden, Invalid, KubernetesError, NotFound
from kubekit.resource import CRDS, WORKSPACES, Object, Resource

_POLL = 0.4
_REMOVAL_SECONDS = 180
_NUDGE_EVERY = 20
_NUDGE = "installer.kubesphere.io/waiting"
_WITH_DATA = {"PersistentVolumeClaim", "Secret"}
_WITH_PODS = {"Deployment", "StatefulSet", "DaemonSet", "Job"}

Keep = Callable[[str], Awaitable[frozenset[Ref]]]


async def _nothing(_: str) -> frozenset[Ref]:
    return frozenset()


class Engine:
    """One cluster, the record of what is installed in it, and the operations on both.

    `timeout` (seconds) replaces the timeout of each component when it is given.
    """

    def __init__(
        self, cluster: Cluster, state: State, progress: Progress, timeout: float | None = None
    ) -> None:
        self._cluster = cluster
        self._state = state
        self._progress = progress
        self._timeout = timeout
        self._discovery = Discovery(cluster)

    async def apply(self, components: Sequence[Component], *, only: str | None = None) -> None:
        """Applies `components`, each after what it depends on, and removes what is installed and not among
        them.

        `only` names the one component to apply; nothing else is touched then, and what it depends on has to
        be ready. Where components fail, those that do not depend on them are finished before it is raised:
        NotReady, Refused, or an ExceptionGroup of several.
        """
        if only is not None:
            await self._apply_component(self._alone(components, only))
            return
        by_name = {component.name: component for component in components}
        await self._remove_all([name for name in self._state.records if name not in by_name], self._data_of)
        self._progress.begin("installing", len(by_name))
        needs = {name: component.dependencies for name, component in by_name.items()}
        await in_turn(needs, lambda name: self._apply_component(by_name[name]))

    async def uninstall(self, keep: Keep = _nothing) -> None:
        """Removes everything that is installed but for what `keep` gives for each component, which it is
        asked right before."""
        await self._remove_all(list(self._state.records), keep)

    async def remove(self, name: str, keep: frozenset[Ref] = frozenset()) -> None:
        """Deletes what component `name` applied but for `keep`, gives back what it patched, and waits."""
        record = self._state.records[name]
        await self._state.put(name, Record(REMOVING, "", record.objects, record.patched, record.dependencies))
        try:
            async with asyncio.timeout(self._timeout or _REMOVAL_SECONDS):
                await self._release(name, record.patched_refs())
                await self._delete(name, [ref for ref in reversed(record.refs()) if ref not in keep])
        except TimeoutError as error:
            remains = await self._what_remains(ref for ref in record.refs() if ref not in keep)
            raise NotReady(f"{name}: {remains}") from error
        await self._state.forget(name)
        self._progress.done(name, "removed")

    async def _remove_all(self, names: Sequence[str], keep: Keep = _nothing) -> None:
        if not names:
            return
        self._progress.begin("removing", len(names))
        order = removal_order(self._state.records, set(names))
        records = self._state.records
        needs = {name: [other for other in names if name in records[other].dependencies] for name in order}

        async def one(name: str) -> None:
            await self.remove(name, await keep(name))

        await in_turn(needs, one)

    def _alone(self, components: Sequence[Component], only: str) -> Component:
        chosen = next((component for component in components if component.name == only), None)
        if chosen is None:
            raise UsageError(
                f"the profile has no component {only!r}; it has {', '.join(c.name for c in components)}"
            )
        for dependency in chosen.dependencies:
            record = self._state.records.get(dependency)
            if record is None or record.phase != READY:
                raise UsageError(f"{only} needs {dependency}, which is not ready; apply that first")
        return chosen

    async def _apply_component(self, component: Component) -> None:
        previous = self._state.records.get(component.name, Record(APPLYING))
        wanted = _record_of(READY, component)
        if previous != wanted:
            await self._state.put(component.name, _both(previous, wanted))
        try:
            await self._bring_up(component, previous)
        except (InstallerError, KubernetesError) as error:
            await self._state.put(component.name, _both(previous, wanted, FAILED, str(error)))
            self._progress.done(component.name, "failed")
            raise
        await self._state.put(component.name, wanted)
        self._progress.done(component.name, "ready")

    async def _bring_up(self, component: Component, previous: Record) -> None:
        pending: dict[Ref, str] = {}
        try:
            async with asyncio.timeout(self._timeout or component.timeout):
                for obj in component.manifests:
                    await self._apply_object(component.name, obj, pending)
                for obj in component.patches:
                    await self._patch_object(component.name, obj)
                await self._prune(component, previous)
                pending |= dict.fromkeys(component.health, "it is not there yet")
                await self._wait(component, pending)
        except TimeoutError as error:
            blocking = "; ".join(f"{ref.title}: {reason}" for ref, reason in pending.items())
            raise NotReady(
                f"{component.name} is not ready: {blocking or 'the cluster answered too slowly'}"
            ) from error

    async def _apply_object(self, component: str, obj: Object, pending: dict[Ref, str]) -> None:
        ref = Ref.of(obj)
        self._progress.step(component, f"applying {ref.title}")
        try:
            while (obstacle := await self._try_to_apply(obj)) is not None:
                pending[ref] = obstacle
                await asyncio.sleep(_POLL)
        except Invalid as error:
            raise Refused(f"{component}: the cluster refuses {ref.title}: {error.message}") from error
        pending[ref] = "it is applied"

    async def _try_to_apply(self, obj: Object) -> str | None:
        """Why the object cannot be applied yet; None once it is.

        Right after its definition is established, a kind may still be unknown to the server that answers. A
        quota that is used up may be raised while we wait.
        """
        resource = await self._discovery.resource_of(obj)
        if resource is None:
            return f"{obj['apiVersion']} {obj['kind']} is not served by the cluster"
        try:
            filled = await completed(self._cluster, obj)
            await self._cluster.apply(resource, filled, field_manager=FIELD_MANAGER)
        except NotFound as error:
            return error.message
        except Forbidden as error:
            if "exceeded quota" not in error.message:
                raise
            return error.message
        return None

    async def _patch_object(self, component: str, obj: Object) -> None:
        ref = Ref.of(obj)
        self._progress.step(component, f"patching {ref.title}")
        found = await self._live(ref)
        if found is not None:
            await self._cluster.apply(found[0], obj, field_manager=FIELD_MANAGER)

    async def _prune(self, component: Component, previous: Record) -> None:
        wanted = {Ref.of(obj) for obj in component.manifests}
        patched = {Ref.of(obj) for obj in component.patches}
        await self._release(component.name, [ref for ref in previous.patched_refs() if ref not in patched])
        data = await self._data_of(component.name)
        await self._delete(component.name, [r for r in previous.refs() if r not in wanted and r not in data])

    async def _data_of(self, component: str) -> frozenset[Ref]:
        """What of a component holds data: turning something off must not lose them."""
        kept: list[Ref] = []
        for ref in self._state.records[component].refs():
            if ref.kind in _WITH_DATA and (found := await self._live(ref)) and holds_data(found[1]):
                kept.append(ref)
        return frozenset(kept)

    async def _wait(self, component: Component, pending: dict[Ref, str]) -> None:
        while pending:
            for ref in list(pending):
                reason = await self._waiting_for(ref)
                if reason is None:
                    del pending[ref]
                else:
                    pending[ref] = reason
            if pending:
                ref, reason = next(iter(pending.items()))
                self._progress.step(component.name, f"waiting for {ref.title}: {reason}")
                await asyncio.sleep(_POLL)

    async def _waiting_for(self, ref: Ref) -> str | None:
        found = await self._live(ref)
        if found is None:
            return "it is not there"
        reason = waiting_for(found[1])
        return reason and (await reason_of_workload(self._cluster, found[1]) or reason)

    async def _release(self, component: str, refs: Iterable[Ref]) -> None:
        for ref in refs:
            found = await self._live(ref)
            if found is not None:
                self._progress.step(component, f"giving back {ref.title}")
                await self._cluster.apply(found[0], without_fields(ref), field_manager=FIELD_MANAGER)

    async def _delete(self, component: str, refs: Iterable[Ref]) -> None:
        """Deletes `refs` in their order, each only if its labels say that it is this component's.

        Waits for the end.
        """
        gone: list[Ref] = []
        for ref in refs:
            found = await self._live(ref)
            if found is None or not belongs_to(found[1], component):
                continue
            self._progress.step(component, f"deleting {ref.title}")
            await self._delete_one(found[0], ref)
            gone.append(ref)
        for ref in gone:
            await self._wait_for_the_end(component, ref)

    async def _wait_for_the_end(self, component: str, ref: Ref) -> None:
        for poll in itertools.count(1):
            found = await self._live(ref)
            if found is None:
                return
            self._progress.step(component, f"waiting for the end of {ref.title}")
            if ref.kind == CRDS.kind and poll % _NUDGE_EVERY == 0:
                # The API server tries to clean up what failed once only after pauses that double up to many
                # minutes; a change makes it try at once.
                nudge = {"metadata": {"annotations": {_NUDGE: str(poll)}}}
                with suppress(NotFound):
                    await self._cluster.patch(found[0], ref.name, nudge, ref.namespace or None)
            await asyncio.sleep(_POLL)

    async def _delete_one(self, resource: Resource, ref: Ref) -> None:
        if resource == WORKSPACES:
            await workspaces.release(self._cluster, ref.name)
            return
        # In the foreground a workload is there as long as its pods are, so the wait for it is one for them.
        propagation = "Foreground" if ref.kind in _WITH_PODS else "Background"
        with suppress(NotFound):
            await self._cluster.delete(resource, ref.name, ref.namespace or None, propagation=propagation)

    async def _what_remains(self, refs: Iterable[Ref]) -> str:
        remaining = [(ref, found[1]) for ref in refs if (found := await self._live(ref)) is not None]
        return "; ".join(f"{ref.title}: {waiting_for(obj) or 'it still exists'}" for ref, obj in remaining)

    async def _live(self, ref: Ref) -> tuple[Resource, Object] | None:
        """The resource and the live object.

        None where there is no such object, or nothing serves its kind.
        """
        resource = await self._discovery.resource(ref.api_version, ref.kind)
        if resource is None:
            return None
        try:
            return resource, await self._cluster.get(resource, ref.name, ref.namespace or None)
        except NotFound:
            return None


def removal_order(records: dict[str, Record], names: set[str]) -> list[str]:
    """`names` so that each comes before what it depends on; the latest installed go first otherwise."""
    order: list[str] = []
    remaining = [name for name in reversed(records) if name in names]
    while remaining:
        needed = {dependency for name in remaining for dependency in records[name].dependencies}
        free = [name for name in remaining if name not in needed] or remaining
        order += free
        remaining = [name for name in remaining if name not in free]
    return order


def _record_of(phase: str, component: Component) -> Record:
    return Record(
        phase=phase,
        objects=tuple(str(Ref.of(obj)) for obj in component.manifests),
        patched=tuple(str(Ref.of(obj)) for obj in component.patches),
        dependencies=component.dependencies,
    )


def _both(previous: Record, wanted: Record, phase: str = APPLYING, message: str = "") -> Record:
    return Record(
        phase=phase,
        message=message,
        objects=tuple(dict.fromkeys((*wanted.objects, *previous.objects))),
        patched=tuple(dict.fromkeys((*wanted.patched, *previous.patched))),
        dependencies=wanted.dependencies,
    )
