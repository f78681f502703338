"""The controllers of the platform, what each watches, and how they run: table first."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from typing import Any

from ks_controller_manager.application.controller import ApplicationController
from ks_controller_manager.clusterrolebinding.controller import ClusterRoleBindingController
from ks_controller_manager.config import ControllerManagerConfig
from ks_controller_manager.destinationrule.controller import DestinationRuleController
from ks_controller_manager.job.controller import JobController
from ks_controller_manager.namespace.controller import NamespaceController
from ks_controller_manager.network.controller import WorkspaceNetworkPolicyController
from ks_controller_manager.network.namespaces import NamespaceNetworkPolicyController
from ks_controller_manager.s2ibinary.controller import S2iBinaryController
from ks_controller_manager.s2ibinary.store import BinaryStore
from ks_controller_manager.s2irun.controller import S2iRunController
from ks_controller_manager.servicemesh.components import ISTIO
from ks_controller_manager.virtualservice.controller import VirtualServiceController
from ks_controller_manager.volumeexpansion.controller import VolumeExpansionController
from ks_controller_manager.workspace.controller import WorkspaceController
from kubekit.cluster import Cluster
from kubekit.controller import Controller, ControllerManager
from kubekit.leases import LeaderElector, StillLeading
from kubekit.view import view
from servicekit.config import ConfigError

log = logging.getLogger(__name__)

CONTROLLERS: tuple[type[Controller], ...] = (
    # reconciles                            woken by
    WorkspaceController,  # workspaces      its ClusterRoles and ClusterRoleBindings
    NamespaceController,  # namespaces      its workspace, its Roles, its creator's RoleBinding
    ClusterRoleBindingController,  # namespaces      its workspace's bindings, its members' RoleBindings
    ApplicationController,  # applications    objects of the kinds that they name, and definitions
    JobController,  # jobs
    S2iBinaryController,  # s2ibinaries
    S2iRunController,  # s2iruns
    VolumeExpansionController,  # claims        the workloads that were stopped for them, their classes
    WorkspaceNetworkPolicyController,  # its kind      its NetworkPolicies, namespaces, workspaces
    NamespaceNetworkPolicyController,  # its kind      its NetworkPolicy
    VirtualServiceController,  # services      its DestinationRule, the Strategy of its component
    DestinationRuleController,  # services      its Deployments, the ServicePolicy of its component
)


class Manager:
    """The chosen controllers on one cluster, led by at most one process at a time."""

    name = "controllers"

    def __init__(self, cluster: Cluster, config: ControllerManagerConfig) -> None:
        self._controllers = ControllerManager(cluster, chosen(cluster, config))
        election = config.leader_election
        self._elector = (
            LeaderElector(
                cluster,
                election.name,
                election.namespace,
                duration=election.duration,
                renew=election.renew,
                retry=election.retry,
            )
            if election.enabled
            else None
        )
        self._working: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Reconciles, whenever this process leads, until it is cancelled.

        Then finishes and gives up the lease.
        """
        stop = asyncio.Event()
        self._working = asyncio.create_task(self._work(stop), name="controllers")
        try:
            await asyncio.shield(self._working)
        except asyncio.CancelledError:
            stop.set()
            await self._working
            raise

    async def open(self) -> None:
        """Nothing to open: `run` is started beside the listener."""

    async def check(self) -> None:
        """Raises RuntimeError with the reasons why nothing can be reconciled; standing by is no reason."""
        if reasons := "; ".join(self._obstacles()):
            raise RuntimeError(reasons)

    def _obstacles(self) -> Iterator[str]:
        if self._working is not None and self._working.done():
            yield f"the controllers ended: {self._working.exception()!r}"
        missing = {
            str(resource)
            for controller in self._controllers.controllers
            for resource, cache in controller.cache.items()
            if not cache.served and resource not in ISTIO
        }
        if missing:
            yield f"the cluster does not serve {', '.join(sorted(missing))}; install the platform"
        elector = self._elector
        if elector is not None and not elector.holder and not elector.is_leader:
            yield f"nobody leads: the lease {elector.namespace}/{elector.name} could not be taken yet"

    def view(self) -> dict[str, Any]:
        """Who leads, and what each controller is at; plain data for JSON."""
        elector = self._elector
        return {
            "leaderElection": elector is not None,
            "leading": elector is None or elector.is_leader,
            "leader": elector.holder if elector is not None else "",
            "controllers": [view(controller) for controller in self._controllers.controllers],
        }

    async def close(self) -> None:
        """Nothing to close: `run` ends when it is cancelled."""

    async def _work(self, stop: asyncio.Event) -> None:
        if self._elector is None:
            await self._controllers.run(stop)
            return
        try:
            await self._elector.run(self._controllers.run, stop)
        except StillLeading as error:
            # Another process may lead by now: going on is worse than any way of ending.
            log.critical("%s", error)
            logging.shutdown()
            os._exit(1)


def chosen(cluster: Cluster, whole: ControllerManagerConfig) -> list[Controller]:
    """The controllers that the configuration names, with their workers.

    Raises ConfigError for unknown names.
    """
    config = whole.controllers
    known = {controller.name: controller for controller in CONTROLLERS}
    for name in [*(entry.removeprefix("-") for entry in config.enabled), *config.workers_of]:
        if name not in known and name != "*":
            raise ConfigError(f"controllers: there is no {name!r}; there are {', '.join(known)}")
    controllers = [
        _made(kind, cluster, whole) for name, kind in known.items() if _enabled(name, config.enabled)
    ]
    for controller in controllers:
        controller.workers = config.workers_of.get(controller.name, config.workers)
    return controllers


def _made(kind: type[Controller], cluster: Cluster, config: ControllerManagerConfig) -> Controller:
    if kind is VolumeExpansionController:
        return VolumeExpansionController(cluster, config.volume_expansion)
    if kind is S2iBinaryController:
        return S2iBinaryController(cluster, BinaryStore(config.s3), config.s2i)
    return kind(cluster)


def _enabled(name: str, entries: tuple[str, ...]) -> bool:
    enabled = False
    for entry in entries:
        if entry.removeprefix("-") in (name, "*"):
            enabled = not entry.startswith("-")
    return enabled
