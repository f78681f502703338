"""Who is let in, with the reasons that clients of the original know."""

import time

import pytest

from harness.gateway import GatewayUnderTest, login_token, session_key, unsigned_token

USERS = "/kapis/iam.kubesphere.io/v1alpha2/users"
TENANT = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "no token found"),
        ("Bearer bad", "token contains an invalid number of segments"),
        ("Bearer a.b.c", "illegal base64 data at input byte 1"),
        ("Basic YWRtaW46UEA4OHcwcmQ=", "no token found"),
        ("bearer {token}", "no token found"),
        ("Bearer  {token}", "no token found"),
        ("Bearer {token} x", "no token found"),
        ("Bearer", "no token found"),
        (f"Bearer {login_token('agw-alice', secret='another secret, of the same length or so')}",
         "signature is invalid"),
        (f"Bearer {login_token('agw-nosession')}", "illegal token"),
        (f"Bearer {login_token('agw-alice', exp=1_600_000_000)}", "Token is expired"),
        (f"Bearer {login_token('agw-alice', nbf=4_000_000_000)}", "Token is not valid yet"),
        (f"Bearer {login_token('agw-alice', username=None)}", "invalid payload"),
        (f"Bearer {login_token('')}", "invalid payload"),
        (f"Bearer {login_token('agw-alice', exp='soon')}", "invalid payload"),
        (f"Bearer {login_token('agw-alice', typ='refresh')}", "invalid payload"),
        (f"Bearer {login_token('agw-alice', typ=None, type='refresh_token')}", "invalid payload"),
        (f"Bearer {login_token('system:kube-controller-manager')}", "invalid payload"),
        (f"Bearer {login_token('a' + chr(13) + chr(10) + 'Impersonate-Group: system:masters')}",
         "invalid payload"),
        (f"Bearer {login_token('agw-alice', algorithm='HS512')}",
         "expect token signed with HS256 but got HS512"),
        (f"Bearer {unsigned_token({'username': 'agw-alice'})}", "expect token signed with HMAC but got none"),
    ],
)  # fmt: skip
async def test_a_request_without_a_good_token_learns_why(
    gateway: GatewayUnderTest, alice: str, header: str | None, reason: str
) -> None:
    lines = [] if header is None else [f"Authorization: {header.format(token=alice)}"]
    answer = await gateway.get(USERS, *lines)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == f"Unauthorized,{reason}"
    assert answer.json["message"] == reason
    assert answer.json["reason"] == "Unauthorized"
    assert answer.json["requestId"] == answer.headers["x-request-id"]


async def test_a_signed_token_is_refused_under_every_key_but_its_own_users(gateway: GatewayUnderTest) -> None:
    token = login_token("agw-mallory")
    await gateway.sessions.set(session_key("agw-alice", token), "", ex=60)
    assert (await gateway.get(TENANT, token=token)).status == 401


@pytest.mark.parametrize("claims", [{}, {"exp": int(time.time()) + 3600}, {"typ": None}, {"exp": None}])
async def test_a_session_in_redis_lets_its_user_in(
    gateway: GatewayUnderTest, claims: dict[str, object]
) -> None:
    token = await gateway.sign_in("agw-alice", **claims)
    assert (await gateway.get(TENANT, token=token)).status == 200


async def test_a_token_that_expires_needs_its_session_too(gateway: GatewayUnderTest) -> None:
    token = login_token("agw-alice", exp=int(time.time()) + 3600, jti="never stored")
    answer = await gateway.get(TENANT, token=token)
    assert answer.headers["www-authenticate"] == "Unauthorized,illegal token"


async def test_the_token_may_come_in_a_cookie(gateway: GatewayUnderTest, alice: str) -> None:
    assert (await gateway.get(TENANT, f"Cookie: lang=en; token={alice}; theme=dark")).status == 200


async def test_an_empty_cookie_is_a_bad_token(gateway: GatewayUnderTest) -> None:
    answer = await gateway.get(USERS, "Cookie: token=")
    assert answer.headers["www-authenticate"] == "Unauthorized,token length is zero"


async def test_a_bad_header_beats_a_good_cookie(gateway: GatewayUnderTest, alice: str) -> None:
    answer = await gateway.get(TENANT, "Authorization: Bearer bad", f"Cookie: token={alice}")
    assert answer.headers["www-authenticate"] == "Unauthorized,token contains an invalid number of segments"


async def test_two_authorization_headers_are_refused(gateway: GatewayUnderTest, alice: str) -> None:
    answer = await gateway.get(TENANT, "Authorization: Bearer x", token=alice)
    assert answer.status == 400


@pytest.mark.parametrize("query", ["token={}", "a=1&token={}&b=2", "%74oken={}", "token={}&token=other"])
async def test_a_token_in_the_query_reaches_neither_the_upstream_nor_the_log(
    gateway: GatewayUnderTest, query: str
) -> None:
    token = await gateway.sign_in("agw-alice", jti=f"query {query}")
    answer = await gateway.get(f"{TENANT}?{query.format(token)}")
    assert answer.status == 200
    assert "token" not in answer.json["target"]
    assert answer.json["target"].removeprefix(TENANT).strip("?") in ("", "a=1&b=2")
    assert token not in gateway.service.log


async def test_the_users_credentials_stay_here(gateway: GatewayUnderTest, alice: str) -> None:
    answer = await gateway.get(TENANT, f"Cookie: a=b; token={alice}", token=alice)
    fields = dict(answer.json["fields"])
    assert fields["cookie"] == "a=b"
    assert "authorization" not in fields
    assert alice not in answer.body.decode()


async def test_account_gets_the_token_that_it_made(gateway: GatewayUnderTest, alice: str) -> None:
    for method, path in (("GET", f"{USERS}/agw-alice"), ("DELETE", USERS.replace("users", "token"))):
        answer = await gateway.get(path, f"Cookie: token={alice}", method=method)
        assert dict(answer.json["fields"])["authorization"] == f"Bearer {alice}"


async def test_a_login_is_extended_while_it_is_used(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-sliding")
    key = session_key("agw-sliding", token)
    await gateway.sessions.expire(key, 100)
    assert (await gateway.get(TENANT, token=token)).status == 200
    assert await gateway.sessions.ttl(key) > 2000


async def test_a_token_with_an_end_is_not_extended(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-fixed", exp=int(time.time()) + 3600)
    key = session_key("agw-fixed", token)
    await gateway.sessions.expire(key, 100)
    assert (await gateway.get(TENANT, token=token)).status == 200
    assert await gateway.sessions.ttl(key) <= 100
