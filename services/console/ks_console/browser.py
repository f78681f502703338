"""What a browser sends and keeps: where it is, its session cookie, and proof that a request is our page's."""

import base64
import hmac
import re
import secrets
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import orjson
from aiohttp import web

from servicekit.errors import Forbidden

SESSION = "token"
"""The cookie that holds the token of who is signed in; the gateway reads one of the same name."""
CSRF = "csrf"
"""The cookie that a request which changes something must match."""
CSRF_HEADER = "X-CSRF-Token"
"""What such a request carries: the signature of the cookie, which only our own page can read."""

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{43}")


class Proxies:
    """The proxies between browsers and the console whose word counts."""

    def __init__(self, networks: Sequence[str], public_url: str):
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(network) for network in networks]
        self._public = urlsplit(public_url) if public_url else None

    def client_address(self, request: web.Request) -> str:
        """The browser's address: the last in X-Forwarded-For that is no trusted proxy, or else the peer's."""
        hops = [
            hop.strip() for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")
        ]
        address = request.remote or ""
        while hops and self._trusts(address):
            address = hops.pop()
        return address if _is_address(address) else request.remote or ""

    def is_https(self, request: web.Request) -> bool:
        """Whether the browser speaks TLS, here or to a trusted proxy."""
        if self._public is not None:
            return self._public.scheme == "https"
        forwarded = request.headers.get("X-Forwarded-Proto", "")
        return request.secure or (self._trusts(request.remote or "") and forwarded == "https")

    def origin(self, request: web.Request) -> str:
        """Scheme, host and port under which the browser knows this console."""
        if self._public is not None:
            return f"{self._public.scheme}://{self._public.netloc}"
        return f"{'https' if self.is_https(request) else 'http'}://{request.host}"

    def _trusts(self, address: str) -> bool:
        return _is_address(address) and any(ip_address(address) in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


class Forms:
    """Makes sure that a request which changes something comes from a page that this browser got from here.

    A random value rests in a cookie that other sites can neither read nor send (SameSite=Strict), and its
    signature in a header that they cannot set. Beside this, an Origin that the browser names must be ours.
    """

    def __init__(self, secret: str, proxies: Proxies):
        self._key = hmac.digest((secret or secrets.token_hex()).encode(), b"ks-console/csrf", "sha256")
        self._proxies = proxies

    def nonce(self, request: web.Request) -> str:
        """The browser's random value, or a new one where it has none."""
        given = request.cookies.get(CSRF, "")
        return given if _NONCE.fullmatch(given) else secrets.token_urlsafe(32)

    def sign(self, nonce: str) -> str:
        """What the header holds."""
        return hmac.digest(self._key, nonce.encode(), "sha256").hex()

    def require(self, request: web.Request) -> None:
        """Raises Forbidden unless the header matches the browser's cookie, and the Origin is ours."""
        nonce = request.cookies.get(CSRF, "")
        given = request.headers.get(CSRF_HEADER, "")
        signed = hmac.compare_digest(self.sign(nonce).encode(), given.encode(errors="replace"))
        if not _NONCE.fullmatch(nonce) or not signed or not self.is_own_origin(request):
            raise Forbidden(FOREIGN, reason=FOREIGN_REASON)

    def is_own_origin(self, request: web.Request) -> bool:
        """Whether the browser names no Origin, or ours."""
        origin = request.headers.get("Origin")
        return origin is None or origin == self._proxies.origin(request)


FOREIGN = "the request did not come from a page of this console that is still in force: reload the page"
FOREIGN_REASON = "ForeignRequest"


class Cookies:
    """Sets cookies that scripts cannot read and other sites cannot send."""

    def __init__(self, proxies: Proxies):
        self._proxies = proxies

    def put(self, request: web.Request, response: web.StreamResponse, name: str, value: str) -> None:
        """Has the browser keep `value` until it is closed."""
        secure = self._proxies.is_https(request)
        response.set_cookie(name, value, path="/", httponly=True, samesite="Strict", secure=secure)

    def end_session(self, request: web.Request, response: web.StreamResponse) -> None:
        """Has the browser forget its token."""
        secure = self._proxies.is_https(request)
        response.del_cookie(SESSION, path="/", httponly=True, samesite="Strict", secure=secure)


def session_of(request: web.Request) -> str | None:
    """The token in the browser's cookie, where it looks like one."""
    token = request.cookies.get(SESSION, "")
    return token if _TOKEN.fullmatch(token) else None


def is_token(token: str) -> bool:
    """Whether `token` can be kept in a cookie and sent in a header."""
    return _TOKEN.fullmatch(token) is not None


def user_of(token: str) -> str:
    """The user name that a token says, not verified: the gateway does that. Or an empty text."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["username"])
    except (IndexError, KeyError, TypeError, ValueError):
        return ""
