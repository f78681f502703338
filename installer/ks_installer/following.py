"""The installer in the cluster: follows the ConfigMap `ks-installer` and brings the cluster to it, again and
again."""

from __future__ import annotations

import asyncio
import logging
from argparse import Namespace
from contextlib import suppress

from ks_installer import configured, preflight
from ks_installer.catalogue import Catalogue
from ks_installer.engine import Engine
from ks_installer.errors import InstallerError
from ks_installer.health import Health, answering
from ks_installer.progress import progress_for
from ks_installer.state import NAMESPACE, State
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError
from kubekit.events import EventRecorder
from kubekit.resource import CONFIG_MAPS, Object

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
_RECONNECT_SECONDS = 2.0


async def follow(args: Namespace, cluster: Cluster) -> int:
    """Installs what the ConfigMap says, and anew whenever its data change, until the process is ended.

    What fails is told as an Event on the ConfigMap and tried again after a pause that doubles up to five
    minutes; a change of the ConfigMap ends the pause.
    """
    health = Health()
    async with answering(health, args.health_port):
        return await _follow(args, cluster, health)


async def _follow(args: Namespace, cluster: Cluster, health: Health) -> int:
    latest: asyncio.Queue[Object] = asyncio.Queue()
    watching = asyncio.create_task(_watch(cluster, latest, health))
    events, pause = EventRecorder(cluster, configured.NAME), _FIRST_PAUSE
    try:
        wanted = await latest.get()
        changed = asyncio.create_task(_newest(latest))
        while True:
            work = asyncio.create_task(_reconcile(args, cluster, wanted, events))
            await asyncio.wait({work, changed}, return_when=asyncio.FIRST_COMPLETED)
            succeeded = await _ended(work)
            await asyncio.wait({changed}, timeout=None if succeeded else pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            if changed.done():
                wanted, pause = changed.result(), _FIRST_PAUSE
                changed = asyncio.create_task(_newest(latest))
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _ended(work: asyncio.Task[bool]) -> bool:
    """What the work came to; what is still going on is for a ConfigMap of before, and is stopped."""
    if not work.done():
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        return False
    return work.result()


async def _reconcile(args: Namespace, cluster: Cluster, wanted: Object, events: EventRecorder) -> bool:
    progress = progress_for(args.output)
    try:
        settings = configured.from_config_map(wanted)
        components = Catalogue.installed().select(args.profile, settings)
        state = State(cluster)
        await state.load()
        if not args.skip_preflight:
            preflight.insist(await preflight.examine(cluster, components))
        await Engine(cluster, state, progress, args.timeout).apply(components)
    except (InstallerError, KubernetesError, ExceptionGroup) as error:
        message = "\n".join(map(str, error.exceptions)) if isinstance(error, ExceptionGroup) else str(error)
        log.warning("%s", message)
        progress.note("", f"failed: {message}")
        await events.warning(wanted, "InstallationFailed", message)
        return False
    finally:
        progress.close()
    await events.normal(wanted, "Installed", f"{len(components)} components are ready")
    return True


async def _newest(latest: asyncio.Queue[Object]) -> Object:
    found = await latest.get()
    while not latest.empty():
        found = latest.get_nowait()
    return found


async def _watch(cluster: Cluster, latest: asyncio.Queue[Object], health: Health) -> None:
    """Puts the ConfigMap into `latest` when it is first seen and whenever its data have changed."""
    selector, last = f"metadata.name={configured.NAME}", None
    while True:
        try:
            listed = await cluster.list(CONFIG_MAPS, NAMESPACE, field_selector=selector)
            health.follows = True
            for obj in listed.items:
                last = _offer(obj, last, latest)
            async for event in cluster.watch(
                CONFIG_MAPS, NAMESPACE, resource_version=listed.resource_version, field_selector=selector
            ):
                if event.type in ("ADDED", "MODIFIED"):
                    last = _offer(event.object, last, latest)
        except KubernetesError as error:
            health.follows = False
            log.warning("ConfigMap %s cannot be watched: %s", configured.NAME, error)
        await asyncio.sleep(_RECONNECT_SECONDS)


def _offer(obj: Object, last: object, latest: asyncio.Queue[Object]) -> object:
    data = obj.get("data")
    if data != last:
        latest.put_nowait(obj)
    return data
