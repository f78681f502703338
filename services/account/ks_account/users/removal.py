"""Deleting a user with all that belongs to them.

The deletion can be asked for again until all is gone: what is left of a user without an entry in the
directory is removed as well. What the background makes for users goes after the entry, so that it is not
made anew.
"""

from collections.abc import Awaitable, Callable

from ks_account.access.bindings import Bindings
from ks_account.access.cluster_roles import ClusterRoles
from ks_account.access.owners import Owners
from ks_account.clients.directory import Directory, NoSuchEntry
from ks_account.clients.memberships import Memberships
from ks_account.clients.sessions import Sessions
from ks_account.kubectl.provisioning import Provisioning
from ks_account.users.administrators import Administrators
from ks_account.users.roster import Roster
from kubekit.cluster import Cluster
from servicekit.errors import Forbidden, NotFound, Unavailable
from servicekit.identity import Identity

Step = Callable[[str], Awaitable[int]]
"""Removes something of a user and gives how many things that were."""


class Removal:
    """Deletes users."""

    def __init__(
        self,
        directory: Directory,
        sessions: Sessions,
        memberships: Memberships,
        roster: Roster,
        bindings: Bindings,
        roles: ClusterRoles,
        provisioning: Provisioning,
        cluster: Cluster,
    ) -> None:
        self._directory = directory
        self._roles = roles
        self._roster = roster
        self._administrators = Administrators(directory, roles)
        self._owners = Owners(cluster)
        self._steps: dict[str, Step] = {
            "sessions": sessions.end_all,
            "role bindings": bindings.exclude_everywhere,
            "memberships of DevOps projects": memberships.remove,
            "entry in the directory": self._delete_entry,
            "place in the list of users": self._strike,
            "kubeconfig": provisioning.remove_kubeconfig,
            "kubectl terminal": provisioning.remove_terminal,
            "sessions begun meanwhile": sessions.end_all,
            "login log": sessions.forget,
        }

    async def remove(self, username: str, caller: Identity) -> None:
        """Delete a user. Raises NotFound when there is nothing of them, Forbidden for oneself, Conflict for
        the last administrator, and Unavailable, saying what is left, when a back end does not answer.
        """
        if username == caller.user:
            raise Forbidden("cannot delete yourself")
        await self._administrators.require_another(username)
        self._roles.require_power_over(caller, username)
        removed = 0
        steps = {"ownership": lambda user: self._owners.release_all(user, caller), **self._steps}
        left = list(steps)
        for what, step in steps.items():
            try:
                removed += await step(username)
            except Unavailable as error:
                why = error.message.partition(": ")[2]
                raise Unavailable(
                    error.dependency, f"{why}; left of {username}: {', '.join(left)}. Delete again to go on"
                ) from error
            left.remove(what)
        if not removed:
            raise NotFound(f"user {username} does not exist")

    async def _strike(self, username: str) -> int:
        await self._roster.changed(username)
        return 0

    async def _delete_entry(self, username: str) -> int:
        try:
            await self._directory.delete_user(username)
        except NoSuchEntry:
            return 0
        return 1
