"""A cluster: the verbs of its API, watches, and caches of its resources.

Credentials and TLS come from `kubernetes.aio`; objects stay decoded JSON (orjson), never the library's
typed models.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import TypedDict, Unpack

import orjson

from kubekit import credentials
from kubekit.cache import Cache, TrimFn, default_trim
from kubekit.config import ClusterConfig
from kubekit.errors import KubeconfigError, Unreachable
from kubekit.exec import PROTOCOLS, Exec, exec_params
from kubekit.informer import Informer
from kubekit.resource import PODS, Resource
from kubekit.store import IndexFn
from kubekit.transport import Impersonation, Transport
from kubekit.verbs import ObjectList, Verbs, given
from kubekit.watch import WatchEvent, parse_event

__all__ = ["Cluster", "ClusterConfig", "Impersonation", "ObjectList", "WatchEvent"]

CHECK_TIMEOUT = 5.0
"""Seconds that a health check waits for the server's version."""

RENEW_EVERY = 60.0
"""Seconds between looks at tokens; kubelets rotate them minutes before they expire."""

WATCH_SECONDS = (300, 600)
"""Watches ask to be ended after a random time in this range: so they spread over API servers."""


class Reading(TypedDict, total=False):
    """How an answer is read that lasts: as whom, and what is called once the server has accepted."""

    as_user: Impersonation
    opened: Callable[[], None]


class Cluster(Verbs):
    """One Kubernetes cluster, as whoever the configuration says we are.

    `open` reads the credentials and needs no server; after it, each verb raises Unreachable while there is
    none, and caches keep trying. Every verb takes `as_user` to act as somebody else (impersonation), so
    the cluster decides.
    """

    name = "kubernetes"

    def __init__(self, config: ClusterConfig | None = None) -> None:
        self.config = config or ClusterConfig()
        self._opened: Transport | None = None
        self._not_open_because = "await Cluster.open() first, and stop asking after close()"
        self._informers: dict[tuple[Resource, str | None, TrimFn], Informer] = {}
        self._required: set[Informer] = set()
        self._renewing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Reads the credentials and starts the caches asked for so far. Raises KubeconfigError."""
        if self._opened is not None:
            return
        try:
            self._opened = Transport(await credentials.load(self.config), self.config)
        except KubeconfigError as error:
            self._not_open_because = str(error)  # what others ask meanwhile fails for the same reason
            raise
        self._renewing = asyncio.create_task(self._keep_renewing(), name="kubernetes credentials")
        for informer in self._informers.values():
            informer.start()

    async def close(self) -> None:
        """Stops the caches and closes every connection."""
        if self._renewing is not None:
            self._renewing.cancel()
        for informer in self._informers.values():
            await informer.stop()
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    async def __aenter__(self) -> "Cluster":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def check(self) -> None:
        """Asks the server for its version, and each required cache whether it is in step. Raises the reason
        when not.

        A cache of an API that the cluster does not serve is no reason: it fills once the API appears.
        """
        await self._transport.send("GET", "/version", timeout=CHECK_TIMEOUT, limited=False)
        for informer in self._required:
            informer.cache.check()

    @property
    def server(self) -> str:
        """URL of the API server, without a trailing slash."""
        return self._transport.credentials.server

    @property
    def ssl_context(self) -> SSLContext | None:
        """TLS towards the server, with the client certificate if there is one; None for plain HTTP."""
        return self._transport.credentials.ssl_context

    @property
    def tls_server_name(self) -> str | None:
        """Whose certificate the server shows, where it is not that of the name in `server`."""
        return self._transport.credentials.tls_server_name

    def authorization(self) -> dict[str, str]:
        """The headers that authenticate us, as last renewed; none with a client certificate."""
        return self._transport.credentials.headers()

    async def renew(self) -> None:
        """Reads the credentials again: worth it when others who use them meet 401."""
        await self._transport.credentials.renew()

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
        """Any request: the body of its answer. `body` is bytes as they are, or encoded as JSON.

        `path` is absolute, without a query, its segments quoted (as Resource.path does). Raises
        InvalidName for one that is not, and KubernetesError for every answer that is no success.
        `limited=False` passes by the client's own rate limit: for what must not wait, as renewing a lease.
        """
        encoded = body if isinstance(body, bytes) or body is None else orjson.dumps(body)
        if encoded is not None:
            headers = {"Content-Type": "application/json", **(headers or {})}
        return await self._transport.send(
            method, path, params=params, body=encoded, headers=headers, as_user=as_user, limited=limited
        )

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str | None = None,
        field_selector: str | None = None,
        as_user: Impersonation | None = None,
        opened: Callable[[], None] | None = None,
    ) -> AsyncGenerator[WatchEvent, None]:
        """Changes after `resource_version`, bookmarks among them, until the server ends the watch (some
        minutes).

        Resume with the resource version of the last event. Raises Gone when that is too old: list again.
        `opened` is called once the server has accepted the watch, which may then stay silent for long.
        """
        params = given(
            watch="true",
            allowWatchBookmarks="true",
            resourceVersion=resource_version,
            timeoutSeconds=random.randint(*WATCH_SECONDS),  # noqa: S311  spreads load, guards nothing
            labelSelector=label_selector,
            fieldSelector=field_selector,
        )
        lines = self._transport.stream(resource.path(namespace), params, as_user=as_user, opened=opened)
        try:
            async for line in lines:
                yield parse_event(line)
        finally:
            await lines.aclose()

    @asynccontextmanager
    async def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        as_user: Impersonation | None,
    ) -> AsyncGenerator[Exec, None]:
        """A command in a container, with a terminal; its connection is closed at the end.

        Kubernetes before 1.35 asks for `get pods/exec` alone here: who means `create` asks for that first.
        """
        path, params = PODS.path(namespace, pod, "exec"), exec_params(container, command)
        async with self._transport.websocket(path, params, protocols=PROTOCOLS, as_user=as_user) as socket:
            yield Exec(socket)

    def logs(
        self, namespace: str, pod: str, params: Mapping[str, str], **more: Unpack[Reading]
    ) -> AsyncGenerator[bytes, None]:
        """What a container has written, in pieces as they come; `params` are those of `pods/log`."""
        path = PODS.path(namespace, pod, "log")
        return self._transport.chunks(path, params, headers={"Accept": "*/*"}, **more)

    def cache(
        self,
        resource: Resource,
        *,
        namespace: str | None = None,
        index: Mapping[str, IndexFn] | None = None,
        trim: TrimFn = default_trim,
        required: bool = True,
    ) -> Cache:
        """The cache of a resource, in one namespace or all. Everybody who asks for the same shares it.

        It fills in the background, from when the cluster is open; await `synced` before trusting what it
        lacks. `check` asks those that somebody requires: one that starts with a request, for that request,
        is none of them.
        """
        key = (resource, namespace, trim)
        informer = self._informers.get(key)
        if informer is None:
            cache = Cache(resource, namespace, trim)
            informer = self._informers[key] = Informer(self, cache, self.config.page_size)
        if required:
            self._required.add(informer)
        for name, fn in (index or {}).items():
            informer.cache.add_index(name, fn)
        if self._opened is not None:
            informer.start()
        return informer.cache

    def caches(self, resource: Resource) -> Sequence[Cache]:
        """Every cache of a resource that somebody asked for."""
        return [informer.cache for (of, _, _), informer in self._informers.items() if of == resource]

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            await self.renew()

    @property
    def _transport(self) -> Transport:
        if self._opened is None:
            raise Unreachable(f"the cluster is not open: {self._not_open_because}")
        return self._opened
