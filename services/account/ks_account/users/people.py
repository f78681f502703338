"""Users by their names, for lists of those whom bindings name."""

from collections.abc import Iterable

from ks_account.clients.directory import Directory
from ks_account.clients.entries import UserEntry, equals
from ks_account.clients.sessions import Sessions
from ks_account.users.profile import Profile, profile

_AT_ONCE = 200


class People:
    """Reads the profiles of many users with few questions."""

    def __init__(self, directory: Directory, sessions: Sessions) -> None:
        self._directory = directory
        self._sessions = sessions

    async def profiles(self, usernames: Iterable[str]) -> dict[str, Profile]:
        """The profiles of those of `usernames` who are in the directory."""
        names = list(dict.fromkeys(usernames))
        entries: list[UserEntry] = []
        for start in range(0, len(names), _AT_ONCE):
            entries += await self._directory.users(equals("uid", names[start : start + _AT_ONCE]))
        wanted = set(names)
        found = [entry for entry in entries if entry.username in wanted]
        logins = await self._sessions.last_logins([entry.username for entry in found])
        return {entry.username: profile(entry, login) for entry, login in zip(found, logins, strict=True)}

    async def profile(self, username: str) -> Profile | None:
        """The profile of one user, None when there is no such user."""
        return (await self.profiles([username])).get(username)
