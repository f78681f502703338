"""Making, listing and revoking API tokens.

A token is a JWT of its own kind that says whose it is, when it ends and what it may be used for. The gateway
enforces that, and asks Redis for the token's identifier as it asks for a session. The token is kept nowhere:
it is shown once, and cannot be made again from what is kept.
"""

import time

from ks_account.clients.api_tokens import ApiToken, ApiTokens
from ks_account.clients.directory import Directory
from ks_account.config import AccountSection
from ks_account.login.signin import locked
from ks_account.login.tokens import Tokens
from ks_account.tokens import models
from servicekit.errors import Conflict, NotFound


class Issuing:
    """Gives API tokens and takes them back."""

    def __init__(self, kept: ApiTokens, tokens: Tokens, directory: Directory, config: AccountSection) -> None:
        self._kept = kept
        self._tokens = tokens
        self._directory = directory
        self._most = config.api_tokens
        self._longest = config.api_token_lifetime

    async def create(self, user: str, new: models.NewToken) -> tuple[ApiToken, str]:
        """A new token of a user, and what is kept of it.

        Raises BadRequest for values that are not allowed, Conflict for a name that is taken and past the
        limit, Forbidden for a user who is locked, and NotFound for none.
        """
        name, verbs = models.check_name(new.name), models.check_verbs(new.verbs)
        workspaces = models.check_workspaces(new.workspaces)
        lifetime = models.check_lifetime(new.lifetime, self._longest)
        entry = await self._directory.user(user)
        if entry is None:
            raise NotFound(f"user {user} does not exist")
        if entry.locked:
            raise locked()
        now = time.time()
        scope = {"verbs": list(verbs), "workspaces": list(workspaces)}
        token = self._tokens.make("api", user, entry.email, now=now, lifetime=lifetime, more={"scope": scope})
        identifier = self._tokens.read(token).jti
        record = ApiToken(identifier, name, verbs, workspaces, int(now), int(now + lifetime))
        refusal = await self._kept.add(user, record, most=self._most)
        if refusal == "locked":
            raise locked()
        if refusal == "taken":
            raise Conflict(f"there is an API token with the name {name}", reason="NameTaken")
        if refusal == "full":
            raise Conflict(f"a user may have {self._most} API tokens", reason="TooManyTokens")
        return record, token

    async def list(self, user: str) -> list[ApiToken]:
        """The tokens of a user that are in force, the oldest first."""
        return await self._kept.of(user)

    async def revoke(self, user: str, identifier: str) -> None:
        """End a token. Raises NotFound."""
        if not await self._kept.end(user, identifier):
            raise NotFound(f"{user} has no API token {identifier[:64]}")
