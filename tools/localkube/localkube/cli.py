"""The command line of `localkube`: its commands and options."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from localkube import commands as run
from localkube.assets import ASSETS_VARIABLE
from localkube.errors import LocalkubeError
from localkube.layout import STATE_VARIABLE
from localkube.settings import DEFAULT_NODE_ADDRESS, DEFAULT_POD_RANGE, DEFAULT_SERVICE_RANGE
from localkube.versions import PINNED, VERSION_VARIABLE

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - it has no other name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except (LocalkubeError, OSError) as error:
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
    _add_up(commands)
    _add_down(commands)
    status = _add(
        commands, "status", run.status, "say how a cluster is; the exit status is 1 when it is not ready"
    )
    _add_cluster(status)
    _add(commands, "list", run.list_clusters, "list the clusters of this user")
    _add_kubectl(commands)
    _add_images(commands)
    _add_build(commands)
    _add(commands, "cleanup", run.cleanup, "find and remove what crashed clusters left on this machine")
    return parser


def _add_up(commands: Commands) -> None:
    command = _add(
        commands, "up", run.up, "start a cluster, or what has stopped of it, and wait until it is ready"
    )
    _add_cluster(command)
    _add_programs(command)
    command.add_argument(
        "--port", type=int, default=0, help="port of the API server; 0, the default, for a free one"
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
        "--install", action="store_true", help="install the Debian packages that a node needs (as root)"
    )
    for option, default, meaning in (
        ("--pod-range", DEFAULT_POD_RANGE, "addresses of pods"),
        ("--service-range", DEFAULT_SERVICE_RANGE, "addresses of Services"),
        ("--node-address", DEFAULT_NODE_ADDRESS, "address of the node, known to this machine alone"),
    ):
        command.add_argument(
            option, default=default, metavar="ADDRESS", help=f"{meaning} (default: {default})"
        )
    _add_quiet(command)


def _add_down(commands: Commands) -> None:
    command = _add(
        commands, "down", run.down, "stop a cluster, crashed or not, and leave nothing of it running"
    )
    _add_cluster(command)
    command.add_argument("--delete", action="store_true", help="also delete the cluster's data")
    _add_quiet(command)


def _add_kubectl(commands: Commands) -> None:
    command = _add(commands, "kubectl", run.kubectl, "run kubectl as the cluster's administrator")
    _add_cluster(command)
    command.add_argument(
        "arguments", nargs=argparse.REMAINDER, metavar="-- ARGS", help="arguments of kubectl"
    )


def _add_images(commands: Commands) -> None:
    command = _add(commands, "images", run.images, "list the node's images, or import an archive of some")
    _add_cluster(command)
    command.add_argument(
        "action", nargs="?", choices=("list", "import"), default="list", help="default: list"
    )
    command.add_argument(
        "archive", nargs="?", type=Path, metavar="FILE.tar", help="as `docker save` writes it"
    )


def _add_build(commands: Commands) -> None:
    purpose = (
        "have the programs ready before they are needed: unpack, fetch or build them, and say where they are"
    )
    command = _add(commands, "build", run.build, purpose)
    _add_programs(command)
    command.add_argument(
        "--pack", metavar="DIR", type=Path, help="also pack them into DIR, a folder for --assets"
    )


def _add(
    commands: Commands, name: str, function: Callable[[argparse.Namespace], int], purpose: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=purpose, description=purpose[0].upper() + purpose[1:] + ".")
    command.set_defaults(run=function)
    return command


def _add_cluster(command: argparse.ArgumentParser) -> None:
    command.add_argument("--name", default="default", help="name of the cluster (default: %(default)s)")
    command.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        help=f"folder that holds clusters (default: {STATE_VARIABLE}, else .dev/localkube in a folder "
        "with a .dev, else the user's)",
    )


def _add_programs(command: argparse.ArgumentParser) -> None:
    versions = ", ".join(version.kubernetes for version in PINNED)
    command.add_argument(
        "--kube-version",
        metavar="VERSION",
        help=f"one of {versions}; 1.37 is enough (default: {VERSION_VARIABLE}, else the newest)",
    )
    command.add_argument(
        "--assets", metavar="DIR", type=Path, help=f"folder of prebuilt programs (default: {ASSETS_VARIABLE})"
    )


def _add_quiet(command: argparse.ArgumentParser) -> None:
    command.add_argument("--quiet", action="store_true", help="print errors only")
