"""The subcommands, each a coroutine that takes the parsed command line and an open cluster."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import orjson

from ks_installer import workspaces
from ks_installer.catalogue import Catalogue, Component
from ks_installer.discovery import Discovery
from ks_installer.engine import Engine, removal_order
from ks_installer.errors import NotReady
from ks_installer.objects import FIELD_MANAGER, MANAGED_BY, Ref
from ks_installer.planning import KEEP, Step, plan
from ks_installer.progress import Progress, progress_for
from ks_installer.readiness import waiting_for
from ks_installer.state import READY, State
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CRDS, WORKSPACES, Resource


async def apply(args: Namespace, cluster: Cluster) -> int:
    """Brings the cluster to the profile."""
    components = Catalogue.installed().select(args.profile)
    state = await _state(cluster)
    progress = progress_for(args.output)
    try:
        await Engine(cluster, state, progress, args.timeout).apply(components, only=args.only)
    finally:
        progress.close()
    return 0


async def show_plan(args: Namespace, cluster: Cluster) -> int:
    """Prints what `apply` would change; ends with 0 whether or not there is anything."""
    components = _chosen(Catalogue.installed().select(args.profile), args.only)
    state = await _state(cluster)
    if args.only:
        state.records = {name: record for name, record in state.records.items() if name == args.only}
    steps = await plan(cluster, state, components)
    if _as_json(args.output):
        for step in steps:
            _print_json(component=step.component, action=step.action, object=str(step.ref), fields=step.paths)
    else:
        _print_plan(steps)
    return 0


async def show_status(args: Namespace, cluster: Cluster) -> int:
    """Prints how each installed component stands; ends with 1 where one is not ready."""
    state = await _state(cluster)
    rows = [(name, *await _standing(cluster, state, name)) for name in state.records]
    if _as_json(args.output):
        for name, phase, message in rows:
            _print_json(component=name, phase=phase, message=message)
    else:
        _print_status(state, rows)
    return 0 if rows and all(phase == READY for _, phase, _ in rows) else 1


async def uninstall(args: Namespace, cluster: Cluster) -> int:
    """Takes away what was installed; namespaces of users and what runs in them always stay."""
    state = await _state(cluster)
    progress = progress_for(args.output)
    engine = Engine(cluster, state, progress, args.timeout)
    try:
        if args.purge:
            await _release_workspaces(cluster, args.timeout or 60, progress)
        for name in removal_order(state.records, set(state.records)):
            kept = frozenset() if args.purge else await _in_use(cluster, state, name, progress)
            await workspaces.release_namespaces(cluster)
            await engine.remove(name, keep=kept)
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
            found = await cluster.get(WORKSPACES, name)
            raise NotReady(f"Workspace {name}: {waiting_for(found)}") from error


async def _in_use(cluster: Cluster, state: State, component: str, progress: Progress) -> frozenset[Ref]:
    """The definitions of `component` that hold objects of users; deleting one would delete those objects."""
    used: list[Ref] = []
    for ref in state.records[component].refs():
        count = await _users_objects(cluster, ref) if ref.kind == CRDS.kind else 0
        if count:
            progress.note(component, f"{ref.name} stays: it has {count} objects (--purge deletes them)")
            used.append(ref)
    return frozenset(used)


async def _users_objects(cluster: Cluster, definition: Ref) -> int:
    try:
        spec = (await cluster.get(CRDS, definition.name))["spec"]
        version = next(version["name"] for version in spec["versions"] if version["served"])
        names = spec["names"]
        kind = Resource(spec["group"], version, names["plural"], names["kind"], spec["scope"] == "Namespaced")
        found = await cluster.list(kind, label_selector=f"{MANAGED_BY}!={FIELD_MANAGER}")
    except NotFound:
        return 0
    return len(found.items)


async def _state(cluster: Cluster) -> State:
    state = State(cluster)
    await state.load()
    return state


async def _standing(cluster: Cluster, state: State, name: str) -> tuple[str, str]:
    """Phase and message of a component as its objects are now, not as they were when it was applied."""
    record, discovery = state.records[name], Discovery(cluster)
    if record.phase != READY:
        return record.phase, record.message
    for ref in record.refs():
        resource = await discovery.resource(ref.api_version, ref.kind)
        try:
            live = await cluster.get(resource, ref.name, ref.namespace or None) if resource else None
        except NotFound:
            live = None
        reason = waiting_for(live) if live else "it is not there"
        if reason:
            return "NotReady", f"{ref.title}: {reason}"
    return READY, ""


def _chosen(components: Sequence[Component], only: str | None) -> Sequence[Component]:
    return [component for component in components if only in (None, component.name)]


def _print_plan(steps: Sequence[Step]) -> None:
    changes = [step for step in steps if step.action != KEEP]
    for step in changes:
        fields = f"  ({', '.join(step.paths)})" if step.paths else ""
        print(f"{step.action:<8}{step.component:<20}{step.ref.title}{fields}")
    print(f"{len(changes)} of {len(steps)} objects would change")


def _print_status(state: State, rows: Sequence[tuple[str, str, str]]) -> None:
    if not rows:
        print("nothing is installed")
    for name, phase, message in rows:
        print(f"{name:<20}{phase:<10}{len(state.records[name].objects):>4} objects  {message}".rstrip())


def _print_json(**line: Any) -> None:
    print(orjson.dumps(line).decode())


def _as_json(output: str) -> bool:
    return output == "json" or (output == "auto" and not sys.stdout.isatty())
