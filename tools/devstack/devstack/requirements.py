"""Which Debian packages a stack, or the tests, need."""

from devstack.packages import Requirement
from devstack.servers import MariaDB, NodeExporter, OpenLDAP, Prometheus, Redis, Server
from devstack.settings import Settings
from localkube.packages import NODE_PACKAGES

_ALWAYS: tuple[type[Server], ...] = (Redis, OpenLDAP, Prometheus, NodeExporter)
_NODE = [Requirement(program, each.name) for each in NODE_PACKAGES for program in each.programs]

_POLICIES = [Requirement("iptables", "iptables"), Requirement("ipset", "ipset")]
"""With which tests have NetworkPolicies enforced on a node."""


def for_stack(settings: Settings) -> list[Requirement]:
    """What `up` needs with these settings."""
    servers = (*_ALWAYS, MariaDB) if settings.mariadb else _ALWAYS
    node = _NODE if settings.wants_node and settings.kubeconfig is None else []
    return [*(Requirement(each.executable, each.package) for each in servers), *node]


def for_tests(node: bool) -> list[Requirement]:
    """What the tests need; `node`: whether those that run pods can run."""
    servers = (*_ALWAYS, MariaDB)
    tools = [
        Requirement("ldapsearch", "ldap-utils"),
        Requirement("docker-registry", "docker-registry"),
        Requirement("git", "git"),
        Requirement("chromium", "chromium"),
    ]
    return [
        *(Requirement(each.executable, each.package) for each in servers),
        *tools,
        *([*_NODE, *_POLICIES] if node else []),
    ]


def for_benchmarks() -> list[Requirement]:
    """What the benchmarks need beside what the tests do: a load generator, and peers to compare with."""
    return [Requirement("wrk", "wrk"), Requirement("nginx", "nginx-light"), Requirement("caddy", "caddy")]
