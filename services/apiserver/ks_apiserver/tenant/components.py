"""What tenants have in components that may not be there: DevOps projects, and logs."""

from typing import Any

from ks_apiserver.tenant.access import Access
from ks_apiserver.tenant.workspaces import Workspaces
from kubekit.rbac.permissions import DEVOPS, SimpleRule
from servicekit.config import Config
from servicekit.errors import Unavailable
from servicekit.identity import Identity

NOT_CONFIGURED = "it is not configured"
NOT_SERVED = "this version does not serve it"


class NoDevops(Unavailable):
    """DevOps is not there, also in the words that v2.1.1 uses for its errors there: Code and Message."""

    def body(self, request_id: str) -> dict[str, Any]:
        return {**super().body(request_id), "Code": self.status, "Message": self.message}


class Components:
    """Each method answers what can be without the component, and else raises Unavailable, which names it.

    Callers who may not ask are refused first, as they would be with the component.
    """

    def __init__(self, access: Access, workspaces: Workspaces, config: Config) -> None:
        self._access = access
        self._workspaces = workspaces
        self._devops = NOT_SERVED if config.devops.enabled else NOT_CONFIGURED
        self._logging = NOT_SERVED if config.logging.enabled else NOT_CONFIGURED

    def rules_in_devops(self, caller: Identity) -> list[SimpleRule]:
        """What the caller may do in a DevOps project: who may do everything, also there."""
        if self._access.may_do_everything(caller):
            return DEVOPS["owner"]
        raise self._no_devops()

    def count_devops(self) -> None:
        """The caller's DevOps projects."""
        raise self._no_devops()

    async def list_devops(self, caller: Identity, workspace: str, member: str | None = None) -> None:
        """The DevOps projects of a workspace, or those that a member of it sees."""
        if member is not None and member != caller.user:
            self._access.require_member_reader(caller, workspace)
        await self._workspaces.require_visible(caller, workspace)
        raise self._no_devops()

    async def change_devops(self, caller: Identity, workspace: str, verb: str) -> None:
        """Creating a DevOps project in a workspace, or deleting one."""
        self._access.require_devops(caller, workspace, verb)
        await self._workspaces.existing(workspace)
        raise self._no_devops()

    def logs(self) -> None:
        """What the caller's containers have written."""
        raise Unavailable("logging", self._logging)

    def _no_devops(self) -> NoDevops:
        return NoDevops("devops", self._devops)
