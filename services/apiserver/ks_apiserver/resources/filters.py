"""Conditions of a search as filters on objects at rest; some look into the caches of other kinds."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from ks_apiserver import conditions as generic
from ks_apiserver.conditions import LABEL, Test
from ks_apiserver.resources import status
from ks_apiserver.resources.kinds import ABNORMAL, OWNER, USER_FACING, Kind
from kubekit.cache import Cache, Row
from kubekit.ordering import TextFn
from kubekit.store import Key
from servicekit.paging import Conditions


@dataclass(frozen=True, slots=True)
class Filter:
    """Keeps some rows: by a test and, where an index or another cache knows them, by what narrows it."""

    test: Test
    index: tuple[str, str] | None = None
    """The rows that an index files under a value: exactly those that pass the test."""
    keys: Collection[Key] | None = None
    """The keys of all rows that pass the test."""
    text: tuple[TextFn, str] | None = None
    """A text of the rows, and the part that is in that of those which pass the test."""


@dataclass(frozen=True, slots=True)
class Related:
    """The caches that pods are found through, filled."""

    replica_sets: Cache | None = None
    """With the index OWNER."""
    services: Cache | None = None


def related_kinds(kind: Kind, conditions: Conditions) -> Iterator[str]:
    """The kinds whose caches `filters` needs for these conditions: `replicasets` and `services`, or none."""
    if kind.name == "pods":
        if conditions.match.get("ownerKind") == "Deployment":
            yield "replicasets"
        if "serviceName" in conditions.match:
            yield "services"


def filters(kind: Kind, cache: Cache, conditions: Conditions, related: Related) -> list[Filter]:
    """One filter for each condition. `cache` holds the kind."""
    found = [_match(kind, cache, key, value, conditions, related) for key, value in conditions.match.items()]
    return found + [_fuzzy(key, value) for key, value in conditions.fuzzy.items()]


def _match(
    kind: Kind, cache: Cache, key: str, value: str, conditions: Conditions, related: Related
) -> Filter:
    if key in kind.equal:
        return _indexed(kind.equal[key], value)
    if key in kind.either:
        return _one_of(kind.either[key], value)
    for pair, index in kind.paired.items():
        if key in pair:
            owner, name = (conditions.match.get(part, "") for part in pair)
            if kind.name == "pods" and owner == "Deployment":
                return _of_deployment(cache, name, related.replica_sets)
            return _indexed(index, f"{owner}/{name}")
    if kind.name == "pods" and key == "serviceName":
        return _behind_service(value, related.services)
    special = _SPECIAL.get((kind.name, key))
    if special is not None:
        return special(value)
    if key == "name":
        return Filter(generic.has_name(value))
    if key == "keyword":
        return Filter(generic.has_keyword(value))
    return Filter(generic.has_label(key, value), index=(LABEL, f"{key}={value}"))


def _fuzzy(key: str, part: str) -> Filter:
    if key == "name":
        return Filter(generic.has_name_like(part), text=(generic.called, part))
    test = _FUZZY.get(key)
    return Filter(test(part) if test else generic.has_label_like(key, part))


_FUZZY: dict[str, Callable[[str], Test]] = {
    "label": generic.has_any_label_like,
    "annotation": generic.has_any_annotation_like,
    "app": generic.is_of_chart_like,
}


def _indexed(index: str, value: str) -> Filter:
    return Filter(lambda row: value in row.values(index), index=(index, value))


def _one_of(index: str, values: str) -> Filter:
    wanted = frozenset(values.split("|"))
    return Filter(lambda row: not wanted.isdisjoint(row.values(index)))


def _of_deployment(pods: Cache, deployment: str, replica_sets: Cache | None) -> Filter:
    """Pods of the replica sets of the deployments of that name, each in its namespace."""
    assert replica_sets is not None
    keys = {
        pod
        for owner in replica_sets.keys_by(OWNER, f"Deployment/{deployment}")
        for pod in pods.keys_by(OWNER, f"ReplicaSet/{owner.name}")
        if pod.namespace == owner.namespace
    }
    return Filter(lambda row: row.key in keys, keys=keys)


def _behind_service(service: str, services: Cache | None) -> Filter:
    """Pods that the service of that name in their namespace selects; none, when it selects nothing."""
    assert services is not None
    selected: dict[str | None, frozenset[str]] = {}

    def test(row: Row) -> bool:
        if row.namespace not in selected:
            found = services.get(service, row.namespace) or {}
            selector = (found.get("spec") or {}).get("selector") or {}
            selected[row.namespace] = frozenset(f"{key}={value}" for key, value in selector.items())
        pairs = selected[row.namespace]
        return bool(pairs) and pairs <= set(row.values(LABEL))

    return Filter(test)


def _without_owner(kind: str) -> Callable[[str], Filter]:
    """For `include...=false`: objects that nothing of that kind owns. Any other value keeps all."""
    prefix = f"{kind}/"

    def make(value: str) -> Filter:
        if value != "false":
            return Filter(_always)
        return Filter(lambda row: not any(owner.startswith(prefix) for owner in row.values(OWNER)))

    return make


def _user_facing(value: str) -> Filter:
    return _indexed(USER_FACING, "true") if value == "true" else Filter(_always)


def _abnormal(value: str) -> Filter:
    if value == status.TRUE:
        return _indexed(ABNORMAL, value)
    return Filter(lambda row: not row.values(ABNORMAL))


def _of_role(role: str) -> Filter:
    """Nodes that carry the label of a role, whatever its value."""
    label = f"node-role.kubernetes.io/{role}"
    return Filter(lambda row: generic.label_of(row, label) is not None)


def _always(_: Row) -> bool:
    return True


_SPECIAL: dict[tuple[str, str], Callable[[str], Filter]] = {
    ("jobs", "includeCronJob"): _without_owner("CronJob"),
    ("jobs", "includeS2iRun"): _without_owner("S2iRun"),
    ("pods", "abnormal"): _abnormal,
    ("roles", "userfacing"): _user_facing,
    ("clusterroles", "userfacing"): _user_facing,
    ("nodes", "role"): _of_role,
}
"""Keys of one kind that are more than a value in an index."""
