"""NetworkPolicies that are enforced on a local node, whose network enforces none by itself.

What enforces them is kube-router's controller for policies, with iptables and ipset: sources in
scripts/policies.
"""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from devstack.program import NotReady
from harness import go_programs
from harness.go_programs import Program
from harness.processes import Process
from harness.site import Site

_SOURCES = Path(__file__).parent / "scripts" / "policies" / "main.go"
ENFORCER = Program(
    "github.com/cloudnativelabs/kube-router/v2",
    "cmd/kube-router",
    "v2.1.0",
    {"cmd/kube-router/kube-router.go": _SOURCES.read_text()},
)
BEHIND = {"ks-account": 80, "ks-apiserver": 80, "redis": 6379, "openldap": 389}
"""The Services that only some reach, with their ports."""
A_STRANGER = "a stranger"
_OURS = ("-n", "kubesphere-system", "exec", "deployment/{}", "--", "python", "-c")
_CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)
    print("reached")
except OSError:
    print("refused")
"""
_STRANGER = ("-n", "demo-project", "exec", "deployment/demo", "--", "sh", "-c")
_CHAIN = "KUBE-ROUTER-FORWARD"
_READY_SECONDS = 60


def missing() -> str:
    """Why they cannot be enforced here; empty where they can."""
    lacking = [name for name in ("iptables", "ipset") if shutil.which(name) is None]
    if lacking:
        return f"Debian's {' and '.join(lacking)}: not installed"
    if os.environ.get("KS_TEST_BUILD") or ENFORCER.is_kept:
        return ""
    return f"{ENFORCER.path.name}: not built; KS_TEST_BUILD=1 builds it, in minutes"


@asynccontextmanager
async def enforced(kubeconfig: Path, node: str, directory: Path) -> AsyncIterator[None]:
    """All NetworkPolicies of the cluster hold on `node`, this machine; at the end none does.

    Raises StartFailed with the log of what enforces them.
    """
    command = [str(go_programs.built(ENFORCER)), f"--kubeconfig={kubeconfig}", f"--hostname-override={node}"]
    process = Process([*command, "--enable-ipv6=false"], directory / "policies.log", directory)
    process.launch()
    try:
        await process.ready(_chains_are_there, _READY_SECONDS)
        yield
    finally:
        await process.stop()


async def reached(place: Site, who: str, name: str) -> bool:
    """Whether `who` (a Deployment of ours, or Deployment `demo` of a project) gets through to a Service."""
    at = (f"{name}.kubesphere-system", str(BEHIND[name]))
    if who == A_STRANGER:
        asked = (*_STRANGER, 'nc -w 3 "$0" "$1" </dev/null && echo reached || echo refused', *at)
    else:
        asked = (*(part.format(who) for part in _OURS), _CONNECT, *at)
    return (await place.kubectl(*asked)).split()[-1] == "reached"


def _chains_are_there() -> None:
    listed = subprocess.run(["iptables", "-S", _CHAIN], check=False, capture_output=True, text=True)
    if listed.returncode:
        raise NotReady(listed.stderr.strip())
