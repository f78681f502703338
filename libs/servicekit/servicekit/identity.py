"""Who asks, as the gateway established it, in a form that no client and no other pod can forge.

The gateway is the only one that authenticates people. To the services behind it, it passes a compact JWT (RFC
7519, HS256) of one fixed shape in the header `X-KS-Identity`. The key is derived from the platform's secret,
so that a login token, signed with the secret itself, never passes for an identity, nor the other way round.

Back ends that are not the platform's own get an identity too, made for each of them alone: with its name as
the audience and a key of its own. What leaks there is worth nothing at the platform's services.

The tokens are made and checked here, without a general JWT library: the header is one constant, compared byte
by byte, which leaves a forger no algorithm to choose, and signing costs a few microseconds on the gateway's
hot path.
"""

import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Any, cast

import orjson

from servicekit.errors import Unauthorized

IDENTITY_HEADER = "X-KS-Identity"
ANONYMOUS = "system:anonymous"
UNAUTHENTICATED_GROUP = "system:unauthenticated"

ISSUER = "ks-apigateway"
AUDIENCE = "ks-services"
"""The platform's own services, together."""
LIFETIME = 60
"""Seconds for which a signature is good."""
LEEWAY = 30
"""Seconds by which the clocks of two nodes may differ."""
REMEMBERED = 1024
"""Signatures that were found good, the last ones."""
MAX_LENGTH = 16 * 1024
"""Characters; a longer header is refused unread."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks. `address` is the client's, as the gateway saw it."""

    user: str
    groups: tuple[str, ...] = ()
    address: str = ""

    @property
    def is_anonymous(self) -> bool:
        return self.user == ANONYMOUS


def anonymous(address: str = "") -> Identity:
    """The identity of somebody who did not sign in."""
    return Identity(ANONYMOUS, (UNAUTHENTICATED_GROUP,), address)


def _encode(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def _derive_key(secret: bytes, audience: str) -> bytes:
    if not secret:
        raise ValueError("the secret that identities are signed with is empty")
    purpose = b"ks-identity/v1" if audience == AUDIENCE else f"ks-identity/v1/{audience}".encode()
    return hmac.digest(secret, purpose, "sha256")


_HEADER = _encode(b'{"alg":"HS256","typ":"JWT"}')


class IdentitySigner:
    """Signs identities for `audience` with a key derived from the platform's secret; the gateway holds one
    for each audience."""

    def __init__(self, secret: bytes, audience: str = AUDIENCE):
        self._key = _derive_key(secret, audience)
        self._audience = audience

    def sign(self, identity: Identity, now: float | None = None) -> str:
        """The header's value, good for `LIFETIME` seconds from `now` (seconds since the epoch)."""
        issued = int(time.time() if now is None else now)
        claims = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": identity.user,
            "groups": identity.groups,
            "addr": identity.address,
            "iat": issued,
            "exp": issued + LIFETIME,
        }
        signed = _HEADER + b"." + _encode(orjson.dumps(claims))
        return (signed + b"." + _encode(hmac.digest(self._key, signed, "sha256"))).decode("ascii")


class IdentityVerifier:
    """Verifies what `IdentitySigner` signed with the same secret for the same audience."""

    def __init__(self, secret: bytes, audience: str = AUDIENCE):
        self._key = _derive_key(secret, audience)
        self._audience = audience
        self._verified: dict[str, tuple[dict[str, Any], Identity]] = {}

    def verify(self, header: str | None, now: float | None = None) -> Identity:
        """The identity in `header`; raises Unauthorized, saying why, for anything that the gateway did not
        sign."""
        if not header:
            raise Unauthorized(
                f"the request carries no {IDENTITY_HEADER}; call this service through the gateway"
            )
        known = self._verified.get(header)
        claims, identity = known or self._read(header)
        _check_time(claims, time.time() if now is None else now)
        if known is None:
            self._remember(header, claims, identity)
        return identity

    def _read(self, header: str) -> tuple[dict[str, Any], Identity]:
        claims = self._claims(header)
        if claims.get("iss") != ISSUER or claims.get("aud") != self._audience:
            raise _refused("was made for somebody else")
        return claims, _identity(claims)

    def _remember(self, header: str, claims: dict[str, Any], identity: Identity) -> None:
        """The gateway uses a signature for several requests; each time, only its time is checked again."""
        while len(self._verified) >= REMEMBERED:
            del self._verified[next(iter(self._verified))]
        self._verified[header] = claims, identity

    def _claims(self, header: str) -> dict[str, Any]:
        if len(header) > MAX_LENGTH or not header.isascii():
            raise _refused("is malformed")
        parts = header.encode("ascii").split(b".")
        if len(parts) != 3 or parts[0] != _HEADER:
            raise _refused("is malformed")
        expected = _encode(hmac.digest(self._key, parts[0] + b"." + parts[1], "sha256"))
        if not hmac.compare_digest(expected, parts[2]):
            raise _refused("has a wrong signature; gateway and service must share authentication.jwtSecret")
        try:
            claims = orjson.loads(_decode(parts[1]))
        except (Base64Error, orjson.JSONDecodeError) as error:
            raise _refused("is malformed") from error
        if not isinstance(claims, dict):
            raise _refused("is malformed")
        return cast("dict[str, Any]", claims)


def _refused(why: str) -> Unauthorized:
    return Unauthorized(f"the header {IDENTITY_HEADER} {why}")


def _check_time(claims: dict[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(expires) is not int:
        raise _refused("has no time")
    if now > expires + LEEWAY:
        raise _refused("has expired; are the clocks of the nodes in step?")
    if now < issued - LEEWAY:
        raise _refused("is from the future; are the clocks of the nodes in step?")


def _identity(claims: dict[str, Any]) -> Identity:
    user, groups, address = claims.get("sub"), claims.get("groups"), claims.get("addr")
    if not isinstance(user, str) or not user or not isinstance(address, str) or not isinstance(groups, list):
        raise _refused("names nobody")
    names = cast("list[object]", groups)
    if not all(isinstance(name, str) for name in names):
        raise _refused("names nobody")
    return Identity(user, tuple(cast("list[str]", names)), address)
