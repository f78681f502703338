"""People of other directories sign in with their passwords there (ACCOUNT-34)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt
import ldap3
import pytest_asyncio

from harness.account import IAM, PASSWORD, SECRET, ready, unique
from harness.servers import RunningServer, running_openldap
from harness.services import running_service
from harness.signed import Reply, SignedClient

NewPerson = Callable[..., Awaitable[SignedClient]]
BASE = "dc=kubesphere,dc=io"
THEIRS = "Their-own-1"


@dataclass
class Elsewhere:
    """A second OpenLDAP, and a service that knows it and one that is down."""

    server: RunningServer[Any]
    service: SignedClient

    def add(
        self, name: str, *, mail: str = "", groups: tuple[str, ...] = (), cls: str = "inetOrgPerson"
    ) -> None:
        """Somebody whose password is THEIRS."""
        definition = self.server.definition
        where = ldap3.Server(self.server.host, self.server.port, get_info=ldap3.NONE)
        values: dict[str, Any] = {"cn": f"Somebody {name}", "sn": "x", "userPassword": THEIRS}
        values |= {"uid": name, "employeeNumber": f"E-{name}", "mail": mail or f"{name}@corp.example"}
        if groups:
            values["departmentNumber"] = list(groups)
        account = definition.manager_dn, definition.manager_password
        with ldap3.Connection(where, *account, raise_exceptions=True) as connection:
            connection.add(f"uid={name},{BASE}", "inetOrgPerson", values)

    def change(self, name: str, **values: str) -> None:
        """Replace attributes of somebody; without any, they are deleted."""
        definition = self.server.definition
        where = ldap3.Server(self.server.host, self.server.port, get_info=ldap3.NONE)
        account = definition.manager_dn, definition.manager_password
        with ldap3.Connection(where, *account, raise_exceptions=True) as connection:
            if values:
                changes = {key: [(ldap3.MODIFY_REPLACE, [value])] for key, value in values.items()}
                connection.modify(f"uid={name},{BASE}", changes)
            else:
                connection.delete(f"uid={name},{BASE}")

    async def refresh(self, answer: Reply) -> Reply:
        """What the refresh token of an answer is good for."""
        assert answer.status == 200, answer.text
        body = {"grant_type": "refresh_token", "refresh_token": answer.json["refresh_token"]}
        return await self.service.post(f"{IAM}/token", body)

    async def login(self, name: str, password: str = THEIRS) -> Reply:
        return await self.service.post(f"{IAM}/login", {"username": name, "password": password})


@pytest_asyncio.fixture(scope="module")
async def elsewhere(config: dict[str, Any], tmp_path_factory: Any) -> AsyncIterator[Elsewhere]:
    directory = tmp_path_factory.mktemp("elsewhere")
    async with running_openldap(directory) as server:
        known = {
            "name": "corp",
            "host": f"{server.host}:{server.port}",
            "managerDN": server.definition.manager_dn,
            "managerPassword": server.definition.manager_password,
            "userSearchBase": BASE,
            "userFilter": "(objectClass=inetOrgPerson)",
            "loginAttributes": ["employeeNumber", "mail"],
            "groupsAttribute": "departmentNumber",
            "groupsPrefix": "corp:",
        }
        account = {**config["account"], "directories": [known]}
        async with running_service("ks-account", {**config, "account": account}, directory) as running:
            client = await ready(running)
            yield Elsewhere(server, client)
            await client.close()


@pytest_asyncio.fixture
async def stranger(elsewhere: Elsewhere, admin: SignedClient) -> AsyncIterator[str]:
    """The name of somebody who is known there alone; gone here after the test."""
    name = unique("stranger")
    elsewhere.add(name, groups=("cn=dev,ou=Groups,dc=corp", "ops"))
    yield name
    await admin.delete(f"{IAM}/users/{name}")


def _claims(answer: Reply) -> dict[str, Any]:
    assert answer.status == 200, answer.text
    return jwt.decode(answer.json["access_token"], SECRET, ["HS256"])


async def test_who_is_known_there_becomes_a_user_without_rights_and_stays_the_same_one(
    elsewhere: Elsewhere, admin: SignedClient, stranger: str
) -> None:
    claims = _claims(await elsewhere.login(f"E-{stranger}"))
    assert claims["username"] == stranger
    assert sorted(claims["groups"]) == ["corp:dev", "corp:ops"]
    shown = (await admin.get(f"{IAM}/users/{stranger}")).json
    assert (shown["email"], shown["cluster_role"]) == (f"{stranger}@corp.example", "")
    for typed in (f"E-{stranger}", f"{stranger}@corp.example", stranger):
        assert _claims(await elsewhere.login(typed))["username"] == stranger, typed
    assert (await admin.get(f"{IAM}/users/{stranger}/logs")).json, "the login log is theirs"


async def test_a_wrong_password_and_a_name_that_nobody_has_are_refused_in_the_same_words(
    elsewhere: Elsewhere, admin: SignedClient, stranger: str
) -> None:
    refused = [
        await elsewhere.login(f"E-{stranger}", "wrong-one"),
        await elsewhere.login(unique("nobody")),
        await elsewhere.login("*"),
        await elsewhere.login(f"E-{stranger})(uid=*"),
    ]
    assert {(answer.status, answer.message) for answer in refused} == {(401, refused[0].message)}
    assert (await admin.get(f"{IAM}/users/{stranger}")).status == 404
    _claims(await elsewhere.login(f"E-{stranger}"))
    assert (await elsewhere.login(stranger, "wrong-one")).status == 401


async def test_a_user_of_the_platform_is_not_taken_over_by_somebody_there(
    elsewhere: Elsewhere, new_person: NewPerson
) -> None:
    person = (await new_person()).identity.user
    elsewhere.add(person, mail=f"{person}@x.io")
    assert (await elsewhere.login(person)).status == 401
    assert (await elsewhere.login(f"{person}@x.io")).status == 401
    assert (await elsewhere.login(f"E-{person}")).status == 409
    assert (await elsewhere.login(person, PASSWORD)).status == 200


async def test_the_password_is_changed_there_and_the_lock_holds_here(
    elsewhere: Elsewhere, admin: SignedClient, stranger: str
) -> None:
    _claims(await elsewhere.login(f"E-{stranger}"))
    change = {"username": stranger, "email": f"{stranger}@corp.example", "password": PASSWORD}
    for who in (admin, admin.acting_as(stranger)):
        answer = await who.put(f"{IAM}/users/{stranger}", {**change, "current_password": THEIRS})
        assert (answer.status, answer.json["reason"]) == (400, "PasswordElsewhere")
    await admin.request("PUT", f"{IAM}/users/{stranger}/lock")
    for typed in (stranger, f"E-{stranger}"):
        assert (await elsewhere.login(typed)).status == 403


async def test_a_directory_that_is_down_is_down_for_its_people_alone(
    elsewhere: Elsewhere, stranger: str
) -> None:
    _claims(await elsewhere.login(f"E-{stranger}"))
    await elsewhere.server.stop(hard=True)
    try:
        answer = await elsewhere.login(stranger)
        assert answer.status == 503
        assert str(elsewhere.server.port) in answer.message
        assert (await elsewhere.login(unique("perhaps-theirs"))).status == 503
        assert (await elsewhere.login("admin", PASSWORD)).status == 200
        assert (await elsewhere.login("admin", "wrong-one")).status == 401
        assert (await elsewhere.service.get("/readyz")).status == 200
    finally:
        await elsewhere.server.start()
    _claims(await elsewhere.login(stranger))


async def test_groups_are_those_of_now_when_a_token_is_refreshed_and_who_is_gone_goes_on_no_more(
    elsewhere: Elsewhere, stranger: str
) -> None:
    body = {"grant_type": "password", "username": f"E-{stranger}", "password": THEIRS}
    granted = await elsewhere.service.post(f"{IAM}/token", body)
    assert sorted(_claims(granted)["groups"]) == ["corp:dev", "corp:ops"]
    refreshed = await elsewhere.refresh(granted)
    assert sorted(_claims(refreshed)["groups"]) == ["corp:dev", "corp:ops"]
    elsewhere.change(stranger, departmentNumber="sales")
    refreshed = await elsewhere.refresh(refreshed)
    assert _claims(refreshed)["groups"] == ["corp:sales"]
    await elsewhere.server.stop(hard=True)
    try:
        assert (await elsewhere.refresh(refreshed)).status == 503
    finally:
        await elsewhere.server.start()
    refreshed = await elsewhere.refresh(refreshed)
    assert refreshed.status == 200, "an outage uses no token up"
    elsewhere.change(stranger)
    assert (await elsewhere.refresh(refreshed)).status == 401
