"""What objects are found and sorted by beside their names and labels: functions for indexes."""

from collections.abc import Callable

from ks_apiserver import labels
from kubekit.objects import annotations
from kubekit.objects import labels as labels_of
from kubekit.resource import Object

CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"


def owners(item: Object) -> list[str]:
    """Each owner, as `Kind/name`."""
    return [f"{owner['kind']}/{owner['name']}" for owner in item["metadata"].get("ownerReferences") or ()]


def owners_and_kinds(item: Object) -> list[str]:
    """Each owner, as `Kind/name` and as `Kind/`: v2.1.1 takes any name where none is given."""
    return [value for owner in owners(item) for value in (owner, f"{owner.split('/')[0]}/")]


def node(item: Object) -> str:
    """The node that a pod is bound to; empty for a pod that waits for one."""
    return item["spec"].get("nodeName") or ""


def claims(item: Object) -> list[str]:
    """The claims that a pod mounts."""
    volumes = item["spec"].get("volumes") or ()
    return [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in volumes
        if volume.get("persistentVolumeClaim")
    ]


def storage_class(item: Object) -> str | None:
    """The class that a claim names in its spec."""
    return item["spec"].get("storageClassName")


def counted_class(item: Object) -> str | None:
    """The class that a claim counts for: that of its spec, else that of the annotation used before."""
    named = storage_class(item)
    return annotations(item).get(CLASS_ANNOTATION) if named is None else named


def secret_type(item: Object) -> str:
    """The type of a secret."""
    return item.get("type") or ""


def scale_target(item: Object) -> str:
    """What an autoscaler scales, as `Kind/name`."""
    target = item["spec"]["scaleTargetRef"]
    return f"{target['kind']}/{target['name']}"


def user_facing_role(item: Object) -> str | None:
    """`true` for a role that somebody created through the platform."""
    return "true" if annotations(item).get(labels.CREATOR) else None


def user_facing_cluster_role(item: Object) -> str | None:
    """`true` for a cluster role that somebody created through the platform, and that is of no workspace."""
    return None if labels_of(item).get(labels.WORKSPACE) else user_facing_role(item)


def latest(*times: str) -> Callable[[Object], str]:
    """A function that gives the latest of the creation and of these `times` in status.conditions.

    All are RFC 3339 of whole seconds in UTC, as Kubernetes writes them, so they sort as text.
    """

    def update_time(item: Object) -> str:
        conditions = (item.get("status") or {}).get("conditions") or ()
        found = [condition.get(time) or "" for condition in conditions for time in times]
        return max([item["metadata"].get("creationTimestamp") or "", *found])

    return update_time


def status_time(name: str) -> Callable[[Object], str | None]:
    """A function that gives this time of the status, None when there is none yet."""
    return lambda item: (item.get("status") or {}).get(name)
