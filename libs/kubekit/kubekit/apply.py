"""Bringing the cluster to wanted objects by writing only what differs from the cache.

What is compared is what is wanted: fields that others set, or that the API server defaults, are left alone.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from kubekit.objects import controller_of, owner_reference
from kubekit.resource import Object

_SETS = frozenset({"ownerReferences", "finalizers"})
_GIVEN = frozenset({"resourceVersion", "uid", "creationTimestamp", "generation", "managedFields"})


class OwnedByAnother(Exception):
    """The object has another controller, so it is not ours to change."""


def covers(present: Any, wanted: Any) -> bool:
    """Whether `present` already says all that `wanted` says.

    Mappings may hold more than is wanted. Lists must hold the same items in the same order, each covering its
    counterpart. What is wanted empty (None, {}, [], "") may be absent: the API drops it.
    """
    if type(wanted) is str and wanted:  # most values are
        return type(present) is str and present == wanted
    if wanted in (None, {}, [], "") and present in (None, {}, [], ""):
        return True
    if isinstance(wanted, Mapping):
        if not isinstance(present, Mapping):
            return False
        have, want = cast("Mapping[str, Any]", present), cast("Mapping[str, Any]", wanted)
        return all(covers(have.get(name), value) for name, value in want.items())
    if isinstance(wanted, list):
        if not isinstance(present, list):
            return False
        has, wants = cast("list[Any]", present), cast("list[Any]", wanted)
        return len(has) == len(wants) and all(map(covers, has, wants))
    return type(present) is type(wanted) and present == wanted


def differs(present: Object, wanted: Object) -> bool:
    """Whether writing `wanted` would change `present`; owners and finalizers of others do not count."""
    rest = {name: value for name, value in wanted.items() if name not in {"metadata", "apiVersion", "kind"}}
    want: dict[str, Any] = wanted["metadata"]
    have: dict[str, Any] = present["metadata"]
    plain = {name: value for name, value in want.items() if name not in _SETS and name not in _GIVEN}
    return (
        not covers(present, rest)
        or not covers(have, plain)
        or not all(_includes(have.get(name) or [], want.get(name) or []) for name in _SETS)
    )


def _includes(present: list[Any], wanted: list[Any]) -> bool:
    return all(any(covers(there, one) for there in present) for one in wanted)


def owned(owner: Object, obj: Object) -> Object:
    """A copy of `obj` whose controller is `owner`. Raises ValueError where the API forbids that."""
    namespace = owner["metadata"].get("namespace")
    if namespace is not None and obj["metadata"].get("namespace") != namespace:
        raise ValueError(
            f"{obj['kind']} {obj['metadata']['name']} cannot be owned by "
            f"{owner['kind']} {owner['metadata']['name']}: "
            f"a namespaced owner owns only within its namespace {namespace}"
        )
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [owner_reference(owner)]}}


def check_owner(owner: Object, present: Object) -> None:
    """Raises OwnedByAnother when `present` is controlled by somebody other than `owner`."""
    controller = controller_of(present)
    if controller is not None and controller["uid"] != owner["metadata"]["uid"]:
        raise OwnedByAnother(
            f"{present['kind']} {present['metadata']['name']} belongs to "
            f"{controller['kind']} {controller['name']}, not to {owner['kind']} {owner['metadata']['name']}"
        )


def role_ref_changed(present: Object, wanted: Object) -> bool:
    """Whether a binding is to name another role, for which it must be deleted and created."""
    return "roleRef" in wanted and not covers(present.get("roleRef"), wanted["roleRef"])


def keep_items(present: Object, wanted: Object, field: str, by: Iterable[str]) -> Object:
    """A copy of `wanted` whose list `field` also holds what others appended to it in `present`.

    Items are the same when they agree in the fields `by`: for a binding's subjects ("kind", "name",
    "namespace"). The order is that of `present`, then what is new, so an unchanged list stays as it is.
    """
    names = tuple(by)

    def identity(item: Object) -> tuple[Any, ...]:
        return tuple(item.get(name) or None for name in names)

    wanting: list[Object] = wanted.get(field) or []
    there: list[Object] = present.get(field) or []
    want: dict[tuple[Any, ...], Object] = {identity(item): item for item in wanting}
    kept: list[Object] = [want.pop(identity(item), item) for item in there]
    return {**wanted, field: [*kept, *want.values()]}
