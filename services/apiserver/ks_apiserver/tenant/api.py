"""The routes of tenant.kubesphere.io/v1alpha2."""

from ks_apiserver.tenant.access import GROUP, VERSION, Access
from ks_apiserver.tenant.components import Components
from ks_apiserver.tenant.namespaces import Namespaces
from ks_apiserver.tenant.requests import NewNamespace
from ks_apiserver.tenant.rules import OwnRules
from ks_apiserver.tenant.workspaces import Workspaces
from kubekit.rbac.permissions import SimpleRule
from kubekit.resource import Object
from servicekit.group import Group
from servicekit.identity import Identity
from servicekit.paging import Json, Page, PageQuery


def group(
    access: Access, workspaces: Workspaces, namespaces: Namespaces, rules: OwnRules, components: Components
) -> Group:
    """All routes of tenancy. What `access` does not allow is refused."""
    tenant = Group(GROUP, VERSION)
    _read_workspaces(tenant, workspaces)
    _read_namespaces(tenant, access, workspaces, namespaces)
    _change_namespaces(tenant, access, workspaces, namespaces)
    _read_rules(tenant, rules)
    _devops(tenant, components)
    _logs(tenant, components)
    return tenant


def _read_workspaces(tenant: Group, workspaces: Workspaces) -> None:
    @tenant.get("/workspaces", etag=True)
    async def list_workspaces(caller: Identity, query: PageQuery) -> Page[Json]:
        """Workspaces that the caller's roles let them see."""
        return workspaces.page(caller, query)

    @tenant.get("/workspaces/{workspace}")
    async def get_workspace(caller: Identity, workspace: str) -> Object:
        """One workspace, with how many members it has and how many of its namespaces the caller sees."""
        return await workspaces.get(caller, workspace)


def _read_namespaces(tenant: Group, access: Access, workspaces: Workspaces, namespaces: Namespaces) -> None:
    @tenant.get("/namespaces", etag=True)
    async def list_own_namespaces(caller: Identity, query: PageQuery) -> Page[Json]:
        """Namespaces of any workspace, or of none, that the caller's bindings reach."""
        return namespaces.page(caller.user, caller.groups, query)

    @tenant.get("/workspaces/{workspace}/namespaces", etag=True)
    async def list_namespaces(caller: Identity, workspace: str, query: PageQuery) -> Page[Json]:
        """Namespaces of the workspace that the caller's bindings reach."""
        await workspaces.require_visible(caller, workspace)
        return namespaces.page(caller.user, caller.groups, query, workspace)

    @tenant.get("/workspaces/{workspace}/members/{member}/namespaces", etag=True)
    async def list_namespaces_of_member(
        caller: Identity, workspace: str, member: str, query: PageQuery
    ) -> Page[Json]:
        """Namespaces of the workspace that a member's bindings reach."""
        if member == caller.user:
            return await list_namespaces(caller, workspace, query)
        access.require_member_reader(caller, workspace)
        await workspaces.existing(workspace)
        return namespaces.page(member, (), query, workspace)


def _change_namespaces(tenant: Group, access: Access, workspaces: Workspaces, namespaces: Namespaces) -> None:
    @tenant.post("/workspaces/{workspace}/namespaces")
    async def create_namespace(caller: Identity, workspace: str, body: NewNamespace) -> Object:
        """Creates a namespace in the workspace; its roles follow shortly."""
        access.require_namespace_creator(caller, workspace)
        await workspaces.require_open(workspace)
        return await namespaces.create(caller, workspace, body)

    @tenant.delete("/workspaces/{workspace}/namespaces/{namespace}")
    async def delete_namespace(caller: Identity, workspace: str, namespace: str) -> None:
        """Deletes a namespace of the workspace, and all that is in it."""
        await namespaces.delete(caller, workspace, namespace)


def _read_rules(tenant: Group, rules: OwnRules) -> None:
    @tenant.get("/workspaces/{workspace}/rules")
    async def list_rules_in_workspace(caller: Identity, workspace: str) -> list[SimpleRule]:
        """What the caller may do in the workspace."""
        return rules.in_workspace(caller, workspace)

    @tenant.get("/namespaces/{namespace}/rules")
    async def list_rules_in_namespace(caller: Identity, namespace: str) -> list[SimpleRule]:
        """What the caller may do in the namespace."""
        return rules.in_namespace(caller, namespace)


def _devops(tenant: Group, components: Components) -> None:
    @tenant.get("/devopscount")
    async def count_devops(caller: Identity) -> None:
        """How many DevOps projects the caller sees."""
        components.count_devops()

    @tenant.get("/devops/{devops}/rules")
    async def list_rules_in_devops(caller: Identity, devops: str) -> list[SimpleRule]:
        """What the caller may do in a DevOps project."""
        return components.rules_in_devops(caller)

    @tenant.get("/workspaces/{workspace}/devops")
    async def list_devops(caller: Identity, workspace: str) -> None:
        """DevOps projects of the workspace that the caller sees."""
        await components.list_devops(caller, workspace)

    @tenant.get("/workspaces/{workspace}/members/{member}/devops")
    async def list_devops_of_member(caller: Identity, workspace: str, member: str) -> None:
        """DevOps projects of the workspace that a member sees."""
        await components.list_devops(caller, workspace, member)

    @tenant.post("/workspaces/{workspace}/devops")
    async def create_devops(caller: Identity, workspace: str) -> None:
        """Creates a DevOps project in the workspace."""
        await components.change_devops(caller, workspace, "create")

    @tenant.delete("/workspaces/{workspace}/devops/{devops}")
    async def delete_devops(caller: Identity, workspace: str, devops: str) -> None:
        """Deletes a DevOps project of the workspace."""
        await components.change_devops(caller, workspace, "delete")


def _logs(tenant: Group, components: Components) -> None:
    @tenant.get("/logs")
    async def query_logs(caller: Identity) -> None:
        """What the containers of the caller's namespaces have written."""
        components.logs()
