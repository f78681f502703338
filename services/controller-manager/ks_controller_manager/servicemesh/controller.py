"""The base of the controllers that give each Service of the mesh an object of Istio."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, ClassVar

from ks_controller_manager.exact import make_exact
from ks_controller_manager.servicemesh.components import COMPONENT_INDEX, component_in, component_key, in_mesh
from kubekit.apply import OwnedByAnother
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, Key, Outcome, RequeueAfter
from kubekit.errors import Conflict, KubernetesError
from kubekit.events import EventRecorder
from kubekit.objects import being_deleted, labels, owner_reference
from kubekit.resource import NAMESPACES, SERVICES, Object, Resource

log = logging.getLogger(__name__)

_ISTIO_AGAIN = 5
"""Seconds until Istio is looked for again that was taken away while this runs."""


class NotApplicable(Exception):
    """What is asked for the Service makes no sense; the text says to its user what to change."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class MeshController(Controller):
    """Services of the mesh. Subclasses say what they write, after which user's object, and how.

    writes: the resource of Istio, one object a Service.
    follows: the resource in which users say how, found by the component that its label `app` names.
    """

    reconciles = SERVICES
    writes: ClassVar[Resource]
    follows: ClassVar[Resource]

    def __init__(self, cluster: Cluster) -> None:
        self.owns = (self.writes,)
        self.watches = {**self.watches, self.follows: self._services_of, NAMESPACES: _nobody}
        super().__init__(cluster)
        for resource in (SERVICES, self.follows):
            self.cache[resource].add_index(COMPONENT_INDEX, component_key)
        self._events = EventRecorder(cluster, self.name)

    def wanted(self, service: Object) -> Object | None:
        """The object that the Service is to have; None while that cannot be said. Raises NotApplicable."""
        raise TypeError(f"{type(self).__name__} must define wanted()")

    async def reconcile(self, key: Key) -> Outcome:
        service = self.cache[SERVICES].get(key.name, key.namespace)
        if service is None or being_deleted(service) or not in_mesh(service) or self._ends(key):
            return DONE  # the garbage collector takes what it owned
        if not self.cache[self.writes].served:
            return RequeueAfter(_ISTIO_AGAIN)
        try:
            wanted = self._checked(service)
            if wanted is not None and await make_exact(self, self.writes, service, wanted, adopt=True):
                name = wanted["metadata"]["name"]
                text = f"{self.writes.kind} {name} is as versions and {self.follows.kind} ask for"
                await self._events.normal(service, f"{self.writes.kind}Written", text)
            await self._adopt(service)
        except NotApplicable as error:
            await self._events.warning(service, error.reason, str(error))
        except OwnedByAnother as error:
            await self._events.warning(service, "OwnedByAnother", str(error))
        except Conflict:
            raise
        except KubernetesError as error:
            await self._events.warning(service, f"FailedToWrite{self.writes.kind}", str(error))
            raise
        return DONE

    def followed(self, service: Object) -> Object | None:
        """What a user says of the Service's component. Raises NotApplicable where two say something."""
        found = [one for one in self._about(service) if not being_deleted(one)]
        if len(found) > 1:
            names = ", ".join(sorted(one["metadata"]["name"] for one in found))
            raise NotApplicable(
                f"Several{self.follows.kind}Objects",
                f"{self.follows.plural} {names} are all about one component: keep one of them",
            )
        return found[0] if found else None

    def _checked(self, service: Object) -> Object | None:
        """What is wanted. The schema of what users write leaves its template open, so it may be anything."""
        try:
            return self.wanted(service)
        except (AttributeError, KeyError, TypeError) as error:
            log.warning("%s: %s could not be read", self.name, self.follows.kind, exc_info=error)
            raise NotApplicable(
                f"Malformed{self.follows.kind}",
                f"the template of {self.follows.kind} has not the form of a {self.writes.kind}: {error!r}",
            ) from error

    async def _adopt(self, service: Object) -> None:
        """Has what is named after the Service end with it, as v2.1.1 deletes it then."""
        metadata = service["metadata"]
        found = self.cache[self.follows].get(metadata["name"], metadata["namespace"])
        if found is None or being_deleted(found):
            return
        await self.patch(self.follows, found, _with_owner(service, found))

    def _ends(self, key: Key) -> bool:
        """Whether the namespace is on its way out: the cluster lets nothing be made in it then."""
        namespace = self.cache[NAMESPACES].get(key.namespace or "")
        return namespace is not None and being_deleted(namespace)

    def _about(self, service: Object) -> list[Object]:
        value = component_key(service)
        return self.cache[self.follows].by(COMPONENT_INDEX, value) if value else []

    def _services_of(self, followed: Object) -> Iterable[Key]:
        """The Services of the component, and the one of the same name."""
        metadata = followed["metadata"]
        yield Key(metadata["namespace"], metadata["name"])
        component = labels(followed).get("app")
        if component:
            value = component_in(metadata["namespace"], component)
            yield from self.cache[SERVICES].keys_by(COMPONENT_INDEX, value)


def _nobody(_namespace: Object) -> Iterable[Key]:
    return ()


def _with_owner(service: Object, obj: Object) -> dict[str, Any]:
    metadata = obj["metadata"]
    owners = metadata.get("ownerReferences") or []
    if any(owner["uid"] == service["metadata"]["uid"] for owner in owners):
        return {}
    # A Service of the same name that is gone, and would take it along, is the owner no more.
    others = [one for one in owners if (one["kind"], one["name"]) != ("Service", service["metadata"]["name"])]
    reference = owner_reference(service, controller=False)
    return {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "ownerReferences": [*others, reference],
        }
    }
