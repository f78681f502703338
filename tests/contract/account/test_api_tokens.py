"""API tokens (ACCOUNT-32); that the gateway holds them to their scope is tested with the gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest
import redis.asyncio as redis

from harness.account import IAM, PASSWORD, SECRET, unique
from harness.signed import SignedClient

NewPerson = Callable[..., Awaitable[SignedClient]]
TOKEN = {"name": "CI of demo", "verbs": ["get", "list"], "workspaces": ["demo"], "lifetime": "24h"}


def _path(person: SignedClient) -> str:
    return f"{IAM}/users/{person.identity.user}/apitokens"


def _key(person: SignedClient, identifier: str) -> str:
    return f"kubesphere:users:{person.identity.user}:token:{identifier}"


async def _make(person: SignedClient, **values: Any) -> dict[str, Any]:
    answer = await person.post(_path(person), {**TOKEN, **values})
    assert answer.status == 200, answer.text
    return answer.json


async def test_a_token_says_what_it_is_for_and_is_shown_once(
    new_person: NewPerson, store: redis.Redis
) -> None:
    person = await new_person()
    made = await _make(person)
    claims = jwt.decode(made["token"], SECRET, ["HS256"])
    assert claims["typ"] == "api"
    assert claims["username"] == person.identity.user
    assert claims["jti"] == made["id"]
    assert claims["scope"] == {"verbs": ["get", "list"], "workspaces": ["demo"]}
    assert abs(claims["exp"] - time.time() - 24 * 3600) < 120
    assert 23 * 3600 < await store.ttl(_key(person, made["id"])) <= 24 * 3600

    listed = (await person.get(_path(person))).json
    assert listed["total_count"] == 1
    [shown] = listed["items"]
    assert shown == {key: value for key, value in made.items() if key != "token"}
    assert shown["last_used_time"] is None
    signature = made["token"].rpartition(".")[2]
    for key in [key async for key in store.scan_iter(match=f"*{person.identity.user}*")]:
        kept = await store.dump(key)
        assert signature.encode() not in kept, f"the token is in {key}"


async def test_the_last_use_that_the_gateway_notes_is_shown(
    new_person: NewPerson, store: redis.Redis
) -> None:
    person = await new_person()
    made = await _make(person)
    used = f"kubesphere:api-tokens-used:{person.identity.user}"
    await store.hset(used, made["id"], "1700000000")  # type: ignore[misc]
    [shown] = (await person.get(_path(person))).json["items"]
    assert shown["last_used_time"] == "2023-11-14T22:13:20Z"


async def test_a_token_that_is_revoked_is_gone_and_the_others_stay(
    new_person: NewPerson, store: redis.Redis
) -> None:
    person = await new_person()
    kept, revoked = await _make(person, name="kept"), await _make(person, name="revoked")
    assert (await person.delete(f"{_path(person)}/{revoked['id']}")).status == 200
    assert not await store.exists(_key(person, revoked["id"]))
    assert await store.exists(_key(person, kept["id"]))
    assert [t["name"] for t in (await person.get(_path(person))).json["items"]] == ["kept"]
    assert (await person.delete(f"{_path(person)}/{revoked['id']}")).status == 404


async def test_a_login_ends_no_api_token(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    person = await new_person()
    made = await _make(person)
    login = {"username": person.identity.user, "password": PASSWORD}
    assert (await account.post(f"{IAM}/login", login)).status == 200
    assert await store.exists(_key(person, made["id"]))


@pytest.mark.parametrize("end", ["password", "lock", "sessions", "deletion"])
async def test_what_ends_all_sessions_of_a_user_ends_the_api_tokens(
    admin: SignedClient, new_person: NewPerson, store: redis.Redis, end: str
) -> None:
    person = await new_person()
    name = person.identity.user
    made = await _make(person)
    change = {"username": name, "email": f"{name}@x.io", "password": "An0ther-one"}
    answer = {
        "password": lambda: admin.put(f"{IAM}/users/{name}", change),
        "lock": lambda: admin.request("PUT", f"{IAM}/users/{name}/lock"),
        "sessions": lambda: admin.delete(f"{IAM}/users/{name}/sessions"),
        "deletion": lambda: admin.delete(f"{IAM}/users/{name}"),
    }[end]
    assert (await answer()).status == 200
    assert not await store.exists(_key(person, made["id"]))
    if end == "lock":
        assert (await person.post(_path(person), TOKEN)).status == 403


async def test_nobody_makes_a_token_for_another_and_who_may_sees_and_revokes_it(
    admin: SignedClient, new_person: NewPerson
) -> None:
    person, stranger = await new_person(), await new_person()
    made = await _make(person)
    for other in (stranger, admin):
        assert (await other.post(_path(person), {**TOKEN, "name": "x"})).status == 403
    assert (await stranger.get(_path(person))).status == 403
    assert (await stranger.delete(f"{_path(person)}/{made['id']}")).status == 403
    assert (await admin.get(_path(person))).json["total_count"] == 1
    assert (await admin.delete(f"{_path(person)}/{made['id']}")).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 64},
        {"name": "a\nb"},
        {"verbs": []},
        {"verbs": ["exec"]},
        {"workspaces": []},
        {"workspaces": ["a/b"]},
        {"workspaces": ["*x"]},
        {"workspaces": ["x"] * 51},
        {"lifetime": "1s"},
        {"lifetime": "100000h"},
        {"lifetime": "soon"},
        {"lifetime": ""},
        {"name": None},
        {"verbs": "get"},
    ],
)
async def test_a_token_without_a_plain_scope_name_and_end_is_not_made(
    new_person: NewPerson, wrong: dict[str, Any]
) -> None:
    person = await new_person()
    answer = await person.post(_path(person), {**TOKEN, **wrong})
    assert 400 <= answer.status < 500, answer.text
    assert (await person.get(_path(person))).json["items"] == []


async def test_names_are_unique_and_the_number_is_bounded_also_when_many_are_made_at_once(
    new_person: NewPerson,
) -> None:
    person = await new_person()
    same = await asyncio.gather(*(person.post(_path(person), TOKEN) for _ in range(5)))
    assert sorted(answer.status for answer in same) == [200, 409, 409, 409, 409]
    answers = await asyncio.gather(
        *(person.post(_path(person), {**TOKEN, "name": unique("t")}) for _ in range(55))
    )
    assert sorted({answer.status for answer in answers}) == [200, 409]
    assert (await person.get(_path(person))).json["total_count"] == 50


async def test_an_api_token_is_no_session_for_whoever_reviews_tokens(
    account: SignedClient, new_person: NewPerson
) -> None:
    made = await _make(await new_person(), verbs=["*"], workspaces=["*"])
    review = {"apiVersion": "v1", "kind": "TokenReview", "spec": {"token": made["token"]}}
    reviewed = await account.post(f"{IAM}/authenticate", review)
    assert reviewed.json["status"] == {"authenticated": False}
