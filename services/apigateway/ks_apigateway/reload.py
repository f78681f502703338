"""Reads gateway.yaml again when it changes. Connections stay; a file that cannot be used changes nothing."""

import asyncio
import logging
from pathlib import Path

from ks_apigateway import routes
from ks_apigateway.gateway import Gateway
from ks_apigateway.routes import RoutesError, Table

log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two looks. A ConfigMap's file is a link that is replaced, which a watch on the file
misses.
"""


class Reloader:
    """Keeps the routes of `gateway` those of `path`."""

    def __init__(self, gateway: Gateway, path: Path) -> None:
        self._gateway = gateway
        self._path = path
        self._seen = self._state()

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            state = self._state()
            if state != self._seen:
                self._seen = state
                self.reload()

    def reload(self) -> bool:
        """Takes the file as it is now; says in the log why it cannot, and then returns False."""
        try:
            apply(self._gateway, routes.load(self._path))
        except (RoutesError, ValueError) as error:
            log.error("the routes stay as they were: %s", error)
            return False
        log.info("the routes of %s are in effect", self._path)
        return True

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def apply(gateway: Gateway, file: routes.RoutesFile) -> None:
    """Puts `file` into effect. Raises ValueError, and changes nothing, when an address in it is none."""
    table = Table(file.routes)
    gateway.upstreams.update(file.upstreams)
    gateway.table = table
