"""One connection: the pages that it watches, each looked at again and again, told when it has changed.

Changes are told at most once every `INTERVAL` for each page, all that happened meanwhile at once; and not
before what was told last is on its way, so a slow reader gets fewer messages, never older ones.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from ks_apiserver.resources.search import Search
from ks_apiserver.watching.pages import WatchedPage
from servicekit.errors import BadRequest, ServiceError
from servicekit.identity import Identity

INTERVAL = 0.5
"""Seconds between looks at a page."""
MOST_PAGES = 16
"""Pages of one connection."""
_MAX_ID = 64

Send = Callable[[bytes], Awaitable[None]]


class WatchSession:
    """What one connection is told. What the caller may see is decided anew at each look."""

    def __init__(self, search: Search, caller: Identity, send: Send) -> None:
        self._search = search
        self._caller = caller
        self._send = send
        self._pages: dict[str, WatchedPage] = {}
        self._failing: dict[str, str] = {}

    async def take(self, text: str | bytes) -> None:
        """A message of the client's: `{"id", "resource", "namespace", "query"}` watches a page, in place of
        the one of that id; `{"id", "close": true}` ends it.
        """
        name = ""
        try:
            asked = _read(text)
            name = asked["id"]
            if asked.get("close") is True:
                self._forget(name)
                return
            if name not in self._pages and len(self._pages) >= MOST_PAGES:
                raise BadRequest(f"{MOST_PAGES} pages are watched, which is the most")
            self._pages[name] = WatchedPage.of(asked)
        except ServiceError as error:
            await self._refuse(name, error)

    async def run(self) -> None:
        """Looks at the pages until it is cancelled."""
        while True:
            for name, page in list(self._pages.items()):
                await self._look(name, page)
            await asyncio.sleep(INTERVAL)

    async def _look(self, name: str, page: WatchedPage) -> None:
        try:
            found = await self._search.look(
                self._caller, page.resource, page.query, page.namespace, page.version
            )
        except ServiceError as error:
            await self._failed(name, page, error)
            return
        self._failing.pop(name, None)
        page.version = found.version
        delta = page.delta(found.page) if found.page is not None else None
        if delta is not None and self._pages.get(name) is page:
            await self._send(orjson.dumps({"id": name, **delta}))

    async def _failed(self, name: str, page: WatchedPage, error: ServiceError) -> None:
        """An outage is told once, and waited for; a refusal ends the page."""
        if self._pages.get(name) is not page or self._failing.get(name) == error.reason:
            return
        if error.status < 500:
            self._forget(name)
        else:
            self._failing[name] = error.reason
        await self._refuse(name, error)

    def _forget(self, name: str) -> None:
        self._pages.pop(name, None)
        self._failing.pop(name, None)

    async def _refuse(self, name: str, error: ServiceError) -> None:
        told = {"status": error.status, "message": error.message, "reason": error.reason}
        await self._send(orjson.dumps({"id": name, "error": told}))


def _read(text: str | bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(text)
    except orjson.JSONDecodeError:
        asked = None
    if not isinstance(asked, dict):
        raise BadRequest("a message must be a JSON object")
    name = asked.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_ID:
        raise BadRequest(f"id: must be a text of 1 to {_MAX_ID} characters")
    return asked
