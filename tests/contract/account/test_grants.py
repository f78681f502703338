"""OAuth 2 grants, and signing out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
import redis.asyncio as redis

from harness.account import IAM, PASSWORD, SECRET
from harness.signed import Reply, SignedClient

NewPerson = Callable[..., Awaitable[SignedClient]]


async def by_password(client: SignedClient, name: str, password: str = PASSWORD) -> Reply:
    return await client.post(
        f"{IAM}/token", {"grant_type": "password", "username": name, "password": password}
    )


async def by_refresh(client: SignedClient, token: str) -> Reply:
    return await client.post(f"{IAM}/token", {"grant_type": "refresh_token", "refresh_token": token})


def key_of(pair: dict[str, Any]) -> str:
    token = pair["access_token"]
    return f"kubesphere:users:{jwt.decode(token, SECRET, ['HS256'])['username']}:token:{token}"


async def is_live(client: SignedClient, token: str) -> bool:
    answer = await client.post(f"{IAM}/authenticate", {"spec": {"token": token}})
    return answer.json["status"]["authenticated"]


async def test_a_password_is_worth_a_pair_of_tokens(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    """ACCOUNT-17: tokens with an end are in Redis too, so they can be revoked."""
    name = (await new_person()).identity.user
    answer = await by_password(account, name)
    assert answer.status == 200, answer.text
    pair = answer.json
    assert pair.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (pair["token_type"], pair["expires_in"]) == ("jwt", 9600)
    assert 0 < await store.ttl(key_of(pair)) <= 9600
    access, refresh = (jwt.decode(pair[k], SECRET, ["HS256"]) for k in ("access_token", "refresh_token"))
    assert (access["typ"], refresh["typ"]) == ("access", "refresh")
    assert access["exp"] - access["iat"] == 9600
    assert refresh["exp"] - refresh["iat"] == 12000
    assert await is_live(account, pair["access_token"])
    assert not await is_live(account, pair["refresh_token"]), "a refresh token is no access token"


async def test_a_form_is_taken_as_well(account: SignedClient, new_person: NewPerson) -> None:
    name = (await new_person()).identity.user
    form = urlencode({"grant_type": "password", "username": name, "password": PASSWORD}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert (await account.request("POST", f"{IAM}/token", raw=form, headers=headers)).status == 200


async def test_a_refresh_token_is_worth_one_new_pair(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    first = (await by_password(account, (await new_person()).identity.user)).json
    second = (await by_refresh(account, first["refresh_token"])).json
    third = (await by_refresh(account, second["refresh_token"])).json
    assert len({pair["refresh_token"] for pair in (first, second, third)}) == 3
    assert [await store.exists(key_of(pair)) for pair in (first, second, third)] == [0, 0, 1]


async def test_a_refresh_token_that_comes_twice_ends_its_family(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    """ACCOUNT-17."""
    first = (await by_password(account, (await new_person()).identity.user)).json
    second = (await by_refresh(account, first["refresh_token"])).json
    stolen = await by_refresh(account, first["refresh_token"])
    assert stolen.status == 401
    assert stolen.headers["WWW-Authenticate"] == stolen.message
    assert not await store.exists(key_of(second))
    assert (await by_refresh(account, second["refresh_token"])).status == 401


async def test_of_many_uses_at_once_one_succeeds(account: SignedClient, new_person: NewPerson) -> None:
    pair = (await by_password(account, (await new_person()).identity.user)).json
    answers = await asyncio.gather(*(by_refresh(account, pair["refresh_token"]) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 9


async def test_what_is_no_refresh_token_is_refused(account: SignedClient, new_person: NewPerson) -> None:
    name = (await new_person()).identity.user
    pair = (await by_password(account, name)).json
    legacy = {"username": name, "type": "refresh_token", "iat": 1_700_000_000}
    for token in ("", "bad", "x" * 100_000, pair["access_token"], jwt.encode(legacy, SECRET, "HS256")):
        assert (await by_refresh(account, token)).status == 401, token[:80]


async def test_a_wrong_password_or_grant_is_refused(account: SignedClient) -> None:
    assert (await by_password(account, "admin", "not-the-password")).status == 401
    answer = await account.post(f"{IAM}/token", {"grant_type": "x"})
    assert answer.status == 401
    assert answer.message == answer.headers["WWW-Authenticate"] == "grant_type is not supported"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"grant_type": 1}', b"\xff"])
async def test_what_is_no_request_is_refused(account: SignedClient, body: bytes) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        answer = await account.request(
            "POST", f"{IAM}/token", raw=body, headers={"Content-Type": content_type}
        )
        assert answer.status in (400, 401), answer.text


async def test_a_new_password_and_a_new_login_end_the_grants(
    account: SignedClient, admin: SignedClient, new_person: NewPerson
) -> None:
    name = (await new_person()).identity.user
    pair = (await by_password(account, name)).json
    body = {"username": name, "email": f"{name}@x.io", "password": "An0ther-one"}
    assert (await admin.put(f"{IAM}/users/{name}", body)).status == 200
    assert (await by_refresh(account, pair["refresh_token"])).status == 401
    pair = (await by_password(account, name, "An0ther-one")).json
    login = {"username": name, "password": "An0ther-one"}
    assert (await account.post(f"{IAM}/login", login)).status == 200
    assert (await by_refresh(account, pair["refresh_token"])).status == 401


async def test_signing_out_ends_the_session_and_its_grant(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    """ACCOUNT-18."""
    person, other = await new_person(), await new_person()
    pair = (await by_password(account, person.identity.user)).json
    bearer = {"Authorization": f"Bearer {pair['access_token']}"}
    assert (await other.request("DELETE", f"{IAM}/token", headers=bearer)).status == 403
    assert (await person.request("DELETE", f"{IAM}/token")).status == 400
    assert (
        await person.request("DELETE", f"{IAM}/token", headers={"Authorization": "Bearer x"})
    ).status == 400
    assert await store.exists(key_of(pair))
    answer = await person.request("DELETE", f"{IAM}/token", headers=bearer)
    assert answer.json == {"message": "success"}
    assert not await store.exists(key_of(pair))
    assert (await by_refresh(account, pair["refresh_token"])).status == 401
