"""OpenLDAP: the platform's users and groups.

slapd runs from a configuration file and a database of its own; the machine's slapd, its cn=config and its
service are not touched."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import ldap3
from ldap3.core.exceptions import LDAPException

from devstack.program import NotReady, write_private
from devstack.servers.server import Server

_SCHEMAS = ("core", "cosine", "nis", "inetorgperson")  # nis: posixGroup; inetorgperson: the users
_SCHEMA_FOLDER = Path("/etc/ldap/schema")
_MODULES = Path("/usr/lib/ldap")
_CONFINED = Path("/etc/apparmor.d/usr.sbin.slapd")


@dataclass(kw_only=True)
class OpenLDAP(Server):
    """slapd with one mdb database under `base`, holding the base entry alone; the manager is its rootdn."""

    server = "openldap"
    package = "slapd"
    executable = "slapd"

    manager_password: str
    base: str = "dc=kubesphere,dc=io"

    @property
    def manager_dn(self) -> str:
        return f"cn=admin,{self.base}"

    @property
    def url(self) -> str:
        return f"ldap://{self.address}"

    @property
    def configuration(self) -> Path:
        return self.directory / "slapd.conf"

    def prepare(self) -> None:
        self.program()
        data = self.directory / "data"
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.configuration, self._slapd_conf(data))
        if not (data / "data.mdb").exists():
            load = [self.program("slapadd"), "-f", str(self.configuration), "-b", self.base]
            self.run(load, stdin=self._base_entry())

    def command(self) -> list[str]:
        foreground = ["-d", "none"]  # and of its log only the critical lines
        return [self._slapd(), "-f", str(self.configuration), "-h", f"{self.url}/", *foreground]

    def check(self) -> None:
        try:
            server = ldap3.Server(self.host, self.port, connect_timeout=2, get_info=ldap3.NONE)
            with ldap3.Connection(
                server, self.manager_dn, self.manager_password, receive_timeout=2, raise_exceptions=True
            ) as connection:
                connection.search(self.base, "(objectClass=*)", ldap3.BASE)
        except LDAPException as error:
            raise NotReady(f"OpenLDAP on {self.address}: {error}") from error

    def _slapd(self) -> str:
        """slapd itself, or a copy of it where AppArmor confines the system's path to the system's folders."""
        system = self.program()
        if not _CONFINED.exists():
            return system
        copy = self.directory / "slapd"
        shutil.copy2(system, copy)
        return str(copy)

    def _slapd_conf(self, data: Path) -> str:
        return "\n".join(
            [
                *(f'include "{_SCHEMA_FOLDER / name}.schema"' for name in _SCHEMAS),
                f'pidfile "{self.directory / "slapd.pid"}"',
                f'modulepath "{_MODULES}"',
                "moduleload back_mdb",
                "threads 8",
                "database mdb",
                f'suffix "{self.base}"',
                f'rootdn "{self.manager_dn}"',
                f'rootpw "{self.manager_password}"',
                f'directory "{data}"',
                "maxsize 1073741824",
                "index objectClass,uid,cn,mail,memberUid,uidNumber,gidNumber eq",
                "access to attrs=userPassword by self write by anonymous auth by * none",
                "access to * by self read by * none",
                "",
            ]
        )

    def _base_entry(self) -> str:
        component = self.base.split(",")[0].split("=")[1]
        return (
            f"dn: {self.base}\nobjectClass: top\nobjectClass: dcObject\nobjectClass: organization\n"
            f"o: {component}\ndc: {component}\n"
        )
