"""How etcd, the API server, the controller manager and the scheduler are called."""

from dataclasses import dataclass
from ipaddress import IPv4Network

from localkube.layout import Layout
from localkube.pki import Pki
from localkube.settings import Settings

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
NAMES = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER)

# Clients of components that serve metrics prove themselves to the API server.
KUBECONFIG_USERS = {
    CONTROLLER_MANAGER: "system:kube-controller-manager",
    SCHEDULER: "system:kube-scheduler",
}


@dataclass(frozen=True, slots=True)
class Component:
    """A program and its command line."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The command lines of one cluster's control plane; one with a node is open to pods."""

    layout: Layout
    settings: Settings
    pki: Pki

    def components(self) -> tuple[Component, ...]:
        """All of it, in the order in which it starts."""
        return self.etcd(), self.api_server(), self.controller_manager(), self.scheduler()

    def etcd(self) -> Component:
        """etcd, with client certificates: its port must not be other users' way round RBAC."""
        client, peer = (f"https://127.0.0.1:{self.settings.ports[name]}" for name in ("etcd", "etcd-peer"))
        server, authority = self.pki.etcd_server, self.pki.etcd.files.certificate
        return self._component(
            ETCD,
            f"--data-dir={self.layout.etcd}",
            # Data survives the processes, not a power cut; an fsync for every write would cost seconds.
            "--unsafe-no-fsync",
            f"--listen-client-urls=https://{self._open_to}:{self.settings.ports[ETCD]}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            f"--cert-file={server.certificate}",
            f"--key-file={server.key}",
            f"--trusted-ca-file={authority}",
            "--client-cert-auth",
            f"--peer-cert-file={server.certificate}",
            f"--peer-key-file={server.key}",
            f"--peer-trusted-ca-file={authority}",
            "--peer-client-cert-auth",
            "--log-level=warn",
        )

    def api_server(self) -> Component:
        """The API server: on loopback, or on every address for pods to reach it (the node guards it)."""
        pki, settings = self.pki, self.settings
        return self._component(
            API_SERVER,
            *self._where_it_listens(),
            f"--etcd-servers=https://127.0.0.1:{settings.ports['etcd']}",
            f"--etcd-cafile={pki.etcd.files.certificate}",
            f"--etcd-certfile={pki.apiserver_to_etcd.certificate}",
            f"--etcd-keyfile={pki.apiserver_to_etcd.key}",
            f"--tls-cert-file={pki.apiserver.certificate}",
            f"--tls-private-key-file={pki.apiserver.key}",
            f"--client-ca-file={pki.cluster.files.certificate}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            f"--service-cluster-ip-range={settings.service_range}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={pki.service_accounts.certificate}",
            f"--service-account-signing-key-file={pki.service_accounts.key}",
            # Node names resolve nowhere.
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-certificate-authority={pki.cluster.files.certificate}",
            f"--kubelet-client-certificate={pki.apiserver_to_kubelet.certificate}",
            f"--kubelet-client-key={pki.apiserver_to_kubelet.key}",
            f"--proxy-client-cert-file={pki.front_proxy_client.certificate}",
            f"--proxy-client-key-file={pki.front_proxy_client.key}",
            f"--requestheader-client-ca-file={pki.front_proxy.files.certificate}",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        )

    def controller_manager(self) -> Component:
        """The controller manager; with a node it also provides volumes from a folder of the host."""
        pki, settings = self.pki, self.settings
        node_only = ("--enable-hostpath-provisioner=true",) if self.settings.with_node else ()
        return self._component(
            CONTROLLER_MANAGER,
            *self._serves_metrics(CONTROLLER_MANAGER),
            f"--service-account-private-key-file={pki.service_accounts.key}",
            f"--root-ca-file={pki.cluster.files.certificate}",
            f"--cluster-signing-cert-file={pki.cluster.files.certificate}",
            f"--cluster-signing-key-file={pki.cluster.files.key}",
            "--use-service-account-credentials=true",
            "--allocate-node-cidrs=true",
            f"--cluster-cidr={settings.pod_range}",
            # One node takes the whole range.
            f"--node-cidr-mask-size={IPv4Network(settings.pod_range).prefixlen}",
            f"--service-cluster-ip-range={settings.service_range}",
            # Each controller makes its own account first; at 20 requests a second that takes seconds.
            "--kube-api-qps=200",
            "--kube-api-burst=400",
            *node_only,
        )

    def scheduler(self) -> Component:
        """The scheduler."""
        return self._component(SCHEDULER, *self._serves_metrics(SCHEDULER))

    @property
    def _open_to(self) -> str:
        """Where servers listen: for pods at the node's address too, and the node keeps others away."""
        return "0.0.0.0" if self.settings.with_node else "127.0.0.1"  # noqa: S104

    def _where_it_listens(self) -> tuple[str, ...]:
        port = f"--secure-port={self.settings.port}"
        if self.settings.with_node:
            return port, "--bind-address=0.0.0.0", f"--advertise-address={self.settings.node_address}"
        # No pod asks for the Service `kubernetes`, and its endpoints must not be a loopback address.
        return (
            port,
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
        )

    def _serves_metrics(self, name: str) -> tuple[str, ...]:
        kubeconfig = self.layout.kubeconfigs / f"{name}.kubeconfig"
        return (
            f"--kubeconfig={kubeconfig}",
            f"--authentication-kubeconfig={kubeconfig}",
            f"--authorization-kubeconfig={kubeconfig}",
            f"--bind-address={self._open_to}",
            f"--secure-port={self.settings.ports[name]}",
            f"--tls-cert-file={self.pki.loopback.certificate}",
            f"--tls-private-key-file={self.pki.loopback.key}",
            "--leader-elect=false",
        )

    def _component(self, name: str, *arguments: str) -> Component:
        return Component(name, (str(self.layout.bin / name), *arguments))
