"""The routes of resources.kubesphere.io/v1alpha2."""

from ks_apiserver.resources.access import GROUP, VERSION, Access
from ks_apiserver.resources.search import Search
from servicekit.group import Group
from servicekit.identity import Identity
from servicekit.paging import Page, PageQuery


def group(access: Access, search: Search) -> Group:
    """All routes of resources. What `access` does not allow is refused."""
    resources = Group(GROUP, VERSION)
    _search(resources, search)
    return resources


def _search(group: Group, search: Search) -> None:
    @group.get("/{resources}")
    async def list_resources(caller: Identity, resources: str, query: PageQuery) -> Page[bytes]:
        """Objects of a kind in the whole cluster."""
        return await search.page(caller, resources, query)

    @group.get("/namespaces/{namespace}/{resources}")
    async def list_resources_of_namespace(
        caller: Identity, namespace: str, resources: str, query: PageQuery
    ) -> Page[bytes]:
        """Objects of a kind in a namespace."""
        return await search.page(caller, resources, query, namespace)
