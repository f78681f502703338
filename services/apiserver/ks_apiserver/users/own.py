"""The kubeconfig and the kubectl pod of a user, which ks-account makes and keeps in the platform's namespace.

They are the user's own: nobody else is answered, whatever their roles.
"""

from typing import Any

import yaml

from ks_apiserver.clients.kubernetes import translated
from kubekit.cluster import Cluster
from kubekit.objects import being_deleted
from kubekit.resource import CONFIG_MAPS, DEPLOYMENTS, PODS, Object
from servicekit.errors import BadGateway, Forbidden, NotFound, Unavailable
from servicekit.identity import Identity

NAMESPACE = "kubesphere-controls-system"
_FILE = "config"
_CLUSTER = "local"
"""The cluster of a kubeconfig whose address is the configured one."""
_PODS = 100
RETRY_AFTER = 5.0


class Own:
    """Reads with the service's own account, as no user has rights in that namespace."""

    def __init__(self, cluster: Cluster, master: str) -> None:
        """`master` is the address that clients reach the cluster at; empty where it is in the kubeconfig."""
        self._cluster = cluster
        self._master = master

    async def kubeconfig(self, caller: Identity, user: str) -> str:
        """The caller's kubeconfig, as YAML. Raises Forbidden for another's, and NotFound."""
        _require_own(caller, user, "kubeconfig")
        name = f"kubeconfig-{user}"
        with translated():
            found = await self._cluster.get(CONFIG_MAPS, name, NAMESPACE)
        text = (found.get("data") or {}).get(_FILE)
        if not text:
            raise NotFound(f'configmaps "{name}" holds no kubeconfig')
        return self._addressed(text) if self._master else text

    def _addressed(self, text: str) -> str:
        try:
            config = yaml.safe_load(text)
            for entry in config["clusters"]:
                if entry["name"] == _CLUSTER:
                    entry["cluster"]["server"] = self._master
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise BadGateway("what is stored as your kubeconfig is none") from error
        return yaml.safe_dump(config)

    async def kubectl(self, caller: Identity, user: str) -> dict[str, str]:
        """Where the caller's kubectl runs: `namespace`, `pod` and `container`.

        Raises Forbidden for another's, NotFound, and Unavailable while its pod is not ready.
        """
        _require_own(caller, user, "kubectl")
        with translated():
            pods = await self._pods(user)
        ready = sorted(filter(_is_ready, pods), key=_age)
        if not ready:
            raise Unavailable("kubectl", "its pod is not ready yet", retry_after=RETRY_AFTER)
        return {
            "namespace": NAMESPACE,
            "pod": ready[-1]["metadata"]["name"],
            "container": ready[-1]["spec"]["containers"][0]["name"],
        }

    async def find(self, caller: Identity, namespace: str, pod: str) -> Object | None:
        """The pod of that name where it is of the caller's own kubectl, and can do no more than the caller.

        A pod as v2.1.1 made it, with an account that may do everything, is nobody's own. Raises Unavailable.
        """
        if namespace != NAMESPACE or caller.is_anonymous:
            return None
        try:
            with translated():
                pods = await self._pods(caller.user)
        except NotFound:
            return None
        return next(
            (each for each in pods if each["metadata"]["name"] == pod and _has_no_account(each)), None
        )

    async def require(self, caller: Identity, namespace: str, pod: str) -> None:
        """Raises Forbidden where `find` finds nothing, and Unavailable."""
        if await self.find(caller, namespace, pod) is None:
            raise Forbidden(f'pod "{pod}" is not of the kubectl of "{caller.user}"')

    async def _pods(self, user: str) -> list[Object]:
        """The pods of the user's kubectl, which are those that its Deployment selects."""
        deployment = await self._cluster.get(DEPLOYMENTS, f"kubectl-{user}", NAMESPACE)
        wanted: dict[str, str] = deployment["spec"]["selector"].get("matchLabels") or {}
        if not wanted:  # an empty selector would be one for all pods
            return []
        selector = ",".join(f"{key}={value}" for key, value in wanted.items())
        found = await self._cluster.list(PODS, NAMESPACE, label_selector=selector, limit=_PODS)
        return list(found.items)


def _require_own(caller: Identity, user: str, what: str) -> None:
    if caller.user != user:
        raise Forbidden(f'User "{caller.user}" cannot get the {what} of somebody else')


def _is_ready(pod: Object) -> bool:
    conditions: list[dict[str, Any]] = (pod.get("status") or {}).get("conditions") or []
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not being_deleted(pod)


def _has_no_account(pod: Object) -> bool:
    return pod["spec"].get("automountServiceAccountToken") is False


def _age(pod: Object) -> str:
    return pod["metadata"]["creationTimestamp"]
