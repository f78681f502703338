"""Every verb of the Kubernetes API on plain JSON objects, for whoever can send requests."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import orjson

from kubekit.objects import key_of
from kubekit.pages import RawPage
from kubekit.resource import Object, Resource
from kubekit.store import Key
from kubekit.transport import Impersonation

PATCH_TYPES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
JSON = "application/json"
APPLY = "application/apply-patch+yaml"
PatchType = Literal["merge", "json", "strategic"]
PAGE = 500
"""Objects of a list that are asked for at once."""


@dataclass(frozen=True, slots=True)
class ObjectList:
    """A list, or one page of it. `continue_` asks for the next page; empty at the end."""

    items: list[Object]
    resource_version: str
    continue_: str


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changes an object: `key` names it, or says where one is created.

    `content_type` tells the kinds of patches apart.
    """

    method: Literal["POST", "PUT", "PATCH", "DELETE"]
    resource: Resource
    key: Key
    body: Object | Sequence[Object]
    subresource: str | None = None
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    content_type: str = JSON
    as_user: Impersonation | None = None

    @property
    def path(self) -> str:
        """Where it goes. Raises InvalidName."""
        name = None if self.method == "POST" else self.key.name
        return self.resource.path(self.key.namespace, name, self.subresource)


class Verbs(ABC):
    """The verbs, for whoever can send requests. Each takes `as_user` to act as somebody else
    (impersonation), so the cluster decides.
    """

    @abstractmethod
    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        as_user: Impersonation | None = None,
        limited: bool = True,
    ) -> bytes:
        """Any request: the body of its answer. Raises KubernetesError for every answer that is no success."""

    async def write(self, write: Write) -> Object:
        """Sends a write; gives the object as stored, or what the server says of one that it deleted."""
        headers = {"Content-Type": write.content_type}
        return _decode(
            await self.request(
                write.method,
                write.path,
                params=write.params,
                body=write.body,
                headers=headers,
                as_user=write.as_user,
            )
        )

    async def get(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        subresource: str | None = None,
        as_user: Impersonation | None = None,
    ) -> Object:
        """One object. Raises NotFound."""
        path = resource.path(namespace, name, subresource)
        return _decode(await self.request("GET", path, as_user=as_user))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int | None = None,
        continue_: str | None = None,
        as_user: Impersonation | None = None,
    ) -> ObjectList:
        """The objects of a namespace or of all: `limit` of them, from `continue_` on. Raises Gone."""
        params = given(
            labelSelector=label_selector, fieldSelector=field_selector, limit=limit, **{"continue": continue_}
        )
        page = RawPage(await self.request("GET", resource.path(namespace), params=params, as_user=as_user))
        return ObjectList([*page.objects(resource)], page.resource_version, page.continue_)

    async def list_all(
        self, resource: Resource, namespace: str | None = None, *, label_selector: str | None = None
    ) -> AsyncGenerator[Object, None]:
        """Every object, as the server has it when asked, in pages. Raises what `list` does."""
        continue_: str | None = None
        while continue_ != "":
            page = await self.list(
                resource, namespace, label_selector=label_selector, limit=PAGE, continue_=continue_
            )
            for obj in page.items:
                yield obj
            continue_ = page.continue_ or ""

    async def list_page(
        self, resource: Resource, namespace: str | None = None, *, limit: int, continue_: str = ""
    ) -> RawPage:
        """One page of a list for a cache. Past the rate limit: pages follow one another, never pile up."""
        params = given(limit=limit, **{"continue": continue_})
        return RawPage(await self.request("GET", resource.path(namespace), params=params, limited=False))

    async def create(
        self,
        resource: Resource,
        body: Object,
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        as_user: Impersonation | None = None,
        field_manager: str | None = None,
    ) -> Object:
        """Creates an object, in `namespace` or its own; gives it as stored. Raises AlreadyExists."""
        metadata: Object = body.get("metadata") or {}
        key = Key(namespace or metadata.get("namespace"), metadata.get("name", ""))
        params = given(dryRun="All" if dry_run else None, fieldManager=field_manager)
        return await self.write(Write("POST", resource, key, body, params=params, as_user=as_user))

    async def update(
        self,
        resource: Resource,
        body: Object,
        *,
        subresource: str | None = None,
        as_user: Impersonation | None = None,
        field_manager: str | None = None,
    ) -> Object:
        """Replaces an object. Raises Conflict when it changed since its resourceVersion was read."""
        params = given(fieldManager=field_manager)
        return await self.write(
            Write("PUT", resource, key_of(body), body, subresource, params, as_user=as_user)
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        body: Object | Sequence[Object],
        namespace: str | None = None,
        *,
        patch_type: PatchType = "merge",
        subresource: str | None = None,
        as_user: Impersonation | None = None,
        field_manager: str | None = None,
    ) -> Object:
        """Changes parts of an object. `json` takes operations; `strategic` is for built-in kinds."""
        key, params = Key(namespace, name), given(fieldManager=field_manager)
        return await self.write(
            Write("PATCH", resource, key, body, subresource, params, PATCH_TYPES[patch_type], as_user)
        )

    async def apply(
        self,
        resource: Resource,
        body: Object,
        *,
        field_manager: str,
        force: bool = True,
        dry_run: bool = False,
        subresource: str | None = None,
        as_user: Impersonation | None = None,
    ) -> Object:
        """Creates or changes an object to hold what `body` says, by server-side apply.

        `force` takes fields over from other managers; without it their ownership raises Conflict.
        """
        params = given(
            fieldManager=field_manager, force="true" if force else None, dryRun="All" if dry_run else None
        )
        body = {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        return await self.write(
            Write("PATCH", resource, key_of(body), body, subresource, params, APPLY, as_user)
        )

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        propagation: Literal["Background", "Foreground", "Orphan"] = "Background",
        uid: str | None = None,
        as_user: Impersonation | None = None,
    ) -> None:
        """Deletes an object; with `uid`, only that very one (Conflict otherwise). Raises NotFound."""
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        await self.write(Write("DELETE", resource, Key(namespace, name), options, as_user=as_user))


def _decode(payload: bytes) -> Object:
    return cast("Object", orjson.loads(payload))


def given(**params: Any) -> dict[str, str]:
    """Those of the parameters of a query that say something."""
    return {name: str(value) for name, value in params.items() if value is not None and value != ""}
