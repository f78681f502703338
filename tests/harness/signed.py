"""A client of one service alone, in the place of the gateway: it signs who asks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from servicekit.identity import IDENTITY_HEADER, Identity, IdentitySigner, anonymous


@dataclass(frozen=True)
class Reply:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def message(self) -> str:
        """The `message` of an error."""
        return self.json["message"]


class SignedClient:
    """Sends requests to `base_url` on behalf of `identity`; without one, as somebody who is not signed in."""

    def __init__(
        self,
        base_url: str,
        secret: str,
        identity: Identity | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        self.identity = identity or anonymous("192.0.2.1")
        self.base_url = base_url
        self._signer = IdentitySigner(secret.encode())
        self._secret = secret
        self._session = session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))

    def acting_as(self, user: str, *groups: str, address: str = "192.0.2.1") -> "SignedClient":
        """A client of the same service for another user, perhaps at another address."""
        return SignedClient(self.base_url, self._secret, Identity(user, groups, address), self._session)

    def at(self, address: str) -> "SignedClient":
        """A client of the same service for somebody at `address` who is not signed in."""
        return SignedClient(self.base_url, self._secret, anonymous(address), self._session)

    def signed_headers(self) -> dict[str, str]:
        """The headers by which a request is this identity's, for a client of another kind; for a minute."""
        return {IDENTITY_HEADER: self._signer.sign(self.identity)}

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = True,
    ) -> Reply:
        """Send `body` as JSON, or `raw` as it is with no content type but that of `headers`; `follow`
        redirects.
        """
        sent = {**self.signed_headers(), **(headers or {})}
        skip = ("Content-Type",) if raw is not None and "Content-Type" not in sent else ()
        async with self._session.request(
            method,
            URL(self.base_url + path, encoded=True),
            json=body if raw is None else None,
            data=raw,
            headers=sent,
            skip_auto_headers=skip,
            allow_redirects=follow,
        ) as answer:
            return Reply(answer.status, answer.headers, await answer.text())

    async def get(self, path: str) -> Reply:
        """GET `path`."""
        return await self.request("GET", path)

    async def post(self, path: str, body: Any) -> Reply:
        """POST `body` to `path` as JSON."""
        return await self.request("POST", path, body=body)

    async def put(self, path: str, body: Any) -> Reply:
        """PUT `body` to `path` as JSON."""
        return await self.request("PUT", path, body=body)

    async def delete(self, path: str) -> Reply:
        """DELETE `path`."""
        return await self.request("DELETE", path)

    async def close(self) -> None:
        """Close the connections, which clients made from this one share."""
        await self._session.close()
