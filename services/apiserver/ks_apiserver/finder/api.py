"""The route of resources.kubesphere.io/v1alpha2 that finds objects of any kind."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from ks_apiserver.finder.finder import Finder
from ks_apiserver.resources.access import GROUP, VERSION
from servicekit.group import Group
from servicekit.identity import Identity

Text = Annotated[str, StringConstraints(max_length=253)]
Limit = Annotated[int, Field(ge=1, le=200)]


def group(finder: Finder) -> Group:
    """For anybody who signed in: only what they may list is found."""
    routes = Group(GROUP, VERSION)

    @routes.get("/search")
    async def find(caller: Identity, q: Text = "", limit: Limit = 20) -> dict[str, Any]:
        """Objects of any kind and namespace that are called like `q`, the likeliest first."""
        return await finder.find(caller, q, limit)

    return routes
