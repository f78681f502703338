"""A directory of others: its people, found by what they type, and their passwords, checked by binding."""

from dataclasses import dataclass
from typing import Any

from ldap3 import Connection
from ldap3.core.exceptions import LDAPInvalidFilterError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import parse_dn

from ks_account.clients.entries import first
from ks_account.clients.ldap_answers import accepts, some
from ks_account.clients.ldap_pool import LdapPool
from ks_account.clients.ldap_server import LdapServer
from ks_account.sources.config import ExternalDirectory
from servicekit.errors import Unavailable

_MAX_GROUPS = 100


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of a directory."""

    dn: str
    username: str
    email: str
    groups: tuple[str, ...]


class PeopleElsewhere:
    """The people of one server. Methods raise Unavailable, which names it, when it does not answer."""

    def __init__(self, config: ExternalDirectory, wait: float) -> None:
        """`wait`: seconds for a connection when all are in use. Raises ConfigError."""
        self.config = config
        server = LdapServer(
            f"account.directories[{config.name}]",
            config.host,
            config.timeout,
            config.start_tls,
            config.ca_file,
        )
        server.check()

        def connect() -> Connection:
            return server.connect_as(config.manager_dn, config.manager_password.get_secret_value())

        self._searches = LdapPool(connect, size=config.pool, wait=wait, server=config.host)
        self._logins = LdapPool(server.connect, size=config.pool, wait=wait, server=config.host)

    async def close(self) -> None:
        """Close the connections."""
        await self._searches.close()
        await self._logins.close()

    async def find(self, login: str) -> Person | None:
        """The one person who types `login`; None when nobody or more than one does."""
        return await self._find(
            "".join(f"({a}={escape_filter_chars(login)})" for a in self.config.login_attributes)
        )

    async def person(self, username: str) -> Person | None:
        """The one person of that user name."""
        return await self._find(f"({self.config.username_attribute}={escape_filter_chars(username)})")

    async def accepts(self, person: Person, password: str) -> bool:
        """Whether that is the person's password; an empty one, with which servers let anybody in, is not."""

        def bind(connection: Connection) -> bool:
            return accepts(connection, person.dn, password)

        return bool(password) and await self._logins.run(bind, repeatable=True)

    async def _find(self, condition: str) -> Person | None:
        config = self.config
        attributes = [
            a for a in (config.username_attribute, config.email_attribute, config.groups_attribute) if a
        ]

        def search(connection: Connection) -> list[Any]:
            try:
                whole = f"(&{config.user_filter}(|{condition}))"
                return some(connection, config.user_search_base, whole, attributes, 2)
            except LDAPInvalidFilterError as error:
                raise Unavailable(config.name, f"userFilter {config.user_filter} is no filter") from error

        found = await self._searches.run(search, repeatable=True)
        return self._person(found[0]) if len(found) == 1 else None

    def _person(self, entry: Any) -> Person:
        config = self.config
        groups: list[bytes] = entry["raw_attributes"].get(config.groups_attribute) or []
        return Person(
            dn=entry["dn"],
            username=first(entry["raw_attributes"], config.username_attribute),
            email=first(entry["raw_attributes"], config.email_attribute),
            groups=tuple(f"{config.groups_prefix}{_short(group)}" for group in groups[:_MAX_GROUPS]),
        )


def _short(group: bytes) -> str:
    """`cn=dev,ou=Groups,...` as `dev`; what is no DN as it is."""
    name = group.decode("utf-8", "replace")
    return parse_dn(name)[0][1] if "=" in name else name
