"""Signing in with a name and a password.

Whoever asks learns one thing only: whether the pair is right. An unknown user takes the same steps as a
known one, with an entry of the directory that nobody can sign in as, and is counted in the same way.

Wrong passwords are limited by three counts, each of which ends with its window:

- of one user from one address: few, for whoever guesses a password;
- of one user from all addresses that the user never signed in from: more, for whoever guesses from many.
  The owner, at an address of the login log, is not shut out by it;
- from one address: many, for whoever tries one password with many users.

A user is counted by the name in the directory, however it was typed. Attempts that are refused do not
count, so that nobody can keep the owner out by going on. A right password is refused when the wrong ones
sent along with it exceed the limit, and so are these, in the same words: which it was stays unknown.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

from ks_account.clients.directory import Directory, PasswordChangedMeanwhile
from ks_account.clients.entries import UserEntry
from ks_account.clients.sessions import Attempt, Grant, Limits, Session, Sessions
from ks_account.config import AccountConfig
from ks_account.login.tokens import MUST_CHANGE, Tokens
from ks_account.users import passwords
from servicekit.errors import Forbidden, TooManyRequests, Unauthorized, Unavailable

INCORRECT = "incorrect username or password"
MAX_NAME = 320
"""Characters of a name or an e-mail, as long as RFC 5321 lets an address be."""
_IPV6_NETWORK = 64

log = logging.getLogger(__name__)


def incorrect() -> Unauthorized:
    """The one answer to a pair that is not right, whatever is wrong with it."""
    return Unauthorized(INCORRECT, reason="IncorrectCredentials")


def locked() -> Forbidden:
    """The answer to the right password of a user who is locked; nobody else learns that."""
    return Forbidden("the account is locked; ask an administrator", reason="AccountLocked")


def claims_of(entry: UserEntry) -> dict[str, Any]:
    """The claims that narrow or widen what a token of this user may be used for."""
    narrowed: dict[str, Any] = {MUST_CHANGE: True} if entry.must_change else {}
    return {**narrowed, "groups": list(entry.groups)} if entry.groups else narrowed


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The token of a session that has begun; `must_change` says that it only serves for setting another
    password.
    """

    token: str
    must_change: bool


class Elsewhere(Protocol):
    """Where passwords are that are not in the directory."""

    async def prove(self, login: str, entry: UserEntry | None, password: str) -> UserEntry | None:
        """The user of that login and password, None when they are not right there."""
        ...

    async def known(self, entry: UserEntry) -> UserEntry | None:
        """The user as they are known there now, None when they are not any more."""
        ...


class SignIn:
    """Checks passwords, and begins sessions for those who know theirs."""

    def __init__(
        self,
        directory: Directory,
        sessions: Sessions,
        tokens: Tokens,
        config: AccountConfig,
        on_sign_in: Callable[[str], None],
    ) -> None:
        """`on_sign_in` is told the name of each user who signs in, and returns at once."""
        self._directory = directory
        self._sessions = sessions
        self._tokens = tokens
        self._on_sign_in = on_sign_in
        self._rounds = config.account.password_rounds
        self.elsewhere: Elsewhere | None = None
        """Asked for who is not in the directory, or has the password there."""
        self._idle = config.authentication.token_idle_timeout
        self.most_sessions = config.account.max_sessions if config.authentication.multi_login else 1
        self._limits = Limits(
            window=config.account.window,
            per_user_and_address=config.account.failures,
            per_user=config.account.user_rate_limit,
            per_address=config.account.address_rate_limit,
        )

    async def sign_in(self, name: str, password: str, address: str) -> SignedIn:
        """A token for the user of that name or e-mail. Raises what `check` does."""
        entry, attempt = await self.check(name, password, address)
        signed_in = await self.admit(entry, attempt)
        await self._renew_hash(entry, password)
        return signed_in

    async def admit(self, entry: UserEntry, attempt: Attempt) -> SignedIn:
        """A token for a user who has proven who they are. Raises Forbidden for one who is locked."""
        if entry.locked:
            raise locked()
        now = time.time()
        token = self._tokens.make("access", entry.username, entry.email, now=now, more=claims_of(entry))
        await self.begin(attempt, Session(entry.username, token, now, self._idle))
        return SignedIn(token, entry.must_change)

    async def check(self, name: str, password: str, address: str) -> tuple[UserEntry, Attempt]:
        """The user whose name or e-mail and password these are.

        Raises Unauthorized when they are not, TooManyRequests after too many that were not, Forbidden when
        they are, but the user is locked, and Unavailable when the directory or Redis does not answer.
        """
        if not (_is_sane(name, MAX_NAME) and _is_sane(password, passwords.MAX_BYTES)):
            raise incorrect()
        entry = await self._directory.find_login(name)
        attempt = Attempt(
            user=entry.username if entry else " ".join(name.casefold().split()),
            address=address,
            origin=origin(address),
        )
        refuse_for(await self._sessions.refused_for(attempt, self._limits))
        proven = await self._proven(name, entry, password)
        if proven is not None:
            if proven.locked:
                raise locked()
            return proven, replace(attempt, user=proven.username)
        refuse_for(await self._sessions.count_failure(attempt, self._limits))
        log.info("refused a password for %s from %s", attempt.user, address)
        raise incorrect()

    async def known(self, username: str) -> UserEntry | None:
        """The user who goes on with what was granted to them, with the groups of now.

        None when there is none any more, here or where the password is, and for one who is locked. Raises
        Unavailable.
        """
        entry = await self._directory.user(username)
        if entry is None or entry.locked:
            return None
        if not entry.is_elsewhere:
            return entry
        return await self.elsewhere.known(entry) if self.elsewhere is not None else None

    async def _proven(self, name: str, entry: UserEntry | None, password: str) -> UserEntry | None:
        if self.elsewhere is not None and (entry is None or entry.is_elsewhere):
            found = await self.elsewhere.prove(name, entry, password)
            if found is not None or entry is not None:
                return found
        accepted = await self._directory.accepts(entry, password)
        return entry if accepted else None

    async def begin(self, attempt: Attempt, session: Session, grant: Grant | None = None) -> None:
        """Begin a session of a user who was checked just now. Raises TooManyRequests as `check` does."""
        line = f"{datetime.fromtimestamp(session.now, UTC):%Y-%m-%dT%H:%M:%SZ},{attempt.address}"
        wait = await self._sessions.begin(
            attempt,
            self._limits,
            session,
            most=self.most_sessions,
            log=line if attempt.address else None,
            grant=grant,
        )
        if wait is None:
            raise locked()
        refuse_for(wait)
        log.info("%s signed in from %s", session.user, attempt.address)
        self._on_sign_in(session.user)

    async def _renew_hash(self, entry: UserEntry, password: str) -> None:
        """Replace a password in clear text, as v2.1.1 stored it, or a hash weaker than the ones made
        today.
        """
        if (
            not entry.password
            or entry.is_elsewhere
            or not passwords.is_outdated(entry.password, self._rounds)
        ):
            return
        try:
            await self._directory.replace_password(
                entry, await asyncio.to_thread(passwords.stored, password, self._rounds)
            )
        except (PasswordChangedMeanwhile, Unavailable) as error:
            log.warning("the stored password of %s stays as it was: %s", entry.username, error)


def refuse_for(seconds: float) -> None:
    """Raise TooManyRequests when there are seconds to wait."""
    if seconds > 0:
        raise TooManyRequests("auth rate limit exceeded", retry_after=seconds)


def origin(address: str) -> str:
    """What is counted of a client's address: IPv6 by its /64, of which one client has all."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if ip.version == 6 and ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ip) if ip.version == 4 else str(ip_network((ip, _IPV6_NETWORK), strict=False))


def _is_sane(text: str, most: int) -> bool:
    return bool(text) and len(text) <= most and passwords.is_text(text)
