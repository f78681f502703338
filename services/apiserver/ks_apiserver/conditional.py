"""Conditional requests: a list that has not changed since is answered by 304, without its items (RFC 9110).

A tag is strong: it names every version that an answer was computed from, and what was asked.
"""

import hashlib
import secrets

from kubekit.cache import Cache

_PROCESS = secrets.token_hex(8)
"""Caches count their changes from when the process started; the count of another one means something else."""

HEADERS = {"Cache-Control": "private, no-cache"}
"""With each answer that carries a tag: ask again each time, and keep it for nobody else."""


def tag(caches: list[Cache], *view: object) -> str:
    """The entity tag of what `caches` answer to `view`: who asks, as far as that matters, and what for."""
    versions = [(str(cache.resource), cache.resource.version, cache.changes) for cache in caches]
    digest = hashlib.blake2b(repr((_PROCESS, versions, view)).encode(), digest_size=16)
    return f'"{digest.hexdigest()}"'


def is_known(entity_tag: str, if_none_match: str) -> bool:
    """Whether the header If-None-Match names this tag."""
    if not entity_tag or not if_none_match:
        return False
    return if_none_match.strip() == "*" or entity_tag in (
        each.strip().removeprefix("W/") for each in if_none_match.split(",")
    )
