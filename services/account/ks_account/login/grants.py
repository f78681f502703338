"""OAuth 2 grants (RFC 6749): a pair of an access and a refresh token for a password, and a new pair for the
latter.

A refresh token is good once. The tokens that follow each other from one password are a family; when a refresh
token of it comes a second time, somebody else has it, so the whole family ends (RFC 9700, section 4.14.2).
Access tokens of a pair have an end of their own, and are revocable by their key in Redis like all others.
"""

import secrets
import time
from typing import NotRequired

from typing_extensions import TypedDict

from ks_account.clients.entries import UserEntry
from ks_account.clients.sessions import Grant, Session, Sessions
from ks_account.login.signin import SignIn, claims_of
from ks_account.login.tokens import BadToken, Claims, Tokens
from servicekit.errors import Unauthorized

_ACCESS = 4
_REFRESH = 5
"""Lifetimes as multiples of the idle timeout, as in v2.1.1."""


class Pair(TypedDict):
    """Two tokens (RFC 6749, section 5.1), the first of which is good for `expires_in` seconds."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    password_change_required: NotRequired[bool]


class Grants:
    """Gives pairs of tokens."""

    def __init__(self, sign_in: SignIn, tokens: Tokens, sessions: Sessions, idle: float) -> None:
        """`idle`: the idle timeout of sessions in seconds."""
        self._sign_in = sign_in
        self._tokens = tokens
        self._sessions = sessions
        self._access_lifetime = idle * _ACCESS
        self._refresh_lifetime = idle * _REFRESH

    async def by_password(self, name: str, password: str, address: str) -> Pair:
        """A pair for a user name or e-mail and its password. Raises what signing in does."""
        entry, attempt = await self._sign_in.check(name, password, address)
        session, grant, pair = self._pair(entry, secrets.token_urlsafe(16))
        await self._sign_in.begin(attempt, session, grant)
        return pair

    async def by_refresh_token(self, token: str) -> Pair:
        """A pair in place of a refresh token, which is used up. Raises Unauthorized for one that is not
        good.
        """
        try:
            claims = self._tokens.read(token)
        except BadToken as error:
            raise _refused(str(error)) from error
        if claims.kind != "refresh" or not claims.family:
            raise _refused("this is not a refresh token")
        entry = await self._sign_in.known(claims.username)
        if entry is None:
            raise _refused("the refresh token is no longer good")
        session, grant, pair = self._pair(entry, claims.family)
        most = self._sign_in.most_sessions
        done = await self._sessions.refresh(session, claims.jti, grant, most=most)
        if done is False:
            await self._end_family(claims)
        if not done:
            raise _refused("the refresh token is no longer good")
        return pair

    def _pair(self, entry: UserEntry, family: str) -> tuple[Session, Grant, Pair]:
        now, username, email = time.time(), entry.username, entry.email
        access = self._tokens.make(
            "access",
            username,
            email,
            now=now,
            lifetime=self._access_lifetime,
            family=family,
            more=claims_of(entry),
        )
        refresh = self._tokens.make(
            "refresh", username, email, now=now, lifetime=self._refresh_lifetime, family=family
        )
        grant = Grant(family, self._tokens.read(refresh).jti, int(now + self._refresh_lifetime))
        pair: Pair = {
            "access_token": access,
            "token_type": "jwt",
            "expires_in": int(self._access_lifetime),
            "refresh_token": refresh,
        }
        if entry.must_change:
            pair["password_change_required"] = True
        return Session(username, access, now, self._access_lifetime), grant, pair

    async def _end_family(self, claims: Claims) -> None:
        for token in await self._sessions.tokens(claims.username):
            if self._is_of(token, claims.family):
                await self._sessions.end(claims.username, token, claims.family)

    def _is_of(self, token: str, family: str) -> bool:
        try:
            return self._tokens.read(token).family == family
        except BadToken:
            return False


def _refused(why: str) -> Unauthorized:
    return Unauthorized(why, headers={"WWW-Authenticate": why})
