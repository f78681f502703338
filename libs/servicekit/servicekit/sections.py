"""The sections of kubesphere.yaml.

The first part has the names, keys and meaning that KubeSphere v2.1.1 gives them; an empty host or endpoint
means that the component is not there. The second part (server, authentication, log, tracing) is this
platform's own.
"""

import re
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from servicekit.quantities import Bytes, Seconds
from servicekit.section import Section


class LdapConfig(Section):
    """The directory of users. `host` is `host:port`."""

    host: str = ""
    manager_dn: str = "cn=admin,dc=example,dc=org"
    manager_password: SecretStr = SecretStr("")
    user_search_base: str = "ou=Users,dc=example,dc=org"
    group_search_base: str = "ou=Groups,dc=example,dc=org"
    pool: int = Field(default=8, ge=1, le=256)
    """Connections at once."""
    timeout: Seconds = Field(default=5, gt=0)
    """For a connection, and for an answer."""

    @property
    def enabled(self) -> bool:
        return bool(self.host)


class RedisConfig(Section):
    """The store of sessions: `host`, `port`, `password` and `db`, or all of them in `redisURL`."""

    host: str = ""
    port: int = Field(default=6379, ge=1, le=65535)
    password: SecretStr = SecretStr("")
    db: int = Field(default=0, ge=0)
    tls: bool = False
    redis_url: SecretStr = SecretStr("")
    """`redis://:password@host:port/db`; `rediss` for TLS. It wins over the other keys."""
    pool: int = Field(default=32, ge=1, le=4096)
    """Connections at once."""
    timeout: Seconds = Field(default=3, gt=0)
    """For a connection, and for an answer."""

    @property
    def enabled(self) -> bool:
        return bool(self.host)

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        values = cast("dict[str, Any]", data)
        given = values.get("redisURL", values.get("redis_url"))
        url = given.get_secret_value() if isinstance(given, SecretStr) else given
        return {**values, **_parts_of_redis_url(url)} if isinstance(url, str) and url else values


def _parts_of_redis_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    database = parts.path.strip("/")
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or not (database or "0").isdecimal():
        raise ValueError("redisURL must look like redis://:password@host:6379/0")
    return {
        "host": parts.hostname,
        "port": parts.port or 6379,
        "password": unquote(parts.password or ""),
        "db": int(database or 0),
        "tls": parts.scheme == "rediss",
    }


class MysqlConfig(Section):
    """The database. `host` is `host:port`; without one, a file of SQLite serves in its place."""

    host: str = ""
    database: str = "devops"
    username: str = ""
    password: SecretStr = SecretStr("")
    max_idle_connections: int = Field(default=100, ge=0)
    max_open_connections: int = Field(default=100, ge=1)
    max_connection_life_time: Seconds = Field(default=10, gt=0)
    timeout: Seconds = Field(default=5, gt=0)
    """For a connection, and for a transaction."""
    sqlite_file: str = "kubesphere.db"
    """Used while `host` is empty."""

    @property
    def enabled(self) -> bool:
        return bool(self.host)


class KubernetesConfig(Section):
    """The cluster. Without `kubeconfig`: the pod's own account, or else what $KUBECONFIG names."""

    kubeconfig: str | None = None
    context: str | None = None
    master: str = ""
    """The address that goes into kubeconfigs made for users; by default the one in `kubeconfig`."""
    qps: float = Field(default=50, gt=0)
    burst: int = Field(default=100, ge=1)
    timeout: Seconds = Field(default=30, gt=0)
    pool: int = Field(default=64, ge=1, le=4096)
    """Connections at once."""


class MonitoringConfig(Section):
    """Prometheus: `endpoint` for workloads, `secondaryEndpoint` for the system."""

    endpoint: str = ""
    secondary_endpoint: str = ""

    @property
    def enabled(self) -> bool:
        return bool(self.endpoint or self.secondary_endpoint)


class LoggingConfig(Section):
    """Elasticsearch or OpenSearch, where the logs of workloads are."""

    host: str = ""
    index_prefix: str = "fluentbit"
    version: str = ""

    @property
    def enabled(self) -> bool:
        return bool(self.host)


class DevopsConfig(Section):
    """Jenkins."""

    host: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    max_connections: int = Field(default=100, ge=1)

    @property
    def enabled(self) -> bool:
        return bool(self.host)


class SonarqubeConfig(Section):
    host: str = ""
    token: SecretStr = SecretStr("")

    @property
    def enabled(self) -> bool:
        return bool(self.host)


class ServicemeshConfig(Section):
    istio_pilot_host: str = ""
    jaeger_query_host: str = ""
    servicemesh_prometheus_host: str = ""

    @property
    def enabled(self) -> bool:
        return bool(self.istio_pilot_host or self.jaeger_query_host or self.servicemesh_prometheus_host)


class S3Config(Section):
    """An object store, for the artifacts of source-to-image."""

    endpoint: str = ""
    region: str = "us-east-1"
    disable_ssl: bool = True
    force_path_style: bool = True
    access_key_id: str = ""
    secret_access_key: SecretStr = SecretStr("")
    session_token: SecretStr = SecretStr("")
    bucket: str = "s2i-binaries"

    @property
    def enabled(self) -> bool:
        return bool(self.endpoint)


class OpenpitrixConfig(Section):
    """The managers of the application store, each `host:port`."""

    runtime_manager_endpoint: str = ""
    cluster_manager_endpoint: str = ""
    repo_manager_endpoint: str = ""
    app_manager_endpoint: str = ""
    category_manager_endpoint: str = ""
    attachment_manager_endpoint: str = ""
    repo_indexer_endpoint: str = ""

    @property
    def enabled(self) -> bool:
        return bool(self.app_manager_endpoint)


class KubesphereConfig(Section):
    """Where the platform's own services are."""

    api_server: str = "http://ks-apiserver.kubesphere-system.svc"
    account_server: str = "http://ks-account.kubesphere-system.svc"


class EndpointConfig(Section):
    """A component that is only an address: alerting, notification."""

    endpoint: str = ""

    @property
    def enabled(self) -> bool:
        return bool(self.endpoint)


class ServerConfig(Section):
    """How this service listens, and its limits. Past a limit a request gets an error that names it."""

    listen: str = "0.0.0.0:9090"
    """`host:port`, `[::1]:port`; port 0 takes a free one."""
    ops_listen: str = ""
    """`host:port` where /readyz and /metrics are answered instead, for a service that the world can reach."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes. With more than one, gunicorn supervises them."""
    shutdown_grace: Seconds = Field(default=20, ge=0, le=3600)
    """How long requests may still run after SIGTERM."""
    request_timeout: Seconds = Field(default=60, gt=0)
    """How long a request may take, its body included."""
    body_timeout: Seconds = Field(default=20, gt=0)
    """How long a client may take to send a body."""
    idle_timeout: Seconds = Field(default=75, gt=0)
    """How long a connection may rest between requests."""
    max_body: Bytes = Field(default=1024 * 1024, ge=1024)
    max_header: Bytes = Field(default=16 * 1024, ge=1024, le=1024 * 1024)
    """Bytes of the request line, and of each header."""
    max_headers: int = Field(default=100, ge=16, le=1000)
    max_requests: int = Field(default=512, ge=1)
    """Requests at once; one more is answered with 503 and Retry-After."""
    max_streams: int = Field(default=512, ge=0)
    """WebSockets and other long answers at once."""
    max_connections: int = Field(default=4096, ge=1)
    max_page: int = Field(default=50_000, ge=1)
    """Items in one page, whatever the client asks for."""
    check_interval: Seconds = Field(default=5, gt=0)
    """How often the back ends are checked for /readyz."""
    check_timeout: Seconds = Field(default=3, gt=0)

    @field_validator("listen")
    @classmethod
    def _check_listen(cls, value: str) -> str:
        split_address(value)
        return value

    @field_validator("ops_listen")
    @classmethod
    def _check_ops_listen(cls, value: str) -> str:
        if value and split_address(value)[1] == 0:
            raise ValueError("must name a port")
        return value

    @property
    def ops_port(self) -> int | None:
        """The port of `ops_listen`, where there is one."""
        return split_address(self.ops_listen)[1] if self.ops_listen else None


def split_address(listen: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`; an empty host means every address. Raises ValueError."""
    host, _, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535 or (":" in host and not bracketed):
        raise ValueError("must be host:port, such as 0.0.0.0:9090, or [::1]:9090 for IPv6")
    return host.strip("[]"), int(port)


SHORTEST_SECRET = 32
"""Bytes: a key for HS256 is at least as long as its hash (RFC 7518, 3.2)."""


class AuthenticationConfig(Section):
    """Tokens and sessions."""

    jwt_secret: SecretStr = SecretStr("")
    """Shared by the gateway, account and every service behind the gateway (`jwtSecretFile`: from a file)."""
    token_idle_timeout: Seconds = Field(default=40 * 60, gt=0)
    multi_login: bool = False
    """Whether a user may have several sessions."""
    admin_password_file: str | None = None
    """Where the first administrator's password is read from, or written to once made."""

    @field_validator("jwt_secret")
    @classmethod
    def _check_length(cls, value: SecretStr) -> SecretStr:
        length = len(value.get_secret_value().encode())
        if 0 < length < SHORTEST_SECRET:
            raise ValueError(
                f"has {length} bytes, and must have at least {SHORTEST_SECRET}: shorter ones can be guessed; "
                "make one with openssl rand -hex 32"
            )
        return value


class LogConfig(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"


class TracingConfig(Section):
    """OpenTelemetry, off without an endpoint."""

    endpoint: str = ""
    """OTLP over HTTP, such as http://collector:4318."""
    sample_ratio: float = Field(default=1.0, ge=0, le=1)

    @property
    def enabled(self) -> bool:
        return bool(self.endpoint)
