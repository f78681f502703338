"""What differs between two objects, field by field; pure."""

from collections.abc import Iterator
from typing import Any, TypedDict

IGNORED = frozenset(
    f"/metadata/{name}"
    for name in ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink")
)
"""What the server keeps, and no manifest says."""


class Change(TypedDict, total=False):
    """One field that differs: `path` is a JSON pointer (RFC 6901)."""

    op: str
    """`add`, `remove` or `replace`."""
    path: str
    before: Any
    after: Any


def difference(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """The changes that make `after` of `before`. Lists are compared place by place."""
    if path in IGNORED or before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_fields(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_fields(dict(enumerate(before)), dict(enumerate(after)), path)
    else:
        yield Change(op="replace", path=path, before=before, after=after)


def _of_fields(before: dict[Any, Any], after: dict[Any, Any], path: str) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        at = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
        if at in IGNORED:
            continue
        if key not in before:
            yield Change(op="add", path=at, after=after[key])
        elif key not in after:
            yield Change(op="remove", path=at, before=before[key])
        else:
            yield from difference(before[key], after[key], at)
