"""Locking a user out, and letting them in again.

Where it counts is the directory; Redis forgets. All sessions and tokens of the user end with the lock, and
none comes back with the unlocking. The kubeconfig and the kubectl pod are taken away. A token in a kubeconfig
ends by that; a certificate, which Kubernetes lets nobody revoke, ends with its time (`kubectl.lifetime`).
"""

from ks_account.access.cluster_roles import ClusterRoles
from ks_account.clients.directory import Directory, NoSuchEntry
from ks_account.clients.entries import EXPIRE, LOCKED
from ks_account.clients.sessions import Sessions
from ks_account.kubectl.provisioning import Provisioning
from ks_account.users.administrators import Administrators
from servicekit.errors import Forbidden, NotFound, Unavailable
from servicekit.identity import Identity

_CLAIM_SECONDS = 30
_CLAIM_WAIT = 10


class Locking:
    """Locks and unlocks users."""

    def __init__(
        self, directory: Directory, sessions: Sessions, roles: ClusterRoles, provisioning: Provisioning
    ) -> None:
        self._provisioning = provisioning
        self._directory = directory
        self._sessions = sessions
        self._roles = roles
        self._administrators = Administrators(directory, roles)

    async def lock(self, username: str, caller: Identity) -> None:
        """Lock a user, whose sessions end. Raises NotFound, Forbidden for oneself and for whoever may do what
        the caller may not, Conflict for the last administrator who is not locked, and Unavailable, saying
        what is left to do, when a back end does not answer.
        """
        if username == caller.user:
            raise Forbidden("cannot lock yourself")
        self._roles.require_power_over(caller, username)
        # One at a time, so that two administrators cannot lock each other.
        async with self._sessions.claim("locking", _CLAIM_SECONDS, wait=_CLAIM_WAIT):
            await self._administrators.require_another(username)
            await self._mark(username, LOCKED)
        await self._sessions.lock(username)
        try:
            await self._provisioning.withdraw(username)
        except Unavailable as error:
            why = error.message.partition(": ")[2]
            left = (
                f"{username} is locked, but the kubeconfig and the kubectl pod are left. Lock again to go on"
            )
            raise Unavailable(error.dependency, f"{why}; {left}") from error

    async def unlock(self, username: str, caller: Identity) -> None:
        """Let a user sign in again. Raises NotFound and Forbidden as `lock` does."""
        self._roles.require_power_over(caller, username)
        await self._mark(username, None)
        await self._sessions.unlock(username)

    async def _mark(self, username: str, value: str | None) -> None:
        entry = await self._directory.user(username)
        try:
            if entry is None:
                raise NoSuchEntry(username)
            await self._directory.mark(entry, EXPIRE, value)
        except NoSuchEntry:
            raise NotFound(f"user {username} does not exist") from None
        await self._sessions.note_change(username)
