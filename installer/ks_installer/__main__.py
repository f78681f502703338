"""ks-installer: brings a Kubernetes cluster to a profile of the platform.

Exit codes: 0 done; 1 something failed, or `status` found a component that is not ready; 2 the command line,
kubeconfig, profile or a component is wrong; 3 the cluster does not answer; 4 the cluster refuses; 5
something did not become ready in time; 6 the cluster lacks something that the installation needs.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ks_installer import commands
from ks_installer.catalogue import Catalogue
from ks_installer.errors import ClusterUnreachable, InstallerError, NotPermitted, UsageError
from ks_installer.following import follow
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.errors import Forbidden, KubeconfigError, KubernetesError, Unauthorized, Unreachable


@dataclass(frozen=True, slots=True)
class _Command:
    """A subcommand: what runs, what it is for, and which groups of options it has."""

    run: Callable[..., Any]
    text: str
    chooses: bool = True
    changes: bool = False
    one: bool = False


_COMMANDS = {
    "apply": _Command(
        commands.apply,
        "bring the cluster to the configuration; safe to repeat and to resume",
        changes=True,
        one=True,
    ),
    "plan": _Command(commands.show_plan, "print what apply would change, and change nothing", one=True),
    "status": _Command(commands.show_status, "print how each installed component stands", chooses=False),
    "preflight": _Command(commands.show_preflight, "print whether the cluster has what is needed"),
    "upgrade": _Command(
        commands.upgrade,
        "print what the new version would change and what is in its way, then apply it",
        changes=True,
    ),
    "uninstall": _Command(
        commands.uninstall, "take away what was installed; namespaces of users stay", chooses=False
    ),
    "follow": _Command(
        follow, "in the cluster: install what ConfigMap ks-installer says, whenever it changes", changes=True
    ),
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="ks-installer", description=__doc__, formatter_class=_Help)
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, one in _COMMANDS.items():
        command = sub.add_parser(name, help=one.text, description=one.text)
        command.set_defaults(run=one.run, only=None)
        _common(command)
        if one.chooses:
            _choosing(command)
        if one.one:
            command.add_argument("--only", metavar="COMPONENT", help="this component alone")
        if one.changes:
            command.add_argument(
                "--skip-preflight", action="store_true", help="go on whatever the cluster lacks"
            )
        if one.changes or name == "uninstall":
            command.add_argument(
                "--timeout",
                type=seconds,
                metavar="SECONDS",
                help="for each component, instead of its own timeout",
            )
        if name == "follow":
            command.add_argument(
                "--health-port", type=int, metavar="PORT", help="answer /healthz and /readyz there"
            )
        if name == "uninstall":
            command.add_argument(
                "--purge",
                action="store_true",
                help="delete volumes, workspaces and other objects of users too",
            )
        if name == "upgrade":
            command.add_argument("--check", action="store_true", help="print the report alone")
    images = sub.add_parser("images", help=_IMAGES, description=_IMAGES)
    images.set_defaults(run=commands.show_images)
    _choosing(images)
    images.add_argument(
        "--registry", default="", metavar="HOST/PATH", help="print where it is to have each, too"
    )
    _formatted(images)
    return top


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    args = parser().parse_args(argv)
    try:
        code = asyncio.run(_run(args))
    except InstallerError as error:
        print(f"ks-installer: {error}", file=sys.stderr)
        code = error.exit_code
    except ExceptionGroup as group:
        for error in group.exceptions:
            print(f"ks-installer: {error}", file=sys.stderr)
        code = max(getattr(error, "exit_code", 1) for error in group.exceptions)
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("ks-installer: interrupted; run the same command again to go on", file=sys.stderr)
        code = 130
    sys.exit(code)


async def _run(args: argparse.Namespace) -> int:
    this = asyncio.current_task()
    assert this is not None
    # As the first process of a container it would not end by it otherwise.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    if args.command == "images":
        return await args.run(args)
    cluster = Cluster(
        ClusterConfig(kubeconfig=args.kubeconfig, context=args.context, user_agent="ks-installer")
    )
    try:
        await cluster.open()
        return await args.run(args, cluster)
    except KubeconfigError as error:
        raise UsageError(str(error)) from error
    except Unreachable as error:
        raise ClusterUnreachable(f"Kubernetes does not answer: {error}") from error
    except (Forbidden, Unauthorized) as error:
        raise NotPermitted(f"Kubernetes refuses: {error}") from error
    except KubernetesError as error:
        raise InstallerError(f"Kubernetes: {error}") from error
    finally:
        await cluster.close()


def _common(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--kubeconfig", metavar="FILE", help="default: $KUBECONFIG, else ~/.kube/config, or the pod's account"
    )
    command.add_argument("--context", help="of the kubeconfig (default: its current context)")
    _formatted(command)


def _choosing(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--profile", default="platform", help=f"one of {', '.join(_profiles())} (default: platform)"
    )
    command.add_argument(
        "--config",
        metavar="FILE",
        help="a ks-config.yaml (default: that in ConfigMap kubesphere-system/ks-installer)",
    )


def _formatted(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output",
        choices=("auto", "text", "json"),
        default="auto",
        help="json: one object a line (default off a terminal)",
    )


def _profiles() -> list[str]:
    return Catalogue.installed().profiles()


def seconds(text: str) -> float:
    value = float(text.removesuffix("s"))
    if value <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


_IMAGES = "print every image that an installation runs"


class _Help(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the description."""


if __name__ == "__main__":
    main()
