"""One search over every kind that is cached, of what the caller may list, the likeliest first.

An object is found by its name or by what people call it. Ranked are, each in order of the name: the name
itself, names that begin with what is asked for, names of which a word does, other names, what people call it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain, islice
from typing import Any

from ks_apiserver.conditions import called
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.kinds import KINDS, Kind
from ks_apiserver.resources.objects import Objects
from kubekit.cache import Row
from kubekit.rbac import ALL
from kubekit.rbac.policy import Namespaces
from servicekit.errors import Unavailable
from servicekit.identity import Identity

RANKED = 2_000
"""Of a kind's objects, how many are ranked that do not begin with what is asked for."""
_WORD_STARTS = ("-", ".", ":")


@dataclass(frozen=True, slots=True)
class Hit:
    """An object that was found; they sort as they are ranked."""

    rank: int
    name: str
    kind: str
    row: Row

    def __lt__(self, other: "Hit") -> bool:
        return self._order < other._order

    @property
    def _order(self) -> tuple[int, str, str, str]:
        return self.rank, self.name, self.kind, self.row.namespace or ""


class Finder:
    """Reads the caches that searches of one kind read."""

    def __init__(self, objects: Objects, access: Access) -> None:
        self._objects = objects
        self._access = access

    async def find(self, caller: Identity, text: str, limit: int) -> dict[str, Any]:
        """The first `limit` of all objects that are called like `text`, and how many there are.

        `missing` names the kinds whose objects could not be read yet, if there are any.
        """
        wanted = text.strip().casefold()
        hits: list[Hit] = []
        total, missing = 0, list[str]()
        for kind in KINDS.values():
            where = frozenset[str]() if kind.as_caller else self._access.lister_of(caller, kind.served[0])
            if not wanted or (where is not ALL and not where):
                continue
            try:
                cache = await self._objects.cached(kind)
            except Unavailable:
                missing.append(kind.name)
                continue
            found = _visible(cache.select().containing(searched, wanted).rows(), where)
            total += len(found)
            hits += _best(found, wanted, limit, kind)
        items = [_told(hit) for hit in nsmallest(limit, hits)]
        return {"items": items, "total_count": total, **({"missing": missing} if missing else {})}


def searched(row: Row) -> str:
    """The text of an object that is searched: what it is called, whatever the case."""
    return called(row).casefold()


def _visible(rows: Sequence[Row], where: Namespaces) -> Sequence[Row]:
    return rows if where is ALL else [row for row in rows if row.key.namespace in where]


def _best(rows: Sequence[Row], text: str, limit: int, kind: Kind) -> Iterator[Hit]:
    """At least the first `limit` of one kind. `rows` are in order of the name."""
    begin = list(islice((row for row in rows if row.key.name.startswith(text)), limit))
    others: Iterable[Row] = ()
    if len(begin) < limit:
        others = islice((row for row in rows if not row.key.name.startswith(text)), RANKED)
    ranked = (Hit(_rank(row.name, text), row.name, kind.name, row) for row in chain(begin, others))
    return iter(nsmallest(limit, ranked))


def _rank(name: str, text: str) -> int:
    if name.startswith(text):
        return 0 if name == text else 1
    if any(f"{start}{text}" in name for start in _WORD_STARTS):
        return 2
    return 3 if text in name else 4


def _told(hit: Hit) -> dict[str, Any]:
    _, _, display_name = called(hit.row).partition("\0")
    return {
        "resource": hit.kind,
        "kind": KINDS[hit.kind].served[0].kind,
        "name": hit.name,
        "namespace": hit.row.namespace or "",
        "displayName": display_name,
        "createTime": hit.row.created,
    }
