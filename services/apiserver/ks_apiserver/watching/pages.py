"""A page that somebody looks at, and what has changed of it; no I/O."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from ks_apiserver.resources.kinds import KINDS
from ks_apiserver.resources.search import Version
from servicekit.errors import BadRequest
from servicekit.paging import Page, PageQuery, parse_page_query

MOST_ITEMS = 100
"""Of a page that is watched."""
_MAX_NAME = 253


class WatchedPage:
    """One query of a connection. `version` is that of the page as it was last told."""

    def __init__(self, resource: str, namespace: str | None, query: PageQuery) -> None:
        self.resource = resource
        self.namespace = namespace
        self.query = query
        self.version: Version = ()
        self._told: dict[bytes, str] = {}
        self._total = -1

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> "WatchedPage":
        """Reads `resource`, `namespace` and `query` (as in the URL of a list). Raises BadRequest."""
        resource, namespace, query = (asked.get(key, "") for key in ("resource", "namespace", "query"))
        if not all(isinstance(each, str) for each in (resource, namespace, query)):
            raise BadRequest("resource, namespace and query must be texts")
        if len(namespace) > _MAX_NAME:
            raise BadRequest("namespace: is too long")
        kind = KINDS.get(resource)
        if kind is None or kind.as_caller:
            raise BadRequest("resource: is none that can be watched")
        page = parse_page_query(dict(parse_qsl(query)))
        if not 0 < page.limit <= MOST_ITEMS:
            raise BadRequest(f"query: a page that is watched holds 1 to {MOST_ITEMS} items")
        return cls(resource, namespace or None, page)

    def delta(self, page: Page[bytes]) -> dict[str, Any] | None:
        """What differs from what was told before; None when nothing does.

        `order` are the uids of the page as it is now, `changed` the objects among them that are new or other.
        """
        now: dict[bytes, str] = {}
        changed: list[orjson.Fragment] = []
        for raw in page.items:
            uid = self._told.get(raw)
            if uid is None:
                uid = orjson.loads(raw)["metadata"]["uid"]
                changed.append(orjson.Fragment(raw))
            now[raw] = uid
        same = not changed and page.total == self._total and list(now.values()) == list(self._told.values())
        self._told, self._total = now, page.total
        if same:
            return None
        return {"total_count": page.total, "order": list(now.values()), "changed": changed}
