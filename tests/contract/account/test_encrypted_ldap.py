"""Connections to the directory over TLS, and what `check-ldap` says of those that cannot be."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from devstack.ports import LOOPBACK, free_port
from harness.account import SECRET
from harness.encrypted_ldap import EncryptedOpenLDAP
from harness.servers import running
from ks_account.clients.directory import Directory
from ks_account.config import AccountConfig
from ks_account.users import passwords
from localkube.pki import Authority, KeyPair, Leaf
from servicekit.config import load
from servicekit.errors import Unavailable


@dataclass
class Tls:
    """A directory, the authority of its certificate, and one that knows nothing of it."""

    server: EncryptedOpenLDAP
    authority: Path
    stranger: Path

    def config(self, *, ldaps: bool, ca_file: Path | None, host: str = LOOPBACK) -> dict[str, Any]:
        address = f"ldaps://{host}:{self.server.ldaps_port}" if ldaps else f"ldap://{host}:{self.server.port}"
        ca = {"ldapCAFile": str(ca_file)} if ca_file else {}
        ldap = {
            "host": address,
            "managerDN": self.server.manager_dn,
            "managerPassword": self.server.manager_password,
            "userSearchBase": "ou=Users,dc=kubesphere,dc=io",
            "groupSearchBase": "ou=Groups,dc=kubesphere,dc=io",
        }
        account = {"ldapStartTLS": not ldaps, **ca}
        return {"ldap": ldap, "account": account, "authentication": {"jwtSecret": SECRET}}


@pytest_asyncio.fixture(scope="module")
async def tls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tls]:
    directory = tmp_path_factory.mktemp("tls")
    authority, stranger = Authority("directory", directory), Authority("stranger", directory)
    certificate: KeyPair = authority.issue(Leaf("ldap", addresses=(LOOPBACK,), client=False), "ldap")
    definition = EncryptedOpenLDAP(
        directory=directory / "openldap",
        port=free_port(),
        manager_password="admin",
        certificate=certificate,
        ldaps_port=free_port(),
    )
    async with running(definition):
        yield Tls(definition, authority.files.certificate, stranger.files.certificate)


async def _check(config: dict[str, Any], directory: Path) -> tuple[int, str]:
    file = directory / "kubesphere.yaml"
    file.write_text(yaml.safe_dump(config))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ks_account", "check-ldap", "--config", str(file),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


@pytest.mark.parametrize("ldaps", [True, False], ids=["LDAPS", "StartTLS"])
async def test_a_directory_is_reached_over_tls_when_its_certificate_is_trusted(
    tls: Tls, tmp_path: Path, ldaps: bool
) -> None:
    status, output = await _check(tls.config(ldaps=ldaps, ca_file=tls.authority), tmp_path)
    assert status == 0, output
    assert "as cn=admin,dc=kubesphere,dc=io: ok" in output


@pytest.mark.parametrize("ldaps", [True, False], ids=["LDAPS", "StartTLS"])
async def test_a_certificate_of_somebody_else_or_for_another_host_is_refused_and_named(
    tls: Tls, tmp_path: Path, ldaps: bool
) -> None:
    status, output = await _check(tls.config(ldaps=ldaps, ca_file=tls.stranger), tmp_path)
    assert status == 1, output
    assert "certificate" in output
    status, output = await _check(tls.config(ldaps=ldaps, ca_file=tls.authority, host="localhost"), tmp_path)
    assert status == 1, output
    assert "certificate" in output or "doesn't match" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("ldaps", [True, False], ids=["LDAPS", "StartTLS"])
async def test_users_are_looked_for_and_passwords_checked_over_tls_alone(
    tls: Tls, tmp_path: Path, ldaps: bool
) -> None:
    def directory(ca_file: Path, host: str = LOOPBACK) -> Directory:
        file = tmp_path / "kubesphere.yaml"
        file.write_text(yaml.safe_dump(tls.config(ldaps=ldaps, ca_file=ca_file, host=host)))
        config = load(AccountConfig, ["--config", str(file)], {})
        return Directory(config.ldap, config.account)

    trusted = directory(tls.authority)
    await trusted.ensure_tree(passwords.stored("nobody's", 1000))
    assert await trusted.user("somebody") is None
    assert not await trusted.accepts(None, "a-password")
    await trusted.close()
    for refused in (directory(tls.stranger), directory(tls.authority, "localhost")):
        with pytest.raises(Unavailable, match="certificate"):
            await refused.user("somebody")
        with pytest.raises(Unavailable, match="certificate"):
            await refused.accepts(None, "a-password")
        await refused.close()


async def test_a_file_of_authorities_that_is_not_there_is_named(tls: Tls, tmp_path: Path) -> None:
    status, output = await _check(tls.config(ldaps=True, ca_file=tmp_path / "none.crt"), tmp_path)
    assert status == 2, output
    assert "Traceback" not in output
