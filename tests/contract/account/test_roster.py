"""The list of all users, which each replica keeps: the test is another replica of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import ldap3
import pytest_asyncio

from harness.account import IAM, PASSWORD, unique
from harness.servers import RunningServer
from harness.signed import SignedClient
from harness.waiting import eventually
from ks_account.clients.directory import Directory
from ks_account.clients.sessions import Sessions
from ks_account.config import AccountConfig
from ks_account.users.roster import Roster

USERS = f"{IAM}/users"
HOUR = 3600


@pytest_asyncio.fixture
async def parts(account: SignedClient, config: dict[str, Any]) -> AsyncIterator[tuple[Directory, Sessions]]:
    read = AccountConfig.model_validate(config)
    directory, sessions = Directory(read.ldap, read.account), Sessions(read.redis, 5)
    yield directory, sessions
    await directory.close()
    await sessions.close()


async def described(roster: Roster) -> dict[str, str]:
    """The names in the list, and the descriptions."""
    listed = await roster.sorted("username", reverse=False)
    assert [each.username for each in listed] == sorted(each.username for each in listed)
    return {each.username: each.description for each in listed}


async def test_what_another_replica_does_to_a_user_shows_in_the_list_at_once(
    parts: tuple[Directory, Sessions], admin: SignedClient
) -> None:
    roster = Roster(*parts, keep=HOUR)
    before = await described(roster)
    name = unique("elsewhere")
    body = {"username": name, "email": f"{name}@x.io", "password": PASSWORD, "description": "new"}
    assert (await admin.post(USERS, body)).status == 200
    assert await described(roster) == {**before, name: "new"}
    changed = {"username": name, "email": f"{name}@x.io", "description": "changed"}
    assert (await admin.put(f"{USERS}/{name}", changed)).status == 200
    assert await described(roster) == {**before, name: "changed"}
    assert (await admin.delete(f"{USERS}/{name}")).status == 200
    assert await described(roster) == before


async def test_more_changes_than_are_remembered_are_not_overlooked(
    parts: tuple[Directory, Sessions], admin: SignedClient
) -> None:
    roster = Roster(*parts, keep=HOUR)
    before = await described(roster)
    name = unique("many")
    body = {"username": name, "email": f"{name}@x.io", "password": PASSWORD}
    assert (await admin.post(USERS, body)).status == 200
    for number in range(250):
        await parts[1].note_change(f"somebody-{number}")
    assert await described(roster) == {**before, name: ""}
    assert (await admin.delete(f"{USERS}/{name}")).status == 200


async def test_what_others_write_into_the_directory_shows_when_the_time_is_over(
    parts: tuple[Directory, Sessions], openldap: RunningServer[Any]
) -> None:
    """ACCOUNT-27."""
    kept, read_each_time = Roster(*parts, keep=HOUR), Roster(*parts, keep=0)
    before = await described(kept)
    await described(read_each_time)
    name = unique("outside")
    dn = f"uid={name},ou=Users,dc=kubesphere,dc=io"
    server = ldap3.Server(openldap.host, openldap.port, get_info=ldap3.NONE)
    manager = openldap.definition.manager_dn, openldap.definition.manager_password
    with ldap3.Connection(server, *manager, raise_exceptions=True) as connection:
        connection.add(dn, ["inetOrgPerson", "top"], {"cn": name, "sn": name})
        assert name in await described(read_each_time)
        assert await described(kept) == before
        brief = Roster(*parts, keep=0.05)
        await described(brief)
        connection.delete(dn)

        async def gone() -> None:
            assert name not in await described(brief)

        await eventually(gone)
        assert name not in await described(read_each_time)
