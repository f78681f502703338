"""What a browser sends and keeps: where it is, its session cookie, and proof that a form is ours."""

import base64
import hmac
import re
import secrets
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

import orjson
from aiohttp import web

SESSION = "token"
"""The cookie that holds the token of who is signed in; the gateway reads one of the same name."""
CSRF = "csrf"
"""The cookie that a form must match."""
FORM_FIELD = "csrf"

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
    """Makes sure that a form that comes in is one that this browser got from here.

    A random value rests in a cookie that other sites can neither read nor send (SameSite=Strict), and its
    signature in the form. Beside this, an Origin that the browser names must be ours.
    """

    def __init__(self, secret: str, proxies: Proxies):
        self._key = hmac.digest((secret or secrets.token_hex()).encode(), b"ks-console/csrf", "sha256")
        self._proxies = proxies

    def nonce(self, request: web.Request) -> str:
        """The browser's random value, or a new one where it has none."""
        given = request.cookies.get(CSRF, "")
        return given if _NONCE.fullmatch(given) else secrets.token_urlsafe(32)

    def sign(self, nonce: str) -> str:
        """What the form's hidden field holds."""
        return hmac.digest(self._key, nonce.encode(), "sha256").hex()

    def is_ours(self, request: web.Request, field: str) -> bool:
        """Whether `field`, from the form in `request`, matches the browser's cookie and the Origin ours."""
        origin = request.headers.get("Origin")
        if origin is not None and origin != self._proxies.origin(request):
            return False
        nonce = request.cookies.get(CSRF, "")
        return bool(_NONCE.fullmatch(nonce)) and hmac.compare_digest(
            self.sign(nonce).encode(), field.encode()
        )


def session_of(request: web.Request) -> str | None:
    """The token in the browser's cookie, where it looks like one."""
    token = request.cookies.get(SESSION, "")
    return token if _TOKEN.fullmatch(token) else None


def is_token(token: str) -> bool:
    """Whether `token` can be kept in a cookie and sent in a header."""
    return _TOKEN.fullmatch(token) is not None


def user_of(token: str) -> str:
    """The user name in a token that the gateway has accepted, for display; or an empty text."""
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["username"])
    except (IndexError, KeyError, TypeError, ValueError):
        return ""
