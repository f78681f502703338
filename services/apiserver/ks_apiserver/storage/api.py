"""The route that changes a storage class, in resources.kubesphere.io/v1alpha2."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator

from ks_apiserver.names import ObjectName
from ks_apiserver.resources.access import GROUP, VERSION
from ks_apiserver.storage import classes
from kubekit.cluster import Cluster
from kubekit.resource import Object
from servicekit.body import JSON_TYPES
from servicekit.group import Group
from servicekit.identity import Identity

PATCH_TYPES = JSON_TYPES | {"application/merge-patch+json"}


class NewMetadata(BaseModel):
    """Of the metadata, what can be changed here; the rest is ignored."""

    annotations: Annotated[dict[str, str | None], BeforeValidator(lambda value: value or {})] = {}


class Change(BaseModel):
    """Part of a StorageClass."""

    metadata: NewMetadata = NewMetadata()


def group(cluster: Cluster) -> Group:
    """The route. What Kubernetes does not let the caller do is refused."""
    resources = Group(GROUP, VERSION, consumes=PATCH_TYPES)

    @resources.patch("/storageclasses/{storageclass}")
    async def change_storage_class(caller: Identity, storageclass: ObjectName, body: Change) -> Object | None:
        """Changes annotations of a storage class, among them whether it is the default."""
        return await classes.annotate(cluster, caller, storageclass, body.metadata.annotations)

    return resources
