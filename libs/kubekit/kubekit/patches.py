"""What a patch makes of an object, computed here rather than by the API server.  Pure."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from kubekit.resource import Object

_SETS: dict[str, Callable[[Any], Any]] = {
    "finalizers": lambda item: item,
    "ownerReferences": lambda item: item["uid"],
}
"""Lists of metadata that appliers share: what tells their items apart."""


def merged(present: Any, patch: Any) -> Any:
    """A JSON merge patch: https://www.rfc-editor.org/rfc/rfc7386."""
    if not isinstance(patch, Mapping):
        return patch
    result: dict[str, Any] = {}
    if isinstance(present, Mapping):
        result |= cast("Mapping[str, Any]", present)
    for name, value in cast("Mapping[str, Any]", patch).items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def applied(present: Object, wanted: Object) -> Object:
    """A server-side apply of `wanted` by somebody who applied no more before.

    Lists are taken as atomic, but for those that appliers share: that of an object of an unknown schema is.
    """
    result = _laid_over(present, wanted)
    for name, identity in _SETS.items():
        wants: list[Any] = wanted["metadata"].get(name) or []
        have: list[Any] = present["metadata"].get(name) or []
        if wants and have:
            new = {identity(item): item for item in wants}
            kept = [new.pop(identity(item), item) for item in have]
            result["metadata"][name] = [*kept, *new.values()]
    return result


def _laid_over(present: Any, wanted: Any) -> Any:
    if not isinstance(wanted, Mapping) or not isinstance(present, Mapping):
        return cast("Any", wanted)
    have, want = cast("Mapping[str, Any]", present), cast("Mapping[str, Any]", wanted)
    return {**have, **{name: _laid_over(have.get(name), value) for name, value in want.items()}}
