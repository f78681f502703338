"""What the controller manager is made of."""

from __future__ import annotations

from ks_controller_manager.config import ControllerManagerConfig
from ks_controller_manager.debug import queues
from ks_controller_manager.manager import Manager
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from servicekit.app import Service, service


def cluster_config(config: ControllerManagerConfig) -> ClusterConfig:
    """How to reach the cluster."""
    kubernetes = config.kubernetes
    return ClusterConfig(
        kubeconfig=kubernetes.kubeconfig,
        context=kubernetes.context,
        qps=kubernetes.qps,
        burst=kubernetes.burst,
        timeout=kubernetes.timeout,
        pool=kubernetes.pool,
        user_agent="ks-controller-manager",
    )


def build(config: ControllerManagerConfig) -> Service:
    """Controllers beside a listener that answers for their health."""
    cluster = Cluster(cluster_config(config))
    manager = Manager(cluster, config)
    return service(
        "ks-controller-manager",
        config,
        needs=[cluster, manager],
        background=[manager.run],
        local=[queues(manager)],
    )
