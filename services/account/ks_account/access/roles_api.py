"""Routes of roles: which there are, who has them, and what they permit."""

from ks_account.access.authorize import GuardedGroup, oneself, signed_in
from ks_account.access.roles import NamespaceUser, Roles, RolesOfUser, RoleUser
from ks_account.users.profile import Profile
from kubekit.rbac import permissions
from kubekit.rbac.permissions import PermissionRules, SimpleRule
from kubekit.resource import Object
from servicekit.paging import Page, PageQuery


def add_routes(group: GuardedGroup, roles: Roles) -> None:
    """Add the routes to the group iam.kubesphere.io."""
    _add_cluster(group, roles)
    _add_workspace(group, roles)
    _add_namespace(group, roles)

    @group.guarded("GET", "/users/{user}/roles", permit=oneself)
    async def roles_of_user(user: str) -> RolesOfUser:
        """All roles of a user, in the cluster and in namespaces."""
        return roles.roles_of(user)

    @group.guarded("GET", "/devops/{devops}/roles/{role}/rules")
    async def devops_role_rules(devops: str, role: str) -> list[SimpleRule]:
        """The permissions of a role in a DevOps project; those of a reporter for a role that is not known."""
        return permissions.DEVOPS.get(role, permissions.DEVOPS["reporter"])

    @group.guarded("GET", "/rulesmapping/clusterroles", permit=signed_in)
    async def cluster_permissions() -> list[PermissionRules]:
        """The policy rules behind each permission in the cluster."""
        return permissions.CLUSTER.document

    @group.guarded("GET", "/rulesmapping/roles", permit=signed_in)
    async def namespace_permissions() -> list[PermissionRules]:
        """The policy rules behind each permission in a namespace."""
        return permissions.NAMESPACE.document


def _add_cluster(group: GuardedGroup, roles: Roles) -> None:
    @group.guarded("GET", "/clusterroles")
    async def list_cluster_roles(query: PageQuery) -> Page[Object]:
        """A page of the ClusterRoles."""
        return roles.cluster_roles(query)

    @group.guarded("GET", "/clusterroles/{clusterrole}/users")
    async def cluster_role_users(clusterrole: str, query: PageQuery) -> Page[Profile]:
        """A page of the users who have a ClusterRole in the cluster."""
        return await roles.cluster_role_users(clusterrole, query)

    @group.guarded("GET", "/clusterroles/{clusterrole}/rules")
    async def cluster_role_rules(clusterrole: str) -> list[SimpleRule]:
        """The permissions that a ClusterRole gives."""
        return roles.cluster_role_rules(clusterrole)


def _add_workspace(group: GuardedGroup, roles: Roles) -> None:
    @group.guarded("GET", "/workspaces/{workspace}/roles")
    async def list_workspace_roles(workspace: str, query: PageQuery) -> list[Object]:
        """The roles of a workspace."""
        return roles.workspace_roles(workspace, query)

    @group.guarded("GET", "/workspaces/{workspace}/roles/{role}")
    async def describe_workspace_role(workspace: str, role: str) -> Object:
        """A role of a workspace."""
        return roles.workspace_role(workspace, role)

    @group.guarded("GET", "/workspaces/{workspace}/roles/{role}/rules")
    async def workspace_role_rules(workspace: str, role: str) -> list[SimpleRule]:
        """The permissions of a role in a workspace; none for a role that is not known."""
        return permissions.WORKSPACE.get(role, [])


def _add_namespace(group: GuardedGroup, roles: Roles) -> None:
    @group.guarded("GET", "/namespaces/{namespace}/roles")
    async def list_roles(namespace: str, query: PageQuery) -> Page[Object]:
        """A page of the roles of a namespace."""
        return roles.roles(namespace, query)

    @group.guarded("GET", "/namespaces/{namespace}/roles/{role}/users")
    async def role_users(namespace: str, role: str) -> list[RoleUser]:
        """The users who have a role in a namespace."""
        return await roles.role_users(namespace, role)

    @group.guarded("GET", "/namespaces/{namespace}/roles/{role}/rules")
    async def role_rules(namespace: str, role: str) -> list[SimpleRule]:
        """The permissions that a role of a namespace gives."""
        return roles.role_rules(namespace, role)

    @group.guarded("GET", "/namespaces/{namespace}/users")
    async def namespace_users(namespace: str) -> list[NamespaceUser]:
        """The users of a namespace, with their roles in it."""
        return await roles.namespace_users(namespace)
