"""Starts what the tests run against: real back ends, a real Kubernetes and the services as processes.

`fixtures` holds the session's shared servers; the functions here start a test's own."""

from devstack.ports import free_port
from harness.servers import (
    RunningServer,
    running_mariadb,
    running_node_exporter,
    running_openldap,
    running_prometheus,
    running_redis,
)
from harness.services import RunningService, running_service
from harness.waiting import eventually

__all__ = [
    "RunningServer",
    "RunningService",
    "eventually",
    "free_port",
    "running_mariadb",
    "running_node_exporter",
    "running_openldap",
    "running_prometheus",
    "running_redis",
    "running_service",
]
