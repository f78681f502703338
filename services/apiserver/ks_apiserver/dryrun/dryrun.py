"""Applies a manifest without effect, as the caller, and tells what would change."""

import asyncio
from typing import Any

from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.dryrun.difference import difference
from ks_apiserver.dryrun.manifest import documents
from ks_apiserver.resources.discovery import Discovery
from kubekit.cluster import Cluster, Impersonation
from kubekit.errors import NotFound
from kubekit.resource import Object, Resource
from servicekit.errors import BadRequest, ServiceError
from servicekit.identity import Identity

FIELD_MANAGER = "kubesphere"
_AT_ONCE = 8


class DryRun:
    """The cluster decides about each document: it is asked as the caller, with `dryRun=All`."""

    def __init__(self, cluster: Cluster, discovery: Discovery) -> None:
        self._cluster = cluster
        self._discovery = discovery

    async def of(self, caller: Identity, manifest: bytes, namespace: str) -> dict[str, Any]:
        """What applying each document would do; `namespace` is for those that name none.

        A document that the cluster would refuse says so in its `error`; the others are told all the same.
        Raises BadRequest for what is no manifest, Unavailable when the cluster does not answer.
        """
        found = await asyncio.to_thread(documents, manifest)
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(document: Object) -> dict[str, Any]:
            async with limit:
                return await self._one(caller, document, namespace)

        items = await asyncio.gather(*(one(document) for document in found))
        return {"items": items, "total_count": len(items)}

    async def _one(self, caller: Identity, document: Object, namespace: str) -> dict[str, Any]:
        metadata = document["metadata"]
        told = {"apiVersion": document["apiVersion"], "kind": document["kind"], "name": metadata["name"]}
        try:
            with translated():
                resource = await self._resource(document)
                if resource.namespaced:
                    metadata["namespace"] = metadata.get("namespace") or namespace
                    if not metadata["namespace"]:
                        raise BadRequest("metadata.namespace is missing")
                    told["namespace"] = metadata["namespace"]
                return {**told, **await self._tried(caller, resource, document)}
        except ServiceError as error:
            if error.status >= 500:
                raise
            return {**told, "error": {"message": error.message, "reason": error.reason}}

    async def _resource(self, document: Object) -> Resource:
        group, _, version = document["apiVersion"].rpartition("/")
        resource = await self._discovery.of_kind(group, version, document["kind"])
        if resource is None:
            raise BadRequest(f"the cluster does not serve {document['kind']} of {document['apiVersion']}")
        return resource

    async def _tried(self, caller: Identity, resource: Resource, document: Object) -> dict[str, Any]:
        as_user = Impersonation(caller.user, caller.groups)
        metadata = document["metadata"]
        before: Object | None = None
        try:
            before = await self._cluster.get(
                resource, metadata["name"], metadata.get("namespace"), as_user=as_user
            )
        except NotFound:
            pass  # it would be created
        after = await self._cluster.apply(
            resource, document, field_manager=FIELD_MANAGER, dry_run=True, as_user=as_user
        )
        if before is None:
            return {"action": "create", "changes": [], "result": _shown(after)}
        changes = list(difference(before, after))
        return {"action": "update" if changes else "none", "changes": changes, "result": _shown(after)}


def _shown(item: Object) -> Object:
    item["metadata"].pop("managedFields", None)
    return item
