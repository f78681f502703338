"""What an uninstallation leaves unless it is told to purge: whatever holds data of users."""

from __future__ import annotations

from ks_installer.objects import FIELD_MANAGER, MANAGED_BY, Ref, holds_data
from ks_installer.progress import Progress
from ks_installer.state import State
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import (
    CRDS,
    NAMESPACES,
    PERSISTENT_VOLUME_CLAIMS,
    SECRETS,
    Resource,
)


async def to_keep(cluster: Cluster, state: State, component: str, progress: Progress) -> frozenset[Ref]:
    """The objects of `component` that stay, each told to `progress`.

    Definitions that hold objects of users stay, as deleting one would delete those. Volume claims stay, and
    with them the passwords for what is in them and the namespaces around them.
    """
    kept: list[Ref] = []
    for ref in state.records[component].refs():
        if reason := await _reason_to_keep(cluster, ref):
            progress.note(component, f"{ref.name} stays: {reason} (--purge deletes them)")
            kept.append(ref)
    return frozenset(kept)


async def _reason_to_keep(cluster: Cluster, ref: Ref) -> str | None:
    if ref.kind == CRDS.kind:
        count = await _objects_of_users(cluster, ref)
        return f"it has {count} objects" if count else None
    if ref.kind == NAMESPACES.kind:
        count = await _claims(cluster, ref.name)
        return f"it has {count} volumes with data" if count else None
    if ref.kind == PERSISTENT_VOLUME_CLAIMS.kind:
        return "it has data" if await _is_marked(cluster, PERSISTENT_VOLUME_CLAIMS, ref) else None
    if ref.kind == SECRETS.kind and await _is_marked(cluster, SECRETS, ref):
        return "it opens volumes with data" if await _claims(cluster, ref.namespace) else None
    return None


async def _is_marked(cluster: Cluster, resource: Resource, ref: Ref) -> bool:
    try:
        return holds_data(await cluster.get(resource, ref.name, ref.namespace))
    except NotFound:
        return False


async def _claims(cluster: Cluster, namespace: str) -> int:
    found = await cluster.list(
        PERSISTENT_VOLUME_CLAIMS, namespace, label_selector=f"{MANAGED_BY}={FIELD_MANAGER}"
    )
    return sum(map(holds_data, found.items))


async def _objects_of_users(cluster: Cluster, definition: Ref) -> int:
    try:
        spec = (await cluster.get(CRDS, definition.name))["spec"]
        version = next(version["name"] for version in spec["versions"] if version["served"])
        names = spec["names"]
        kind = Resource(spec["group"], version, names["plural"], names["kind"], spec["scope"] == "Namespaced")
        found = await cluster.list(kind, label_selector=f"{MANAGED_BY}!={FIELD_MANAGER}")
    except NotFound:
        return 0
    return len(found.items)
