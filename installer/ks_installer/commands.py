"""The subcommands, each a coroutine that takes the parsed command line and an open cluster."""

from __future__ import annotations

import asyncio
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from ks_installer import configured, granted, output, preflight, upgrading, workspaces
from ks_installer.catalogue import Catalogue, Component, images
from ks_installer.engine import Engine
from ks_installer.errors import NotReady, Unsuitable
from ks_installer.keeping import to_keep
from ks_installer.objects import Ref
from ks_installer.planning import plan
from ks_installer.podspecs import mirrored
from ks_installer.progress import Progress, progress_for
from ks_installer.readiness import waiting_for
from ks_installer.settings import Settings
from ks_installer.standing import standing_of
from ks_installer.state import READY, State
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import WORKSPACES

DEV = "dev"
"""The profile that nothing is configured for: definitions and rights, no workload."""


async def apply(args: Namespace, cluster: Cluster) -> int:
    """Brings the cluster to the profile and to ks-config.yaml."""
    components = Catalogue.installed().select(args.profile, await _settings(args, cluster))
    state = await _state(cluster)
    if not args.skip_preflight:
        preflight.insist(await preflight.examine(cluster, _chosen(components, args.only)))
    await install(args, cluster, state, components)
    return 0


async def install(args: Namespace, cluster: Cluster, state: State, components: Sequence[Component]) -> None:
    """Applies `components` and tells how it goes."""
    progress = progress_for(args.output)
    began = time.monotonic()
    try:
        await Engine(cluster, state, progress, args.timeout).apply(components, only=args.only)
        if args.config:
            await configured.remember(cluster, Path(args.config))
        took = time.monotonic() - began
        progress.note(
            "", f"ready after {took:.1f} s, {time.process_time():.1f} s of them the installer's own work"
        )
    finally:
        progress.close()


async def show_plan(args: Namespace, cluster: Cluster) -> int:
    """Prints what `apply` would change; ends with 0 whether or not there is anything."""
    selected = Catalogue.installed().select(args.profile, await _settings(args, cluster))
    state = await _state(cluster)
    if args.only:
        state.records = {name: record for name, record in state.records.items() if name == args.only}
    output.print_plan(await plan(cluster, state, _chosen(selected, args.only)), args.output)
    return 0


async def show_status(args: Namespace, cluster: Cluster) -> int:
    """Prints how each installed component stands; ends with 1 where one is not ready."""
    state = await _state(cluster)
    rows = [(name, *await standing_of(cluster, record)) for name, record in state.records.items()]
    output.print_status(state, rows, args.output)
    return 0 if rows and all(phase == READY for _, phase, _ in rows) else 1


async def show_preflight(args: Namespace, cluster: Cluster) -> int:
    """Prints whether the cluster has what the installation needs; ends with 6 where it has not."""
    components = Catalogue.installed().select(args.profile, await _settings(args, cluster))
    findings = await preflight.examine(cluster, components)
    output.print_findings(findings, args.output)
    return Unsuitable.exit_code if any(one.level == preflight.ERROR for one in findings) else 0


async def upgrade(args: Namespace, cluster: Cluster) -> int:
    """Prints what an upgrade would mean, and does it unless something stands in its way."""
    components = Catalogue.installed().select(args.profile, await _settings(args, cluster))
    state = await _state(cluster)
    findings = await preflight.examine(cluster, components)
    findings += upgrading.report(state, await plan(cluster, state, components))
    output.print_findings(findings, args.output)
    if not args.skip_preflight:
        preflight.insist(findings)
    if not args.check:
        await install(args, cluster, state, components)
    return 0


async def show_images(args: Namespace) -> int:
    """Prints every image that an installation runs; with --registry also where that registry has it."""
    settings = configured.from_file(Path(args.config)) if args.config else Settings()
    listed = images(Catalogue.installed().select(args.profile, settings))
    place = mirrored(args.registry)
    output.print_images([(image, place(image)) for image in listed], args.output, both=bool(args.registry))
    return 0


async def uninstall(args: Namespace, cluster: Cluster) -> int:
    """Takes away what was installed; namespaces of users and what runs in them always stay."""
    state = await _state(cluster)
    progress = progress_for(args.output)

    async def keep(component: str) -> frozenset[Ref]:
        await workspaces.release_namespaces(cluster)
        return frozenset() if args.purge else await to_keep(cluster, state, component, progress)

    try:
        if args.purge:
            await _release_workspaces(cluster, args.timeout or 60, progress)
        await Engine(cluster, state, progress, args.timeout).uninstall(keep)
        if args.purge:
            progress.step("users", "taking back what users were granted")
            await granted.take_back(cluster)
            progress.done("users", "removed")
    finally:
        progress.close()
    return 0


async def _release_workspaces(cluster: Cluster, seconds: float, progress: Progress) -> None:
    for name in await workspaces.names(cluster):
        progress.step("workspaces", f"releasing the namespaces of {name}")
        try:
            async with asyncio.timeout(seconds):
                await workspaces.release(cluster, name)
        except TimeoutError as error:
            try:
                reason = waiting_for(await cluster.get(WORKSPACES, name))
            except NotFound:
                reason = "it went only now"
            raise NotReady(f"Workspace {name}: {reason}") from error


async def _settings(args: Namespace, cluster: Cluster) -> Settings:
    if args.config:
        return configured.from_file(Path(args.config))
    return Settings() if args.profile == DEV else await configured.from_cluster(cluster)


async def _state(cluster: Cluster) -> State:
    state = State(cluster)
    await state.load()
    return state


def _chosen(components: Sequence[Component], only: str | None) -> Sequence[Component]:
    return [component for component in components if only in (None, component.name)]
