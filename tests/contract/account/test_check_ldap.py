"""`ks-account check-ldap` says what is wrong with a directory, before anybody is told that a password is."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.account import PASSWORD
from harness.servers import running_openldap
from harness.signed import SignedClient


async def check(config: dict[str, Any], directory: Path, *arguments: str, stdin: str = "") -> tuple[int, str]:
    file = directory / "kubesphere.yaml"
    file.write_text(yaml.safe_dump(config))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ks_account", "check-ldap", "--config", str(file), *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate(stdin.encode())
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_a_directory_that_works_is_confirmed(
    account: SignedClient, config: dict[str, Any], tmp_path: Path
) -> None:
    arguments = ("--user", "admin@kubesphere.io", "--password-stdin")
    status, output = await check(config, tmp_path, *arguments, stdin=f"{PASSWORD}\n")
    assert status == 0, output
    assert "sign in as admin@kubesphere.io: ok, uid=admin,ou=Users,dc=kubesphere,dc=io" in output
    status, output = await check(config, tmp_path, *arguments, stdin="wrong\n")
    assert status == 1
    assert "the directory refuses the password" in output


async def test_an_empty_directory_is_told_apart_from_a_broken_one(
    config: dict[str, Any], tmp_path: Path
) -> None:
    async with running_openldap(tmp_path) as openldap:
        empty = {**config, "ldap": {**config["ldap"], "host": f"{openldap.host}:{openldap.port}"}}
        status, output = await check(empty, tmp_path)
    assert status == 0, output
    assert output.count("not there yet; the service adds it") == 2
    status, output = await check(empty, tmp_path)
    assert status == 1
    assert "Connection refused" in output


@pytest.mark.parametrize(
    ("values", "status", "reason"),
    [
        ({"managerPassword": "wrong"}, 1, "check ldap.managerDN and ldap.managerPassword"),
        ({"managerDN": "not a DN"}, 1, "check ldap.managerDN"),
        ({"host": ""}, 1, "ldap.host is not set"),
        ({"host": "http://x:1"}, 2, "ldap.host"),
        ({"host": "x:port"}, 2, "ldap.host"),
        ({"userSearchBase": "not a DN"}, 1, "invalidDNSyntax"),
        ({"pool": 0}, 2, "ldap.pool"),
    ],
)
async def test_what_is_wrong_is_named(
    config: dict[str, Any], tmp_path: Path, values: dict[str, Any], status: int, reason: str
) -> None:
    found, output = await check({**config, "ldap": {**config["ldap"], **values}}, tmp_path)
    assert found == status, output
    assert reason in output
    assert "Traceback" not in output
