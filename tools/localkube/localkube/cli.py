"""The command `localkube`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from rich.console import Console
from rich.table import Table

from localkube import layout
from localkube.assets import ASSETS_VARIABLE
from localkube.cluster import Localkube
from localkube.errors import LocalkubeError
from localkube.progress import progress_for
from localkube.settings import DEFAULT_NODE_ADDRESS, DEFAULT_POD_RANGE, DEFAULT_SERVICE_RANGE
from localkube.status import Status
from localkube.versions import PINNED, VERSION_VARIABLE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except LocalkubeError as error:
        print(f"localkube: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="localkube",
        description="A real single-node Kubernetes from pinned binaries, for development and tests.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_up, _add_down, _add_status, _add_list, _add_kubectl):
        add(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no other name


def _add_up(commands: Commands) -> None:
    command = _command(
        commands, "up", _up, "start a cluster, or what has stopped of it, and wait until it is ready"
    )
    versions = ", ".join(version.kubernetes for version in PINNED)
    command.add_argument(
        "--kube-version",
        metavar="VERSION",
        help=f"one of {versions}; 1.37 is enough (default: {VERSION_VARIABLE}, else the newest)",
    )
    command.add_argument(
        "--port", type=int, default=0, help="port of the API server, 0 for a free one (default)"
    )
    command.add_argument(
        "--control-plane-only",
        action="store_true",
        help="no node: no pods run; needs neither root nor containerd",
    )
    command.add_argument(
        "--nodes", type=int, choices=(0, 1), default=1, help="0 is --control-plane-only (default: 1)"
    )
    command.add_argument(
        "--assets", metavar="DIR", type=Path, help=f"folder of prebuilt programs (default: {ASSETS_VARIABLE})"
    )
    command.add_argument(
        "--pod-range", default=DEFAULT_POD_RANGE, help="addresses of pods (default: %(default)s)"
    )
    command.add_argument(
        "--service-range", default=DEFAULT_SERVICE_RANGE, help="addresses of Services (default: %(default)s)"
    )
    command.add_argument(
        "--node-address",
        default=DEFAULT_NODE_ADDRESS,
        help="address of the node, on this machine (default: %(default)s)",
    )
    command.add_argument("--quiet", action="store_true", help="print errors only")


def _add_down(commands: Commands) -> None:
    command = _command(
        commands, "down", _down, "stop a cluster, crashed or not, and leave nothing of it running"
    )
    command.add_argument("--delete", action="store_true", help="also delete the cluster's data")
    command.add_argument("--quiet", action="store_true", help="print errors only")


def _add_status(commands: Commands) -> None:
    _command(commands, "status", _status, "say how a cluster is; the exit status is 1 when it is not ready")


def _add_list(commands: Commands) -> None:
    commands.add_parser("list", help="list the clusters of this user").set_defaults(run=_list)


def _add_kubectl(commands: Commands) -> None:
    command = _command(commands, "kubectl", _kubectl, "run kubectl as the cluster's administrator")
    command.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="-- ARGS", help="arguments of kubectl"
    )


def _command(commands: Commands, name: str, run: object, purpose: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
    command.add_argument("--name", default="default", help="name of the cluster (default: %(default)s)")
    command.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        help=f"folder that holds clusters (default: {layout.STATE_VARIABLE}, else .dev/localkube)",
    )
    command.set_defaults(run=run)
    return command


def _up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    cluster = Localkube(
        options.name,
        options.state,
        options.kube_version,
        port=options.port,
        control_plane_only=options.control_plane_only or options.nodes == 0,
        assets=options.assets,
        pod_range=options.pod_range,
        service_range=options.service_range,
        node_address=options.node_address,
        progress=progress_for(quiet=options.quiet),
    )
    status = cluster.up()
    if not options.quiet:
        print(f"Kubernetes {status.version} is ready at {status.url} after {time.monotonic() - began:.1f} s")
        print(f"export KUBECONFIG={status.kubeconfig}")
    return 0


def _down(options: argparse.Namespace) -> int:
    Localkube(options.name, options.state, progress=progress_for(quiet=options.quiet)).down(
        delete=options.delete
    )
    return 0


def _status(options: argparse.Namespace) -> int:
    status = Localkube(options.name, options.state).status()
    console = Console(highlight=False)
    condition = "[green]ready[/green]" if status.ready else f"[red]not ready[/red]: {status.problem}"
    console.print(f"cluster {status.name}, Kubernetes {status.version}, {status.url}: {condition}")
    console.print(f"state   {status.state}", soft_wrap=True)
    console.print(_components(status))
    return 0 if status.ready else 1


def _components(status: Status) -> Table:
    table = Table("component", "pid", "running for", "log", box=None)
    for component in status.components:
        age = f"{time.time() - component.since:.0f} s" if component.since else "[red]stopped[/red]"
        table.add_row(
            component.name, str(component.pid or "-"), age, str(component.log.relative_to(status.state))
        )
    return table


def _list(options: argparse.Namespace) -> int:
    table = Table("name", "version", "node", "condition", "state", box=None)
    for root in layout.registered():
        try:
            status = Localkube(root.name, root.parent).status()
        except LocalkubeError:
            table.add_row(root.name, "-", "-", "leftover", str(root))
            continue
        condition = "ready" if status.ready else "not ready" if status.running else "stopped"
        table.add_row(status.name, status.version, "yes" if status.with_node else "no", condition, str(root))
    Console(highlight=False).print(table)
    return 0


def _kubectl(options: argparse.Namespace) -> int:
    cluster = Localkube(options.name, options.state)
    arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    environment = {**os.environ, "KUBECONFIG": str(cluster.kubeconfig)}
    cluster.settings  # noqa: B018 - says so when there is no such cluster
    os.execve(cluster.kubectl, ["kubectl", *arguments], environment)  # noqa: S606 - kubectl takes this process's place
