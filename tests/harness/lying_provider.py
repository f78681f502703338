"""A provider of OpenID Connect that lies as it is told: no real one can be made to."""

import time
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

_SUBJECT = "somebody"


class LyingProvider:
    """Discovery, keys, tokens and userinfo over HTTP, for `audience`, as `answer_with` says."""

    def __init__(self, audience: str) -> None:
        self._audience = audience
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._lie = ""
        self._nonce = ""
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> "LyingProvider":
        application = web.Application()
        application.router.add_get("/.well-known/openid-configuration", self._metadata)
        application.router.add_get("/keys", self._keys)
        application.router.add_post("/token", self._token)
        application.router.add_get("/userinfo", self._userinfo)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def answer_with(self, lie: str, *, nonce: str) -> None:
        """From now on; "" for the truth."""
        self._lie, self._nonce = lie, nonce

    async def _metadata(self, _: web.Request) -> web.Response:
        paths = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
        endpoints = {f"{name}_endpoint": f"{self.url}/{path}" for name, path in paths.items()}
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys", **endpoints})

    async def _keys(self, _: web.Request) -> web.Response:
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return web.json_response({"keys": [{**public, "kid": "one", "use": "sig"}]})

    async def _token(self, _: web.Request) -> web.Response:
        return web.json_response({"access_token": "any", "id_token": self._signed(self._claims())})

    async def _userinfo(self, _: web.Request) -> web.Response:
        subject = "somebody-else" if self._lie == "subject" else _SUBJECT
        told = {"sub": subject, "preferred_username": "lied-to", "email": "lied-to@x.io"}
        return web.json_response(told)

    def _claims(self) -> dict[str, Any]:
        now = int(time.time())
        truth = {
            "iss": self.url,
            "aud": self._audience,
            "sub": _SUBJECT,
            "nonce": self._nonce,
            "iat": now,
            "exp": now + 300,
        }
        lies: dict[str, dict[str, Any]] = {
            "nonce": {"nonce": "another"},
            "audience": {"aud": "another"},
            "issuer": {"iss": "https://another.example"},
            "expired": {"exp": now - 3600, "iat": now - 7200},
            "azp": {"aud": [self._audience, "another"], "azp": "another"},
        }
        return {**truth, **lies.get(self._lie, {})}

    def _signed(self, claims: dict[str, Any]) -> str:
        headers = {"kid": "one"}
        if self._lie == "nothing":
            return ""
        if self._lie == "none":
            return jwt.encode(claims, "", "none", headers)
        if self._lie == "hmac":
            return jwt.encode(claims, "the-public-key-as-a-secret-of-some-length", "HS256", headers)
        if self._lie == "key":
            other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            return jwt.encode(claims, other, "RS256", headers)
        return jwt.encode(claims, self._key, "RS256", headers)
