"""Signing in: what v2.1.1 answered, and what a session is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
import redis.asyncio as redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.account import IAM, PASSWORD, SECRET
from harness.signed import SignedClient

LOGIN = f"{IAM}/login"
NewPerson = Callable[..., Awaitable[SignedClient]]
RECORDED = [
    json.loads(line) for line in Path(__file__).with_name("recorded-login.jsonl").read_text().splitlines()
]
INCORRECT = "incorrect username or password"


def credentials(name: str, password: str = PASSWORD) -> dict[str, str]:
    return {"username": name, "password": password}


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda r: r["note"])
async def test_login_answers_as_v2_1_1_did(account: SignedClient, recorded: dict[str, Any]) -> None:
    """Statuses and shapes are equal; that all refusals say the same is ACCOUNT-1."""
    sent = recorded["request_body"]
    if isinstance(sent, dict):
        password = PASSWORD if recorded["response"]["status"] == 200 else sent.get("password", "")
        answer = await account.request(
            recorded["method"],
            recorded["path"],
            body={**sent, **({"password": password} if "password" in sent else {})},
        )
    else:
        raw = sent.encode() if sent else None
        answer = await account.request(
            recorded["method"], recorded["path"], raw=raw, headers=recorded["extra_headers"]
        )
    assert answer.status == recorded["response"]["status"], answer.text
    expected = recorded["response"]["body"]
    if isinstance(expected, dict):
        assert expected.keys() <= answer.json.keys()
        if answer.status == 401:
            assert answer.message == INCORRECT
        if answer.status == 200 and "status" in expected:
            assert answer.json["status"] == expected["status"]


async def test_a_session_is_where_the_gateway_looks_for_it(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    person = await new_person()
    name = person.identity.user
    token = (await account.post(LOGIN, credentials(name))).json["access_token"]
    key = f"kubesphere:users:{name}:token:{token}"
    assert await store.get(key) == token
    assert 0 < await store.ttl(key) <= 40 * 60
    claims = jwt.decode(token, SECRET, ["HS256"])
    assert claims.items() >= {"username": name, "email": f"{name}@x.io", "typ": "access"}.items()
    assert claims["jti"]
    assert claims["iat"]
    assert "exp" not in claims


async def test_name_and_email_in_any_case_sign_in_the_same_user(
    account: SignedClient, new_person: NewPerson
) -> None:
    person = await new_person()
    name = person.identity.user
    for typed in (name, name.upper(), f"{name}@x.io", f"{name}@X.IO"):
        answer = await account.post(LOGIN, credentials(typed))
        assert answer.status == 200, (typed, answer.text)
        assert jwt.decode(answer.json["access_token"], SECRET, ["HS256"])["username"] == name


async def test_a_new_login_ends_the_session_before(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    name = (await new_person()).identity.user
    tokens = [(await account.post(LOGIN, credentials(name))).json["access_token"] for _ in range(3)]
    assert len(set(tokens)) == 3, "two logins within a second must not share a token (ACCOUNT-5)"
    live = [await store.exists(f"kubesphere:users:{name}:token:{token}") for token in tokens]
    assert live == [0, 0, 1]


async def test_the_last_ten_logins_are_kept_with_time_and_address(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    person = await new_person()
    name = person.identity.user
    for number in range(12):
        assert (await account.at(f"203.0.113.{number}").post(LOGIN, credentials(name))).status == 200
    lines = [str(line) for line in await store.lrange(f"kubesphere:users:{name}:login-log", 0, -1)]
    assert [line.split(",")[1] for line in lines] == [f"203.0.113.{number}" for number in range(2, 12)]
    answer = await person.get(f"{IAM}/users/{name}/logs")
    assert [entry["login_ip"] for entry in answer.json] == [f"203.0.113.{n}" for n in range(2, 12)]
    assert (await person.get(f"{IAM}/users/{name}")).json["last_login_time"] == lines[-1].split(",")[0]


async def test_fifty_logins_at_once_leave_one_session(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    name = (await new_person()).identity.user
    answers = await asyncio.gather(*(account.post(LOGIN, credentials(name)) for _ in range(50)))
    assert [answer.status for answer in answers] == [200] * 50
    keys = [f"kubesphere:users:{name}:token:{answer.json['access_token']}" for answer in answers]
    assert await store.exists(*keys) == 1
    assert await store.zcard(f"kubesphere:users:{name}:sessions") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"admin"',
        b"{",
        b'{"username": 1, "password": 2}',
        b'{"username": null, "password": null}',
        b'{"username": ["admin"], "password": "x"}',
        b'{"username": "\\u0000", "password": "x"}',
        b'{"username": "admin", "password": "\\u0000"}',
        b'{"username": "\\ud800", "password": "x"}',
        json.dumps({"username": "a" * 100_000, "password": "b"}).encode(),
        json.dumps({"username": "admin", "password": "b" * 100_000}).encode(),
    ],
)
async def test_whatever_is_no_pair_is_refused_like_a_wrong_one(account: SignedClient, body: bytes) -> None:
    answer = await account.request("POST", LOGIN, raw=body, headers={"Content-Type": "application/json"})
    assert answer.status == 401, answer.text
    assert answer.message == INCORRECT


async def test_a_huge_body_is_refused_unread(account: SignedClient) -> None:
    body = json.dumps(credentials("admin", "x" * 3_000_000)).encode()
    answer = await account.request("POST", LOGIN, raw=body, headers={"Content-Type": "application/json"})
    assert answer.status == 413


SYNTAX = ["*", "(", ")", "\\", "\0", "uid=", "&", "|", "!", "admin", "\n", "ａ", "ſ", ",", "=", "\\2a"]
HOSTILE = st.one_of(
    st.text(min_size=1, max_size=200),
    st.lists(st.sampled_from(SYNTAX), min_size=1, max_size=12).map("".join),
)


@given(name=HOSTILE, number=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_name_reaches_the_directory_as_a_filter(
    account: SignedClient, name: str, number: int
) -> None:
    """ACCOUNT-2."""
    client = account.at(f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1")
    answer = await client.post(LOGIN, credentials(name, "not-the-password"))
    assert answer.status == 401, (name, answer.text)
    assert answer.message == INCORRECT


async def test_a_token_is_reviewed_by_signature_and_session(
    account: SignedClient, admin: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    """ACCOUNT-6: v2.1.1 went on to confirm tokens after they were revoked."""
    name = (await new_person()).identity.user
    token = (await account.post(LOGIN, credentials(name))).json["access_token"]

    async def review(value: str, prefix: str = IAM) -> Any:
        kind = {"apiVersion": "authentication.k8s.io/v1beta1", "kind": "TokenReview"}
        return (await account.post(f"{prefix}/authenticate", {**kind, "spec": {"token": value}})).json

    assert await review(token) == {
        "apiVersion": "authentication.k8s.io/v1beta1",
        "kind": "TokenReview",
        "status": {"authenticated": True, "user": {"username": name, "uid": name, "groups": []}},
    }
    assert (await review(token, "/apis/account.kubesphere.io/v1alpha1"))["status"]["authenticated"]
    claims = {"username": name, "iat": 1_700_000_000}
    forged = {
        "wrong secret": jwt.encode(claims, "another-secret-that-is-long-enough-too", "HS256"),
        "not in Redis": jwt.encode(claims, SECRET, "HS256"),
        "HS512": jwt.encode(claims, SECRET * 2, "HS512"),
        "none": jwt.encode(claims, "", "none"),
        "nobody": jwt.encode({"iat": 1_700_000_000}, SECRET, "HS256"),
        "text": "bad",
        "long": "x" * 100_000,
    }
    for what, value in forged.items():
        assert (await review(value))["status"] == {"authenticated": False}, what
    await store.delete(f"kubesphere:users:{name}:token:{token}")
    assert (await review(token))["status"] == {"authenticated": False}


async def test_a_password_in_clear_text_is_hashed_when_its_owner_signs_in(
    account: SignedClient, new_person: NewPerson, set_password: Callable[..., Any]
) -> None:
    """ACCOUNT-3: v2.1.1 kept passwords as they were typed."""
    name = (await new_person()).identity.user
    set_password(name, "as-v2.1.1-left-it")
    assert (await account.post(LOGIN, credentials(name, "as-v2.1.1-left-it"))).status == 200
    assert set_password(name, None).startswith(b"{CRYPT}$6$")
    assert (await account.post(LOGIN, credentials(name, "as-v2.1.1-left-it"))).status == 200
