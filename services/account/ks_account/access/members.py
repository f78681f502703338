"""Members of workspaces: the users in the ClusterRoleBindings `workspace:{workspace}:{admin,regular,viewer}`.

The bindings are the controllers' to make; here users are put into them and taken out. A member is in one of
the three. What that means in the namespaces of the workspace follows from there, by the controllers too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ks_account.access.bindings import Bindings, owning_workspace, users_in
from ks_account.access.owners import Owners
from ks_account.clients.kubernetes import translated
from ks_account.clients.sessions import Sessions
from ks_account.users.people import People
from ks_account.users.profile import Profile
from kubekit.cluster import Cluster
from kubekit.rbac import Rule, effective_groups
from kubekit.rbac.demands import missing
from kubekit.rbac.index import RbacIndex
from kubekit.rbac.policy import BindingKey
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES
from servicekit.errors import Conflict, Forbidden, NotFound
from servicekit.identity import Identity

ROLES = ("workspace-admin", "workspace-regular", "workspace-viewer")
SYSTEM_WORKSPACE = "system-workspace"
_KUBE_SYSTEM = "kube-system"
_EVERYTHING = Rule(verbs=("*",), api_groups=("*",), resources=("*",))
_CLAIM_SECONDS = 30
_LONGEST_NAME = 253
"""Characters of a name; v2.1.1 made users of longer names than are made now."""
_SHOWN = 64
"""Characters of a wrong name that an error repeats."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A user has a role in a workspace."""

    username: str
    role: str


class Member(Profile):
    """A user with a role in a workspace."""

    workspace_role: str


class Members:
    """Reads and changes who is a member of a workspace."""

    def __init__(
        self, cluster: Cluster, rbac: RbacIndex, bindings: Bindings, people: People, sessions: Sessions
    ) -> None:
        self._bindings = cluster.cache(CLUSTER_ROLE_BINDINGS)
        self._roles = cluster.cache(CLUSTER_ROLES)
        self._rbac = rbac
        self._writer = bindings
        self._owners = Owners(cluster)
        self._people = people
        self._sessions = sessions

    def memberships(self, workspace: str) -> list[Membership]:
        """Everybody's role in a workspace, each user once. Raises NotFound for an unknown workspace."""
        found: dict[str, Membership] = {}
        known = False
        for role in ROLES:
            binding = self._bindings.get(binding_name(workspace, role))
            if binding is None or owning_workspace(binding) != workspace:
                continue
            known = True
            for username in users_in(binding):
                found.setdefault(username, Membership(username, role))
        if not known:
            raise NotFound(f'workspace "{workspace}" not found')
        return list(found.values())

    async def profiles(self, workspace: str) -> list[Member]:
        """The members who are in the directory, with their role."""
        members = self.memberships(workspace)
        profiles = await self._people.profiles(member.username for member in members)
        return [
            {**profiles[member.username], "workspace_role": member.role}
            for member in members
            if member.username in profiles
        ]

    async def profile(self, workspace: str, username: str) -> Member:
        """One member. Raises NotFound for a workspace or member that is not there."""
        member = next((m for m in self.memberships(workspace) if m.username == username), None)
        shown = await self._people.profile(username) if member else None
        if member is None or shown is None:
            raise _no_member(username)
        return {**shown, "workspace_role": member.role}

    async def invite(self, workspace: str, username: str, role: str, caller: Identity) -> None:
        """Make a user a member with that role, in place of the one that the user had.

        Raises NotFound for an unknown workspace, role or user, Forbidden when the role allows more in the
        workspace than the caller may do there, and Conflict for taking the last administrator away.
        """
        if role not in ROLES:
            raise NotFound(f'workspace role "{role[:_SHOWN]}" not found')
        members = self.memberships(workspace)
        self._require_power(workspace, role, caller)
        if len(username) > _LONGEST_NAME or await self._people.profile(username) is None:
            raise NotFound(f'user "{username[:_SHOWN]}" not found')
        if role != ROLES[0]:
            _keep_an_administrator(members, workspace, username)
        async with self._sessions.claim(
            f"member:{workspace}:{username}", _CLAIM_SECONDS, wait=_CLAIM_SECONDS
        ):
            if role != ROLES[0]:
                await self._owners.release_workspace(workspace, username, caller)
            await self._writer.include(BindingKey("", binding_name(workspace, role)), username)
            await self._remove(workspace, username, [other for other in ROLES if other != role])

    async def remove(self, workspace: str, username: str, caller: Identity) -> None:
        """End a membership. Raises NotFound for a workspace or member that is not there, Conflict for the
        last administrator, and Forbidden for the manager where the caller may not change the workspace.
        """
        members = self.memberships(workspace)
        _keep_an_administrator(members, workspace, username)
        async with self._sessions.claim(
            f"member:{workspace}:{username}", _CLAIM_SECONDS, wait=_CLAIM_SECONDS
        ):
            await self._owners.release_workspace(workspace, username, caller)
            if not await self._remove(workspace, username, ROLES):
                raise _no_member(username)

    async def _remove(self, workspace: str, username: str, roles: Sequence[str]) -> bool:
        gone = [
            await self._writer.exclude(BindingKey("", binding_name(workspace, role)), username)
            for role in roles
        ]
        return any(gone)

    def _require_power(self, workspace: str, role: str, caller: Identity) -> None:
        """Raise Forbidden unless the caller holds what the role allows on the workspace itself.

        The rules about other things, such as the applications of a store, are the same for all workspaces,
        and whoever manages members hands them out with the membership. Members of the system workspace reach
        the namespaces that the cluster runs in, so nobody makes one who may not do all there.
        """
        cluster_role = self._roles.get(binding_name(workspace, role)) or {}
        rules = [Rule.of(rule) for rule in cluster_role.get("rules") or ()]
        wanted = [rule for rule in rules if workspace in rule.resource_names]
        namespace = None
        if workspace == SYSTEM_WORKSPACE:
            wanted, namespace = [_EVERYTHING], _KUBE_SYSTEM
        with translated():
            held = self._rbac.rules(caller.user, effective_groups(caller.user, caller.groups), namespace)
        lacking = missing(held, wanted)
        if lacking is not None:
            raise Forbidden(f"{role} allows what {caller.user} may not do: {lacking}")


def binding_name(workspace: str, role: str) -> str:
    """The ClusterRole, and the binding to it, of a role in a workspace."""
    return f"workspace:{workspace}:{role.removeprefix('workspace-')}"


def _no_member(username: str) -> NotFound:
    return NotFound(f'workspace user "{username}" not found')


def _keep_an_administrator(members: Sequence[Membership], workspace: str, username: str) -> None:
    if {m.username for m in members if m.role == ROLES[0]} == {username}:
        raise Conflict(
            f"{username} is the last administrator of workspace {workspace}; make somebody else one first",
            reason="LastAdministrator",
        )
