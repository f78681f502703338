"""A login at a provider that is under way, as a cookie that its browser brings back.

It ties the answer to the browser that asked (`state`), the ID token to the question (`nonce`), and the code
to us (`verifier` of PKCE, RFC 7636). Nothing of it is kept here, so that nobody can fill a store with
logins that they never finish. The key is its own: no token passes for a cookie, nor the other way round.
"""

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

import jwt

from servicekit.errors import BadRequest

COOKIE = "ks-oidc"
LIFETIME = 600
"""Seconds for signing in at the provider."""
_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login at `provider`, which leads back to the path `next`."""

    provider: str
    state: str
    nonce: str
    verifier: str
    next: str

    @classmethod
    def new(cls, provider: str, next_: str) -> "Attempt":
        """One with secrets of its own."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(provider, state, nonce, verifier, next_)

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier (S256)."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


class Attempts:
    """Makes and reads cookies."""

    def __init__(self, secret: str) -> None:
        """`secret` of the platform, from which the key is derived."""
        self._key = hmac.digest(secret.encode(), b"ks-oidc/v1", "sha256")

    def seal(self, attempt: Attempt) -> str:
        """The cookie of an attempt."""
        fields = ("provider", "state", "nonce", "verifier", "next")
        claims = {name: getattr(attempt, name) for name in fields}
        return jwt.encode({**claims, "exp": int(time.time()) + LIFETIME}, self._key, _ALGORITHM)

    def open(self, cookie: str, provider: str, state: str) -> Attempt:
        """The attempt of a cookie. Raises BadRequest unless it is the one that `state` answers."""
        try:
            claims = jwt.decode(cookie, self._key, [_ALGORITHM], options={"require": ["exp"]})
            claims.pop("exp")
            attempt = Attempt(**claims)
        except (jwt.InvalidTokenError, TypeError):
            raise _stale() from None
        same = hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "replace"))
        if attempt.provider != provider or not same:
            raise _stale()
        return attempt


def _stale() -> BadRequest:
    return BadRequest(
        "this login was not begun in this browser, or longer ago than ten minutes; begin it again",
        reason="StaleLogin",
    )
