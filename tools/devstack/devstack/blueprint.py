"""What a stack consists of, and the configuration that its services share."""

from pathlib import Path
from typing import Any

import yaml

from devstack.cluster import Cluster
from devstack.ports import LOOPBACK
from devstack.program import Program, write_private
from devstack.secrets import Secrets
from devstack.servers import MariaDB, NodeExporter, OpenLDAP, Prometheus, Redis, Server
from devstack.services import Service
from devstack.settings import Ports, Settings
from localkube.pki import Authority, Leaf

ADMIN = "admin"
_TYPED = 12  # random bytes of a password that people type


class Blueprint:
    """The programs of one stack, derived from its settings."""

    def __init__(self, settings: Settings, cluster: Cluster) -> None:
        state, ports = settings.state, settings.ports
        self.config = state / "kubesphere.yaml"
        self.secrets = Secrets(state / "secrets")
        self.authority = _authority(state / "certificates")
        """Signs the gateway's certificate."""
        self._cluster = cluster
        self._state = state
        self.redis = Redis(
            directory=state / "redis", port=ports.redis, password=self.secrets.value("redis-password")
        )
        self.openldap = OpenLDAP(
            directory=state / "openldap",
            port=ports.openldap,
            manager_password=self.secrets.value("ldap-manager-password"),
        )
        self.mariadb = (
            MariaDB(
                directory=state / "mariadb",
                port=ports.mariadb,
                password=self.secrets.value("mariadb-password"),
            )
            if settings.mariadb
            else None
        )
        self.node_exporter = NodeExporter(directory=state / "node-exporter", port=ports.node_exporter)
        self.account = self._service("account", "account", ports.account)
        self.apiserver = self._service("apiserver", "apiserver", ports.apiserver)
        self.controller_manager = self._service(
            "controller-manager", "controller_manager", ports.controller_manager
        )
        self.apigateway = self._gateway(ports)
        self.console = self._service("console", "console", ports.console)
        self.console.overrides = {**self.console.overrides, "console.gatewayURL": self.apigateway.url}
        self.prometheus = Prometheus(
            directory=state / "prometheus", port=ports.prometheus, targets=self._targets()
        )

    @property
    def admin_password_file(self) -> Path:
        """Holds the administrator's initial password."""
        return self.secrets.file("admin-password", _TYPED)

    @property
    def jwt_secret_file(self) -> Path:
        """Holds the secret that signs tokens."""
        return self.secrets.file("jwt-secret")

    @property
    def servers(self) -> list[Server]:
        """The back ends; none needs another."""
        mariadb = [self.mariadb] if self.mariadb else []
        return [self.redis, self.openldap, *mariadb, self.prometheus, self.node_exporter]

    @property
    def service_stages(self) -> list[list[Service]]:
        """The services in the order of starting; those of one stage start together."""
        together = [self.account, self.apiserver, self.controller_manager]
        return [together, [self.apigateway], [self.console]]

    @property
    def services(self) -> list[Service]:
        """All services in the order of starting."""
        return [service for stage in self.service_stages for service in stage]

    @property
    def programs(self) -> list[Program]:
        """Everything that is supervised, in the order of starting."""
        return [*self.servers, *self.services]

    def write_config(self) -> None:
        """Writes the kubesphere.yaml that the services read. Secrets stay in files of their own."""
        write_private(self.config, yaml.safe_dump(self._config(), sort_keys=False))

    def _service(self, name: str, setting: str, port: int) -> Service:
        return Service(
            service=name,
            setting=setting,
            port=port,
            directory=self._state / name,
            config=self.config,
            overrides={"kubernetes.kubeconfig": str(self._cluster.service_kubeconfig(name))},
        )

    def _gateway(self, ports: Ports) -> Service:
        certificate = self.authority.issue(
            Leaf("ks-apigateway", dns=("localhost",), addresses=(LOOPBACK,), client=False), "apigateway"
        )
        gateway = self._service("apigateway", "gateway", ports.gateway)
        gateway.ops_port = ports.gateway_ops
        gateway.more_ports = {"gateway_ops": ports.gateway_ops, "gateway_tls": ports.gateway_tls}
        gateway.overrides = {
            **gateway.overrides,
            "gateway.opsListen": f"{LOOPBACK}:{ports.gateway_ops}",
            "gateway.tlsListen": f"{LOOPBACK}:{ports.gateway_tls}",
            "gateway.tlsCertFile": str(certificate.certificate),
            "gateway.tlsKeyFile": str(certificate.key),
            "gateway.trustedProxies": f'["{LOOPBACK}/32"]',  # the console says for whom it asks
        }
        return gateway

    def _targets(self) -> dict[str, list[str]]:
        services = {
            f"ks-{service.name}": [f"{service.host}:{service.ops_port or service.port}"]
            for service in self.services
        }
        return {"node-exporter": [self.node_exporter.address], **services}

    def _config(self) -> dict[str, Any]:
        base = self.openldap.base
        sections: dict[str, Any] = {
            "ldap": {
                "host": self.openldap.address,
                "managerDN": self.openldap.manager_dn,
                "managerPasswordFile": str(self.secrets.file("ldap-manager-password")),
                "userSearchBase": f"ou=Users,{base}",
                "groupSearchBase": f"ou=Groups,{base}",
            },
            "redis": {
                "host": self.redis.host,
                "port": self.redis.port,
                "passwordFile": str(self.secrets.file("redis-password")),
                "db": 0,
            },
            "kubernetes": {"kubeconfig": str(self._cluster.kubeconfig), "master": self._cluster.url},
            # The cluster's address as pods know it; `master` is put in its place in what users download.
            "kubectl": {"server": "https://kubernetes.default.svc"},
            "monitoring": {"endpoint": self.prometheus.url, "secondaryEndpoint": self.prometheus.url},
            "kubesphere": {"apiServer": self.apiserver.url, "accountServer": self.account.url},
            "authentication": {
                "jwtSecretFile": str(self.jwt_secret_file),
                "adminPasswordFile": str(self.admin_password_file),
            },
            # Its password is in a file of the stack's owner alone, and scripts sign in with it.
            "account": {"forcePasswordChange": False},
            "mysql": {"sqliteFile": str(self._state / "kubesphere.db")},
            "log": {"format": "text"},
        }
        if self._cluster.kubectl_image:
            sections["kubectl"]["image"] = self._cluster.kubectl_image
        if self.mariadb:
            sections["mysql"] = {
                "host": self.mariadb.address,
                "database": self.mariadb.database,
                "username": self.mariadb.user,
                "passwordFile": str(self.secrets.file("mariadb-password")),
            }
        return sections


def _authority(directory: Path) -> Authority:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Authority("gateway", directory)
