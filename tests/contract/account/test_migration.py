"""A directory that v2.1.1 left behind: its users sign in with their passwords, and are shown as they were."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ldap3

from harness.account import IAM, config_of, ready
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer, running_openldap, running_redis
from harness.services import running_service

RECORDED = Path(__file__).with_name("directory-v2.1.1.ldif")
KEPT_BY_THE_SERVER = {
    "structuralObjectClass", "entryUUID", "creatorsName", "createTimestamp", "entryCSN", "modifiersName",
    "modifyTimestamp", "entryDN", "subschemaSubentry", "hasSubordinates",
}  # fmt: skip


def entries() -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    """The entries below the base, as they were recorded (LDIF, RFC 2849)."""
    for block in RECORDED.read_text().strip().split("\n\n")[1:]:
        values: dict[str, list[bytes]] = {}
        for line in block.splitlines():
            name, _, text = line.partition(":")
            value = b64decode(text[1:]) if text.startswith(":") else text.strip().encode()
            values.setdefault(name, []).append(value)
        dn = values.pop("dn")[0].decode()
        yield dn, {name: value for name, value in values.items() if name not in KEPT_BY_THE_SERVER}


def load(openldap: RunningServer[Any]) -> None:
    server = ldap3.Server(openldap.host, openldap.port, get_info=ldap3.NONE)
    with ldap3.Connection(
        server, openldap.definition.manager_dn, openldap.definition.manager_password, raise_exceptions=True
    ) as connection:
        for dn, attributes in entries():
            connection.add(dn, attributes=attributes)


async def test_the_users_of_v2_1_1_are_all_there(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    async with running_openldap(tmp_path) as openldap, running_redis(tmp_path) as redis:
        load(openldap)
        config = config_of(openldap, redis, kubernetes)
        async with running_service("ks-account", config, tmp_path) as service:
            client = await ready(service)
            assert "initial password" not in service.log
            for name, password in (
                ("admin", "P@88w0rd"),
                ("admin@kubesphere.io", "P@88w0rd"),
                ("alice", "New1Passw"),
                ("bob@x.io", "Reset1111"),
                ("ratey", "Passw0rd2"),
            ):
                for _ in ("in clear text", "hashed by the login before"):
                    answer = await client.post(f"{IAM}/login", {"username": name, "password": password})
                    assert answer.status == 200, (name, answer.text)
            users = f"{IAM}/users?orderBy=username&paging=limit=-1,page=1"
            listed = (await client.acting_as("admin").get(users)).json["items"]
            assert [user["username"] for user in listed] == sorted(
                ["admin", "alice", "bob", "carol", "dave", "erin", "nsuser", "ratey", "sonarqube", "x8"]
            )
            alice = next(user for user in listed if user["username"] == "alice")
            assert (alice["email"], alice["description"], alice["lang"]) == ("alice@x.io", "changed", "zh-CN")
            body = {"username": "new", "email": "new@x.io", "password": "Passw0rd1"}
            assert (await client.acting_as("admin").post(f"{IAM}/users", body)).status == 200
            await client.close()
