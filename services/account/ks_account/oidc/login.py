"""Signing in at a provider: to it, back from it, and a session for who comes back."""

import re
from dataclasses import dataclass, replace

from ks_account.clients.sessions import Attempt as Counted
from ks_account.login.signin import SignedIn, SignIn, origin
from ks_account.oidc.attempt import Attempt, Attempts
from ks_account.oidc.config import OidcProvider
from ks_account.oidc.people import Newcomers, groups_of
from ks_account.oidc.provider import Provider
from servicekit.errors import BadRequest, Forbidden, NotFound

_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1023}|/")
"""A path of this site: what a browser could take for another host is none."""
_MAX_CODE = 4096


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the browser, and the cookie that it must bring back; `secure` says over TLS alone."""

    url: str
    cookie: str
    secure: bool


@dataclass(frozen=True, slots=True)
class Done:
    """A session, and the path where the browser goes on."""

    session: SignedIn
    next: str
    secure: bool


class OidcLogin:
    """Signs users in at the configured providers. As a part of the service it closes their connections."""

    name = "oidc"

    def __init__(
        self, configs: tuple[OidcProvider, ...], attempts: Attempts, newcomers: Newcomers, sign_in: SignIn
    ) -> None:
        self._providers = {config.name: Provider(config) for config in configs}
        self._attempts = attempts
        self._newcomers = newcomers
        self._sign_in = sign_in

    def providers(self) -> list[tuple[str, str]]:
        """Name and title of each provider, as configured."""
        return [(name, p.config.title or name) for name, p in self._providers.items()]

    async def open(self) -> None:
        """Nothing: a provider is asked when somebody signs in there."""

    async def check(self) -> None:
        """Nothing: a provider that is down is down for its users alone."""

    async def close(self) -> None:
        """Close the connections to the providers."""
        for provider in self._providers.values():
            await provider.close()

    async def begin(self, name: str, next_: str) -> Begun:
        """A login at the provider `name`. Raises NotFound, BadRequest for a path of another site, and
        Unavailable.
        """
        provider = self._provider(name)
        if not _PATH.fullmatch(next_):
            raise BadRequest("next must be a path of this site", reason="InvalidNext")
        attempt = Attempt.new(name, next_)
        url = await provider.authorization_url(
            state=attempt.state, nonce=attempt.nonce, challenge=attempt.challenge
        )
        return Begun(url, self._attempts.seal(attempt), _is_secure(provider))

    async def finish(
        self, name: str, cookie: str, *, state: str, code: str, refusal: str, address: str
    ) -> Done:
        """A session for who comes back from the provider.

        Raises BadRequest for a login that was not begun in this browser, Forbidden when the provider or the
        user said no or the account is locked, Unauthorized for a code that does not hold, and what finding
        the user raises.
        """
        provider = self._provider(name)
        attempt = self._attempts.open(cookie, name, state)
        if refusal:
            raise Forbidden(f"{name} says: {refusal[:64]}", reason="ProviderRefused")
        if not code or len(code) > _MAX_CODE:
            raise BadRequest("the provider sent no code", reason="StaleLogin")
        claims = await provider.claims(code, verifier=attempt.verifier, nonce=attempt.nonce)
        entry = await self._newcomers.user(provider.config, claims)
        counted = Counted(entry.username, address, origin(address))
        # A password that must be changed is nothing to who came without one.
        vouched = replace(entry, groups=groups_of(provider.config, claims), must_change=False)
        session = await self._sign_in.admit(vouched, counted)
        return Done(session, attempt.next, _is_secure(provider))

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise NotFound("no provider of that name is configured")
        return provider


def _is_secure(provider: Provider) -> bool:
    return provider.config.redirect_url.startswith("https://")
