"""The LDAP directory: users as inetOrgPerson and posixAccount, groups as posixGroup.

The entries are those of KubeSphere v2.1.1, attribute by attribute, so that either reads what the other wrote;
only `userPassword` differs, which holds a hash. Whatever comes from outside is escaped here and in `entries`:
filters by `escape_filter_chars` (RFC 4515), names in a DN by `escape_rdn` (RFC 4514).

Who somebody is, whether a password is theirs, and which groups they are in is asked over `ldap_wire`,
which takes a sixth of the CPU; all else over ldap3.
"""

from collections.abc import Mapping
from typing import Any

from ldap3 import BASE, MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, Connection
from ldap3.core.results import (
    RESULT_ATTRIBUTE_OR_VALUE_EXISTS,
    RESULT_ENTRY_ALREADY_EXISTS,
    RESULT_NO_SUCH_ATTRIBUTE,
    RESULT_NO_SUCH_OBJECT,
    RESULT_SUCCESS,
)
from ldap3.utils.dn import escape_rdn, parse_dn

from ks_account.clients.entries import (
    EXPIRE,
    LAST_CHANGE,
    MUST_CHANGE,
    SHADOW,
    TIE,
    UserEntry,
    first,
    user_of,
)
from ks_account.clients.ldap_answers import (
    OVER_LIMIT,
    REFUSED,
    every,
    expect,
    expect_answer,
    some,
)
from ks_account.clients.ldap_codec import Filter, all_of, any_of, equal, search, simple_bind
from ks_account.clients.ldap_pool import LdapPool
from ks_account.clients.ldap_server import LdapServer
from ks_account.clients.ldap_wire import Answer, LdapWire
from ks_account.clients.ldap_wire_pool import LdapWirePool
from ks_account.config import AccountSection
from servicekit.errors import Conflict, Unavailable
from servicekit.sections import LdapConfig

IS_USER = "(objectClass=inetOrgPerson)"
_SHOWN = [
    "uid",
    "mail",
    "description",
    "preferredLanguage",
    "createTimestamp",
    "objectClass",
    EXPIRE,
    LAST_CHANGE,
    TIE,
]
_WITH_PASSWORD = [*_SHOWN, "userPassword"]
_SPELLED = {name.lower(): name for name in _WITH_PASSWORD}
"""Names of attributes as they are written here, whose case is for the server to choose."""
_USER = equal("objectClass", "inetOrgPerson")
_DECOY = "ks-decoy"


class EntryExists(Exception):
    """An entry with that name is in the directory already."""


class NoSuchEntry(Exception):
    """No entry with that name is in the directory."""


class PasswordChangedMeanwhile(Exception):
    """The stored password is no longer the one that was to be replaced."""


class Directory:
    """The users and groups of one LDAP server. Every method raises Unavailable when the server does not
    answer.
    """

    name = "ldap"

    def __init__(self, config: LdapConfig, account: AccountSection) -> None:
        self._config = config
        self._server = LdapServer(
            "ldap", config.host, config.timeout, account.ldap_start_tls, account.ldap_ca_file
        )
        self._server.check()
        size, wait = config.pool, account.pool_wait
        self._entries = LdapPool(self._connect_as_manager, size=size, wait=wait, server=config.host)
        self._searches = LdapWirePool(self._dial_as_manager, size=size, wait=wait, server=config.host)
        self._binds = LdapWirePool(self._server.dial, size=size, wait=wait, server=config.host)

    async def open(self) -> None:
        """Nothing: connections are made when they are needed."""

    async def check(self) -> None:
        """Raise Unavailable, with the reason, when the manager cannot read the base of the users."""
        if not await self.has_entry(self._config.user_search_base):
            raise Unavailable(
                "ldap", f"there is no entry {self._config.user_search_base} (ldap.userSearchBase)"
            )

    async def connect(self) -> None:
        """Raise Unavailable, with the reason, when the manager cannot sign in."""

        def nothing(connection: Connection) -> None:
            return None

        await self._entries.run(nothing, repeatable=True)

    async def has_entry(self, dn: str) -> bool:
        """Whether there is an entry of that name."""

        def read(connection: Connection) -> bool:
            connection.search(dn, "(objectClass=*)", BASE, attributes=["1.1"])
            return expect(connection, RESULT_SUCCESS, RESULT_NO_SUCH_OBJECT) == RESULT_SUCCESS

        return await self._entries.run(read, repeatable=True)

    async def close(self) -> None:
        await self._entries.close()
        await self._searches.close()
        await self._binds.close()

    async def find_login(self, login: str) -> UserEntry | None:
        """The one user whose name or e-mail is `login`, with the stored password; None when it is not one."""
        condition = all_of(_USER, any_of(equal("uid", login), equal("mail", login)))
        [answer] = await self._searches.ask(self._search_for_few(condition, _WITH_PASSWORD))
        found = _users_in(answer)
        return found[0] if len(found) == 1 else None

    async def user(self, username: str) -> UserEntry | None:
        """The user of that name. LDAP compares names without regard to case; this does not."""
        [answer] = await self._searches.ask(self._search_for_user(username))
        return _user_in(answer, username)

    async def user_and_groups(self, username: str) -> tuple[UserEntry | None, list[str]]:
        """What `user` and `groups_of` give, with one question."""
        answer, groups = await self._searches.ask(
            self._search_for_user(username), self._search_for_groups(username)
        )
        return _user_in(answer, username), self._groups_in(groups)

    async def users(self, condition: str = "") -> list[UserEntry]:
        """All users that meet `condition`, a filter made by `contains` or `equals`."""
        return await self._search(f"(&{IS_USER}{condition})", _SHOWN, limit=0)

    async def has(self, condition: str) -> bool:
        """Whether some user meets `condition`."""
        return bool(await self._search(f"(&{IS_USER}{condition})", ["uid"], limit=1))

    async def accepts(self, entry: UserEntry | None, password: str) -> bool:
        """Whether `password` is the user's, by binding as them.

        For None the same is done with an entry that nobody can sign in as: the answer is no, and takes as
        long.
        """
        dn = self._decoy_dn() if entry is None else entry.dn
        if not password:
            return False
        [answer] = await self._binds.ask(simple_bind(dn, password))
        accepted = expect_answer(answer, RESULT_SUCCESS, *REFUSED) == RESULT_SUCCESS
        return accepted and entry is not None

    async def add_user(
        self,
        username: str,
        *,
        uid_number: int,
        email: str,
        password: str,
        description: str,
        lang: str,
        must_change: bool = False,
        tie: str = "",
    ) -> None:
        """Add a user as v2.1.1 does; `password` is what is stored, so a hash, and `must_change` says that it
        only serves for setting another; `tie` is as for `tie`. Raises EntryExists.
        """
        attributes: dict[str, Any] = {
            "objectClass": ["inetOrgPerson", "posixAccount", "top"],
            "cn": username,
            "sn": " ",
            "gidNumber": "500",
            "homeDirectory": f"/home/{username}",
            "uid": username,
            "uidNumber": str(uid_number),
            "mail": email,
            "userPassword": password,
            "preferredLanguage": lang,
            "description": description,
            TIE: tie,
        }
        if must_change:
            attributes |= {"objectClass": [*attributes["objectClass"], SHADOW], LAST_CHANGE: MUST_CHANGE}
        await self._add(self._user_dn(username), {name: value for name, value in attributes.items() if value})

    async def change_user(self, entry: UserEntry, values: Mapping[str, str]) -> None:
        """Replace attributes of a user. Raises NoSuchEntry."""
        changes = {name: [(MODIFY_REPLACE, [value])] for name, value in values.items()}

        def modify(connection: Connection) -> None:
            connection.modify(entry.dn, changes)
            if expect(connection, RESULT_SUCCESS, RESULT_NO_SUCH_OBJECT) == RESULT_NO_SUCH_OBJECT:
                raise NoSuchEntry(entry.username)

        await self._entries.run(modify, repeatable=True)

    async def tie(self, entry: UserEntry, uri: str) -> None:
        """Note that the user is the same as `uri` somewhere else. Raises NoSuchEntry."""

        def modify(connection: Connection) -> None:
            connection.modify(entry.dn, {TIE: [(MODIFY_ADD, [uri])]})
            done = (RESULT_SUCCESS, RESULT_ATTRIBUTE_OR_VALUE_EXISTS)
            if expect(connection, *done, RESULT_NO_SUCH_OBJECT) == RESULT_NO_SUCH_OBJECT:
                raise NoSuchEntry(entry.username)

        await self._entries.run(modify, repeatable=True)

    async def mark(self, entry: UserEntry, attribute: str, value: str | None) -> None:
        """Set an attribute of the class shadowAccount, or take it away. Raises NoSuchEntry."""
        changes: dict[str, list[tuple[str, list[str]]]] = {
            attribute: [(MODIFY_REPLACE, [] if value is None else [value])]
        }
        if SHADOW.lower() not in entry.classes:
            if value is None:
                return
            changes["objectClass"] = [(MODIFY_ADD, [SHADOW])]

        def modify(connection: Connection) -> None:
            connection.modify(entry.dn, changes)
            result = expect(
                connection, RESULT_SUCCESS, RESULT_NO_SUCH_OBJECT, RESULT_ATTRIBUTE_OR_VALUE_EXISTS
            )
            if result == RESULT_NO_SUCH_OBJECT:
                raise NoSuchEntry(entry.username)
            if result == RESULT_ATTRIBUTE_OR_VALUE_EXISTS:
                raise Conflict(f"{entry.username} is being changed by another request; try again")

        await self._entries.run(modify, repeatable=True)

    async def replace_password(self, entry: UserEntry, new: str) -> None:
        """Store `new` where `entry.password` is still stored. Raises PasswordChangedMeanwhile."""
        changes = {"userPassword": [(MODIFY_DELETE, [entry.password]), (MODIFY_ADD, [new])]}

        def modify(connection: Connection) -> None:
            connection.modify(entry.dn, changes)
            gone = (RESULT_NO_SUCH_ATTRIBUTE, RESULT_NO_SUCH_OBJECT)
            if expect(connection, RESULT_SUCCESS, *gone) != RESULT_SUCCESS:
                raise PasswordChangedMeanwhile(entry.username)

        await self._entries.run(modify, repeatable=False)

    async def delete_user(self, username: str) -> None:
        """Delete a user. Raises NoSuchEntry."""
        await self.delete(self._user_dn(username))

    async def delete(self, dn: str) -> None:
        """Delete an entry. Raises NoSuchEntry."""

        def delete(connection: Connection) -> None:
            connection.delete(dn)
            if expect(connection, RESULT_SUCCESS, RESULT_NO_SUCH_OBJECT) == RESULT_NO_SUCH_OBJECT:
                raise NoSuchEntry(dn)

        await self._entries.run(delete, repeatable=False)

    async def highest_uid_number(self) -> int:
        """The highest uidNumber of all users, 1000 when there is none, as v2.1.1 begins."""

        def read(connection: Connection) -> int:
            entries = every(
                connection, self._config.user_search_base, f"(&{IS_USER}(uidNumber=*))", ["uidNumber"]
            )
            return max(
                (int(first(entry["raw_attributes"], "uidNumber") or 0) for entry in entries), default=1000
            )

        return await self._entries.run(read, repeatable=True)

    async def groups_of(self, username: str) -> list[str]:
        """The groups of a user as paths from the base of the groups: `parent:child`, as v2.1.1 writes
        them.
        """
        [answer] = await self._searches.ask(self._search_for_groups(username))
        return self._groups_in(answer)

    async def ensure_tree(self, decoy_password: str) -> UserEntry | None:
        """Add what is missing of the bases of users and groups, and the entry that unknown users are
        checked by.

        `decoy_password` is the hash that it gets. Gives that entry when it was added, None when it was there.
        """
        for base in (self._config.user_search_base, self._config.group_search_base):
            unit = parse_dn(base)[0][1]
            await self._add_if_missing(base, {"objectClass": ["organizationalUnit", "top"], "ou": unit})
        decoy = {
            "objectClass": ["organizationalRole", "simpleSecurityObject", "top"],
            "cn": _DECOY,
            "description": "Nobody. Checked in place of unknown users, so that they take as long to refuse.",
            "userPassword": decoy_password,
        }
        if not await self._add_if_missing(self._decoy_dn(), decoy):
            return None
        return UserEntry(self._decoy_dn(), _DECOY, "", "", "", "")

    async def _add_if_missing(self, dn: str, attributes: dict[str, Any]) -> bool:
        try:
            await self._add(dn, attributes)
        except EntryExists:
            return False
        return True

    async def _add(self, dn: str, attributes: dict[str, Any]) -> None:
        def add(connection: Connection) -> None:
            connection.add(dn, attributes=attributes)
            if expect(connection, RESULT_SUCCESS, RESULT_ENTRY_ALREADY_EXISTS) != RESULT_SUCCESS:
                raise EntryExists(dn)

        await self._entries.run(add, repeatable=False)

    def _search_for_few(self, condition: Filter, attributes: list[str]) -> bytes:
        """For the first two users that meet the condition."""
        return search(self._config.user_search_base, condition, attributes, 2)

    def _search_for_user(self, username: str) -> bytes:
        return self._search_for_few(all_of(_USER, equal("uid", username)), _SHOWN)

    def _search_for_groups(self, username: str) -> bytes:
        condition = all_of(equal("objectClass", "posixGroup"), equal("memberUid", username))
        return search(self._config.group_search_base, condition, ["cn"], 0)

    def _groups_in(self, answer: Answer) -> list[str]:
        expect_answer(answer, RESULT_SUCCESS)
        return sorted(self._group_path(entry.dn) for entry in answer.entries)

    async def _search(self, condition: str, attributes: list[str], limit: int) -> list[UserEntry]:
        base = self._config.user_search_base

        def search(connection: Connection) -> list[UserEntry]:
            found = (
                some(connection, base, condition, attributes, limit)
                if limit
                else every(connection, base, condition, attributes)
            )
            return [user_of(entry["dn"], entry["raw_attributes"]) for entry in found]

        return await self._entries.run(search, repeatable=True)

    def _user_dn(self, username: str) -> str:
        return f"uid={escape_rdn(username)},{self._config.user_search_base}"

    def _decoy_dn(self) -> str:
        return f"cn={_DECOY},{self._config.user_search_base}"

    def _group_path(self, dn: str) -> str:
        depth = len(parse_dn(self._config.group_search_base))
        return ":".join(value for _, value, _ in reversed(parse_dn(dn)[:-depth]))

    def _connect_as_manager(self) -> Connection:
        config = self._config
        return self._server.connect_as(config.manager_dn, config.manager_password.get_secret_value())

    async def _dial_as_manager(self) -> LdapWire:
        config = self._config
        return await self._server.dial_as(config.manager_dn, config.manager_password.get_secret_value())


def _users_in(answer: Answer) -> list[UserEntry]:
    expect_answer(answer, RESULT_SUCCESS, OVER_LIMIT)
    return [
        user_of(entry.dn, {_SPELLED.get(n.lower(), n): values for n, values in entry.attributes.items()})
        for entry in answer.entries
    ]


def _user_in(answer: Answer, username: str) -> UserEntry | None:
    return next((entry for entry in _users_in(answer) if entry.username == username), None)
