"""User accounts: an entry in the directory, a cluster role in Kubernetes, sessions in Redis.

Whoever sets the password or the e-mail of another can act as them, so has to hold all that they hold. Roles
are granted as the caller, so that the cluster refuses what the caller does not hold.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from ks_account.access.cluster_roles import CLUSTER_ADMIN, ClusterRoles
from ks_account.clients.directory import Directory, EntryExists, NoSuchEntry
from ks_account.clients.entries import LAST_CHANGE, UserEntry, contains, equals
from ks_account.clients.sessions import Sessions
from ks_account.login.signin import SignIn
from ks_account.users import models, passwords
from ks_account.users.administrators import Administrators
from ks_account.users.profile import Description, Profile, profile
from ks_account.users.roster import ORDERS, Roster
from kubekit.rbac.permissions import CLUSTER
from servicekit.errors import BadRequest, Conflict, NotFound, ServiceError, Unauthorized
from servicekit.identity import Identity
from servicekit.paging import Page, PageQuery

_CLAIM_SECONDS = 30
_CLAIM_WAIT = 10


class Accounts:
    """Reads, makes and changes users."""

    def __init__(
        self,
        directory: Directory,
        sessions: Sessions,
        sign_in: SignIn,
        roles: ClusterRoles,
        roster: Roster,
        rounds: int,
        on_creation: Callable[[str], None],
    ) -> None:
        """`rounds` of hashing for passwords; `on_creation` is told the name of each user who is made."""
        self._directory = directory
        self._sessions = sessions
        self._sign_in = sign_in
        self._roles = roles
        self._administrators = Administrators(directory, roles)
        self._roster = roster
        self._rounds = rounds
        self._on_creation = on_creation

    async def page(self, query: PageQuery) -> Page[Profile]:
        """A page of the users that meet the conditions, by their time of creation or by name."""
        query = query.defaults(order_by="createTime", reverse=False)
        page = query.page(await self._sorted(query))
        logins = await self._sessions.last_logins([entry.username for entry in page.items])
        return Page(
            [
                profile(entry, login, cluster_role=self._roles.of(entry.username))
                for entry, login in zip(page.items, logins, strict=True)
            ],
            page.total,
        )

    async def _sorted(self, query: PageQuery) -> Sequence[UserEntry]:
        order = query.order_by if query.order_by in ORDERS else "createTime"
        condition = _condition(query)
        if not condition:
            return await self._roster.sorted(order, reverse=bool(query.reverse))
        entries = await self._directory.users(condition)
        return sorted(entries, key=ORDERS[order], reverse=bool(query.reverse))

    async def exists(self, name: str) -> bool:
        """Whether somebody has that name or e-mail."""
        return await self._directory.has(f"(|{equals('uid', [name])}{equals('mail', [name])})")

    async def describe(self, username: str) -> Description:
        """A user with groups, cluster role and the permissions that follow from it. Raises NotFound."""
        entry, groups = await self._directory.user_and_groups(username)
        if entry is None:
            raise _unknown(username)
        login = await self._sessions.last_login(username)
        shown = profile(entry, login, cluster_role=self._roles.of(username), groups=groups)
        return {**shown, "cluster_rules": CLUSTER.of(self._roles.rules_of(username))}

    async def create(
        self, new: models.NewUser, caller: Identity | None, *, must_change: bool = False, tie: str = ""
    ) -> Profile:
        """Make a user, as `caller`, or as the service itself where that is None. `must_change` says that the
        password only serves for setting another; `tie` is who they are elsewhere.

        Raises BadRequest for values that are not allowed, Conflict for a name or e-mail that is taken, and
        what granting the cluster role raises. Whatever is raised, there is no user then, unless it is
        Unavailable: then there may be, until it is asked for again.
        """
        username, email = models.check_name(new.username), models.check_email(new.email)
        description, lang = models.check_description(new.description), models.check_language(new.lang)
        passwords.check(new.password)
        models.check_role(new.cluster_role)
        if caller:
            self._roles.require_power_over(caller, username)
            if new.cluster_role:
                await self._roles.check_grant(username, new.cluster_role, caller)
        async with (
            self._claim(f"user:{username}"),
            self._claim(f"email:{email.lower()}"),
        ):
            if await self._sessions.was_creation_cut_off(username):
                await self._undo(username)
            if await self._directory.has(f"(|{equals('uid', [username])}{equals('mail', [email])})"):
                raise _taken()
            await self._sessions.end_all(username)
            await self._sessions.begin_creation(username)
            try:
                await self._directory.add_user(
                    username,
                    uid_number=await self._uid_number(),
                    email=email,
                    password=await self._stored(new.password),
                    description=description,
                    lang=lang,
                    must_change=must_change,
                    tie=tie,
                )
            except EntryExists:
                await self._sessions.end_creation(username)
                raise _taken() from None
            if new.cluster_role:
                await self._grant_or_undo(username, new.cluster_role, caller)
            await self._sessions.end_creation(username)
        await self._roster.changed(username)
        self._on_creation(username)
        return await self._shown(username)

    async def update(
        self, username: str, change: models.ChangedUser, caller: Identity, *, manager: bool
    ) -> Profile:
        """Change a user. `manager` says that the caller may change any user; else it is the user's own
        account.

        One's own cluster role stays as it is, as in v2.1.1. A new password ends all sessions of the user.
        """
        if change.username != username:
            given = change.username[: models.MAX_NAME]
            raise BadRequest(f"the name of user ({given}) does not match the name on the URL ({username})")
        values = {
            "mail": models.check_email(change.email),
            "description": models.check_description(change.description),
            "preferredLanguage": models.check_language(change.lang),
        }
        entry = await self._changeable(username, change)
        own = caller.user == username
        if own and change.password:
            values |= await self._own_change(entry, change, caller, manager=manager)
        role = "" if own else models.check_role(change.cluster_role)
        if not own and (change.password or role or values["mail"] != entry.email):
            self._roles.require_power_over(caller, username)
        if role:
            if role != CLUSTER_ADMIN:
                await self._administrators.require_another(username)
            await self._roles.check_grant(username, role, caller)
        if change.password:
            values["userPassword"] = await self._stored(change.password)
        async with self._claim(f"email:{values['mail'].lower()}"):
            await self._write(entry, {name: value for name, value in values.items() if value})
        await self._roster.changed(username)
        if change.password:
            await self._sessions.end_all(username)
            await self._sessions.forgive(username)
        if role:
            await self._roles.grant(username, role, caller)
        return await self._shown(username)

    def _claim(self, what: str) -> AbstractAsyncContextManager[None]:
        return self._sessions.claim(what, _CLAIM_SECONDS, wait=_CLAIM_WAIT)

    async def _write(self, entry: UserEntry, values: dict[str, str]) -> None:
        if any(other.username != entry.username for other in await self._having(values["mail"])):
            raise Conflict(f"email is duplicated: {values['mail']}", reason="EmailTaken")
        try:
            await self._directory.change_user(entry, values)
        except NoSuchEntry:
            raise _unknown(entry.username) from None

    async def _having(self, email: str) -> list[UserEntry]:
        return await self._directory.users(equals("mail", [email]))

    async def _changeable(self, username: str, change: models.ChangedUser) -> UserEntry:
        """The user. Raises NotFound, and BadRequest for a password that is not allowed or not here."""
        if change.password:
            passwords.check(change.password)
        entry = await self._entry(username)
        if change.password and entry.is_elsewhere:
            raise BadRequest(
                "the password is in another directory; change it there", reason="PasswordElsewhere"
            )
        return entry

    async def _own_change(
        self, entry: UserEntry, change: models.ChangedUser, caller: Identity, *, manager: bool
    ) -> dict[str, str]:
        """What is noted when a password that had to be changed becomes one's own.

        Raises BadRequest for a wrong current one, and for the same again where it had to be changed.
        """
        if not manager or change.current_password:
            await self._check_current(entry, change, caller.address)
        if not entry.must_change:
            return {}
        if await self._directory.accepts(entry, change.password):
            raise BadRequest("the new password must be another one", reason="PasswordNotNew")
        return {LAST_CHANGE: str(int(time.time() // 86400))}

    async def _check_current(self, entry: UserEntry, change: models.ChangedUser, address: str) -> None:
        """Raise BadRequest for a wrong current password. Where the new one is in force already, the change
        was cut off before its answer, and is asked for again.
        """
        try:
            await self._sign_in.check(entry.username, change.current_password, address)
        except Unauthorized:
            if not await self._directory.accepts(entry, change.password):
                raise BadRequest("incorrect current password", reason="IncorrectCurrentPassword") from None

    async def _grant_or_undo(self, username: str, role: str, caller: Identity | None) -> None:
        try:
            await self._roles.grant(username, role, caller)
        except ServiceError:
            await self._undo(username)
            raise

    async def _undo(self, username: str) -> None:
        """Take back what a creation came to."""
        try:
            await self._directory.delete_user(username)
        except NoSuchEntry:
            pass
        await self._sessions.end_creation(username)

    async def _uid_number(self) -> int:
        """A uidNumber that nobody has. The directory is asked for all of them only where Redis lost count."""
        above = 0 if await self._sessions.last_uid_number() else await self._directory.highest_uid_number()
        number = await self._sessions.next_uid_number(above)
        while await self._directory.has(equals("uidNumber", [str(number)])):
            number = await self._sessions.next_uid_number(await self._directory.highest_uid_number())
        return number

    async def _stored(self, password: str) -> str:
        return await asyncio.to_thread(passwords.stored, password, self._rounds)

    async def _entry(self, username: str) -> UserEntry:
        entry = await self._directory.user(username)
        if entry is None:
            raise _unknown(username)
        return entry

    async def _shown(self, username: str) -> Profile:
        entry = await self._entry(username)
        return profile(entry, await self._sessions.last_login(username))


def _condition(query: PageQuery) -> str:
    """The filter of a list: `keyword` anywhere, `username` and `email` exactly (`a|b`) or, with `~`, in
    part.
    """
    match, fuzzy = query.conditions.match, query.conditions.fuzzy
    attributes = {"username": "uid", "email": "mail"}
    parts = [equals(attributes[key], match[key].split("|")) for key in attributes if match.get(key)]
    parts += [contains(fuzzy[key], attributes[key]) for key in attributes if fuzzy.get(key)]
    keyword = match.get("keyword") or fuzzy.get("keyword")
    if keyword:
        parts.append(contains(keyword, "uid", "mail", "description"))
    return "".join(parts)


def _taken() -> Conflict:
    return Conflict("username or email already exists", reason="UserExists")


def _unknown(username: str) -> NotFound:
    return NotFound(f"user {username} does not exist")
