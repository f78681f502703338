"""What each command of `localkube` does with its options; gives the exit status."""

import os
import sys
import time
from argparse import Namespace

from rich.console import Console
from rich.table import Column, Table

from localkube import assets, layout, packages
from localkube.binaries import COREDNS, HYPERKUBE, Finder
from localkube.cleanup import clean_up
from localkube.cluster import Localkube
from localkube.errors import ImageError, LocalkubeError
from localkube.progress import progress_for
from localkube.status import Status
from localkube.versions import find_version

_WIDE = 200  # columns where the output is no terminal


def up(options: Namespace) -> int:
    """Start a cluster and say where it is."""
    began = time.monotonic()
    progress = progress_for(quiet=options.quiet)
    if options.install:
        packages.install(progress)
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
        progress=progress,
    )
    started = cluster.up()
    if not options.quiet:
        print(
            f"Kubernetes {started.version} is ready at {started.url} after {time.monotonic() - began:.1f} s"
        )
        print(f"export KUBECONFIG={started.kubeconfig}")
    return 0


def down(options: Namespace) -> int:
    """Stop a cluster."""
    Localkube(options.name, options.state, progress=progress_for(quiet=options.quiet)).down(
        delete=options.delete
    )
    return 0


def status(options: Namespace) -> int:
    """Print how a cluster is."""
    found = Localkube(options.name, options.state).status()
    console = Console(highlight=False, soft_wrap=True)
    condition = "[green]ready[/green]" if found.ready else f"[red]not ready[/red]: {found.problem}"
    console.print(f"cluster {found.name}, Kubernetes {found.version}, {found.url}: {condition}")
    console.print(f"state   {found.state}")
    console.print(_components(found))
    return 0 if found.ready else 1


def list_clusters(_: Namespace) -> int:
    """Print the clusters of this user."""
    table = Table("name", "version", "node", "condition", Column("state", overflow="fold"), box=None)
    for root in layout.registered():
        try:
            found = Localkube(root.name, root.parent).status()
        except LocalkubeError:
            table.add_row(root.name, "-", "-", "deleted", str(root))
            continue
        condition = "ready" if found.ready else "not ready" if found.running else "stopped"
        table.add_row(found.name, found.version, "yes" if found.with_node else "no", condition, str(root))
    Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE).print(table)
    return 0


def kubectl(options: Namespace) -> int:
    """Become kubectl."""
    cluster = Localkube(options.name, options.state)
    kubeconfig = cluster.status().kubeconfig
    arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    os.execve(cluster.kubectl, ["kubectl", *arguments], environment)  # noqa: S606 - it takes this process's place


def images(options: Namespace) -> int:
    """List or import images."""
    cluster = Localkube(options.name, options.state)
    if options.action == "import":
        if options.archive is None:
            raise ImageError("say which archive to import: localkube images import FILE.tar")
        print("\n".join(cluster.import_image(options.archive)))
    else:
        print("\n".join(cluster.images()))
    return 0


def build(options: Namespace) -> int:
    """Find or build the programs, and pack them if asked to."""
    version = find_version(options.kube_version)
    finder = Finder(version, options.assets, progress_for())
    toolset, coredns = finder.kubernetes(), finder.coredns()
    for name, path in (*toolset.paths.items(), (COREDNS, coredns)):
        print(f"{name:24} {path}")
    if options.pack:
        if len(set(toolset.paths.values())) > 1:
            raise LocalkubeError(
                f"programs from {toolset.source} are not one executable and cannot be packed"
            )
        for program, number, path in (
            (HYPERKUBE, version.kubernetes, toolset.paths["kubectl"]),
            (COREDNS, version.coredns, coredns),
        ):
            print(assets.pack(path, assets.release_name(program, number), options.pack))
    return 0


def cleanup(_: Namespace) -> int:
    """Remove leftovers and say which."""
    print("\n".join(clean_up()) or "nothing was left behind")
    return 0


def _components(found: Status) -> Table:
    table = Table("component", "pid", "running for", "log", box=None)
    for component in found.components:
        age = f"{time.time() - component.since:.0f} s" if component.since else "[red]stopped[/red]"
        table.add_row(
            component.name, str(component.pid or "-"), age, str(component.log.relative_to(found.state))
        )
    return table
