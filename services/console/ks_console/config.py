"""The configuration of the console: what every service has, and where the gateway is."""

from ipaddress import ip_network
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from servicekit.config import Config
from servicekit.quantities import Seconds
from servicekit.section import Section


class ConsoleSection(Section):
    """The section `console`."""

    gateway_url: str = "http://ks-apigateway.kubesphere-system.svc"
    """Where everything is asked; the console speaks to nothing else."""
    timeout: Seconds = Field(default=15, gt=0)
    """For one answer of the gateway."""
    title: str = "KubeSphere"
    public_url: str = ""
    """The address that browsers use, such as https://console.example.com; by default the one they say."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    csrf_secret: SecretStr = SecretStr("")
    """What forms are signed with; to be given where there are several replicas. By default a random one."""

    @field_validator("gateway_url")
    @classmethod
    def _check_gateway(cls, value: str) -> str:
        return _http_address(value)

    @field_validator("public_url")
    @classmethod
    def _check_public(cls, value: str) -> str:
        return _http_address(value) if value else ""

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            ip_network(network)
        return value


def _http_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address such as http://ks-apigateway:80")
    return value.rstrip("/")


class ConsoleConfig(Config):
    """All sections."""

    console: ConsoleSection = ConsoleSection()
