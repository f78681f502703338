"""Routes by which a user gets a kubeconfig and a terminal when there is none yet.

v2.1.1 answers both in the group resources.kubesphere.io, from what is there.
"""

from aiohttp import web

from ks_account.access.authorize import GuardedGroup, oneself
from ks_account.kubectl.kubeconfig import from_outside
from ks_account.kubectl.provisioning import Provisioning
from ks_account.kubectl.terminals import TerminalPod


def add_routes(group: GuardedGroup, provisioning: Provisioning, master: str) -> None:
    """Add the routes to the group iam.kubesphere.io. `master` is where the cluster is reached from outside;
    empty, it is where pods reach it.
    """

    @group.guarded("GET", "/users/{user}/kubeconfig", permit=oneself)
    async def kubeconfig(user: str) -> web.Response:
        """The kubeconfig of a user as YAML; it is made, or renewed, where it has to be."""
        text = await provisioning.kubeconfig(user)
        return web.Response(
            text=from_outside(text, master) if master else text, content_type="application/yaml"
        )

    @group.guarded("GET", "/users/{user}/kubectl", permit=oneself)
    async def kubectl(user: str) -> TerminalPod:
        """The pod with kubectl of a user, which is started where it does not run; 503 until it does."""
        return await provisioning.terminal(user)
