"""The route of resources.kubesphere.io/v1alpha2 that explains a pod."""

from typing import Annotated, Any

from pydantic import StringConstraints

from ks_apiserver.explain.explain import Explain
from ks_apiserver.resources.access import GROUP, VERSION
from servicekit.group import Group
from servicekit.identity import Identity

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]


def group(explain: Explain) -> Group:
    """For who may get the pod, here and in Kubernetes."""
    routes = Group(GROUP, VERSION)

    @routes.get("/namespaces/{namespace}/pods/{pod}/explain")
    async def explain_pod(caller: Identity, namespace: Name, pod: Name) -> dict[str, Any]:
        """What keeps a pod from running: scheduling, images, crashes, probes, volumes and quotas."""
        return await explain.pod(caller, namespace, pod)

    return routes
