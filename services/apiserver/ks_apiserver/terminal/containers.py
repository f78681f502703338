"""The container that a terminal, or a log, is of."""

from typing import Any

from ks_apiserver.clients import permissions
from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.clients.permissions import acting_as
from kubekit.cluster import Cluster
from kubekit.objects import annotations
from kubekit.resource import PODS, Object
from servicekit.errors import BadRequest, Conflict
from servicekit.identity import Identity

_DEFAULT = "kubectl.kubernetes.io/default-container"
"""Annotation of a pod: which container is meant where none is named."""
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_SPECS = ("containers", "initContainers", "ephemeralContainers")


async def running(cluster: Cluster, caller: Identity, namespace: str, pod: str, container: str) -> str:
    """The name of the container that runs and in which the caller may run commands.

    `container` may be empty: then it is the one that kubectl would take. Raises Forbidden unless Kubernetes
    lets the caller `create pods/exec` there, NotFound, BadRequest for a container that the pod does not have,
    and Conflict for one that does not run.
    """
    await permissions.require(
        cluster, caller, "create", PODS, name=pod, namespace=namespace, subresource="exec"
    )
    with translated():
        found = await cluster.get(PODS, pod, namespace, as_user=acting_as(caller))
    return running_in(found, container)


def running_in(pod: Object, container: str) -> str:
    """The name of that container, or of the one that is meant where none is named; raises as `running`."""
    name = container or default_of(pod)
    if name not in names_of(pod):
        raise BadRequest(f"the pod has no container {name[:64]!r}, only {', '.join(names_of(pod))}")
    _require_running(pod, name)
    return name


def default_of(pod: Object) -> str:
    """The container that is meant where none is named."""
    return annotations(pod).get(_DEFAULT) or pod["spec"]["containers"][0]["name"]


def names_of(pod: Object) -> list[str]:
    """The containers of a pod, of every sort."""
    return [each["name"] for part in _SPECS for each in pod["spec"].get(part) or ()]


def _require_running(pod: Object, container: str) -> None:
    status: dict[str, Any] = pod.get("status") or {}
    statuses = (each for part in _STATUSES for each in status.get(part) or ())
    state = next((each.get("state") or {} for each in statuses if each["name"] == container), {})
    if "running" in state:
        return
    waiting = state.get("waiting") or state.get("terminated") or {}
    why = waiting.get("reason") or status.get("phase") or "it was not started"
    raise Conflict(f"the container {container} does not run: {why}", reason="NotRunning")
