"""Tokens for users of clusters that sign no client certificates.

A token is of a service account, which may do one thing: act as the user. The kubeconfig says so by
`as: USER`, so whoever holds it has the rights of the user and no others. It ends with its time, and with the
service account.
"""

import time
from datetime import datetime
from typing import Any

import orjson

from ks_account.kubectl.kubeconfig import Credential, renewal
from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists, NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, SERVICE_ACCOUNTS, Object, Resource

_RBAC = "rbac.authorization.k8s.io"


class Tokens:
    """Makes tokens by which users act as themselves."""

    def __init__(self, cluster: Cluster, namespace: str, *, lifetime: float) -> None:
        """Service accounts are made in `namespace`; `lifetime` of tokens in seconds."""
        self._cluster = cluster
        self._namespace = namespace
        self._lifetime = int(lifetime)

    async def issue(self, username: str) -> Credential:
        """A new token of a user. Raises KubernetesError."""
        for resource, wanted in self._objects(username):
            try:
                await self._cluster.create(resource, wanted)
            except AlreadyExists:
                pass
        path = SERVICE_ACCOUNTS.path(self._namespace, _account(username), "token")
        wanted_token = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": self._lifetime},
        }
        status: dict[str, Any] = orjson.loads(await self._cluster.request("POST", path, body=wanted_token))[
            "status"
        ]
        expires = datetime.fromisoformat(status["expirationTimestamp"]).timestamp()
        return Credential({"token": status["token"], "as": username}, renewal(time.time(), expires))

    async def withdraw(self, username: str) -> int:
        """End the tokens of a user; gives how many objects that took away."""
        removed = 0
        for resource, wanted in self._objects(username):
            metadata = wanted["metadata"]
            try:
                await self._cluster.delete(resource, metadata["name"], metadata.get("namespace"))
            except NotFound:
                continue
            removed += 1
        return removed

    def _objects(self, username: str) -> list[tuple[Resource, Object]]:
        account = _account(username)
        role = {"name": f"kubesphere:act-as:{username}"}
        rule = {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}
        subject = {"kind": "ServiceAccount", "name": account, "namespace": self._namespace}
        return [
            (
                SERVICE_ACCOUNTS,
                {
                    "metadata": {"name": account, "namespace": self._namespace},
                    "automountServiceAccountToken": False,
                },
            ),
            (CLUSTER_ROLES, {"metadata": role, "rules": [{**rule, "resourceNames": [username]}]}),
            (
                CLUSTER_ROLE_BINDINGS,
                {
                    "metadata": role,
                    "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role["name"]},
                    "subjects": [subject],
                },
            ),
        ]


def _account(username: str) -> str:
    return f"kubeconfig-{username}"
