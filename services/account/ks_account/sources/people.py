"""Signing in with a password of a directory of others.

Who is tied to one is asked for there alone, and never has a password here. Who is not known here is looked
for in each of them; what one of them that is down would have said stays open, so that is 503 unless another
knows the person.
"""

from dataclasses import replace
from urllib.parse import quote, unquote

from ks_account.clients.entries import ELSEWHERE, UserEntry
from ks_account.oidc.people import Newcomers
from ks_account.sources.config import ExternalDirectory
from ks_account.sources.directory import PeopleElsewhere, Person
from servicekit.errors import Forbidden, Unavailable


class Sources:
    """The directories of others. As a part of the service it closes their connections."""

    name = "directories"

    def __init__(self, configs: tuple[ExternalDirectory, ...], wait: float, newcomers: Newcomers) -> None:
        self._sources = {config.name: PeopleElsewhere(config, wait) for config in configs}
        self._newcomers = newcomers

    async def open(self) -> None:
        """Nothing: connections are made when they are needed."""

    async def check(self) -> None:
        """Nothing: one that is down is down for its people alone."""

    async def close(self) -> None:
        """Close the connections."""
        for source in self._sources.values():
            await source.close()

    async def prove(self, login: str, entry: UserEntry | None, password: str) -> UserEntry | None:
        """The user of that login and password, None when they are not right there.

        `entry` is the user here, tied to one of them, or None when there is none by that login. Raises
        Unavailable, and what making a new user raises.
        """
        if entry is None:
            return await self._prove_anywhere(login, password)
        name, username = _tie_of(entry)
        source = self._sources.get(name)
        person = await source.person(username) if source else None
        if source is None or person is None or not await source.accepts(person, password):
            return None
        return replace(entry, groups=person.groups)

    async def known(self, entry: UserEntry) -> UserEntry | None:
        """The user, tied to one of them, with the groups there; None who is not there any more. Raises
        Unavailable.
        """
        name, username = _tie_of(entry)
        source = self._sources.get(name)
        person = await source.person(username) if source else None
        return replace(entry, groups=person.groups) if person else None

    async def _prove_anywhere(self, login: str, password: str) -> UserEntry | None:
        lost: Unavailable | None = None
        for source in self._sources.values():
            try:
                person = await source.find(login)
                proven = person is not None and await source.accepts(person, password)
            except Unavailable as error:
                lost = error
                continue
            if proven and person is not None:
                return await self._user(source.config, person)
        if lost is not None:
            raise lost
        return None

    async def _user(self, config: ExternalDirectory, person: Person) -> UserEntry:
        tie = f"{ELSEWHERE}{config.name}:{quote(person.username, safe='')}"
        entry = await self._newcomers.tied(tie)
        if entry is None:
            if not config.create_users:
                raise Forbidden(
                    "nobody here is known by that name; ask an administrator", reason="UnknownUser"
                )
            entry = await self._newcomers.make(tie, person.username, person.email)
        return replace(entry, groups=person.groups)


def _tie_of(entry: UserEntry) -> tuple[str, str]:
    """The directory that the user is tied to, and the user name there."""
    tie = next(tie for tie in entry.ties if tie.startswith(ELSEWHERE))
    name, _, username = tie.removeprefix(ELSEWHERE).partition(":")
    return name, unquote(username)
