"""What workloads were: the replica sets of deployments, the controller revisions of the others."""

import re

from ks_apiserver.resources.access import Access
from ks_apiserver.resources.fields import owners
from ks_apiserver.resources.kinds import KINDS, OWNER
from ks_apiserver.resources.objects import Objects
from kubekit.cache import Cache
from kubekit.objects import annotations
from kubekit.resource import CONTROLLER_REVISIONS, REPLICA_SETS, Object
from servicekit.errors import BadRequest, NotFound
from servicekit.identity import Identity

_REVISION = "deployment.kubernetes.io/revision"


class Revisions:
    """Read from caches. Everything raises Forbidden unless the caller may get `revisions` of the workload."""

    def __init__(self, objects: Objects, access: Access) -> None:
        self._objects = objects
        self._access = access

    async def of_deployment(self, caller: Identity, namespace: str, name: str, revision: str) -> Object:
        """The ReplicaSet of a revision of the deployment. Raises NotFound."""
        workload = await self._workload(caller, "deployments", namespace, name)
        sets = await self._objects.plain(REPLICA_SETS, {OWNER: owners})
        for each in _owned(sets, workload, "Deployment"):
            if annotations(each).get(_REVISION) == revision:
                return each
        raise _missing(name, revision)

    async def of_controller(
        self, caller: Identity, resource: str, namespace: str, name: str, revision: str
    ) -> Object:
        """The ControllerRevision of a revision of a daemon set or stateful set. Raises NotFound.

        And BadRequest for what is no number, but only to a caller who may ask.
        """
        workload = await self._workload(caller, resource, namespace, name)
        number = _number(revision)
        kept = await self._objects.plain(CONTROLLER_REVISIONS, {OWNER: owners})
        for each in _owned(kept, workload, KINDS[resource].served[0].kind):
            if each["revision"] == number:
                return each
        raise _missing(name, revision)

    async def _workload(self, caller: Identity, resource: str, namespace: str, name: str) -> Object:
        self._access.require_reader(caller, resource, name, namespace, "revisions")
        kind = KINDS[resource]
        found = (await self._objects.cached(kind)).get(name, namespace)
        if found is None:
            raise NotFound(f'{kind.served[0].kind.lower()}.apps "{name}" not found')
        return found


def _owned(cache: Cache, owner: Object, kind: str) -> list[Object]:
    """The objects that this very owner owns, not one of that name before it."""
    metadata = owner["metadata"]
    found = cache.select(metadata["namespace"], index=(OWNER, f"{kind}/{metadata['name']}")).page().objects()
    return [
        each
        for each in found
        if any(of["uid"] == metadata["uid"] for of in each["metadata"]["ownerReferences"])
    ]


def _number(revision: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", revision):
        raise BadRequest(f"parameter revision: should be a whole number, not {revision[:64]!r}")
    return int(revision)


def _missing(name: str, revision: str) -> NotFound:
    return NotFound(f"revision not found {name}#{revision}")
