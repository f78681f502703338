"""What an installation of v2.1.1 has by the listings of its overview, and what ours has besides."""

from collections.abc import Iterable

from harness.installed import MONITORED

SYSTEM = "kubesphere-system"
MONITORING = "kubesphere-monitoring-system"
CONTROLS = "kubesphere-controls-system"
OF_MONITORING = {
    f"StatefulSet {MONITORING}/prometheus-k8s",
    f"StatefulSet {MONITORING}/prometheus-k8s-system",
    f"DaemonSet {MONITORING}/node-exporter",
    f"Deployment {MONITORING}/kube-state-metrics",
    *(f"Service {MONITORING}/{name}" for name in ("kube-state-metrics", "node-exporter")),
    *(f"Service {MONITORING}/{name}" for name in ("prometheus-k8s", "prometheus-k8s-system")),
    "Service kube-system/kube-controller-manager-headless",
    "Service kube-system/kube-scheduler-headless",
}
LISTED = {
    *(f"Namespace /{name}" for name in (SYSTEM, MONITORING, CONTROLS)),
    *(f"Deployment {CONTROLS}/{name}" for name in ("default-http-backend", "kubectl-admin")),
    f"Service {CONTROLS}/default-http-backend",
    f"ConfigMap {CONTROLS}/kubeconfig-admin",
    *(
        f"Deployment {SYSTEM}/{name}"
        for name in ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console", "ks-controller-manager")
    ),
    f"Deployment {SYSTEM}/redis",
    f"StatefulSet {SYSTEM}/openldap",
    *(
        f"Service {SYSTEM}/{name}"
        for name in ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console", "openldap", "redis")
    ),
    *(f"ConfigMap {SYSTEM}/{name}" for name in ("ks-installer", "kubesphere-config", "policy-rules")),
    *(
        f"CustomResourceDefinition /{name}"
        for name in (
            "alertmanagers.monitoring.coreos.com",
            "applications.app.k8s.io",
            "destinationrules.networking.istio.io",
            "fluentbits.logging.kubesphere.io",
            "podmonitors.monitoring.coreos.com",
            "prometheuses.monitoring.coreos.com",
            "prometheusrules.monitoring.coreos.com",
            "s2ibinaries.devops.kubesphere.io",
            "s2ibuilders.devops.kubesphere.io",
            "s2ibuildertemplates.devops.kubesphere.io",
            "s2iruns.devops.kubesphere.io",
            "servicemonitors.monitoring.coreos.com",
            "servicepolicies.servicemesh.kubesphere.io",
            "strategies.servicemesh.kubesphere.io",
            "virtualservices.networking.istio.io",
            "workspaces.tenant.kubesphere.io",
        )
    ),
    *(OF_MONITORING if MONITORED else ()),
}
"""What a minimal installation of v2.1.1 has, by the listings of its overview, but for INSTALLER-4 and 11."""
MORE = {
    # Of Prometheus without its operator (INSTALLER-4), of the gateway in place of `caddyfile` (INSTALLER-11).
    *(f"ConfigMap {MONITORING}/{name}" for name in ("prometheus-k8s", "prometheus-k8s-system") if MONITORED),
    f"ConfigMap {SYSTEM}/ks-apigateway-routes",
    # What the installer remembers; v2.1.1's is a pod that asks Ansible anew.
    f"ConfigMap {SYSTEM}/ks-installer-status",
    # Of v2.1.1's sources, which come with the isolation of networks and with Istio there.
    "CustomResourceDefinition /gateways.networking.istio.io",
    "CustomResourceDefinition /namespacenetworkpolicies.network.kubesphere.io",
    "CustomResourceDefinition /workspacenetworkpolicies.network.kubesphere.io",
}
"""What it does not have by these listings, and is there."""
COMPARED = {name.split()[0] for name in LISTED}


def lacking(there: Iterable[str]) -> list[str]:
    """What is listed and not among `there`, objects by kind and name."""
    return sorted((LISTED | MORE) - set(there))


def beyond(brought: Iterable[str]) -> list[str]:
    """What an installation has `brought` of the listed kinds that nobody has said."""
    of_kinds = {name for name in brought if name.split()[0] in COMPARED}
    # One in each namespace is made by Kubernetes.
    made = {name for name in of_kinds if name.endswith("/kube-root-ca.crt")}
    return sorted(of_kinds - LISTED - MORE - made)
