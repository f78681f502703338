"""The routes of what belongs to a user, in resources.kubesphere.io/v1alpha2."""

from aiohttp import web

from ks_apiserver.resources.access import GROUP, VERSION
from ks_apiserver.users.own import Own
from servicekit.group import Group
from servicekit.identity import Identity


def group(own: Own) -> Group:
    """The routes, each for the user who is named alone."""
    resources = Group(GROUP, VERSION)

    @resources.get("/users/{user}/kubeconfig")
    async def get_kubeconfig(caller: Identity, user: str) -> web.StreamResponse:
        """The caller's kubeconfig, as YAML."""
        return web.Response(text=await own.kubeconfig(caller, user), content_type="text/plain")

    @resources.get("/users/{user}/kubectl")
    async def get_kubectl(caller: Identity, user: str) -> dict[str, str]:
        """The pod in which the caller's kubectl runs."""
        return await own.kubectl(caller, user)

    return resources
