"""Takes files anew when they change. Connections stay; a file that cannot be used changes nothing."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from ks_apigateway import routes
from ks_apigateway.gateway import Gateway
from ks_apigateway.routes import RoutesError, Table

log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two looks. A ConfigMap's file is a link that is replaced, which a watch on the file
misses.
"""


class FileWatch:
    """Calls `changed` after any of `paths` has changed."""

    def __init__(self, paths: Sequence[Path], changed: Callable[[], object]) -> None:
        self._paths = paths
        self._changed = changed
        self._seen = self._state()

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            state = self._state()
            if state != self._seen:
                self._seen = state
                self._changed()

    def _state(self) -> list[tuple[int, int, int] | None]:
        return [_state_of(path) for path in self._paths]


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def reload_routes(gateway: Gateway, path: Path) -> bool:
    """Takes the file as it is now; says in the log why it cannot, and then returns False."""
    try:
        apply(gateway, routes.load(path))
    except (RoutesError, ValueError) as error:
        log.error("the routes stay as they were: %s", error)
        return False
    log.info("the routes of %s are in effect", path)
    return True


def apply(gateway: Gateway, file: routes.RoutesFile) -> None:
    """Puts `file` into effect. Raises ValueError, and changes nothing, when an address in it is none."""
    table = Table(file.routes)
    gateway.upstreams.update(file.upstreams)
    gateway.table = table
    gateway.forwards.forget()
    gateway.limiter.forget_routes()
