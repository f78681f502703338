"""The servers that the platform stands on: how each is configured, started and checked.

One module a server; the stack and the tests' harness use the same definitions."""

from devstack.servers.mariadb import MariaDB
from devstack.servers.node_exporter import NodeExporter
from devstack.servers.openldap import OpenLDAP
from devstack.servers.prometheus import Prometheus
from devstack.servers.redis import Redis
from devstack.servers.server import MissingProgram, PreparationFailed, Server

__all__ = [
    "MariaDB",
    "MissingProgram",
    "NodeExporter",
    "OpenLDAP",
    "PreparationFailed",
    "Prometheus",
    "Redis",
    "Server",
]
