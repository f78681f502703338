"""HTTP to a host that a caller named: resolved once, checked, and connected to at that very address."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from ks_apiserver.egress.config import EgressSection
from ks_apiserver.egress.rules import Rules

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_URL = 4096


class EgressError(Exception):
    """Nothing came of it. The text is for the caller: what a host inside the network did is not told."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host answered, after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Egress:
    """Asks hosts that callers name. One for the process: `max_connections` bounds all of them."""

    name = "egress"

    def __init__(self, config: EgressSection) -> None:
        self._config = config
        self._rules = Rules.of(config.allow, config.only_allowed)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Contacts nobody."""
        connector = aiohttp.TCPConnector(
            resolver=_CheckedResolver(self._rules),
            use_dns_cache=False,
            limit=self._config.max_connections,
            force_close=True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": "kubesphere", "Accept-Encoding": "identity"},
        )

    async def check(self) -> None:
        """There is nothing that could be down."""

    async def close(self) -> None:
        """Closes what is open."""
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer to a GET, redirects followed; each is checked as the first, and loses the credentials
        when it leads to another origin. Raises EgressError.
        """
        at = checked_url(url)
        sent = dict(headers or {})
        try:
            async with asyncio.timeout(self._config.timeout):
                for _ in range(self._config.max_redirects + 1):
                    answer = await self._once(at, sent)
                    target = answer.headers.get("Location") if answer.status in _REDIRECTS else None
                    if target is None:
                        return answer
                    at, sent = _redirected(at, target, sent)
        except (TimeoutError, OSError, aiohttp.ClientError, ValueError) as error:
            raise unreachable(at) from error
        raise EgressError(f"{at.host} redirects more than {self._config.max_redirects} times")

    async def _once(self, url: URL, headers: Mapping[str, str]) -> Answer:
        assert self._session is not None, "open() comes first"
        if not self._may_ask(url):
            raise unreachable(url)
        async with self._session.get(url, headers=headers, allow_redirects=False) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > self._config.max_answer:
                    raise EgressError(f"{url.host} answers more than {self._config.max_answer} bytes")
            return Answer(response.status, dict(response.headers), bytes(body))

    def _may_ask(self, url: URL) -> bool:
        """Of an address in the URL itself, which no resolver sees."""
        try:
            ip_address((url.host or "").partition("%")[0])
        except ValueError:
            return True
        return self._rules.allow(url.host or "", url.host or "", url.port or 0)


class _CheckedResolver(AbstractResolver):
    """Resolves a name to those of its addresses that may be reached; the connection takes one of these."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError where there is none."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        results = [
            ResolveResult(
                hostname=host,
                host=str(sockaddr[0]),
                port=port,
                family=each,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for each, _, protocol, _, sockaddr in found
            if self._rules.allow(host, str(sockaddr[0]), port)
        ]
        if not results:
            raise OSError(f"no address of {host} may be reached")
        return results

    async def close(self) -> None:
        """Nothing is held."""


def checked_url(text: str) -> URL:
    """A URL of http or https, without credentials. Raises EgressError."""
    if len(text) > _MAX_URL or not text.isprintable() or " " in text or "\\" in text:
        raise EgressError("the address is no URL")
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or not url.port:
        raise EgressError("the address must be a URL of http or https")
    if url.user is not None or url.password is not None:
        raise EgressError("the address must hold no user and no password")
    return url


def unreachable(url: URL) -> EgressError:
    """The same for a host that is not there, is silent, or may not be asked: nothing of a network is told."""
    return EgressError(
        f"{url.host} cannot be reached: it does not answer, or may not be asked (the setting egress.allow)"
    )


def _redirected(at: URL, target: str, headers: Mapping[str, str]) -> tuple[URL, dict[str, str]]:
    url = checked_url(str(at.join(URL(target))))
    if at.scheme == "https" and url.scheme != "https":
        raise EgressError(f"{at.host} redirects to a connection that is not encrypted")
    if url.origin() == at.origin():
        return url, dict(headers)
    return url, {name: value for name, value in headers.items() if name.lower() != "authorization"}
