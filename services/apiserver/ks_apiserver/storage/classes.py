"""Changing a storage class, as the caller."""

from collections.abc import Mapping

from ks_apiserver.clients import permissions
from ks_apiserver.clients.kubernetes import translated
from ks_apiserver.clients.permissions import acting_as
from kubekit.cluster import Cluster
from kubekit.objects import annotations
from kubekit.resource import STORAGE_CLASSES, Object
from servicekit.identity import Identity

DEFAULT = "storageclass.kubernetes.io/is-default-class"
_OLD_DEFAULT = "storageclass.beta.kubernetes.io/is-default-class"
_PAGE = 1000


async def annotate(
    cluster: Cluster, caller: Identity, name: str, wanted: Mapping[str, str | None]
) -> Object | None:
    """Writes annotations of a storage class; null removes one. Making it the default ends that of others.

    Gives the class when it was made the default, as v2.1.1 answers. Raises Forbidden where Kubernetes does
    not let the caller change every class concerned, and NotFound.
    """
    await permissions.require(cluster, caller, "patch", STORAGE_CLASSES, name=name)
    becomes_default = wanted.get(DEFAULT) == "true"
    if becomes_default:
        for verb in ("list", "patch"):
            await permissions.require(cluster, caller, verb, STORAGE_CLASSES)
    as_user = acting_as(caller)
    change = {"metadata": {"annotations": {**wanted, **({_OLD_DEFAULT: None} if becomes_default else {})}}}
    with translated():
        # The new default first: a moment with two leaves no claim without a class.
        made = await cluster.patch(STORAGE_CLASSES, name, change, as_user=as_user)
        if not becomes_default:
            return None
        for other in (await cluster.list(STORAGE_CLASSES, limit=_PAGE, as_user=as_user)).items:
            if other["metadata"]["name"] != name and annotations(other).keys() & {DEFAULT, _OLD_DEFAULT}:
                ended = {"metadata": {"annotations": {DEFAULT: None, _OLD_DEFAULT: None}}}
                await cluster.patch(STORAGE_CLASSES, other["metadata"]["name"], ended, as_user=as_user)
    return made
