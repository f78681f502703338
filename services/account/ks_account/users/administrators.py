"""The administrators of the platform: users of the directory with the cluster role cluster-admin."""

from ks_account.access.cluster_roles import ClusterRoles
from ks_account.clients.directory import Directory
from ks_account.clients.entries import NOT_LOCKED, equals
from servicekit.errors import Conflict


class Administrators:
    """Keeps the platform from being left without one."""

    def __init__(self, directory: Directory, roles: ClusterRoles) -> None:
        self._directory = directory
        self._roles = roles

    async def exist(self, *, beside: str = "") -> bool:
        """Whether there is an administrator who is not locked, other than `beside`."""
        names = self._roles.administrators() - {beside}
        return bool(names) and await self._directory.has(equals("uid", sorted(names)) + NOT_LOCKED)

    async def require_another(self, username: str) -> None:
        """Raise Conflict when the user is the last administrator."""
        if username in self._roles.administrators() and not await self.exist(beside=username):
            raise Conflict(
                f"{username} is the last administrator; make somebody else one first",
                reason="LastAdministrator",
            )
