"""HTTP to the API server: sessions, TLS, limits, timeouts and errors. It knows no objects."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlencode

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from kubekit import metrics
from kubekit.config import ClusterConfig
from kubekit.credentials import Credentials
from kubekit.errors import InvalidName, KubernetesError, Unauthorized, Unreachable, error_of, error_of_answer
from kubekit.ratelimit import RateLimiter

log = logging.getLogger(__name__)

RETRY_STATUS = frozenset({429, 503})
"""Answers given before anything is done, so any method may be sent again after Retry-After."""

CLOSE_TIMEOUT = 2.0
"""Seconds that the closing of a WebSocket waits for the other side to agree."""

Params = Mapping[str, str] | Sequence[tuple[str, str]]
"""Of a query: pairs where a name comes more than once."""


@dataclass(frozen=True, slots=True)
class Impersonation:
    """As whom a request is made: the Impersonate-User and Impersonate-Group headers.

    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
    """

    user: str
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for value in (self.user, *self.groups):
            # The API server trims header values, and takes an empty one as "no impersonation": as ourselves.
            if not value or value != value.strip() or not value.isprintable():
                raise InvalidName(f"{value!r} is no valid user or group: empty, padded or unprintable")

    def headers(self) -> list[tuple[str, str]]:
        """The headers that say this."""
        return [("Impersonate-User", self.user), *(("Impersonate-Group", group) for group in self.groups)]


class Transport:
    """Sends requests to one API server. `open` needs a running loop and contacts nobody."""

    def __init__(self, credentials: Credentials, config: ClusterConfig) -> None:
        self.credentials = credentials
        self._config = config
        self._limiter = RateLimiter(config.qps, config.burst)
        self._requests = self._session(config.pool)
        self._streams = self._session(config.watches)

    def _session(self, connections: int) -> aiohttp.ClientSession:
        ssl_context = self.credentials.ssl_context
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=ssl_context or True, limit=connections),
            # The answers stay uncompressed: compressing lists costs both sides more time than the wire does.
            headers={"User-Agent": self._config.user_agent, "Accept-Encoding": "identity"},
            read_bufsize=256 * 1024,
            timeout=aiohttp.ClientTimeout(total=None, connect=self._config.connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Closes every connection."""
        await self._requests.close()
        await self._streams.close()

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        as_user: Impersonation | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  shared by the retries
        limited: bool = True,
    ) -> bytes:
        """The body of a successful answer. Retries what the server asks to. Raises KubernetesError.

        What is not `limited` does not wait for a connection behind what is, either.
        """
        session = self._requests if limited else self._streams
        within = timeout or self._config.timeout
        deadline = monotonic() + within
        if limited:
            await self._limiter.wait(within)
        while True:
            sent = self.credentials.headers()
            try:
                return await self._once(session, method, path, params, body, headers, as_user, deadline)
            except Unauthorized:
                if self.credentials.headers() == sent:
                    raise
                log.info("%s %s: sending again with the renewed credentials", method, path)
            except KubernetesError as error:
                delay = error.retry_after
                if error.status not in RETRY_STATUS or delay is None or monotonic() + delay >= deadline:
                    raise
                log.debug("%s %s: asked to wait %.1f s: %s", method, path, delay, error)
                await asyncio.sleep(delay)

    async def _once(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        as_user: Impersonation | None,
        deadline: float,
    ) -> bytes:
        left = max(0.001, deadline - monotonic())
        timeout = aiohttp.ClientTimeout(total=left, connect=min(left, self._config.connect_timeout))
        all_headers = self._headers(headers, as_user)
        async with self._answer(session, method, path, params, body, all_headers, timeout) as response:
            return await self._body(response)

    async def stream(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        as_user: Impersonation | None = None,
        opened: Callable[[], None] | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The lines of an endless answer, as they come, until the server ends it or stays silent."""
        rest = b""
        parts = self.chunks(path, params, as_user=as_user, opened=opened, idle=self._config.watch_idle)
        async with aclosing(parts):
            async for chunk in parts:
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield line
                if len(rest) > self._config.max_body:
                    raise KubernetesError(
                        f"{path}: a watch event is larger than {self._config.max_body} bytes"
                    )

    async def chunks(
        self,
        path: str,
        params: Params,
        *,
        headers: Mapping[str, str] | None = None,
        as_user: Impersonation | None = None,
        opened: Callable[[], None] | None = None,
        idle: float | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """An answer of any length in pieces, as they come; `idle` seconds of silence end it."""
        await self._limiter.wait(self._config.timeout)
        timeout = aiohttp.ClientTimeout(total=None, connect=self._config.connect_timeout, sock_read=idle)
        sent = self._headers(headers, as_user)
        async with self._answer(self._streams, "GET", path, params, None, sent, timeout) as response:
            if opened is not None:
                opened()
            try:
                async for chunk in response.content.iter_any():
                    yield chunk
            except aiohttp.SocketTimeoutError:
                log.debug("%s: silent for %.0f s, closing", path, idle or 0)

    @asynccontextmanager
    async def websocket(
        self,
        path: str,
        params: Params,
        *,
        protocols: Sequence[str],
        as_user: Impersonation | None = None,
    ) -> AsyncGenerator[aiohttp.ClientWebSocketResponse, None]:
        """A WebSocket, closed at the end; whoever reads it answers its pings. Raises KubernetesError."""
        await self._limiter.wait(self._config.timeout)
        url, headers = self._url(path, params), self._headers({"Accept": "*/*"}, as_user)
        started = monotonic()
        code = "<error>"
        try:
            async with asyncio.timeout(self._config.timeout):
                socket = await self._streams.ws_connect(
                    url,
                    protocols=protocols,
                    headers=headers,
                    autoping=False,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT),  # pyright: ignore[reportCallIssue]
                    proxy=self.credentials.proxy,
                    server_hostname=self.credentials.tls_server_name,
                )
            code = "101"
        except aiohttp.WSServerHandshakeError as error:
            code = str(error.status)
            if error.status == 401:
                await self.credentials.renew_refused()
            raise error_of(error.status, {}) from error
        except TimeoutError as error:
            within = f"within {self._config.timeout:.0f} s"
            raise Unreachable(f"{self.credentials.server} did not answer {path} {within}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self.credentials.server}: {error or type(error).__name__}") from error
        finally:
            metrics.REQUESTS.labels(code, "GET").inc()
            metrics.REQUEST_SECONDS.labels("GET").observe(monotonic() - started)
        try:
            yield socket
        finally:
            await socket.close()

    def _headers(self, headers: Mapping[str, str] | None, as_user: Impersonation | None) -> CIMultiDict[str]:
        merged = CIMultiDict(self.credentials.headers())
        merged.update({"Accept": "application/json"})
        merged.update(headers or {})
        for name, value in as_user.headers() if as_user else ():
            merged.add(name, value)
        return merged

    @asynccontextmanager
    async def _answer(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        params: Params | None,
        body: bytes | None,
        headers: CIMultiDict[str],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  limits of several kinds, not one
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        started = monotonic()
        code = "<error>"
        try:
            async with session.request(
                method,
                self._url(path, params),
                data=body,
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
                proxy=self.credentials.proxy,
                server_hostname=self.credentials.tls_server_name,
            ) as response:
                code = str(response.status)
                metrics.REQUEST_SECONDS.labels(method).observe(monotonic() - started)
                if response.status >= 300:
                    payload = await self._body(response)
                    if response.status == 401:
                        await self.credentials.renew_refused()
                    raise error_of_answer(response.status, payload, _retry_after(response))
                yield response
        except aiohttp.ConnectionTimeoutError as error:
            raise Unreachable(
                f"no connection to {self.credentials.server} within {timeout.connect or 0:.0f} s"
            ) from error
        except TimeoutError as error:
            raise Unreachable(
                f"{self.credentials.server} did not answer {method} {path} within {timeout.total or 0:.0f} s"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{self.credentials.server}: {error or type(error).__name__}") from error
        finally:
            metrics.REQUESTS.labels(code, method).inc()

    def _url(self, path: str, params: Params | None) -> URL:
        plain = path.startswith("/") and "//" not in path and not set(path) & set("?# ")
        if not plain or any(part in {".", ".."} for part in path.split("/")):
            raise InvalidName(
                f"{path!r} is no path of the Kubernetes API: it must be absolute, plain and quoted"
            )
        query = f"?{urlencode(params)}" if params else ""
        return URL(f"{self.credentials.server}{path}{query}", encoded=True)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > self._config.max_body:
                raise KubernetesError(
                    f"{response.url.path}: the answer is larger than {self._config.max_body} bytes"
                )
            chunks.append(chunk)
        return b"".join(chunks)


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """The Retry-After header in seconds; the API server sends no dates."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None
