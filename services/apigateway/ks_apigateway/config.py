"""The gateway's own section of kubesphere.yaml, `gateway`."""

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from ks_apigateway.audit.settings import AuditSection
from ks_apigateway.proxy.limits import ClientLimits, UpstreamLimits
from ks_apigateway.ratelimit.settings import RateLimitsSection
from servicekit.config import Config
from servicekit.quantities import Seconds
from servicekit.section import Section
from servicekit.sections import ServerConfig, split_address


class GatewaySection(Section):
    """How requests are let in, and where they go."""

    ops_listen: str = "0.0.0.0:2019"
    """`host:port` of /healthz, /readyz and /metrics; port 0 takes a free one."""
    routes_file: Path | None = None
    """gateway.yaml: routes instead of the built-in ones; read again when it changes."""
    upstreams: dict[str, str | list[str]] = Field(default_factory=dict)
    """Addresses by name (account, apiserver, jenkins, devops, alerting, notification), over those that the
    sections kubesphere, devops, alerting and notification name."""
    upstreams_ca_file: Path | None = None
    """Certificates of the authorities that these are verified by where they have https, instead of the
    system's; never Kubernetes, whose kubeconfig says that."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of the proxies whose X-Forwarded-* headers are believed."""
    allowed_origins: tuple[str, ...] = ()
    """Origins, such as https://console.example.com, whose pages may open WebSockets with the user's cookie,
    besides pages that come from the gateway's own host."""
    tls_listen: str = ""
    """`host:port` where clients are served over TLS besides; kubectl sends a token to no other address."""
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    session_cache: Seconds = Field(default=1.0, gt=0, le=1.0)
    """How long a session that Redis has confirmed is believed while Redis does not tell of changes; a revoked
    token is refused after that, and at once while Redis tells."""
    sessions_cached: int = Field(default=10_000, ge=1)
    roles_stale: Seconds = Field(default=600, gt=0)
    """How long the last known roles decide while the API server cannot be reached; then it is 503."""
    clock_leeway: Seconds = Field(default=10, ge=0, le=300)
    """How far the clock of whoever made a token may be off."""
    clients: ClientLimits = ClientLimits()
    backends: UpstreamLimits = UpstreamLimits()
    rate_limits: RateLimitsSection = RateLimitsSection()
    audit: AuditSection = AuditSection()

    @field_validator("ops_listen", "tls_listen")
    @classmethod
    def _check_listen(cls, value: str) -> str:
        if value:
            split_address(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value

    @model_validator(mode="after")
    def _check_tls(self) -> "GatewaySection":
        files = (self.tls_cert_file, self.tls_key_file)
        if self.tls_listen and None in files:
            raise ValueError("tlsListen needs tlsCertFile and tlsKeyFile")
        if not self.tls_listen and files != (None, None):
            raise ValueError("tlsCertFile and tlsKeyFile need tlsListen, the address for clients with TLS")
        return self

    @cached_property
    def _trusted(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(ip_network(network) for network in self.trusted_proxies)

    def is_trusted(self, address: str) -> bool:
        """Whether `address` is a proxy whose word about the client counts."""
        if not self._trusted:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


class GatewayConfig(Config):
    """kubesphere.yaml as the gateway reads it."""

    server: ServerConfig = ServerConfig(listen="0.0.0.0:2018")
    gateway: GatewaySection = GatewaySection()
