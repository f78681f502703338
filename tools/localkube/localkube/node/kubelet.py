"""The kubelet and kube-proxy: their configuration, and how they are called."""

from pathlib import Path

import yaml

from localkube.control_plane import Component
from localkube.layout import Layout
from localkube.node import machine
from localkube.pki import Pki
from localkube.settings import Settings

KUBELET = "kubelet"
PROXY = "kube-proxy"
_RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))


def kubelet_user(settings: Settings) -> tuple[str, tuple[str, ...]]:
    """The user and the groups as which the node authorizer knows the kubelet."""
    return f"system:node:{settings.node_name}", ("system:nodes",)


PROXY_USER = "system:kube-proxy"


def kubelet(layout: Layout, settings: Settings, pki: Pki) -> Component:
    """The kubelet, its configuration written into the node's folder."""
    path = layout.node / "kubelet.yaml"
    _write(path, _kubelet_configuration(layout, settings, pki))
    return Component(
        KUBELET,
        (
            str(layout.bin / KUBELET),
            f"--config={path}",
            f"--kubeconfig={layout.kubeconfigs / 'kubelet.kubeconfig'}",
            f"--root-dir={machine.KUBELET_ROOT}",
            f"--hostname-override={settings.node_name}",
            f"--node-ip={settings.node_address}",
        ),
    )


def proxy(layout: Layout, settings: Settings) -> Component:
    """kube-proxy, its configuration written into the node's folder."""
    path = layout.node / "kube-proxy.yaml"
    _write(path, _proxy_configuration(layout, settings))
    return Component(PROXY, (str(layout.bin / PROXY), f"--config={path}"))


def nameservers() -> list[str]:
    """The machine's name servers that a pod can reach: a pod's loopback is its own."""
    for path in _RESOLVERS:
        if path.exists():
            lines = (line.split() for line in path.read_text().splitlines())
            servers = [words[1] for words in lines if len(words) > 1 and words[0] == "nameserver"]
            return [server for server in servers if not server.startswith("127.") and server != "::1"]
    return []


def _kubelet_configuration(layout: Layout, settings: Settings, pki: Pki) -> dict[str, object]:
    resolvers = layout.node / "resolv.conf"
    resolvers.write_text("".join(f"nameserver {server}\n" for server in nameservers()))
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": settings.node_address,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": settings.ports["kubelet-healthz"],
        "tlsCertFile": str(pki.kubelet.certificate),
        "tlsPrivateKeyFile": str(pki.kubelet.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki.cluster.files.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{machine.CONTAINERD_SOCKET}",
        "cgroupDriver": machine.cgroup_driver(),
        "clusterDNS": [settings.dns_service],
        "clusterDomain": "cluster.local",
        "resolvConf": str(resolvers),
        "volumePluginDir": str(machine.KUBELET_ROOT / "volume-plugins"),
        # What a developer's machine or a container may be like, and a server would not.
        "failSwapOn": False,
        "failCgroupV1": False,
        "featureGates": {"KubeletInUserNamespace": True},
        # cAdvisor finds no file system where the root device has no entry in /dev.
        "localStorageCapacityIsolation": False,
        "evictionHard": {
            "memory.available": "1%",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        # Images that were imported by hand cannot be pulled again.
        "imageGCHighThresholdPercent": 100,
        # kube-proxy uses nftables, and these chains would stay behind.
        "makeIPTablesUtilChains": False,
    }


def _proxy_configuration(layout: Layout, settings: Settings) -> dict[str, object]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(layout.kubeconfigs / "kube-proxy.kubeconfig")},
        "clusterCIDR": settings.pod_range,
        "hostnameOverride": settings.node_name,
        "healthzBindAddress": f"127.0.0.1:{settings.ports['kube-proxy-healthz']}",
        "metricsBindAddress": f"127.0.0.1:{settings.ports['kube-proxy-metrics']}",
        # 0 leaves the machine's connection tracking as it is; changing it may also not be allowed.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _write(path: Path, document: dict[str, object]) -> None:
    text = yaml.safe_dump(document, sort_keys=False)
    # kube-proxy ends when its file is written, were it with the same words.
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
