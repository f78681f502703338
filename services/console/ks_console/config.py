"""The configuration of the console: what every service has, where the gateway is, and what browsers see."""

from ipaddress import ip_network
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from servicekit.config import Config
from servicekit.quantities import Seconds
from servicekit.section import Section


class Link(Section):
    """A link in the help menu, such as to the handbook of a company."""

    title: str
    url: str

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if urlsplit(value).scheme not in ("http", "https", "mailto"):
            raise ValueError("must begin with http, https or mailto")
        return value


class ConsoleSection(Section):
    """The section `console`."""

    gateway_url: str = "http://ks-apigateway.kubesphere-system.svc"
    """Where everything is asked; the console speaks to nothing else."""
    timeout: Seconds = Field(default=15, gt=0)
    """Until an answer of the gateway begins; one that lasts, such as a log that is followed, may go on."""
    title: str = "KubeSphere"
    links: tuple[Link, ...] = ()
    """Shown in the help menu."""
    languages: tuple[str, ...] = ("en", "zh")
    """Those that may be chosen, the first being that of browsers that ask for none of them."""
    public_url: str = ""
    """The address that browsers use, such as https://console.example.com; by default the one they say."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) of the proxies whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    csrf_secret: SecretStr = SecretStr("")
    """What requests are signed with; to be given where there are several replicas. By default random."""
    login_delay: Seconds = Field(default=1, ge=0)
    """How long the answer to the third wrong password in a row waits; it doubles with each further one."""
    static_dir: str = ""
    """Where the application's built files are; by default those of this package."""

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

    @field_validator("languages")
    @classmethod
    def _check_languages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or set(value) - LANGUAGES:
            raise ValueError(f"must be some of {', '.join(sorted(LANGUAGES))}")
        return value


LANGUAGES = frozenset({"en", "zh"})
"""What the application speaks."""


def _http_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an address such as http://ks-apigateway:80")
    return value.rstrip("/")


class ConsoleConfig(Config):
    """All sections."""

    console: ConsoleSection = ConsoleSection()
