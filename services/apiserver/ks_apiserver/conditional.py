"""Conditional requests: a list that has not changed since is answered by 304, without its items (RFC 9110).

A tag is strong: it names every version that an answer was computed from, and what was asked.
"""

import hashlib
import secrets
from collections.abc import Iterable

from kubekit.cache import Cache
from servicekit.paging import PageQuery

_PROCESS = secrets.token_hex(8)
"""Caches count their changes from when the process started; the count of another one means something else."""

HEADERS = {"Cache-Control": "private, no-cache"}
"""With each answer that carries a tag: ask again each time, and keep it for nobody else."""


def tag(caches: Iterable[Cache | None], query: PageQuery, *view: object) -> str:
    """The entity tag of what `caches` answer to `query` and `view`: what else was asked, and by whom, as far
    as that matters.
    """
    versions = [
        (cache.resource.group, cache.resource.version, cache.resource.plural, cache.changes)
        for cache in caches
        if cache is not None
    ]
    conditions = query.conditions.match, query.conditions.fuzzy
    page = query.limit, query.offset, query.order_by, query.reverse, conditions
    digest = hashlib.blake2b(repr((_PROCESS, versions, page, view)).encode(), digest_size=16)
    return f'"{digest.hexdigest()}"'


def is_known(entity_tag: str, if_none_match: str) -> bool:
    """Whether the header If-None-Match names this tag."""
    if not entity_tag or not if_none_match:
        return False
    return if_none_match.strip() == "*" or entity_tag in (
        each.strip().removeprefix("W/") for each in if_none_match.split(",")
    )
