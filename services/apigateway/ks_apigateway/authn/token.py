"""What a token says, once its signature proves who made it.

Reasons for a refusal are those that clients of the original know. Its algorithm is pinned to HS256, and
every time in it is checked, whatever else it holds.
"""

import json
import re
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field, replace
from typing import Any, cast

import jwt

from ks_apigateway.authn.credential import unauthorized
from ks_apigateway.authn.scope import Scope
from ks_apigateway.authn.scope import read as read_scope

MAX_LENGTH = 16 * 1024
"""Characters; a longer token is refused unread."""

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9_-]")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]{1,256}")
_API = "api"
"""The type of an API token."""
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{16,64}")
_RESERVED = "system:"
"""Users and groups of Kubernetes itself: no token of the platform can speak for them."""


@dataclass(frozen=True, slots=True)
class Claims:
    """A verified token. Times are in seconds since the epoch; None where the token sets no bound."""

    user: str
    groups: tuple[str, ...]
    expires: float | None
    not_before: float | None
    must_change: bool = False
    """The token serves for nothing but setting another password."""
    scope: Scope | None = None
    """What an API token is for; None for a session, which is for all that the user may do."""
    identifier: str = ""
    """Of an API token, by which Redis knows it."""
    is_limited: bool = field(init=False)
    """Whether the token is for less than its user may do."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_limited", self.must_change or self.scope is not None)

    def check_time(self, leeway: float) -> None:
        """Raises Unauthorized unless the token is valid now."""
        if self.expires is None and self.not_before is None:
            return
        now = time.time()
        if self.expires is not None and now >= self.expires + leeway:
            raise unauthorized("Token is expired")
        if self.not_before is not None and now < self.not_before - leeway:
            raise unauthorized("Token is not valid yet")


class TokenVerifier:
    """Verifies login and access tokens signed with the platform's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def verify(self, token: str) -> Claims:
        """The claims of `token`, its times not yet checked. Raises Unauthorized, saying why."""
        if not token:
            raise unauthorized("token length is zero")
        segments = token.split(".")
        if len(segments) != 3 or len(token) > MAX_LENGTH:
            raise unauthorized("token contains an invalid number of segments")
        _check_algorithm(_decoded(segments[0]))
        claims = _decoded(segments[1])
        _check_base64(segments[2])
        self._check_signature(token)
        return _read(claims)

    def _check_signature(self, token: str) -> None:
        try:
            jwt.api_jws.decode(token, self._secret, algorithms=["HS256"])
        except jwt.InvalidSignatureError:
            raise unauthorized("signature is invalid") from None
        except jwt.InvalidTokenError:
            raise unauthorized("token is malformed") from None


def _check_base64(segment: str) -> None:
    """Says where base64 goes wrong in the words of Go's decoder, which clients have seen until now."""
    wrong = _NOT_BASE64.search(segment)
    if wrong is not None:
        raise unauthorized(f"illegal base64 data at input byte {wrong.start()}")
    if len(segment) % 4 == 1:
        raise unauthorized(f"illegal base64 data at input byte {len(segment)}")


def _decoded(segment: str) -> dict[str, Any]:
    _check_base64(segment)
    try:
        content = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, RecursionError):
        raise unauthorized("token is malformed") from None
    if not isinstance(content, dict):
        raise unauthorized("token is malformed")
    return cast("dict[str, Any]", content)


def _check_algorithm(header: dict[str, Any]) -> None:
    algorithm = str(header.get("alg"))
    if algorithm == "HS256":
        return
    expected = "HS256" if algorithm.startswith("HS") else "HMAC"
    shown = algorithm if re.fullmatch(r"[A-Za-z0-9]{1,16}", algorithm) else "something else"
    raise unauthorized(f"expect token signed with {expected} but got {shown}")


def _read(claims: dict[str, Any]) -> Claims:
    user = claims.get("username")
    if not isinstance(user, str) or not _PRINTABLE.fullmatch(user) or user.startswith(_RESERVED):
        raise unauthorized("invalid payload")
    if user != user.strip() or _is_refresh(claims):
        raise unauthorized("invalid payload")
    groups, expires, begins = _groups(claims.get("groups")), _time(claims, "exp"), _time(claims, "nbf")
    if claims.get("typ") == _API:
        return _api_token(Claims(user, groups, expires, begins), claims)
    return Claims(user, groups, expires, begins, claims.get("must_change_password", False) is not False)


def _api_token(claims: Claims, content: dict[str, Any]) -> Claims:
    scope, identifier = read_scope(content.get("scope")), content.get("jti")
    if scope is None or claims.expires is None or not isinstance(identifier, str):
        raise unauthorized("invalid payload")
    if not _IDENTIFIER.fullmatch(identifier):
        raise unauthorized("invalid payload")
    return replace(claims, scope=scope, identifier=identifier)


def _is_refresh(claims: dict[str, Any]) -> bool:
    """Whether the token only serves to get another; `type` is how v2.1.1 marked those."""
    return claims.get("typ", "access") not in ("access", _API) or claims.get("type") == "refresh_token"


def _groups(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    names = [
        name for name in cast("list[Any]", value) if isinstance(name, str) and _PRINTABLE.fullmatch(name)
    ]
    return tuple(name for name in names if not name.startswith(_RESERVED) and name == name.strip())


def _time(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise unauthorized("invalid payload")
    return float(value)
