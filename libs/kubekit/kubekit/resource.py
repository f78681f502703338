"""The REST resources of the Kubernetes API, and the paths that they are served at.

Paths follow https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from kubekit.errors import InvalidName

Object = dict[str, Any]
"""A Kubernetes object as decoded JSON."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A REST resource of the Kubernetes API: discovery's APIResource, with group and version."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """What objects carry as `apiVersion`: "v1", "apps/v1"."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """The URL path of the collection, of one object in it, or of a subresource of that object.

        A namespaced resource without namespace means the collection across all namespaces. Raises InvalidName
        for a name that would change which path is asked, such as "..", "a/b" or "".
        """
        parts = ["/apis", _segment("group", self.group)] if self.group else ["/api"]
        parts.append(self.version)
        if namespace is not None and self.namespaced:
            parts += ["namespaces", _segment("namespace", namespace)]
        elif name is not None and self.namespaced:
            raise InvalidName(f"{self.kind} {name!r} needs a namespace: it is a namespaced resource")
        parts.append(self.plural)
        if name is not None:
            parts.append(_segment(self.kind, name))
        if subresource is not None:
            if name is None:
                raise InvalidName(f"subresource {subresource!r} of {self.plural} needs the name of an object")
            parts += [_segment("subresource", part) for part in subresource.split("/")]
        return "/".join(parts)

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _segment(what: str, value: str) -> str:
    """Quotes one path segment, by the rule of the API server's IsValidPathSegmentName."""
    if value in {"", ".", ".."} or "/" in value or "%" in value:
        raise InvalidName(
            f"{value!r} is no valid name of a {what}: it must not be empty, '.', '..' or hold '/' or '%'"
        )
    return quote(value, safe=":@!$&'()*+,;=~")


NAMESPACES = Resource("", "v1", "namespaces", "Namespace", False)
NODES = Resource("", "v1", "nodes", "Node", False)
PERSISTENT_VOLUMES = Resource("", "v1", "persistentvolumes", "PersistentVolume", False)
PODS = Resource("", "v1", "pods", "Pod", True)
SERVICES = Resource("", "v1", "services", "Service", True)
ENDPOINTS = Resource("", "v1", "endpoints", "Endpoints", True)
SECRETS = Resource("", "v1", "secrets", "Secret", True)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", True)
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", True)
PERSISTENT_VOLUME_CLAIMS = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", True)
EVENTS = Resource("", "v1", "events", "Event", True)
LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange", True)
RESOURCE_QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota", True)

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", True)
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", "StatefulSet", True)
DAEMON_SETS = Resource("apps", "v1", "daemonsets", "DaemonSet", True)
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet", True)
CONTROLLER_REVISIONS = Resource("apps", "v1", "controllerrevisions", "ControllerRevision", True)
JOBS = Resource("batch", "v1", "jobs", "Job", True)
CRON_JOBS = Resource("batch", "v1", "cronjobs", "CronJob", True)
HORIZONTAL_POD_AUTOSCALERS = Resource(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", True
)
INGRESSES = Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True)
NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True)
STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", True)
CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", False)

ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role", True)
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", True)
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
CLUSTER_ROLE_BINDINGS = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False
)
SUBJECT_ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", False
)

WORKSPACES = Resource("tenant.kubesphere.io", "v1alpha1", "workspaces", "Workspace", False)
