"""Who may call what: default deny, decided here again, whatever the gateway let through."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import orjson
import pytest

from harness.account import IAM, SECRET
from harness.signed import SignedClient
from servicekit.identity import IDENTITY_HEADER, Identity, IdentitySigner

NewPerson = Callable[..., Awaitable[SignedClient]]
PUBLIC = {
    ("POST", f"{IAM}/login"),
    ("POST", f"{IAM}/authenticate"),
    ("POST", f"{IAM}/token"),
    ("GET", f"{IAM}/oauth/providers"),
    ("GET", f"{IAM}/oauth/admin/authorize"),
    ("GET", f"{IAM}/oauth/admin/callback"),
}
FOR_EVERYBODY = {
    ("DELETE", f"{IAM}/token"),
    ("GET", f"{IAM}/rulesmapping/clusterroles"),
    ("GET", f"{IAM}/rulesmapping/roles"),
}


def operations() -> list[tuple[str, str]]:
    """Every operation of the service's own OpenAPI document, its path parameters filled in."""
    command = [sys.executable, "-m", "ks_account", "openapi", "--set", f"authentication.jwtSecret={SECRET}"]
    document = orjson.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    names = {"user": "admin", "workspace": "system-workspace", "member": "admin", "namespace": "default"}
    found: list[tuple[str, str]] = []
    for path, methods in document["paths"].items():
        for method in methods.keys() & {"get", "put", "post", "patch", "delete"}:
            filled = path
            for parameter in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
                filled = filled.replace(f"{{{parameter}}}", names.get(parameter, "admin"))
            found.append((method.upper(), filled))
    return sorted(found)


GUARDED = [
    operation for operation in operations() if operation not in PUBLIC and operation[1].startswith("/kapis")
]


def test_the_service_has_operations() -> None:
    assert len(GUARDED) >= 12


@pytest.mark.parametrize(("method", "path"), GUARDED, ids=lambda value: value.removeprefix(IAM))
async def test_nobody_gets_in_without_a_signed_identity(
    account: SignedClient, method: str, path: str
) -> None:
    body: dict[str, Any] | None = {} if method in ("POST", "PUT", "PATCH") else None
    assert (await account.request(method, path, body=body)).status == 401
    for header in ("", "admin", "a.b.c", IdentitySigner(b"another").sign(Identity("admin"))):
        answer = await account.request(method, path, body=body, headers={IDENTITY_HEADER: header})
        assert answer.status == 401, (header, answer.text)


@pytest.mark.parametrize(
    ("method", "path"), [o for o in GUARDED if o not in FOR_EVERYBODY], ids=lambda v: v.removeprefix(IAM)
)
async def test_a_stranger_may_do_nothing_to_others(new_person: NewPerson, method: str, path: str) -> None:
    stranger = await new_person()
    body: dict[str, Any] | None = {} if method in ("POST", "PUT", "PATCH") else None
    answer = await stranger.request(method, path, body=body)
    assert answer.status == 403, answer.text
    assert answer.json["reason"] == "Forbidden"


async def test_a_login_token_is_no_identity(account: SignedClient) -> None:
    now = int(time.time())
    claims = {"iss": "ks-apigateway", "aud": "ks-services", "sub": "admin", "groups": [], "addr": ""}
    claims |= {"iat": now, "exp": now + 60}
    token = jwt.encode(claims, SECRET, "HS256")
    assert (await account.request("GET", f"{IAM}/users", headers={IDENTITY_HEADER: token})).status == 401


async def test_an_identity_ends_a_minute_after_it_was_made(account: SignedClient) -> None:
    old = IdentitySigner(SECRET.encode()).sign(Identity("admin"), now=time.time() - 3600)
    assert (await account.request("GET", f"{IAM}/users", headers={IDENTITY_HEADER: old})).status == 401


async def test_headers_of_v2_1_1_are_worth_nothing(account: SignedClient, new_person: NewPerson) -> None:
    stranger = await new_person()
    claims = {"X-Token-Username": "admin", "X-Remote-User": "admin", "Impersonate-User": "admin"}
    assert (await stranger.request("GET", f"{IAM}/users", headers=claims)).status == 403
    assert (await account.request("GET", f"{IAM}/users", headers=claims)).status == 401


async def test_groups_count(account: SignedClient) -> None:
    member = account.acting_as("somebody-of-the-masters", "system:masters")
    assert (await member.get(f"{IAM}/users")).status == 200
    assert (await account.acting_as("somebody-else").get(f"{IAM}/users")).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/users/%2e%2e",
        "/users/a%2Fb",
        "//users",
        "/users/./admin",
        "/users/%00",
        "/users/%ff",
        "/users%2fadmin",
    ],
)
async def test_a_path_that_can_be_read_in_two_ways_is_refused(new_person: NewPerson, path: str) -> None:
    stranger = await new_person()
    assert (await stranger.get(f"{IAM}{path}")).status in (400, 403, 404)
