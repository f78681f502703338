"""What a controller is at, for people who wonder why something has not happened yet."""

from datetime import UTC, datetime
from itertools import islice
from typing import Any

from kubekit.controller import Controller

SHOWN = 100
"""Items shown of each sort; the counts say how many there are."""


def view(controller: Controller, shown: int = SHOWN) -> dict[str, Any]:
    """Plain data for JSON: the queue, what is worked on, what waits until when, and what failed last and why.

    `waitsFor` names the resources whose caches are not filled; until they are, the controller does nothing.
    """
    queue = controller.queue.view(shown)
    return {
        "name": controller.name,
        "reconciles": str(controller.reconciles),
        "running": controller.running,
        "waitsFor": sorted(
            str(resource) for resource, cache in controller.cache.items() if not cache.is_synced
        ),
        "workers": controller.workers,
        "depth": queue.depth,
        "ready": [str(key) for key in queue.ready_items],
        "processing": {
            "count": queue.processing,
            "items": [
                {"object": str(key), "seconds": round(seconds, 3)} for key, seconds in queue.processing_items
            ],
        },
        "waiting": {
            "count": queue.delayed,
            "items": [
                {"object": str(key), "dueInSeconds": round(seconds, 3), "retries": retries}
                for key, seconds, retries in queue.delayed_items
            ],
        },
        "failing": {
            "count": len(controller.failures),
            "items": [
                {
                    "object": str(key),
                    "error": failure.error,
                    "at": datetime.fromtimestamp(failure.at, UTC).isoformat(timespec="seconds"),
                    "retries": controller.queue.retries(key),
                }
                for key, failure in islice(reversed(controller.failures.items()), shown)
            ],
        },
    }
