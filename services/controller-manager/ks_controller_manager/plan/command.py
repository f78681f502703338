"""`ks-controller-manager plan`: says what the first start would write, and writes nothing."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from time import monotonic

from ks_controller_manager.app import cluster_config
from ks_controller_manager.config import ControllerManagerConfig
from ks_controller_manager.manager import chosen
from ks_controller_manager.plan import report
from ks_controller_manager.plan.report import Plan
from kubekit.controller import Controller, ControllerManager
from kubekit.errors import KubeconfigError, KubernetesError
from kubekit.rehearsal import Rehearsal
from servicekit.config import ConfigError
from servicekit.run import Command

log = logging.getLogger(__name__)

NOTHING, CHANGES, UNKNOWN = 0, 1, 2
"""Exit statuses, as those of `kubectl diff`."""

_TRIES = 3
"""Times that a reconciliation may fail before the plan says that it does."""

_POLL = 0.1


class Unsettled(Exception):
    """The controllers did not come to an end in time; the text says which."""


async def plan(config: ControllerManagerConfig, within: float) -> Plan:
    """Runs the chosen controllers on a rehearsal of the cluster until they have nothing left to do.

    Raises KubeconfigError, KubernetesError where the cluster does not answer, and Unsettled when it takes
    more than `within` seconds.
    """
    cluster = Rehearsal(cluster_config(config))
    controllers = chosen(cluster, config)
    stop = asyncio.Event()
    async with cluster:
        await cluster.request("GET", "/version")
        await cluster.request("GET", "/version")
        running = asyncio.create_task(ControllerManager(cluster, controllers).run(stop))
        try:
            await settled(controllers, within)
            return Plan(
                changes=report.changes(cluster.changes),
                failures=tuple(_failures(controllers)),
                unseen=tuple((one.name, _missing(one)) for one in controllers if _missing(one)),
            )
        finally:
            stop.set()
            await running


def _failures(controllers: list[Controller]) -> list[tuple[str, str, str]]:
    return [
        (controller.name, str(key), failure.error)
        for controller in controllers
        for key, failure in controller.failures.items()
    ]


def _missing(controller: Controller) -> str:
    """Why the controller cannot run: the resources that the cluster does not serve."""
    missing = sorted(str(resource) for resource, cache in controller.cache.items() if not cache.served)
    return f"the cluster does not serve {', '.join(missing)}" if missing and not controller.running else ""


async def settled(controllers: list[Controller], within: float) -> None:
    """Waits until every controller has nothing left to do, or cannot run."""
    deadline = monotonic() + within
    while busy := [one.name for one in controllers if not _at_rest(one) and not _missing(one)]:
        if monotonic() > deadline:
            raise Unsettled(f"still at work after {within:g} s: {', '.join(busy)}")
        await asyncio.sleep(_POLL)


def _at_rest(controller: Controller) -> bool:
    queue = controller.queue.view(limit=1000)
    retried = [tries for _, _, tries in queue.delayed_items if 0 < tries < _TRIES]
    return controller.running and not (queue.depth or queue.processing or retried)


def _run(config: ControllerManagerConfig, options: argparse.Namespace) -> int:
    logging.getLogger().setLevel(logging.ERROR)  # the rest tells of writes that are not made
    try:
        found = asyncio.run(plan(config, options.within))
    except (KubeconfigError, KubernetesError, Unsettled) as error:
        print(f"ks-controller-manager: {error}", file=sys.stderr)
        return UNKNOWN
    except ConfigError:
        raise
    except Exception:
        # Python's own exit status for it would mean that there are changes.
        log.exception("the plan could not be made")
        return UNKNOWN
    sys.stdout.buffer.write(report.document(found) if options.json else report.text(found).encode())
    sys.stdout.flush()
    if found.failures:
        return UNKNOWN
    return CHANGES if found.changes else NOTHING


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="plan: print JSON")
    parser.add_argument(
        "--within", type=float, default=300, metavar="SECONDS", help="plan: how long it may take (300)"
    )


PLAN = Command(
    "print what the first start would write, and write nothing; exits with 0 if nothing, 1 if anything, "
    "2 if that cannot be told",
    _run,
    _arguments,
)
