"""Deleting a user with all that belongs to them.

The entry in the directory goes last but one: until then the deletion can be asked for again, and it can
after that too, since what is left of a user without an entry is removed as well.
"""

from collections.abc import Awaitable, Callable

from ks_account.access.bindings import Bindings
from ks_account.access.cluster_roles import ClusterRoles
from ks_account.access.owners import Owners
from ks_account.clients.directory import Directory, NoSuchEntry
from ks_account.clients.kubernetes import translated
from ks_account.clients.sessions import Sessions
from ks_account.users.administrators import Administrators
from kubekit.cluster import Cluster
from kubekit.resource import CONFIG_MAPS, DEPLOYMENTS, Resource
from servicekit.errors import Forbidden, NotFound, Unavailable
from servicekit.identity import Identity

CONTROLS_NAMESPACE = "kubesphere-controls-system"

Step = Callable[[str], Awaitable[int]]
"""Removes something of a user and gives how many things that were."""


class Removal:
    """Deletes users."""

    def __init__(
        self,
        directory: Directory,
        sessions: Sessions,
        bindings: Bindings,
        roles: ClusterRoles,
        cluster: Cluster,
    ) -> None:
        self._directory = directory
        self._roles = roles
        self._administrators = Administrators(directory, roles)
        self._cluster = cluster
        self._owners = Owners(cluster)
        self._steps: dict[str, Step] = {
            "sessions": sessions.end_all,
            "role bindings": bindings.exclude_everywhere,
            "kubeconfig": lambda user: self._delete(CONFIG_MAPS, f"kubeconfig-{user}"),
            "kubectl terminal": lambda user: self._delete(DEPLOYMENTS, f"kubectl-{user}"),
            "entry in the directory": self._delete_entry,
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

    async def _delete_entry(self, username: str) -> int:
        try:
            await self._directory.delete_user(username)
        except NoSuchEntry:
            return 0
        return 1

    async def _delete(self, resource: Resource, name: str) -> int:
        try:
            with translated():
                await self._cluster.delete(resource, name, CONTROLS_NAMESPACE)
        except NotFound:
            return 0
        return 1
