"""Pages of a list, as KubeSphere v2.1.1 reads them from a query and answers them.

    ?paging=limit=10,page=2&orderBy=createTime&reverse=true&conditions=status=running,name~web

`limit=-1` asks for everything. What is not such a paging falls back to ten from the start. In conditions, `=`
asks for an exact value and `~` for one that contains it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Generic, TypeVar

import orjson
from pydantic import Field, WithJsonSchema

from servicekit.errors import BadRequest

DEFAULT_LIMIT = 10
DEFAULT_MAXIMUM = 50_000
ALL = -1

_PAGING = re.compile(r"limit=(-?[0-9]+),page=([0-9]+)")
_HUGE = 10**18
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))

T = TypeVar("T")

Json = Annotated[bytes, WithJsonSchema({"type": "object"})]
"""An object that is JSON already."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of a list, and how many there are in all. Items may be JSON already, as bytes."""

    items: Sequence[T]
    total: Annotated[int, Field(serialization_alias="total_count")]

    def to_json(self) -> dict[str, Any]:
        items = [orjson.Fragment(item) if isinstance(item, bytes) else item for item in self.items]
        return {"items": items, "total_count": self.total}


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which objects: `match` by equal values, `fuzzy` by values that contain the text."""

    match: Mapping[str, str] = field(default_factory=dict[str, str])
    fuzzy: Mapping[str, str] = field(default_factory=dict[str, str])

    def __bool__(self) -> bool:
        return bool(self.match or self.fuzzy)


@dataclass(frozen=True, slots=True)
class PageQuery:
    """Which page of what, in which order. `limit` -1 means all of it; `order_by` and `reverse` are None when
    the client does not say."""

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    order_by: str | None = None
    reverse: bool | None = None
    conditions: Conditions = Conditions()
    maximum: int = DEFAULT_MAXIMUM
    """Items that one page may hold, whatever `limit` says."""

    def defaults(self, order_by: str | None = None, reverse: bool | None = None) -> "PageQuery":
        """The same, with this order where the client asked for none."""
        return replace(
            self,
            order_by=order_by if self.order_by is None else self.order_by,
            reverse=reverse if self.reverse is None else self.reverse,
        )

    def window(self, total: int) -> slice:
        """The part of a list of `total` items that is asked for. Raises BadRequest when it is above
        `maximum`."""
        start = min(self.offset, total)
        stop = total if self.limit < 0 else min(start + self.limit, total)
        if stop - start > self.maximum:
            raise BadRequest(
                f"parameter paging: the page would hold {stop - start} items, {self.maximum} is the most; "
                f"ask for pages, as in paging=limit={min(1000, self.maximum)},page=1",
                reason="PageTooLarge",
            )
        return slice(start, stop)

    def page(self, items: Sequence[T], total: int | None = None) -> Page[T]:
        """The page of `items`, all of them in order; or, when `total` is given, `items` is that page
        already."""
        if total is not None:
            return Page(items, total)
        return Page(items[self.window(len(items))], len(items))


def parse_page_query(query: Mapping[str, str], maximum: int = DEFAULT_MAXIMUM) -> PageQuery:
    """The page that the parameters in `query` ask for. Raises BadRequest when the conditions cannot be
    read."""
    limit, offset = parse_paging(query.get("paging", ""))
    return PageQuery(
        limit=limit,
        offset=offset,
        order_by=query.get("orderBy") or None,
        reverse=parse_bool(query.get("reverse", "")),
        conditions=parse_conditions(query.get("conditions", "")),
        maximum=maximum,
    )


def parse_paging(text: str) -> tuple[int, int]:
    """Limit and offset of `limit=10,page=2`. Page 0 is taken as the first, any negative limit as all."""
    match = _PAGING.fullmatch(text)
    if match is None:
        return DEFAULT_LIMIT, 0
    limit, page = _bounded(match[1]), _bounded(match[2])
    return (ALL, 0) if limit < 0 else (limit, max(page - 1, 0) * limit)


def _bounded(digits: str) -> int:
    if len(digits) > 18:
        return -_HUGE if digits.startswith("-") else _HUGE
    return int(digits)


def parse_bool(text: str) -> bool | None:
    """True or False as Go's strconv.ParseBool reads them; None for anything else."""
    return True if text in _TRUE else False if text in _FALSE else None


def parse_conditions(text: str) -> Conditions:
    """The conditions in `a=b,c~d`. Raises BadRequest when one of them has no `=` or `~`."""
    match: dict[str, str] = {}
    fuzzy: dict[str, str] = {}
    for item in text.split(",") if text else ():
        key, operator, value = _parse_condition(item)
        (match if operator == "=" else fuzzy)[key] = value
    return Conditions(match, fuzzy)


def _parse_condition(item: str) -> tuple[str, str, str]:
    """Of the first run of non-spaces with an operator in it, cut at the last operator, as in
    v2.1.1."""
    for word in re.split(r"[\t\n\f\r ]+", item):
        position = max(word.rfind("="), word.rfind("~"))
        if position > 0:
            return word[:position], word[position], word[position + 1 :]
    raise BadRequest(
        "parameter conditions: invalid conditions; write name=value or name~part, separated by commas"
    )
