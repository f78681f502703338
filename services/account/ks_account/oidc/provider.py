"""A provider of OpenID Connect: what it says of itself, and what it says of a user.

Nothing of a user is believed but what stands in an ID token whose signature, issuer, audience, time and
nonce are right (OpenID Connect Core 1.0, 3.1.3.7), and in the userinfo of the same subject.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp
import jwt
import orjson

from ks_account.oidc.config import OidcProvider
from servicekit.clients import client_session
from servicekit.errors import Unauthorized, Unavailable

_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Signatures with a key that the provider alone has."""
_LEEWAY = 30
_KEPT = 3600.0
"""Seconds for which what the provider says of itself is good."""
_RETRY_KEYS = 60.0
"""Seconds between two looks for a key that was not there."""
_MAX_ANSWER = 1024 * 1024

Claims = dict[str, Any]


class Provider:
    """Speaks to one provider. Methods raise Unavailable when it does not answer as it should."""

    def __init__(self, config: OidcProvider) -> None:
        self.config = config
        self._session: aiohttp.ClientSession | None = None
        self._metadata: dict[str, Any] = {}
        self._read_at = -_KEPT
        self._keys: dict[str, jwt.PyJWK] = {}
        self._keys_read_at = -_KEPT
        self._reading = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def authorization_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Where a browser signs in; `challenge` is that of PKCE, by S256."""
        query = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": self.config.redirect_url,
            "scope": " ".join(self.config.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = await self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def claims(self, code: str, *, verifier: str, nonce: str) -> Claims:
        """What the provider says of the user who came back with `code`.

        Raises Unauthorized when the provider refuses the code, or its answer does not hold.
        """
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.config.redirect_url,
            "code_verifier": verifier,
            "client_id": self.config.client_id,
        }
        tokens = await self._ask("POST", await self._endpoint("token_endpoint"), form=form)
        identity = await self._verified(str(tokens.get("id_token", "")), nonce)
        return {**await self._userinfo(identity, str(tokens.get("access_token", ""))), **identity}

    async def _verified(self, token: str, nonce: str) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                await self._key(str(header.get("kid", ""))),
                algorithms=_ALGORITHMS,
                audience=self.config.client_id,
                issuer=self.config.issuer,
                leeway=_LEEWAY,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.InvalidTokenError as error:
            raise self._refused(f"its ID token does not hold: {error}") from error
        if claims.get("nonce") != nonce or claims.get("azp", self.config.client_id) != self.config.client_id:
            raise self._refused("its ID token was made for another login")
        return claims

    async def _userinfo(self, identity: Claims, access_token: str) -> Claims:
        """What the ID token leaves out, where the provider tells it elsewhere."""
        wanted = {"email", self.config.username_claim, self.config.groups_claim} - {""}
        if wanted <= identity.keys() or "userinfo_endpoint" not in self._metadata or not access_token:
            return {}
        told = await self._ask("GET", await self._endpoint("userinfo_endpoint"), bearer=access_token)
        if told.get("sub") != identity["sub"]:
            raise self._refused("its userinfo is of somebody else")
        return told

    async def _key(self, identifier: str) -> jwt.PyJWK:
        """The key of that identifier, or the only one; read anew, but not at will, when it is not there."""
        for is_last in (False, True):
            found = self._keys.get(identifier)
            if found is None and not identifier and len(self._keys) == 1:
                found = next(iter(self._keys.values()))
            if found is not None:
                return found
            if is_last or time.monotonic() - self._keys_read_at < _RETRY_KEYS:
                break
            await self._read_keys()
        raise jwt.InvalidKeyError("the key that signed it is not known")

    async def _read_keys(self) -> None:
        answer = await self._ask("GET", await self._endpoint("jwks_uri"))
        try:
            keys = jwt.PyJWKSet.from_dict(answer).keys
        except jwt.PyJWTError as error:
            raise Unavailable(self._name, f"its keys cannot be read: {error}") from error
        self._keys = {str(key.key_id or ""): key for key in keys if key.public_key_use in (None, "sig")}
        self._keys_read_at = time.monotonic()

    async def _endpoint(self, name: str) -> str:
        async with self._reading:
            if time.monotonic() - self._read_at >= _KEPT:
                await self._discover()
        address = self._metadata.get(name)
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise Unavailable(self._name, f"it names no {name}")
        if address.startswith("http://") and self.config.issuer.startswith("https://"):
            raise Unavailable(self._name, f"its {name} is not encrypted")
        return address

    async def _discover(self) -> None:
        issuer = self.config.issuer
        found = await self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise Unavailable(self._name, f"it calls itself {str(found.get('issuer'))[:200]!r}, not {issuer}")
        self._metadata, self._read_at = found, time.monotonic()

    async def _ask(
        self, method: str, url: str, *, form: Mapping[str, str] | None = None, bearer: str = ""
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        auth = None
        secret = self.config.client_secret.get_secret_value()
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        elif form is not None and secret:
            auth = aiohttp.BasicAuth(self.config.client_id, secret)
        if self._session is None:
            self._session = client_session(timeout=self.config.timeout, connections=16)
        try:
            async with self._session.request(
                method, url, data=form, headers=headers, auth=auth, allow_redirects=False
            ) as answer:
                return self._read(answer.status, await self._body(answer), form is not None)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(self._name, str(error) or type(error).__name__) from error

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for part in answer.content.iter_chunked(64 * 1024):
            body += part
            if len(body) > _MAX_ANSWER:
                raise Unavailable(self._name, f"it answered with more than {_MAX_ANSWER} bytes")
        return bytes(body)

    def _read(self, status: int, body: bytes, is_exchange: bool) -> dict[str, Any]:
        if is_exchange and 400 <= status < 500:
            raise self._refused("it does not accept the code")
        try:
            content: Any = orjson.loads(body)
        except orjson.JSONDecodeError:
            content = None
        if status != 200 or not isinstance(content, dict):
            raise Unavailable(self._name, f"it answered {status}, and no object")
        return cast("dict[str, Any]", content)

    @property
    def _name(self) -> str:
        return f"the provider {self.config.name}"

    def _refused(self, why: str) -> Unauthorized:
        return Unauthorized(f"{self._name}: {why}", reason="ProviderRefused")
