"""Secrets, read as the caller: the cluster decides."""

from ks_apiserver.clients.kubernetes import translated
from kubekit.cluster import Cluster, Impersonation
from kubekit.errors import NotFound
from kubekit.resource import SECRETS, Object
from servicekit.errors import BadRequest
from servicekit.identity import Identity


class Secrets:
    """Nothing of it is kept."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def get(self, caller: Identity, namespace: str, name: str) -> Object:
        """A secret that Kubernetes lets the caller get. Raises Forbidden, and BadRequest where there is none,
        as v2.1.1 answers it.
        """
        with translated():
            try:
                as_user = Impersonation(caller.user, caller.groups)
                return await self._cluster.get(SECRETS, name, namespace, as_user=as_user)
            except NotFound as error:
                raise BadRequest(error.message, reason="NotFound") from error
