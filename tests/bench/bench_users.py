"""What a page of 10,000 users and one user cost in ks-account, over real OpenLDAP and Redis.

The measure is one search of the directory by a bare client of ldap3, in the same run; the figures of v2.1.1
were taken on two cores of the same kind and are no part of this run.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ldap3
import pytest

from harness.account import IAM, PASSWORD, SECRET, config_of, ready
from harness.kubernetes import KubernetesServer
from harness.load import Load, load
from harness.servers import RunningServer, running_openldap, running_redis
from harness.services import running_service
from harness.signed import SignedClient
from harness.tables import print_table
from servicekit.identity import Identity

USERS = int(os.environ.get("KS_BENCH_USERS", "10000"))
SECONDS = float(os.environ.get("KS_BENCH_SECONDS", "5"))
BASE = "ou=Users,dc=kubesphere,dc=io"
V2_1_1 = {"page": 1.98, "user": 0.85}
"""Milliseconds of CPU in its account service."""
CASES = (
    ("page 1, one connection", "page", "/users?paging=limit=10,page=1", 1),
    ("page 1, 32 connections", "page", "/users?paging=limit=10,page=1", 32),
    ("the last page, by name", "page", f"/users?paging=limit=10,page={USERS // 10}&orderBy=username", 32),
    ("one user, one connection", "user", "/users/user-00500", 1),
    ("one user, 32 connections", "user", "/users/user-00500", 32),
)


def _connection(openldap: RunningServer[Any]) -> ldap3.Connection:
    server = ldap3.Server(openldap.host, openldap.port, get_info=ldap3.NONE)
    manager = openldap.definition.manager_dn, openldap.definition.manager_password
    return ldap3.Connection(server, *manager, raise_exceptions=True)


def _add_users(openldap: RunningServer[Any]) -> None:
    """As ks-account writes them, in a hundredth of the time that it would take through it."""
    with _connection(openldap) as connection:
        for number in range(USERS):
            name = f"user-{number:05}"
            values = {
                "cn": name, "sn": " ", "uid": name, "uidNumber": 10_000 + number, "gidNumber": 500,
                "homeDirectory": f"/home/{name}", "mail": f"{name}@x.io", "description": f"number {number}",
                "preferredLanguage": "en", "userPassword": "x",
            }  # fmt: skip
            connection.add(f"uid={name},{BASE}", ["inetOrgPerson", "posixAccount", "top"], values)


def _search_alone(openldap: RunningServer[Any]) -> Load:
    """Searches of one user, one after another."""
    count, began, used = 0, time.monotonic(), time.process_time()
    with _connection(openldap) as connection:
        while time.monotonic() - began < SECONDS:
            connection.search(BASE, f"(uid=user-{count % USERS:05})", attributes=["uid", "mail"])
            assert len(connection.response or []) == 1
            count += 1
    spent, wall = time.process_time() - used, time.monotonic() - began
    return Load(count / wall, wall / count * 1000, wall / count * 1000, spent / count * 1000)


def _rows(base: Load, results: list[tuple[str, str, Load]]) -> Iterator[tuple[str, ...]]:
    for title, kind, each in results:
        times = f"{each.rate:.0f}", f"{each.p50:.1f}", f"{each.p99:.1f}"
        original = f"{each.cpu / V2_1_1[kind]:.2f}" if kind else "-"
        yield title, *times, f"{each.cpu:.2f}", f"{each.cpu / base.cpu:.2f}", original


@pytest.mark.timeout(600)
async def test_users(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    """The first read of all of them apart, since it is kept."""
    (tmp_path / "password").write_text(PASSWORD)
    given = {"adminPasswordFile": str(tmp_path / "password")}
    async with running_openldap(tmp_path) as openldap, running_redis(tmp_path) as redis:
        settings = {"log": {"level": "warning"}, "kubectl": {"enabled": False}, "authentication": given}
        config = config_of(openldap, redis, kubernetes, **settings)
        async with running_service("ks-account", config, tmp_path) as account:
            nobody = await ready(account)
            _add_users(openldap)
        async with running_service("ks-account", config, tmp_path) as account:
            await (await ready(account)).close()
            admin = nobody.acting_as("admin")
            admin.base_url = account.url
            began = time.monotonic()
            answer = await admin.get(f"{IAM}{CASES[0][2]}")
            first = (time.monotonic() - began) * 1000
            assert answer.json["total_count"] == USERS + 1, answer.text
            await nobody.close()
            base = _search_alone(openldap)
            signer = SignedClient(account.url, SECRET, Identity("admin"))
            results = [("a search by ldap3 alone", "", base)]
            for title, kind, path, connections in CASES:
                headers = signer.signed_headers()
                measured = await load(
                    f"{account.url}{IAM}{path}", account.pid,
                    connections=connections, seconds=SECONDS, headers=headers,
                )  # fmt: skip
                results.append((title, kind, measured))
            await signer.close()
    header = ("", "req/s", "p50 ms", "p99 ms", "CPU ms", "of ldap3", "of v2.1.1")
    print_table(
        f"ks-account with {USERS} users; the first list of all took {first:.0f} ms",
        header,
        _rows(base, results),
    )
