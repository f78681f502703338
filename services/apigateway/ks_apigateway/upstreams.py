"""The upstreams by name: their addresses from the configuration, their pools while the gateway runs."""

import ssl
from collections.abc import Iterator, Mapping

from ks_apigateway.config import GatewayConfig
from ks_apigateway.proxy.limits import UpstreamLimits
from ks_apigateway.proxy.pool import Pool, Server
from ks_apigateway.routes import GATEWAY, KUBERNETES
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError
from servicekit.errors import Unavailable

Addresses = Mapping[str, str | list[str]]


def configured(config: GatewayConfig) -> dict[str, str | list[str]]:
    """The addresses that kubesphere.yaml names; a component that is not there has none."""
    found: dict[str, str | list[str]] = {
        "account": config.kubesphere.account_server,
        "apiserver": config.kubesphere.api_server,
        "jenkins": config.devops.host,
        "alerting": config.alerting.endpoint,
        "notification": config.notification.endpoint,
    }
    found.update(config.gateway.upstreams)
    return {name: addresses for name, addresses in found.items() if addresses}


class Upstreams:
    """The pools. Those to the same addresses survive a change of the routes."""

    def __init__(
        self,
        addresses: Addresses,
        limits: UpstreamLimits,
        cluster: Cluster,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`tls` verifies upstreams with https, but Kubernetes, which has its own; without it, the system's
        CAs do. Raises ValueError for an address that is none.
        """
        self._limits = limits
        self._tls = tls
        self._cluster = cluster
        self._configured = dict(addresses)
        self._addresses: dict[str, list[str]] = {}
        self._pools: dict[str, Pool] = {}
        self._retired: list[Pool] = []
        self.update({})

    def __iter__(self) -> Iterator[Pool]:
        yield from self._pools.values()
        yield from self._retired

    def update(self, addresses: Addresses) -> None:
        """Takes `addresses` over the configured ones. Raises ValueError, and changes nothing, for a bad
        one.
        """
        if KUBERNETES in addresses or KUBERNETES in self._configured:
            raise ValueError("kubernetes is where the section kubernetes says, with its credentials")
        if GATEWAY in addresses or GATEWAY in self._configured:
            raise ValueError("gateway is the gateway itself, and has no other address")
        wanted = {
            name: [each] if isinstance(each, str) else list(each)
            for name, each in {**self._configured, **addresses}.items()
        }
        if not all(wanted.values()):
            raise ValueError(f"{next(name for name in wanted if not wanted[name])} has no address")
        fresh = {
            name: Pool(name, [Server.of(url, self._tls) for url in urls], self._limits)
            for name, urls in wanted.items()
            if self._addresses.get(name) != urls
        }
        for name in list(self._pools):
            if name not in (KUBERNETES, GATEWAY) and (name in fresh or name not in wanted):
                retired = self._pools.pop(name)
                retired.close()
                self._retired.append(retired)
        self._retired = [pool for pool in self._retired if pool.open]
        self._pools.update(fresh)
        self._addresses = wanted

    def serve_own(self, url: str) -> None:
        """The gateway's own API is at `url`."""
        self._pools[GATEWAY] = Pool(GATEWAY, [Server.of(url)], self._limits)

    def pool(self, name: str) -> Pool:
        """The pool of the upstream `name`. Raises Unavailable when it has no address."""
        found = self._pools.get(name)
        if found is not None:
            return found
        if name != KUBERNETES:
            raise Unavailable(name, "it is not configured")
        return self._kubernetes()

    def _kubernetes(self) -> Pool:
        try:
            cluster = self._cluster
            server = Server.of(cluster.server, cluster.ssl_context, cluster.tls_server_name)
        except KubernetesError as error:
            raise Unavailable(KUBERNETES, str(error), retry_after=1) from error
        pool = self._pools[KUBERNETES] = Pool(KUBERNETES, [server], self._limits)
        return pool
