"""Asking Kubernetes itself whether a caller may do something, as that caller."""

from ks_apiserver.clients.kubernetes import translated
from kubekit.cluster import Cluster, Impersonation
from kubekit.resource import Resource
from servicekit.errors import Forbidden
from servicekit.identity import Identity

_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False
)


def acting_as(caller: Identity) -> Impersonation:
    """The caller, as whom a request is made."""
    return Impersonation(caller.user, caller.groups)


async def require(
    cluster: Cluster,
    caller: Identity,
    verb: str,
    resource: Resource,
    *,
    name: str = "",
    namespace: str = "",
    subresource: str = "",
) -> None:
    """Raises Forbidden unless Kubernetes lets the caller do that; Unavailable when it cannot be asked.

    The refusal has the same words whether or not there is such an object.
    """
    attributes = {
        "verb": verb,
        "group": resource.group,
        "version": resource.version,
        "resource": resource.plural,
        "subresource": subresource,
        "name": name,
        "namespace": namespace,
    }
    body = {"metadata": {}, "spec": {"resourceAttributes": attributes}}
    with translated():
        review = await cluster.create(_REVIEWS, body, as_user=acting_as(caller))
    if not review["status"].get("allowed"):
        what = f"{resource.plural}/{subresource}" if subresource else resource.plural
        where = "in this namespace" if namespace else "at the cluster scope"
        raise Forbidden(
            f'User "{caller.user}" cannot {verb} resource "{what}" in API group "{resource.group}" {where}'
        )
