"""The pod with kubectl of a user: the Deployment `kubectl-USER` in kubesphere-controls-system.

In v2.1.1 it ran as a service account that may do everything. Here it has no account: kubectl in it uses the
user's kubeconfig, so it may do what the user may.
"""

from typing import Any

from typing_extensions import TypedDict

from ks_account.kubectl.config import KubectlSection
from ks_account.kubectl.kubeconfigs import CONTROLS_NAMESPACE, KEY
from ks_account.kubectl.kubeconfigs import name_of as kubeconfig_of
from kubekit.apply import covers
from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists, Conflict, NotFound
from kubekit.resource import DEPLOYMENTS, PODS, Object
from servicekit.errors import Unavailable

CONTAINER = "kubectl"
_LABEL = "username"
_NOBODY = 65534
_KUBECONFIG = "/etc/kubeconfig"
_HOME = "/home/user"
_WAIT = "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done"
_RETRY = 2


class TerminalPod(TypedDict):
    """Where a user's kubectl runs."""

    namespace: str
    pod: str
    container: str


class Terminals:
    """Makes and removes the pods."""

    def __init__(self, cluster: Cluster, config: KubectlSection) -> None:
        self._cluster = cluster
        self._image = config.image

    async def ensure(self, username: str) -> None:
        """Have the user's Deployment run, as it is meant to. Raises KubernetesError."""
        wanted = deployment(username, self._image)
        try:
            found = await self._cluster.get(DEPLOYMENTS, name_of(username), CONTROLS_NAMESPACE)
        except NotFound:
            await self._create(wanted)
            return
        template = wanted["spec"]["template"]
        if covers(found["spec"]["template"], template) and found["spec"].get("replicas"):
            return
        spec = {**found["spec"], "replicas": 1, "template": template}
        try:
            await self._cluster.update(DEPLOYMENTS, {**found, "spec": spec})
        except Conflict:  # another replica was faster
            pass

    async def pod(self, username: str) -> TerminalPod:
        """Where the user's kubectl runs, as v2.1.1 says it. Raises Unavailable while no pod is ready."""
        pods = await self._cluster.list(PODS, CONTROLS_NAMESPACE, label_selector=f"{_LABEL}={username}")
        ready = [pod["metadata"]["name"] for pod in pods.items if _is_ready(pod)]
        if not ready:
            raise Unavailable(
                "the kubectl terminal", f"the pod of {username} is starting", retry_after=_RETRY
            )
        return {"namespace": CONTROLS_NAMESPACE, "pod": min(ready), "container": CONTAINER}

    async def remove(self, username: str) -> int:
        """Remove the Deployment with its pod; gives how many there were."""
        try:
            await self._cluster.delete(DEPLOYMENTS, name_of(username), CONTROLS_NAMESPACE)
        except NotFound:
            return 0
        return 1

    async def _create(self, wanted: Object) -> None:
        try:
            await self._cluster.create(DEPLOYMENTS, wanted, CONTROLS_NAMESPACE)
        except AlreadyExists:
            pass


def name_of(username: str) -> str:
    """The Deployment of a user's kubectl."""
    return f"kubectl-{username}"


def deployment(username: str, image: str) -> Object:
    """The Deployment, by the Pod Security Standard `restricted`, with the user's kubeconfig and no account.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    """
    labels = {_LABEL: username}
    return {
        "apiVersion": DEPLOYMENTS.api_version,
        "kind": DEPLOYMENTS.kind,
        "metadata": {"name": name_of(username)},
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod(username, image)},
        },
    }


def _pod(username: str, image: str) -> dict[str, Any]:
    return {
        "serviceAccountName": "default",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "fsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": CONTAINER,
                "image": image,
                "command": ["/bin/sh", "-c", _WAIT],
                "env": [
                    {"name": "KUBECONFIG", "value": f"{_KUBECONFIG}/{KEY}"},
                    {"name": "HOME", "value": _HOME},
                ],
                "workingDir": _HOME,
                "resources": {
                    "requests": {"cpu": "10m", "memory": "32Mi"},
                    "limits": {"cpu": "1", "memory": "512Mi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "kubeconfig", "mountPath": _KUBECONFIG, "readOnly": True},
                    {"name": "home", "mountPath": _HOME},
                    {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  of the container
                ],
            }
        ],
        "volumes": [
            {"name": "kubeconfig", "configMap": {"name": kubeconfig_of(username), "defaultMode": 0o440}},
            {"name": "home", "emptyDir": {"sizeLimit": "256Mi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        ],
    }


def _is_ready(pod: Object) -> bool:
    conditions: list[dict[str, Any]] = (pod.get("status") or {}).get("conditions") or []
    return not pod["metadata"].get("deletionTimestamp") and any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )
