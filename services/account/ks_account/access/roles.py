"""Roles in the cluster, in workspaces and in namespaces: which there are, who has them, what they permit."""

from collections.abc import Callable, Iterable, Iterator

from typing_extensions import TypedDict

from ks_account.access import members
from ks_account.access.bindings import owning_workspace, role_of, users_in
from ks_account.access.listing import CREATOR, DISPLAY_NAME, page
from ks_account.clients.kubernetes import translated
from ks_account.users.people import People
from ks_account.users.profile import Profile
from kubekit.cluster import Cluster
from kubekit.rbac import Rule
from kubekit.rbac.index import RbacIndex
from kubekit.rbac.permissions import CLUSTER, NAMESPACE, SimpleRule
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NAMESPACES, ROLE_BINDINGS, ROLES, Object
from servicekit.errors import NotFound
from servicekit.paging import Page, PageQuery

_ADMIN_BINDING = "admin"
_VIEWER_BINDING = "viewer"


class RoleUser(Profile):
    """A user with a role of a namespace."""

    role: str


class RoleInNamespace(TypedDict):
    """A role of a namespace, and since when and by which binding somebody has it."""

    role: str
    role_binding: str
    role_bind_time: str


class NamespaceUser(Profile, RoleInNamespace):
    """A user of a namespace."""


class RolesOfUser(TypedDict):
    """ClusterRoles that somebody has in the cluster, and roles in namespaces."""

    clusterRole: list[Object]
    roles: list[Object]


class Roles:
    """Reads roles and bindings from the caches."""

    def __init__(self, cluster: Cluster, rbac: RbacIndex, people: People) -> None:
        self._cluster = cluster
        self._rbac = rbac
        self._people = people
        self._cluster_roles = cluster.cache(CLUSTER_ROLES, index={"workspace": _workspace_of})
        self._cluster_bindings = cluster.cache(CLUSTER_ROLE_BINDINGS, index={"role": role_of})
        self._roles = cluster.cache(ROLES)
        self._bindings = cluster.cache(ROLE_BINDINGS)

    def cluster_roles(self, query: PageQuery) -> Page[Object]:
        """A page of the ClusterRoles, by name."""
        return page(self._cluster_roles.all(), query, order_by="name")

    async def cluster_role_users(self, role: str, query: PageQuery) -> Page[Profile]:
        """A page of the users who have a ClusterRole in the cluster, by name."""
        names = [name for binding in self._cluster_bindings.by("role", role) for name in users_in(binding)]
        profiles = await self._people.profiles(names)
        return query.page([profiles[name] for name in sorted(profiles, reverse=bool(query.reverse))])

    def cluster_role_rules(self, role: str) -> list[SimpleRule]:
        """The permissions in the cluster that a ClusterRole gives. Raises NotFound."""
        found = self._cluster_roles.get(role)
        if found is None:
            raise NotFound(f'clusterrole.rbac.authorization.k8s.io "{role}" not found')
        return CLUSTER.of(_rules(found))

    def workspace_roles(self, workspace: str, query: PageQuery) -> list[Object]:
        """A page of the roles of a workspace, under the names that people know."""
        found = self._cluster_roles.by("workspace", workspace)
        if not found:
            raise NotFound(f'workspace "{workspace}" not found')
        return list(page([_as_known(role) for role in found], query, order_by="name").items)

    def workspace_role(self, workspace: str, role: str) -> Object:
        """The ClusterRole behind a role of a workspace. Raises NotFound."""
        found = (
            self._cluster_roles.get(members.binding_name(workspace, role)) if role in members.ROLES else None
        )
        if found is None:
            raise NotFound(f'workspace role "{role}" not found')
        return found

    def roles(self, namespace: str, query: PageQuery) -> Page[Object]:
        """A page of the Roles of a namespace, by their time of creation."""
        return page(self._roles.all(namespace), query, order_by="createTime")

    def role_rules(self, namespace: str, role: str) -> list[SimpleRule]:
        """The permissions that a Role gives. Raises NotFound."""
        found = self._roles.get(role, namespace)
        if found is None:
            raise NotFound(f'role.rbac.authorization.k8s.io "{role}" not found')
        return NAMESPACE.of(_rules(found))

    async def role_users(self, namespace: str, role: str) -> list[RoleUser]:
        """The users who are bound to a role in a namespace, by name."""
        bound = self._bound(namespace, lambda binding: binding["roleRef"]["name"] == role)
        profiles = await self._people.profiles(bound)
        return [{**profiles[name], "role": role} for name in sorted(profiles)]

    async def namespace_users(self, namespace: str) -> list[NamespaceUser]:
        """The users of a namespace with role and binding, the latest binding first. Raises NotFound.

        The bindings `admin` and `viewer` are a controller's, which puts all members of the workspace into
        them; of those, only who made the namespace is shown, as in v2.1.1.
        """
        with translated():
            found = await self._cluster.get(NAMESPACES, namespace)
        creator = (found["metadata"].get("annotations") or {}).get(CREATOR)
        bound = self._bound(namespace, lambda binding: binding["metadata"]["name"] != _VIEWER_BINDING)
        shown = {
            name: binding
            for name, binding in bound.items()
            if binding["metadata"]["name"] != _ADMIN_BINDING or name == creator
        }
        profiles = await self._people.profiles(shown)
        listed: list[NamespaceUser] = [{**shape, **_role_in(shown[name])} for name, shape in profiles.items()]
        return sorted(listed, key=lambda user: (user["role_bind_time"], user["username"]), reverse=True)

    def roles_of(self, username: str) -> RolesOfUser:
        """The roles of a user: `clusterRole` in the cluster, and `roles` in namespaces.

        A ClusterRole that is bound in a namespace is shown as a role of it.
        """
        with translated():
            bindings = self._rbac.bindings_of(username, ())
        cluster: list[Object] = []
        namespaced: list[Object] = []
        for binding in sorted(bindings, key=lambda each: each.key):
            role = self._role(binding.role.namespace, binding.role.name)
            if role is None:
                continue
            if binding.key.namespace:
                namespaced.append(
                    {**role, "metadata": {**role["metadata"], "namespace": binding.key.namespace}}
                )
            else:
                cluster.append(role)
        return {"clusterRole": cluster, "roles": namespaced}

    def _role(self, namespace: str, name: str) -> Object | None:
        return self._roles.get(name, namespace) if namespace else self._cluster_roles.get(name)

    def _bound(self, namespace: str, wanted: Callable[[Object], bool]) -> dict[str, Object]:
        """The first binding of each user in a namespace, of the wanted ones; the controller's is last."""
        bindings = sorted(self._bindings.all(namespace), key=_age)
        bound: dict[str, Object] = {}
        for binding in filter(wanted, bindings):
            for name in users_in(binding):
                bound.setdefault(name, binding)
        return bound


def _workspace_of(role: Object) -> Iterable[str]:
    workspace = owning_workspace(role)
    return [workspace] if workspace else []


def _as_known(role: Object) -> Object:
    annotations: dict[str, str] = role["metadata"].get("annotations") or {}
    known = annotations.get(DISPLAY_NAME) or role["metadata"]["name"]
    return {**role, "metadata": {**role["metadata"], "name": known}}


def _role_in(binding: Object) -> RoleInNamespace:
    return {
        "role": binding["roleRef"]["name"],
        "role_binding": binding["metadata"]["name"],
        "role_bind_time": binding["metadata"]["creationTimestamp"],
    }


def _age(binding: Object) -> tuple[bool, str, str]:
    metadata = binding["metadata"]
    return metadata["name"] == _ADMIN_BINDING, metadata["creationTimestamp"], metadata["name"]


def _rules(role: Object) -> Iterator[Rule]:
    return (Rule.of(rule) for rule in role.get("rules") or ())
