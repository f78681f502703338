"""Which tokens v2.1.1 let in, and in which words it refused the others, over every one that was recorded."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jwt
import pytest

from harness.gateway import SECRET, GatewayUnderTest, login_token, session_key, unsigned_token

pytestmark = pytest.mark.kubernetes

ADMIN = "agw-admin"
"""Who may list users."""


class Recorded(NamedTuple):
    """A request, told in `note`, and its answer."""

    note: str
    method: str
    path: str
    status: int
    reason: str
    """The header WWW-Authenticate; empty where there was none."""


def _recorded() -> list[Recorded]:
    lines = Path(__file__).with_name("recorded-tokens.jsonl").read_text().splitlines()
    return [Recorded(*json.loads(line)) for line in lines]


class Given(NamedTuple):
    """What a client sends: a header line and a query with its token, and whose session Redis has for it."""

    token: str = ""
    line: str = "Authorization: Bearer {token}"
    query: str = ""
    session_of: str | None = None


def _session(user: str = ADMIN, line: str = "Authorization: Bearer {token}", query: str = "") -> Given:
    return Given(login_token(user, jti="recorded"), line, query, user)


def _later() -> int:
    return int(time.time()) + 3600


GIVEN: dict[str, Callable[[], Given]] = {
    "no token": lambda: Given(line=""),
    "bad token": lambda: Given("bad"),
    "bad token 3 parts": lambda: Given("a.b.c"),
    "basic auth": lambda: Given(line="Authorization: Basic YWRtaW46UEA4OHcwcmQ="),
    "lower-case bearer scheme": lambda: _session(line="Authorization: bearer {token}"),
    "two spaces": lambda: _session(line="Authorization: Bearer  {token}"),
    "token in cookie": lambda: _session(line="Cookie: token={token}"),
    "token in query": lambda: _session(line="", query="?token={token}"),
    "bad token in query": lambda: Given("bad", "", "?token={token}"),
    "empty cookie": lambda: Given(line="Cookie: token="),
    "bad header + good cookie: header wins": lambda: _session(
        line="Authorization: Bearer bad\r\nCookie: token={token}"
    ),
    "validly signed, not in redis, no exp": lambda: Given(login_token(ADMIN, jti="never stored")),
    "signed with exp: redis not consulted": lambda: Given(login_token(ADMIN, exp=_later())),
    "expired": lambda: Given(login_token(ADMIN, exp=1_600_000_000)),
    "HS512": lambda: Given(login_token(ADMIN, algorithm="HS512"), session_of=ADMIN),
    "alg none": lambda: Given(unsigned_token({"username": ADMIN})),
    "wrong secret": lambda: Given(login_token(ADMIN, secret="another secret, of the same length or so")),
    "nbf in the future": lambda: Given(login_token(ADMIN, nbf=_later())),
    "exp null: redis not consulted?": lambda: Given(jwt.encode({"username": ADMIN, "exp": None}, SECRET)),
    "exp string": lambda: Given(login_token(ADMIN, exp="soon"), session_of=ADMIN),
    "no username": lambda: Given(login_token(ADMIN, username=None)),
    "empty username": lambda: Given(login_token(""), session_of=""),
    "user does not exist": lambda: _session("agw-ghost"),
    "self rule, user does not exist": lambda: _session("ghost"),
    "/token without gateway token": lambda: Given(line=""),
    "previous login token after password grant (revoked)": lambda: Given(login_token(ADMIN, jti="revoked")),
    "oauth access token works": lambda: Given(login_token(ADMIN, exp=_later(), jti="o"), session_of=ADMIN),
    "refresh token used as access token": lambda: Given(
        login_token(ADMIN, typ="refresh", exp=_later()), session_of=ADMIN
    ),
    "token #1 after login #3 (multi-login disabled)": lambda: Given(login_token("alice", jti="first")),
    "logout endpoint does not exist": lambda: _session("agw-alice"),
}
DIFFERENT = {
    "signed with exp: redis not consulted": (401, "Unauthorized,illegal token"),  # GATEWAY-2
    "exp null: redis not consulted?": (401, "Unauthorized,illegal token"),  # GATEWAY-2
    "HS512": (401, "Unauthorized,expect token signed with HS256 but got HS512"),  # GATEWAY-3
    "exp string": (401, "Unauthorized,invalid payload"),  # GATEWAY-4
    "empty username": (401, "Unauthorized,invalid payload"),  # GATEWAY-4
    "refresh token used as access token": (401, "Unauthorized,invalid payload"),  # GATEWAY-5
    "/token without gateway token": (200, ""),  # GATEWAY-8: it goes on to ks-account
    "self rule, user does not exist": (200, ""),  # it goes on to ks-account, which says 404
}
"""What is answered otherwise here, with the identifier in docs/compatibility/apigateway.md."""


@pytest.mark.parametrize("recorded", _recorded(), ids=lambda each: each.note)
async def test_a_recorded_token_fares_as_it_did(
    gateway: GatewayUnderTest, admin: str, recorded: Recorded
) -> None:
    """The services behind are an echo that says 200."""
    given = GIVEN[recorded.note]()
    if given.session_of is not None:
        await gateway.sessions.set(session_key(given.session_of, given.token), "", ex=600)
    lines = [given.line.format(token=given.token)] if given.line else []
    path = recorded.path + given.query.format(token=given.token)
    answer = await gateway.get(path, *lines, method=recorded.method)
    expected = DIFFERENT.get(recorded.note, (recorded.status, recorded.reason))
    assert (answer.status, answer.headers.get("www-authenticate", "")) == expected
