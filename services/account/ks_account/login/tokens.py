"""The tokens of the platform: JWTs, HMAC-SHA256 with the shared secret.

Claims are `username`, `email` and `iat`, as in KubeSphere v2.1.1, with `jti`, so that two tokens are never
the same, and `typ`, so that one kind does not pass for another. What a token may be used for is narrowed by
`must_change_password` (only for setting another password) and `scope` (of an API token); the gateway enforces
both. A token says who its bearer is only as long as Redis holds it.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jwt
import orjson

ALGORITHM = "HS256"
LEEWAY = 30
"""Seconds by which clocks may differ."""
MUST_CHANGE = "must_change_password"
"""The claim of a token that serves for nothing but setting another password."""
MAX_LENGTH = 8 * 1024
"""Characters; a longer token is refused unread."""

Kind = Literal["access", "refresh", "api"]


class BadToken(Exception):
    """The token is not one that this platform signed, or its time is over."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. `family` ties a refresh token to those that it came from and the access tokens made
    by it.
    """

    username: str
    email: str
    kind: Kind
    jti: str
    family: str
    must_change: bool = False
    """The token serves for nothing but setting another password."""


class Tokens:
    """Makes and reads tokens."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def make(
        self,
        kind: Kind,
        username: str,
        email: str,
        *,
        now: float,
        lifetime: float | None = None,
        family: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> str:
        """A new token; with `lifetime`, in seconds, it has an end of its own beside the one in Redis. `more`
        are further claims.
        """
        claims: dict[str, Any] = {
            "username": username,
            "email": email,
            "iat": int(now),
            "jti": secrets.token_urlsafe(16),
            "typ": kind,
        }
        if lifetime is not None:
            claims["exp"] = int(now + lifetime)
        if family is not None:
            claims["fam"] = family
        claims.update(more or {})
        signed = _HEADER + b"." + _base64url(orjson.dumps(claims))
        signature = hmac.digest(self._secret.encode(), signed, "sha256")
        return (signed + b"." + _base64url(signature)).decode("ascii")

    def read(self, token: str) -> Claims:
        """What a token says. Raises BadToken; whether it is still in force is for the sessions to say."""
        if len(token) > MAX_LENGTH:
            raise BadToken("the token is too long")
        try:
            claims = jwt.decode(token, self._secret, [ALGORITHM], leeway=LEEWAY)
        except jwt.InvalidTokenError as error:
            raise BadToken(str(error)) from error
        username = claims.get("username")
        if not isinstance(username, str) or not username:
            raise BadToken("username not found")
        return Claims(
            username=username,
            email=str(claims.get("email", "")),
            kind=_kind(claims),
            jti=str(claims.get("jti", "")),
            family=str(claims.get("fam", "")),
            must_change=claims.get(MUST_CHANGE) is True,
        )


def _base64url(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


_HEADER = _base64url(b'{"alg":"HS256","typ":"JWT"}')
"""Of every token. PyJWT, which reads them, tries at each signature whether the secret is a PEM or DER key."""


def _kind(claims: dict[str, Any]) -> Kind:
    """v2.1.1 marks refresh tokens by `type`, and leaves other tokens unmarked."""
    kind = claims.get("typ", "refresh" if claims.get("type") == "refresh_token" else "access")
    if kind not in ("access", "refresh", "api"):
        raise BadToken("the token is of a kind that is not known")
    return kind
