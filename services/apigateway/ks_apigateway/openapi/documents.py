"""The services' documents, fetched when somebody asks, and kept for a while."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any

import aiohttp
import orjson

from ks_apigateway.openapi.merge import Document, merge
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError

FRESH = 60.0
"""Seconds for which what was fetched is good."""
AGAIN = 5.0
"""Seconds until a service that gave nothing is asked again."""
TIMEOUT = 5.0
MAX_BYTES = 16 * 1024 * 1024

Fetch = Callable[[], Awaitable[Document]]


class NoDocument(Exception):
    """A service gave no document; the text says why."""


class _Source:
    """The document of one service: the last one that it gave."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lock = asyncio.Lock()
        self._asked = -FRESH
        self.document: Document | None = None
        self.problem = ""

    async def refresh(self) -> None:
        """Fetches it anew if it is due. What is wrong is noted in `problem`."""
        async with self._lock:
            good_for = AGAIN if self.problem else FRESH
            if monotonic() - self._asked < good_for:
                return
            try:
                async with asyncio.timeout(TIMEOUT):
                    self.document, self.problem = await self._fetch(), ""
            except TimeoutError:
                self.problem = f"no answer within {TIMEOUT:g} s"
            except (NoDocument, KubernetesError) as error:
                self.problem = str(error)
            self._asked = monotonic()


class Documents:
    """What is at /openapi/v3. One service that is down takes nothing from the others."""

    def __init__(
        self, own: Callable[[], Document], addresses: Mapping[str, str], cluster: Cluster, version: str
    ) -> None:
        """`own` makes the gateway's document, in a thread; `addresses` are those of the services by name."""
        self._sources = {
            "ks-apigateway": _Source(lambda: asyncio.to_thread(own)),
            **{name: _Source(_fetcher(address)) for name, address in addresses.items()},
        }
        self._kubernetes = _Source(lambda: _discovery(cluster))
        self._version = version

    async def platform(self) -> bytes:
        """All services of the platform as one document."""
        await asyncio.gather(*(source.refresh() for source in self._sources.values()))
        found = {
            name: source.document for name, source in self._sources.items() if source.document is not None
        }
        problems = {name: source.problem for name, source in self._sources.items() if source.document is None}
        return orjson.dumps(merge(found, problems, self._version))

    async def discovery(self) -> bytes:
        """What documents there are, in Kubernetes' form: its own, and `kapis` for the platform."""
        _, platform = await asyncio.gather(self._kubernetes.refresh(), self.platform())
        kubernetes = (self._kubernetes.document or {}).get("paths") or {}
        content_hash = hashlib.sha256(platform).hexdigest()[:32].upper()
        own = {"kapis": {"serverRelativeURL": f"/openapi/v3/kapis?hash={content_hash}"}}
        return orjson.dumps({"paths": {**kubernetes, **own}})


def _fetcher(address: str) -> Fetch:
    async def fetch() -> Document:
        try:
            async with (
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.get(f"{address.rstrip('/')}/openapi/v3", allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    raise NoDocument(f"it answered {answer.status}")
                body = await answer.content.read(MAX_BYTES + 1)
                while not answer.content.at_eof() and len(body) <= MAX_BYTES:
                    body += await answer.content.read(MAX_BYTES + 1 - len(body))
        except (aiohttp.ClientError, OSError) as error:
            raise NoDocument(str(error) or type(error).__name__) from error
        return _decoded(body)

    return fetch


def _decoded(body: bytes) -> Document:
    try:
        found: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if len(body) > MAX_BYTES or not isinstance(found, dict) or not isinstance(found.get("paths"), dict):
        raise NoDocument("it answered what is no OpenAPI document")
    return found


async def _discovery(cluster: Cluster) -> Document:
    return _decoded(await cluster.request("GET", "/openapi/v3"))
