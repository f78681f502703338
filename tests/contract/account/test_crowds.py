"""Many at once, and text of every kind: nothing is lost, and nothing makes the service fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.account import IAM, PASSWORD, unique
from harness.signed import SignedClient
from harness.waiting import eventually

USERS = f"{IAM}/users"
NewPerson = Callable[..., Awaitable[SignedClient]]
FIELDS = ("username", "email", "password", "description", "lang", "cluster_role")
HOSTILE = (
    "*", "*)(uid=*", "a)(|(uid=*", "\\2a", "admin)(!(&(1=0", "\0", "a\0b", "a\nb", "a\r\nmail: x@x.io",
    "\x7f",
    "ou=evil,dc=kubesphere,dc=io", "x,ou=Users", "+cn=x", "#04", "\u202eadmin", "adm\u0131n", "\u0430dmin",
    "ａｄｍｉｎ", "admin\u200b", "\ufeffadmin", "ﬀ@x.io", "İ", "../admin", "..", "%2e%2e", "\U0001f600",
    "' OR 1=1 --", "${jndi:ldap://x}", "{{7*7}}",
)  # fmt: skip
"""Filters and names of LDAP, control characters, letters that look like others, what other parsers take."""


async def check_refused_or_kept_as_it_is(admin: SignedClient, field: str, text: str) -> None:
    """A text in a field of a new user makes no user, or one who is shown with that text."""
    name = unique("text")
    body = {"username": name, "email": f"{name}@x.io", "password": PASSWORD, field: text}
    answer = await admin.post(USERS, body)
    assert answer.status in (200, 400, 404, 409), answer.text
    if answer.status != 200:
        assert len(answer.text) < 2000, "an error does not give a long text back"
        return
    made = answer.json["username"]
    try:
        shown = (await admin.get(f"{USERS}/{quote(made, safe='')}")).json
        if field in shown and text.strip():
            assert shown[field] == text.strip()
        assert made == (text.strip() if field == "username" else name)
    finally:
        assert (await admin.delete(f"{USERS}/{quote(made, safe='')}")).status == 200


@pytest.mark.parametrize("field", FIELDS)
async def test_hostile_text_in_a_field_is_refused_or_kept_as_it_is(admin: SignedClient, field: str) -> None:
    for text in HOSTILE:
        await check_refused_or_kept_as_it_is(admin, field, text)


@given(field=st.sampled_from(FIELDS), text=st.text(max_size=80))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_text_in_a_field_is_refused_or_kept_as_it_is(
    admin: SignedClient, field: str, text: str
) -> None:
    await check_refused_or_kept_as_it_is(admin, field, text)


@pytest.mark.parametrize("field", FIELDS)
async def test_a_text_of_almost_a_mebibyte_is_refused_and_not_given_back(
    admin: SignedClient, field: str
) -> None:
    answer = await admin.post(
        USERS,
        {
            "username": unique("long"),
            "email": "l@x.io",
            "password": PASSWORD,
            field: "x" * (1024 * 1024 - 300),
        },
    )
    assert answer.status in (400, 404, 413), answer.text[:200]
    assert len(answer.text) < 2000


@pytest.mark.parametrize("field", ["username", "workspace_role"])
async def test_nobody_of_an_endless_name_is_invited(admin: SignedClient, workspace: str, field: str) -> None:
    body = {"username": "admin", "workspace_role": "workspace-admin", field: "x" * 1_000_000}
    path = f"{IAM}/workspaces/{workspace}/members"

    async def refused() -> None:
        answer = await admin.post(path, body)
        assert answer.status == 404, answer.text[:200]
        assert field.removeprefix("workspace_").replace("username", "user") in answer.message
        assert len(answer.text) < 2000

    await eventually(refused)


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_signs_nobody_in(account: SignedClient, text: str) -> None:
    for body in (
        {"username": text, "password": PASSWORD},
        {"username": "admin", "password": text},
        {"username": text, "password": text},
    ):
        assert (await account.at("203.0.113.77").post(f"{IAM}/login", body)).status in (401, 429)


@pytest.mark.parametrize("field", [*FIELDS[1:], "current_password"])
async def test_hostile_text_changes_a_user_as_it_is_or_not_at_all(
    admin: SignedClient, new_person: NewPerson, field: str
) -> None:
    person = await new_person()
    name = person.identity.user
    for text in HOSTILE:
        before = (await admin.get(f"{USERS}/{name}")).json
        body = {"username": name, "email": before["email"], field: text}
        answer = await admin.put(f"{USERS}/{name}", body)
        assert answer.status in (200, 400, 404, 409), (text, answer.text)
        after = (await admin.get(f"{USERS}/{name}")).json
        expected = {**before, field: text.strip()} if answer.status == 200 and field in before else before
        assert after | {"cluster_rules": []} == expected | {"cluster_rules": []}, text


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_no_token_of_any_kind(account: SignedClient, text: str) -> None:
    somebody = account.at("203.0.113.78")
    review = await somebody.post(f"{IAM}/authenticate", {"spec": {"token": text}})
    assert (review.status, review.json["status"]) == (200, {"authenticated": False})
    for body in (
        {"grant_type": "refresh_token", "refresh_token": text},
        {"grant_type": "password", "username": text, "password": text},
        {"grant_type": text, "username": "admin", "password": PASSWORD},
    ):
        assert (await somebody.post(f"{IAM}/token", body)).status in (400, 401, 429), text


_EXACTLY = "/users?conditions=username={}|{}"
PATHS = (
    "/users/{}", "/users/{}/logs", "/users/{}/roles", "/users/{}/apitokens",
    "/clusterroles/{}/users", "/clusterroles/{}/rules",
    "/workspaces/{}/members", "/workspaces/{}/members/{}", "/workspaces/{}/roles/{}/rules",
    "/namespaces/{}/users", "/namespaces/{}/roles/{}/users", "/devops/{}/roles/{}/rules",
    "/users?conditions=keyword={}", "/users?conditions=username~{}", _EXACTLY,
    "/users?conditions={}={}", "/users?orderBy={}", "/users?check=true&check={}", "/users?paging={}",
    "/oauth/{}/authorize",
)  # fmt: skip
"""Of what is read, with places for a text."""


@pytest.mark.parametrize("path", PATHS)
async def test_hostile_text_in_a_path_or_query_finds_nobody_else(admin: SignedClient, path: str) -> None:
    for text in HOSTILE:
        answer = await admin.get(IAM + path.replace("{}", quote(text, safe="")))
        assert answer.status in (200, 400, 403, 404), (text, answer.text)
        assert len(answer.text) < 100_000
        if answer.status == 200 and path.startswith("/users/{}"):
            assert "admin" not in answer.text, text
        # Letters that RFC 4518 takes for others find whom those name; what is no condition is none.
        if answer.status == 200 and path == _EXACTLY and text.isascii() and not set("=~,&") & set(text):
            assert answer.json["items"] == [], text


async def test_hostile_text_in_names_of_members_and_tokens_is_refused_or_kept_as_it_is(
    admin: SignedClient, new_person: NewPerson, workspace: str
) -> None:
    person = await new_person()
    tokens = f"{USERS}/{person.identity.user}/apitokens"
    for text in HOSTILE:
        for body in (
            {"username": text, "workspace_role": "workspace-viewer"},
            {"username": "admin", "workspace_role": text},
        ):
            assert (await admin.post(f"{IAM}/workspaces/{workspace}/members", body)).status in (400, 404), (
                text
            )
        body = {"name": text, "verbs": [text], "workspaces": [text], "lifetime": "1h"}
        answer = await person.post(tokens, body)
        assert answer.status in (200, 400), answer.text
        body = {"name": text, "verbs": ["get"], "workspaces": ["*"], "lifetime": "1h"}
        answer = await person.post(tokens, body)
        assert answer.status in (200, 400, 409), answer.text
        if answer.status == 200:
            assert answer.json["name"] == text.strip()


async def test_200_logins_and_changes_at_once_lose_nothing(
    account: SignedClient, admin: SignedClient, new_person: NewPerson
) -> None:
    """Each answer is true, and of several changes of one user none undoes another's."""
    people = [await new_person() for _ in range(10)]

    async def sign_in(person: SignedClient) -> None:
        body = {"username": person.identity.user, "password": PASSWORD}
        answer = await account.at("203.0.113.9").post(f"{IAM}/login", body)
        assert answer.status == 200, answer.text

    async def change(person: SignedClient, **values: Any) -> dict[str, Any]:
        name = person.identity.user
        body = {"username": name, "email": f"{name}@x.io", **values}
        answer = await admin.put(f"{USERS}/{name}", body)
        assert answer.status == 200, answer.text
        return answer.json

    logins = [sign_in(person) for person in people for _ in range(10)]
    descriptions = [change(person, description=f"text {n}") for person in people for n in range(5)]
    languages = [change(person, lang=f"en-{n:03}") for person in people for n in range(5)]
    await asyncio.gather(*logins, *descriptions, *languages)
    for person in people:
        shown = (await admin.get(f"{USERS}/{person.identity.user}")).json
        assert shown["description"] in {f"text {n}" for n in range(5)}
        assert shown["lang"] in {f"en-{n:03}" for n in range(5)}
        log = (await admin.get(f"{USERS}/{person.identity.user}/logs")).json
        assert len(log) == 10, "every login is in the log"
    listed = await admin.get(f"{USERS}?paging=limit=-1,page=1")
    known = {user["username"]: user["description"] for user in listed.json["items"]}
    for person in people:
        assert known[person.identity.user].startswith("text ")
