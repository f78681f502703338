"""The node's address, the routes of pods and Services, and the table that guards them.

The ranges are routed to a bridge without ports (dummy interfaces would do, but some kernels lack them), so
what is addressed to a pod or Service that is not there ends on this machine, also when the node has crashed.
"""

import hashlib
import json
import shlex
import shutil
from pathlib import Path

from localkube.errors import NodeRefused
from localkube.node import machine
from localkube.node.commands import attempt, run
from localkube.settings import Settings

TABLE = ("inet", "localkube")
# What kube-proxy calls its own in nftables mode.
PROXY_TABLES = (("ip", "kube-proxy"), ("ip6", "kube-proxy"))
_OURS = "localkube: pods"
"""The comment of rules in a chain that is not ours."""
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_TOKENS = machine.RUN / "routes"
_FORWARDING_BEFORE = machine.RUN / "ip_forward"


def route_to_nowhere(root: Path, settings: Settings) -> None:
    """Route the cluster's ranges to the empty bridge, for as long as any cluster wants that.

    Raises NodeRefused when the machine already uses a range.
    """
    _TOKENS.mkdir(parents=True, exist_ok=True)
    _token(root).write_text(str(root))
    if attempt("ip", "link", "show", machine.INTERFACE).returncode:
        run("ip", "link", "add", machine.INTERFACE, "type", "bridge")
        run("ip", "link", "set", machine.INTERFACE, "up")
    for addresses in (settings.pod_range, settings.service_range):
        _add_route(addresses)


def remove_routes(root: Path | None = None) -> None:
    """Take back `route_to_nowhere` of the cluster at `root`, and of clusters whose folder is gone.

    The interface goes when no cluster needs it any more.
    """
    if root:
        _token(root).unlink(missing_ok=True)
    if not _TOKENS.exists():
        return
    for token in _TOKENS.iterdir():
        if not (Path(token.read_text()) / "cluster.json").exists():
            token.unlink()
    if not any(_TOKENS.iterdir()):
        _TOKENS.rmdir()
        attempt("ip", "link", "delete", machine.INTERFACE)


def has_routes(root: Path) -> bool:
    """Whether the cluster at `root` has not taken back its routes."""
    return _token(root).exists()


def raise_node(settings: Settings, directory: Path) -> None:
    """Give the node its address, the plugins their configuration (in `directory`), and load the table."""
    attempt("ip", "address", "replace", f"{settings.node_address}/32", "dev", machine.INTERFACE)
    if not _FORWARDING_BEFORE.exists():
        _FORWARDING_BEFORE.write_text(_FORWARDING.read_text())
    _FORWARDING.write_text("1")
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "10-localkube.conflist").write_text(json.dumps(_plugins(settings), indent=2))
    run("nft", "-f", "-", text=_table(settings))
    _let_pods_through(settings)


def remove_node(settings: Settings) -> None:
    """Take back `raise_node`, and what kube-proxy left: each by its exact name."""
    attempt("ip", "address", "delete", f"{settings.node_address}/32", "dev", machine.INTERFACE)
    restore()


def restore() -> None:
    """Delete the tables and give forwarding back the value that it had before the node."""
    for family, name in (TABLE, *PROXY_TABLES):
        attempt("nft", "delete", "table", family, name)
    for rule in _forwarding_rules():
        if _OURS in rule:
            attempt("iptables", "--delete", *rule)
    if _FORWARDING_BEFORE.exists():
        _FORWARDING.write_text(_FORWARDING_BEFORE.read_text())
        _FORWARDING_BEFORE.unlink()


def _let_pods_through(settings: Settings) -> None:
    """Except pods from a policy that drops what is forwarded, as Docker's does even when it has ended."""
    rules = _forwarding_rules()
    if ["FORWARD", "DROP"] not in rules or any(_OURS in rule for rule in rules):
        return
    for direction in ("--source", "--destination"):
        which = (direction, settings.pod_range, "-m", "comment", "--comment", _OURS)
        run("iptables", "--insert", "FORWARD", *which, "--jump", "ACCEPT")


def _forwarding_rules() -> list[list[str]]:
    """What iptables does with forwarded packets, as its arguments; nothing where it is not installed."""
    if shutil.which("iptables") is None:
        return []
    printed = attempt("iptables", "--list-rules", "FORWARD").stdout
    return [shlex.split(line)[1:] for line in printed.splitlines()]


def _add_route(addresses: str) -> None:
    device = _route_device(addresses)
    if device not in (None, machine.INTERFACE):
        raise NodeRefused(
            f"{addresses} is routed to {device} already: choose another --pod-range or --service-range"
        )
    if device is None:
        run("ip", "route", "add", addresses, "dev", machine.INTERFACE)


def _route_device(addresses: str) -> str | None:
    routes = json.loads(run("ip", "-json", "route", "show", "exact", addresses) or "[]")
    return routes[0]["dev"] if routes else None


def _plugins(settings: Settings) -> dict[str, object]:
    # Point-to-point links, not a bridge: what a pod sends is always routed, so Services work between two pods
    # of the node without bridge netfilter, and nothing stays behind when a pod's namespace goes.
    return {
        "cniVersion": "0.4.0",
        "name": machine.NETWORK,
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(machine.ADDRESSES),
                    "ranges": [[{"subnet": settings.pod_range}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }


def _table(settings: Settings) -> str:
    # The node and the control plane listen beyond loopback, for pods; other machines are kept out before any
    # rule of kube-proxy sees them. Pods reach the world under the machine's address.
    family, name = TABLE
    own = f"{{ {settings.node_address}, {settings.service_range}, {settings.pod_range} }}"
    elsewhere = 'iifname != "lo" iifname != "veth*"'
    control_plane = ", ".join(str(port) for port in (settings.port, *settings.ports.values()))
    return f"""
        table {family} {name} {{}}
        delete table {family} {name}
        table {family} {name} {{
            chain guard {{
                type filter hook prerouting priority raw; policy accept;
                {elsewhere} ip daddr {own} drop
                {elsewhere} fib daddr type local tcp dport {{ {control_plane} }} drop
            }}
            chain outward {{
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr {settings.pod_range} ip daddr != {own} masquerade
            }}
        }}
    """


def _token(root: Path) -> Path:
    return _TOKENS / hashlib.sha256(str(root).encode()).hexdigest()[:16]
