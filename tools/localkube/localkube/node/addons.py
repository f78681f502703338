"""What the cluster itself runs: names for Services, and volumes for claims."""

from importlib.resources import files
from string import Template

import yaml

from localkube.api import Api, Object, unix_time
from localkube.node import images
from localkube.node.kubelet import nameservers
from localkube.settings import Settings

_PATHS = {
    "ServiceAccount": "/api/v1/namespaces/kube-system/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/kube-system/configmaps",
    "Service": "/api/v1/namespaces/kube-system/services",
    "Deployment": "/apis/apps/v1/namespaces/kube-system/deployments",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "StorageClass": "/apis/storage.k8s.io/v1/storageclasses",
}
_DNS_PODS = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns"


def install(api: Api, settings: Settings) -> None:
    """Apply every addon; unchanged ones stay as they are."""
    for wanted in _documents(settings):
        api.apply(f"{_PATHS[wanted['kind']]}/{wanted['metadata']['name']}", wanted)


def names_resolve(api: Api, since: int) -> bool:
    """Whether a DNS server that was started after the Unix time `since` is ready."""
    pods = (api.get(_DNS_PODS) or {}).get("items", ())
    statuses = (status for pod in pods for status in pod["status"].get("containerStatuses", ()))
    running = (status["state"].get("running") for status in statuses if status["ready"])
    return any(state and unix_time(state["startedAt"]) >= since for state in running)


def _documents(settings: Settings) -> list[Object]:
    upstream = nameservers()
    values = {
        "image": images.coredns_name(settings.kube.coredns),
        "address": settings.dns_service,
        # Without a name server to ask, the server answers for the cluster alone.
        "forward": f"forward . {' '.join(upstream)} {{ max_concurrent 1000 }}" if upstream else "",
    }
    manifests = files("localkube").joinpath("manifests")
    texts = (manifests.joinpath(name).read_text() for name in ("storage.yaml", "coredns.yaml"))
    return [document for text in texts for document in yaml.safe_load_all(Template(text).substitute(values))]
