"""What a search finds, in plain Python: every object is read, tested and sorted.

The conditions, computed states and orders are those of v2.1.1 (pkg/models/resources); written anew here, so
that a fault of the service's own tables is not repeated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
Asked = Mapping[str, str]
DISPLAY_NAME = "kubesphere.io/alias-name"
CREATOR = "kubesphere.io/creator"
WORKSPACE = "kubesphere.io/workspace"


@dataclass(frozen=True, slots=True)
class World:
    """The objects of other kinds that pods are found through."""

    replica_sets: Sequence[Object] = ()
    services: Sequence[Object] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A search: `match` and `fuzzy` are its conditions, `limit` -1 means everything."""

    namespace: str | None = None
    match: Asked = field(default_factory=dict[str, str])
    fuzzy: Asked = field(default_factory=dict[str, str])
    order: str = "createTime"
    reverse: bool = False
    limit: int = -1
    page: int = 1


def found(resource: str, items: Sequence[Object], asked: Question, world: World) -> tuple[int, list[str]]:
    """How many there are, and the uids of those on the page."""
    kept = [item for item in items if _keeps(resource, item, asked, world)]
    order = ORDERS.get((resource, asked.order), _GENERIC_ORDERS.get(asked.order, _no_time))
    kept.sort(key=lambda item: (order(item), item["metadata"]["name"], namespace_of(item) or ""))
    if asked.reverse:
        kept.reverse()
    start = (asked.page - 1) * asked.limit
    shown = kept if asked.limit < 0 else kept[start : start + asked.limit]
    return len(kept), [item["metadata"]["uid"] for item in shown]


def _keeps(resource: str, item: Object, asked: Question, world: World) -> bool:
    if asked.namespace is not None and namespace_of(item) != asked.namespace:
        return False
    of_kind = MATCH.get(resource, {})
    for key, value in asked.match.items():
        test = of_kind.get(key)
        if test is not None:
            kept = test(item, value, asked.match, world)
        else:
            kept = _GENERIC_MATCH.get(key, _labelled(key))(item, value)
        if not kept:
            return False
    return all(_GENERIC_FUZZY.get(key, _labelled_like(key))(item, part) for key, part in asked.fuzzy.items())


def namespace_of(item: Object) -> str | None:
    return item["metadata"].get("namespace")


def meta(item: Object, part: str) -> dict[str, str]:
    return item["metadata"].get(part) or {}


def owners(item: Object) -> list[tuple[str, str]]:
    return [(each["kind"], each["name"]) for each in item["metadata"].get("ownerReferences") or ()]


def _in_any(part: str, pairs: Mapping[str, str]) -> bool:
    return not part or any(part in key or part in value for key, value in pairs.items())


def _has_keyword(item: Object, value: str) -> bool:
    labels, notes = meta(item, "labels"), meta(item, "annotations")
    return value in item["metadata"]["name"] or _in_any(value, labels) or _in_any(value, notes)


def _is_called_like(item: Object, part: str) -> bool:
    return part in item["metadata"]["name"] or part in meta(item, "annotations").get(DISPLAY_NAME, "")


def _labelled(key: str) -> Callable[[Object, str], bool]:
    return lambda item, value: meta(item, "labels").get(key) == value


def _labelled_like(key: str) -> Callable[[Object, str], bool]:
    return lambda item, part: (
        part in meta(item, "labels").get(key, "") if part else not meta(item, "labels").get(key)
    )


_GENERIC_MATCH: dict[str, Callable[[Object, str], bool]] = {
    "name": lambda item, value: item["metadata"]["name"] in value.split("|"),
    "keyword": _has_keyword,
}
_GENERIC_FUZZY: dict[str, Callable[[Object, str], bool]] = {
    "name": _is_called_like,
    "label": lambda item, part: _in_any(part, meta(item, "labels")),
    "annotation": lambda item, part: _in_any(part, meta(item, "annotations")),
    "app": lambda item, part: any(part in meta(item, "labels").get(key, "") for key in ("chart", "release")),
}

# The conditions of each kind.

Match = Callable[[Object, str, Asked, World], bool]


def _state(compute: Callable[[Object], str]) -> dict[str, Match]:
    return {"status": lambda item, value, *_: compute(item) == value}


def replicated(item: Object) -> str:
    wanted, ready = item["spec"].get("replicas"), item["status"].get("readyReplicas", 0)
    if wanted is None or wanted == ready == 0:
        return "stopped"
    return "running" if wanted == ready else "updating"


def daemon_set(item: Object) -> str:
    available = item["status"].get("numberAvailable", 0)
    if not available:
        return "stopped"
    return "running" if available == item["status"]["desiredNumberScheduled"] else "updating"


def job(item: Object) -> str:
    status = item["status"]
    if status.get("active", 0) > 0:
        return "running"
    return "complete" if status.get("succeeded", 0) > 0 and not status.get("failed", 0) else "failed"


def claim(item: Object) -> str:
    return item["status"].get("phase", "Pending").lower()


def node(item: Object) -> str:
    if item["spec"].get("unschedulable"):
        return "unschedulable"
    said = {each["type"]: each["status"] for each in item["status"].get("conditions", ())}
    bad = said.get("Ready", "True") != "True" or said.get("MemoryPressure", "False") != "False"
    return "warning" if bad else "running"


def is_abnormal(pod: Object) -> bool:
    status, metadata = pod["status"], pod["metadata"]
    if "deletionTimestamp" in metadata:
        return False
    started = status.get("containerStatuses", [])
    for each in [*started, *status.get("initContainerStatuses", [])]:
        state = each.get("state", {})
        stuck = state.get("waiting", {}).get("reason", "") not in ("", "ContainerCreating", "PodInitializing")
        if status.get("phase") != "Succeeded" and (
            stuck or state.get("terminated", {}).get("exitCode", 0) != 0
        ):
            return True
    match status.get("phase"):
        case "Failed":
            return True
        case "Pending":
            return {"type": "PodScheduled", "status": "False"} in status.get("conditions", [])
        case "Running":
            return [each for each in started if not each.get("ready")] != []
    return False


def _pair(kind_key: str, name_key: str, test: Callable[[Object, str, str, World], bool]) -> dict[str, Match]:
    def match(item: Object, _: str, asked: Asked, world: World) -> bool:
        return test(item, asked.get(kind_key, ""), asked.get(name_key, ""), world)

    return {kind_key: match, name_key: match}


def _pod_is_owned(pod: Object, kind: str, name: str, world: World) -> bool:
    if kind != "Deployment":
        return (kind, name) in owners(pod)
    return any(
        namespace_of(each) == namespace_of(pod) and ("ReplicaSet", each["metadata"]["name"]) in owners(pod)
        for each in world.replica_sets
        if ("Deployment", name) in owners(each)
    )


def _is_behind(pod: Object, service: str, _: Asked, world: World) -> bool:
    for each in world.services:
        if (each["metadata"]["name"], namespace_of(each)) == (service, namespace_of(pod)):
            selector = each["spec"].get("selector") or {}
            return bool(selector) and selector.items() <= meta(pod, "labels").items()
    return False


def _mounts(pod: Object, claim_name: str, *_: Any) -> bool:
    volumes = pod["spec"].get("volumes", ())
    return any(each.get("persistentVolumeClaim", {}).get("claimName") == claim_name for each in volumes)


def _without(owner: str) -> Match:
    def match(item: Object, value: str, *_: Any) -> bool:
        return value != "false" or all(kind != owner for kind, _ in owners(item))

    return match


def _role_is_owned(item: Object, kind: str, name: str, _: World) -> bool:
    return any(kind == of and name in ("", called) for of, called in owners(item))


def _made_by_somebody(item: Object) -> bool:
    return bool(meta(item, "annotations").get(CREATOR))


MATCH: dict[str, dict[str, Match]] = {
    "pods": {
        "nodeName": lambda item, value, *_: item["spec"].get("nodeName", "") == value,
        "pvcName": _mounts,
        "serviceName": _is_behind,
        "abnormal": lambda item, value, *_: is_abnormal(item) == (value == "true"),
        **_pair("ownerKind", "ownerName", _pod_is_owned),
    },
    "deployments": _state(replicated),
    "statefulsets": _state(replicated),
    "daemonsets": _state(daemon_set),
    "jobs": _state(job) | {"includeCronJob": _without("CronJob"), "includeS2iRun": _without("S2iRun")},
    "cronjobs": _state(lambda item: "paused" if item["spec"].get("suspend") else "running"),
    "persistentvolumeclaims": {
        "status": lambda item, value, *_: claim(item) in value.split("|"),
        "storageClassName": lambda item, value, *_: item["spec"].get("storageClassName") == value,
    },
    "secrets": {"type": lambda item, value, *_: item.get("type", "") == value},
    "roles": {"userfacing": lambda item, value, *_: value != "true" or _made_by_somebody(item)},
    "horizontalpodautoscalers": _pair(
        "targetKind",
        "targetName",
        lambda item, kind, name, _: item["spec"]["scaleTargetRef"] == {"kind": kind, "name": name},
    ),
    "s2iruns": _state(lambda item: item["status"].get("runState", "")),
    "nodes": _state(node)
    | {"role": lambda item, value, *_: f"node-role.kubernetes.io/{value}" in meta(item, "labels")},
    "clusterroles": {
        "userfacing": lambda item, value, *_: (
            value != "true" or (_made_by_somebody(item) and not meta(item, "labels").get(WORKSPACE))
        ),
        **_pair("ownerKind", "ownerName", _role_is_owned),
    },
}


def _no_time(_: Object) -> str:
    return ""


def _latest(*names: str) -> Callable[[Object], str]:
    def order(item: Object) -> str:
        conditions = item["status"].get("conditions", ())
        times = [each[name] for each in conditions for name in names if name in each]
        return max([item["metadata"]["creationTimestamp"], *times])

    return order


_GENERIC_ORDERS: dict[str, Callable[[Object], str]] = {
    "createTime": lambda item: item["metadata"]["creationTimestamp"]
}
ORDERS: dict[tuple[str, str], Callable[[Object], str]] = {
    ("pods", "startTime"): lambda item: item["status"].get("startTime", "~"),
    ("deployments", "updateTime"): _latest("lastUpdateTime"),
    ("jobs", "updateTime"): _latest("lastProbeTime", "lastTransitionTime"),
    ("cronjobs", "lastScheduleTime"): lambda item: item["status"].get("lastScheduleTime", ""),
}
