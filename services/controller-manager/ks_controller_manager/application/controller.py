"""Keeps the status of each Application as its components are, and makes it their owner where it asks so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ks_controller_manager.application import owners, status
from ks_controller_manager.application.components import Components, TooManyKinds
from ks_controller_manager.application.discovery import Discovery, kind_of
from ks_controller_manager.application.kinds import (
    APPLICATIONS,
    KIND_INDEX,
    Kind,
    kind_in,
    kind_keys,
    kinds,
    selector,
)
from ks_controller_manager.conditions import timestamp
from ks_controller_manager.selectors import UnknownOperator, matches
from kubekit.cache import Change
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome, RequeueAfter
from kubekit.errors import Conflict, Forbidden, KubernetesError
from kubekit.events import EventRecorder
from kubekit.objects import being_deleted, labels
from kubekit.resource import Object, Resource

_AGAIN = 30.0
"""Seconds until what went wrong, or a kind that is not served, is looked at again."""


@dataclass
class _Found:
    """What an Application consists of, and what could not be found out."""

    components: list[status.Component] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    incomplete: bool = False


class ApplicationController(Controller):
    """Applications; a change of any object of the kinds that they name, and that they select, wakes them."""

    name = "application-controller"
    reconciles = APPLICATIONS

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.cache[APPLICATIONS].add_index(KIND_INDEX, kind_keys)
        self._discovery = Discovery(cluster)
        self._components = Components(cluster, self._component_changed)
        self._events = EventRecorder(cluster, self.name)

    async def run(self, stop: asyncio.Event) -> None:
        unsubscribe = self._discovery.definitions.subscribe(self._definition_changed)
        try:
            await super().run(stop)
        finally:
            unsubscribe()
            if stop.is_set():  # else it leads no longer, or failed, and goes on later with what it knows
                await self._components.close()

    async def reconcile(self, key: Key) -> Outcome:
        await self._components.keep(self._is_named)
        application = self.cache[APPLICATIONS].get(key.name, key.namespace)
        if application is None or being_deleted(application):
            return DONE  # the garbage collector takes what it owned
        found = await self._find(application)
        if (application.get("spec") or {}).get("addOwnerRef") is True:
            await self._own(application, found)
        await self._say(application, found)
        return RequeueAfter(_AGAIN) if found.incomplete or found.problems else DONE

    async def _find(self, application: Object) -> _Found:
        found = _Found()
        for kind in kinds(application):
            try:
                resource = await self._discovery.resource(kind)
                if resource is None:
                    found.incomplete = True
                elif not resource.namespaced:
                    found.problems.append(f"{kind} is no kind of objects in a namespace")
                else:
                    found.components += await self._selected(application, kind, resource)
            except Forbidden as error:
                found.problems.append(
                    f"{kind} cannot be read: {error}; a ClusterRole with the label "
                    'kubesphere.io/application-components: "true" grants it'
                )
            except (KubernetesError, TooManyKinds, UnknownOperator) as error:
                found.problems.append(f"{kind} cannot be read: {error}")
        return found

    async def _selected(self, application: Object, kind: Kind, resource: Resource) -> list[status.Component]:
        wanted = selector(application)
        if wanted is None:
            return []
        cache = await self._components.cache(kind, resource)
        own = application["metadata"]["uid"]
        found = [
            (resource, one)
            for one in cache.all(application["metadata"]["namespace"])
            if matches(wanted, labels(one)) and one["metadata"]["uid"] != own
        ]
        return sorted(found, key=lambda component: component[1]["metadata"]["name"])

    async def _own(self, application: Object, found: _Found) -> None:
        for resource, component in found.components:
            patch = {} if being_deleted(component) else owners.patch(application, component)
            if not patch:
                continue
            try:
                await self.patch(resource, component, patch)
            except Conflict:
                raise
            except KubernetesError as error:
                found.problems.append(
                    f"{resource.kind} {component['metadata']['name']} cannot be owned: {error}"
                )

    async def _say(self, application: Object, found: _Found) -> None:
        patch = status.patch(application, found.components, found.problems, timestamp())
        if not patch:
            return
        await self.patch(APPLICATIONS, application, patch, subresource="status")
        await self._tell(application, found, patch)

    async def _tell(self, application: Object, found: _Found, patch: dict[str, Any]) -> None:
        turned = status.readiness_changed(application, patch)
        if turned is not None:
            ready = f"{patch['status'].get('componentsReady', '')} {turned['message']}".strip()
            await self._events.normal(application, turned["reason"], ready)
        for problem in found.problems:
            await self._events.warning(application, "ErrorSeen", problem)

    def _is_named(self, kind: Kind) -> bool:
        return bool(self.cache[APPLICATIONS].keys_by(KIND_INDEX, str(kind)))

    def _component_changed(self, kind: Kind, change: Change) -> None:
        namespace = change.key.namespace or ""
        self._wake(
            key
            for key in self.cache[APPLICATIONS].keys_by(KIND_INDEX, kind_in(namespace, kind))
            if self._concerns(key, change)
        )

    def _concerns(self, key: Key, change: Change) -> bool:
        application = self.cache[APPLICATIONS].get(key.name, key.namespace)
        wanted = selector(application) if application is not None else None
        if wanted is None:
            return False
        try:
            return any(matches(wanted, labels(obj)) for obj in (change.old, change.new) if obj is not None)
        except UnknownOperator:
            return False

    def _definition_changed(self, change: Change) -> None:
        self._wake(self._applications_of(change))

    def _applications_of(self, change: Change) -> Iterable[Key]:
        return self.cache[APPLICATIONS].keys_by(KIND_INDEX, str(kind_of(change.object)))
