"""The file of KEY=VALUE lines by which scripts learn where the stack is. A shell may source it."""

import re
import shlex
from collections.abc import Mapping

from devstack.blueprint import ADMIN, Blueprint
from devstack.cluster import Cluster
from devstack.ports import LOOPBACK

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def values(blueprint: Blueprint, cluster: Cluster, pids: Mapping[str, int]) -> dict[str, str]:
    """What the file holds; `pids` are those of the programs that run, by name."""
    openldap = blueprint.openldap
    addresses = {
        "KS_GATEWAY_URL": blueprint.apigateway.url,
        "KS_GATEWAY_TLS_URL": f"https://{LOOPBACK}:{blueprint.apigateway.more_ports['gateway_tls']}",
        "KS_GATEWAY_CA_FILE": str(blueprint.authority.files.certificate),
        "KS_GATEWAY_OPS_URL": blueprint.apigateway.ops_url,
        "KS_CONSOLE_URL": blueprint.console.url,
        "KS_ACCOUNT_URL": blueprint.account.url,
        "KS_APISERVER_URL": blueprint.apiserver.url,
        "KS_CONTROLLER_MANAGER_URL": blueprint.controller_manager.url,
        "KS_REDIS_URL": blueprint.redis.url,
        "KS_LDAP_URL": openldap.url,
        "KS_PROMETHEUS_URL": blueprint.prometheus.url,
        "KS_NODE_EXPORTER_URL": blueprint.node_exporter.url,
    }
    if blueprint.mariadb:
        addresses["KS_MYSQL_URL"] = blueprint.mariadb.url
    access = {
        "KS_ADMIN_USER": ADMIN,
        "KS_ADMIN_PASSWORD": blueprint.admin_password_file.read_text().strip(),
        "KS_JWT_SECRET_FILE": str(blueprint.jwt_secret_file),
        "KS_LDAP_MANAGER_DN": openldap.manager_dn,
        "KS_LDAP_MANAGER_PASSWORD": openldap.manager_password,
        "KS_CONFIG": str(blueprint.config),
        "KUBECONFIG": str(cluster.kubeconfig),
    }
    if cluster.kubectl:
        access["KS_KUBECTL"] = str(cluster.kubectl)
    if cluster.test_image:
        access["KS_TEST_IMAGE"] = cluster.test_image
    processes = {f"KS_PID_{name.upper().replace('-', '_')}": str(pid) for name, pid in sorted(pids.items())}
    return addresses | access | processes


def render(values: Mapping[str, str]) -> str:
    """The lines, each value quoted for POSIX shells where need be. Raises ValueError for an odd key."""
    for key in values:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not the name of a variable")
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())


def parse(text: str) -> dict[str, str]:
    """The values of what `render` wrote."""
    pairs = (word.partition("=") for word in shlex.split(text))
    return {key: value for key, _, value in pairs}
