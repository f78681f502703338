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
from localkube.pki import Authority, KeyPair, Leaf


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


async def test_a_file_of_authorities_that_is_not_there_is_named(tls: Tls, tmp_path: Path) -> None:
    status, output = await _check(tls.config(ldaps=True, ca_file=tmp_path / "none.crt"), tmp_path)
    assert status == 2, output
    assert "Traceback" not in output
