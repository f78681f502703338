"""Writing objects whose spec must be exactly as wanted, and that others may have made before.

Server-side apply would keep fields that others added, and would take over an object that the cache has not
seen yet.
"""

from __future__ import annotations

from kubekit.apply import OwnedByAnother, check_owner, owned
from kubekit.controller import Controller, Key
from kubekit.errors import AlreadyExists
from kubekit.objects import being_deleted, controller_of, labels
from kubekit.resource import Object, Resource


async def make_exact(
    controller: Controller, resource: Resource, owner: Object, wanted: Object, *, adopt: bool
) -> bool:
    """Makes the object as `wanted`: its spec exactly, its labels at least, controlled by `owner`.

    Gives whether it had to be written. With `adopt`, one that nobody controls is taken over. Raises
    OwnedByAnother, Conflict where the cache is behind, and KubernetesError for what the cluster refuses.
    """
    metadata = wanted["metadata"]
    name, namespace = metadata["name"], metadata["namespace"]
    present = controller.latest(resource, Key(namespace, name))
    if present is None:
        try:
            await controller.cluster.create(resource, owned(owner, wanted), field_manager=controller.name)
            return True
        except AlreadyExists:
            present = await controller.cluster.get(resource, name, namespace)
    check_owner(owner, present)
    if not adopt and controller_of(present) is None:
        raise OwnedByAnother(
            f"{resource.kind} {namespace}/{name} exists and was not made for {owner['kind']} "
            f"{owner['metadata']['name']}: delete or rename one of them"
        )
    changed = _changed(owner, present, wanted)
    if changed == present or being_deleted(present):
        return False
    await controller.replace(resource, changed, wanted)
    return True


def _changed(owner: Object, present: Object, wanted: Object) -> Object:
    there = present["metadata"]
    owners = there.get("ownerReferences") or []
    reference = owned(owner, wanted)["metadata"]["ownerReferences"][0]
    others = [one for one in owners if one["uid"] != reference["uid"]]
    metadata = there | {
        "labels": labels(present) | labels(wanted),
        "ownerReferences": owners if reference in owners else [*others, reference],
    }
    return {**present, "metadata": metadata, "spec": wanted["spec"]}
