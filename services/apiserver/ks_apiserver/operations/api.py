"""The routes of operations.kubesphere.io/v1alpha2, and the same ones where older clients look for them."""

from typing import Annotated, Any

from aiohttp import web

from ks_apiserver.names import Namespace, ObjectName
from ks_apiserver.operations import jobs
from ks_apiserver.operations.drains import Drains
from kubekit.cluster import Cluster
from servicekit.binding import Query
from servicekit.errors import Conflict
from servicekit.group import Group
from servicekit.identity import Identity
from servicekit.responses import SUCCESS, to_response

GROUPS = ("operations.kubesphere.io", "resources.kubesphere.io")


def groups(cluster: Cluster, drains: Drains) -> list[Group]:
    """The routes, in both API groups. What Kubernetes does not let the caller do is refused."""
    return [_group(name, cluster, drains) for name in GROUPS]


def _group(name: str, cluster: Cluster, drains: Drains) -> Group:
    operations = Group(name, "v1alpha2", consumes=None)

    @operations.post("/namespaces/{namespace}/jobs/{job}")
    async def run_job_again(
        caller: Identity,
        namespace: Namespace,
        job: ObjectName,
        action: str = "",
        version: Annotated[str, Query("resourceVersion")] = "",
    ) -> None:
        """Runs a job again, whether or not it has ended: `action` is `rerun`."""
        await jobs.act(cluster, caller, namespace, job, action, version)

    @operations.post("/nodes/{node}/drainage")
    async def drain_node(caller: Identity, node: ObjectName) -> web.StreamResponse:
        """Drains a node. 200 once it is done; 202 while it goes on, with how far it has come."""
        outcome = await drains.start(caller, node)
        if outcome.state == "succeeded":
            return to_response(SUCCESS)
        if not outcome.is_running:
            raise Conflict(f"the node was not drained: {outcome.message}", reason="NotDrained")
        return to_response({"message": f"{outcome.left} of {outcome.total} pods are left"}, 202)

    @operations.get("/nodes/{node}/drainage")
    async def get_drainage(caller: Identity, node: ObjectName) -> dict[str, Any]:
        """How far the drain of a node has come, and what keeps each pod that is left."""
        return await drains.status(caller, node)

    return operations
