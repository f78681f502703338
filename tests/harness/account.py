"""ks-account as the tests run it: its configuration on real back ends, and names for those who use it."""

import itertools
import os
from collections.abc import Mapping
from typing import Any

from harness.kubernetes import KubernetesServer
from harness.platform import IAM
from harness.servers import RunningServer
from harness.services import RunningService
from harness.signed import SignedClient
from harness.waiting import eventually

__all__ = ["IAM", "PASSWORD", "SECRET", "config_of", "ready", "unique"]

SECRET = "a-secret-of-the-tests-that-is-long-enough"
PASSWORD = "Corr3ct-horse"
_serial = itertools.count(1)


def unique(prefix: str) -> str:
    """A name that no other test, nor another run against the same cluster, uses."""
    return f"{prefix}-{os.getpid()}-{next(_serial)}"


def config_of(
    openldap: RunningServer[Any],
    redis_server: RunningServer[Any],
    cluster: KubernetesServer | None = None,
    **sections: Mapping[str, Any],
) -> dict[str, Any]:
    """The configuration of ks-account on these back ends, with `sections` over it.

    Without `cluster`, the section `kubernetes` says where one is.
    """
    base: dict[str, dict[str, Any]] = {
        "ldap": {
            "host": f"{openldap.host}:{openldap.port}",
            "managerDN": openldap.definition.manager_dn,
            "managerPassword": openldap.definition.manager_password,
            "userSearchBase": "ou=Users,dc=kubesphere,dc=io",
            "groupSearchBase": "ou=Groups,dc=kubesphere,dc=io",
        },
        "redis": {"host": redis_server.host, "port": redis_server.port},
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)} if cluster else {},
        "authentication": {"jwtSecret": SECRET},
        "account": {"passwordRounds": 1000, "addressRateLimit": 100_000},
        "server": {"checkInterval": "500ms"},
    }
    return {name: {**base.get(name, {}), **sections.get(name, {})} for name in {*base, *sections}}


async def ready(service: RunningService) -> SignedClient:
    """A client of the service once all that it needs is there."""
    client = SignedClient(service.url, SECRET)

    async def is_ready() -> None:
        answer = await client.get("/readyz")
        assert answer.status == 200, answer.text

    await eventually(is_ready, timeout=30)
    return client
