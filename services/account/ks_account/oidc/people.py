"""Who somebody that a provider vouches for is here.

A user is tied to a subject of an issuer by `labeledURI` in the entry. Without that tie nobody becomes a user
that is there already, but by an e-mail which the provider has verified and whose word the configuration
trusts. A new user gets no name that somebody has, or that any role is bound to.
"""

import secrets
from typing import Any
from urllib.parse import quote

from ks_account.access.cluster_roles import ClusterRoles
from ks_account.clients.directory import Directory
from ks_account.clients.entries import TIE, UserEntry, equals
from ks_account.oidc.config import OidcProvider
from ks_account.users import models
from ks_account.users.accounts import Accounts
from servicekit.errors import Conflict, Forbidden

_MAX_GROUPS = 100
_MAX_GROUP = 256


class Newcomers:
    """Finds, ties and makes users."""

    def __init__(self, directory: Directory, accounts: Accounts, roles: ClusterRoles) -> None:
        self._directory = directory
        self._accounts = accounts
        self._roles = roles

    async def user(self, provider: OidcProvider, claims: dict[str, Any]) -> UserEntry:
        """The user of verified claims.

        Raises Forbidden where the provider makes no users or has not verified the e-mail, Conflict for a name
        or an e-mail that is somebody's, and BadRequest for claims that no user can be made of.
        """
        tie = f"{provider.issuer}#{quote(str(claims['sub']), safe='')}"
        return (
            await self.tied(tie)
            or await self._by_email(provider, claims, tie)
            or await self._new(provider, claims, tie)
        )

    async def tied(self, tie: str) -> UserEntry | None:
        """The user of a tie, None when there is none."""
        found = await self._directory.users(equals(TIE, [tie]))
        return found[0] if len(found) == 1 else None

    async def make(self, tie: str, username: str, email: str) -> UserEntry:
        """A new user without a role or a password that anybody knows.

        Raises Conflict for a name or an e-mail that is somebody's, or a name that roles are bound to, and
        BadRequest for what cannot be one.
        """
        name, email = models.check_name(username.lower()), models.check_email(email)
        if self._roles.is_bound(name):
            raise Conflict(f"roles are bound to the name {name} already; ask an administrator")
        new = models.NewUser(username=name, email=email, password=secrets.token_urlsafe(32))
        await self._accounts.create(new, None, tie=tie)
        found = await self._directory.user(name)
        if found is None:
            raise Conflict(f"{name} was deleted meanwhile")
        return found

    async def _by_email(self, provider: OidcProvider, claims: dict[str, Any], tie: str) -> UserEntry | None:
        email = claims.get("email")
        if not provider.trust_email or claims.get("email_verified") is not True or not isinstance(email, str):
            return None
        found = await self._directory.users(equals("mail", [email]))
        if len(found) != 1 or found[0].ties:
            return None  # who is tied elsewhere may have taken the e-mail without having it
        await self._directory.tie(found[0], tie)
        return found[0]

    async def _new(self, provider: OidcProvider, claims: dict[str, Any], tie: str) -> UserEntry:
        if not provider.create_users:
            raise Forbidden(
                f"nobody here is known to {provider.name} by that name; ask an administrator",
                reason="UnknownUser",
            )
        if claims.get("email_verified") is False:
            raise Forbidden(f"verify your e-mail at {provider.name} first", reason="EmailNotVerified")
        username, email = claims.get(provider.username_claim, ""), claims.get("email", "")
        return await self.make(tie, str(username), str(email))


def groups_of(provider: OidcProvider, claims: dict[str, Any]) -> tuple[str, ...]:
    """The groups that the provider says the user is in, as this platform calls them."""
    told = claims.get(provider.groups_claim) if provider.groups_claim else None
    if not isinstance(told, list):
        return ()
    names = [name for name in told if isinstance(name, str) and 0 < len(name) <= _MAX_GROUP]
    return tuple(f"{provider.groups_prefix}{name}" for name in names[:_MAX_GROUPS])
