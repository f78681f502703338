"""What in a configuration can work, but is probably not meant: told at the start and by check-config."""

from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

from ks_apigateway.config import GatewayConfig
from ks_apigateway.routes import GATEWAY, KUBERNETES, RoutesFile, builtin_routes
from ks_apigateway.upstreams import configured


def doubts(config: GatewayConfig, routes: RoutesFile) -> Iterator[str]:
    """One line for each."""
    yield from _kubeconfig(config)
    yield from _unknown_upstreams(config, routes)
    if any(ip_network(network).prefixlen == 0 for network in config.gateway.trusted_proxies):
        yield "gateway.trustedProxies: trusts everybody, so every client may say which address it comes from"
    audit = config.gateway.audit
    if audit.file is not None and not audit.file.path.parent.is_dir():
        yield f"gateway.audit.file.path: there is no folder {audit.file.path.parent}; events will be lost"


def _kubeconfig(config: GatewayConfig) -> Iterator[str]:
    named = config.kubernetes.kubeconfig
    if not named:
        return
    try:
        Path(named).read_bytes()
    except OSError as error:
        yield f"kubernetes.kubeconfig: {named}: {error.strerror}; Kubernetes is out of reach until then"


def _unknown_upstreams(config: GatewayConfig, routes: RoutesFile) -> Iterator[str]:
    """Of the built-in routes, those to a component that is not installed are no mistake."""
    builtin = builtin_routes()
    known = {KUBERNETES, GATEWAY, *configured(config), *routes.upstreams}
    for route in routes.routes:
        if route.upstream not in known and route not in builtin:
            yield f"gateway.routesFile: {route.path} goes to {route.upstream}, which has no address"
