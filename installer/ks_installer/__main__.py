"""ks-installer: brings a Kubernetes cluster to a profile of the platform.

Exit codes: 0 done; 1 something failed, or `status` found a component that is not ready; 2 the command line,
kubeconfig, profile or a component is wrong; 3 the cluster does not answer; 4 the cluster refuses; 5
something did not become ready in time.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from ks_installer import commands
from ks_installer.catalogue import Catalogue
from ks_installer.errors import ClusterUnreachable, InstallerError, NotPermitted, UsageError
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.errors import Forbidden, KubeconfigError, KubernetesError, Unauthorized, Unreachable


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="ks-installer", description=__doc__, formatter_class=_Help)
    sub = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, run, text in (
        ("apply", commands.apply, "bring the cluster to the profile; safe to repeat and to resume"),
        ("plan", commands.show_plan, "print what apply would change, and change nothing"),
        ("status", commands.show_status, "print how each installed component stands"),
        ("uninstall", commands.uninstall, "take away what was installed; namespaces of users stay"),
    ):
        command = sub.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        _common(command)
        if name in ("apply", "plan"):
            command.add_argument(
                "--profile", default="dev", help=f"one of {', '.join(_profiles())} (default: dev)"
            )
            command.add_argument("--only", metavar="COMPONENT", help="this component alone")
        if name in ("apply", "uninstall"):
            command.add_argument(
                "--timeout",
                type=seconds,
                metavar="SECONDS",
                help="for each component, instead of its own timeout",
            )
        if name == "uninstall":
            command.add_argument(
                "--purge", action="store_true", help="delete workspaces and other custom objects of users too"
            )
    return top


def main(argv: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit code."""
    args = parser().parse_args(argv)
    try:
        code = asyncio.run(_run(args))
    except InstallerError as error:
        print(f"ks-installer: {error}", file=sys.stderr)
        code = error.exit_code
    except KeyboardInterrupt:
        print("ks-installer: interrupted; run the same command again to go on", file=sys.stderr)
        code = 130
    sys.exit(code)


async def _run(args: argparse.Namespace) -> int:
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


class _Help(argparse.RawDescriptionHelpFormatter):
    """Keeps the line breaks of the description."""


if __name__ == "__main__":
    main()
