"""What upstreams are told of who asks: the signed identity, or impersonation, and never what a client
wrote.
"""

from base64 import b64encode
from time import monotonic
from typing import NamedTuple

from ks_apigateway.authn.token import Claims
from kubekit.cluster import Cluster
from servicekit.identity import AUDIENCE, IDENTITY_HEADER, Identity, IdentitySigner, anonymous

REUSED = 30.0
"""Seconds for which one signature serves the same user from the same address; it is good for a minute."""
CAPACITY = 10_000


PLATFORM = frozenset(("account", "apiserver", "gateway"))
"""The upstreams that are services of the platform, which verify the same identity."""


class Identities:
    """Signs identities: one audience for the platform's services, and one for each other upstream, so that
    nobody there can show what they were sent to a service of the platform.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._signatures: dict[str, _Signatures] = {}

    def sign(self, upstream: str, claims: Claims | None, address: str) -> "Signed":
        """The identity for `upstream`; `claims` is None for somebody who did not sign in."""
        signatures = self._signatures.get(upstream)
        if signatures is None:
            signer = IdentitySigner(self._secret, audience_of(upstream))
            signatures = self._signatures[upstream] = _Signatures(signer)
        return signatures.sign(claims, address)


def audience_of(upstream: str) -> str:
    """Whom an identity for `upstream` is made for."""
    return AUDIENCE if upstream in PLATFORM else f"upstream/{upstream}"


class Signed(NamedTuple):
    """A header line with a signed identity, and until when by the monotonic clock it serves again."""

    line: bytes
    until: float


class _Signatures:
    """Remembers what was signed for a little while: a signature for each request would cost more."""

    def __init__(self, signer: IdentitySigner) -> None:
        self._signer = signer
        self._signed: dict[tuple[str, tuple[str, ...], str] | str, Signed] = {}

    def sign(self, claims: Claims | None, address: str) -> Signed:
        key = address if claims is None else (claims.user, claims.groups, address)
        now = monotonic()
        known = self._signed.get(key)
        if known is not None and now < known.until:
            return known
        identity = anonymous(address) if claims is None else Identity(claims.user, claims.groups, address)
        line = b"%b: %b\r\n" % (IDENTITY_HEADER.encode(), self._signer.sign(identity).encode("ascii"))
        self._signed.pop(key, None)
        while len(self._signed) >= CAPACITY:
            del self._signed[next(iter(self._signed))]
        signed = self._signed[key] = Signed(line, now + REUSED)
        return signed


def user_line(claims: Claims) -> bytes:
    """The name alone, for third-party back ends of the original that know no signature."""
    return b"x-token-username: %b\r\n" % claims.user.encode()


def impersonation(cluster: Cluster, claims: Claims) -> bytes:
    """The lines that make the API server treat a request as the user's: our credentials, their name and
    groups.

    https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation
    """
    lines = [f"{name}: {value}\r\n".encode() for name, value in cluster.authorization().items()]
    lines.append(b"impersonate-user: %b\r\n" % claims.user.encode())
    lines += [b"impersonate-group: %b\r\n" % group.encode() for group in claims.groups]
    return b"".join(lines)


def basic(claims: Claims, token: str) -> bytes:
    """User and token as basic authentication: Jenkins' plugin has the token reviewed."""
    return b"authorization: Basic %b\r\n" % b64encode(f"{claims.user}:{token}".encode())


def bearer(token: str) -> bytes:
    """The token as a bearer token, wherever the client had put it."""
    return b"authorization: Bearer %b\r\n" % token.encode("ascii")
