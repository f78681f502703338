"""Which resources the cluster serves, those of CustomResourceDefinitions included, by the name in a path."""

import asyncio
import re
from collections.abc import Iterator
from time import monotonic
from typing import Any

import orjson

from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError, NotFound
from kubekit.resource import Resource

FRESH = 10.0
"""Seconds for which what is not served is taken as not served."""
_AT_ONCE = 8
_MAX_GROUPS = 500
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9.-]{1,253})?")

_GROUP = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_VERSION = re.compile(r"[a-z0-9]{1,63}")


class Discovery:
    """Asks when a name is looked for that it does not know, at most every FRESH seconds."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[str, Resource] = {}
        self._kinds: dict[tuple[str, str, str], Resource] = {}
        self._asked: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, name: str) -> Resource | None:
        """The resource `plural`, of the first group that has one, or `plural.group`; it can be listed.

        Raises KubernetesError.
        """
        if not _NAME.fullmatch(name):
            return None
        if name not in self._known:
            async with self._lock:
                if self._asked is None or monotonic() - self._asked > FRESH:
                    self._known = await self._discover()
                    self._asked = monotonic()
        return self._known.get(name)

    async def of_kind(self, group: str, version: str, kind: str) -> Resource | None:
        """The resource whose objects say that they are of this version and kind. Raises KubernetesError."""
        if not _VERSION.fullmatch(version) or (group and not _GROUP.fullmatch(group)):
            return None
        found = self._kinds.get((group, version, kind))
        if found is None:
            for each in await self._served(group, version):
                self._kinds[group, version, each.kind] = each
            found = self._kinds.get((group, version, kind))
        return found

    async def _discover(self) -> dict[str, Resource]:
        groups = orjson.loads(await self._cluster.request("GET", "/apis")).get("groups") or []
        places = [("", "v1"), *(_preferred(group) for group in groups[:_MAX_GROUPS])]
        limit = asyncio.Semaphore(_AT_ONCE)

        async def served(group: str, version: str) -> list[Resource]:
            async with limit:
                return await self._served(group, version)

        known: dict[str, Resource] = {}
        for found in await asyncio.gather(*(served(*place) for place in places)):
            for each in found:
                known.setdefault(each.plural, each)
                known[f"{each.plural}.{each.group}"] = each
        return known

    async def _served(self, group: str, version: str) -> list[Resource]:
        """Of one version of a group; none of one whose server does not answer for now."""
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            answer = orjson.loads(await self._cluster.request("GET", path))
        except NotFound:
            return []
        except KubernetesError as error:
            if error.status in (500, 502, 503, 504):
                return []
            raise
        return list(_listable(answer, group, version))


def _preferred(group: dict[str, Any]) -> tuple[str, str]:
    return group["name"], group["preferredVersion"]["version"]


def _listable(answer: dict[str, Any], group: str, version: str) -> Iterator[Resource]:
    for each in answer.get("resources") or ():
        if "list" in (each.get("verbs") or ()) and "/" not in each["name"]:
            yield Resource(group, version, each["name"], each["kind"], bool(each["namespaced"]))
