"""A search gives what reading everything would give: all conditions and orders of all 22 kinds."""

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from harness import search_reference
from harness.search_reference import CREATOR, DISPLAY_NAME, MATCH, ORDERS, WORKSPACE, Object, Question, World
from ks_apiserver.conditions import add_indexes
from ks_apiserver.resources.fields import owners
from ks_apiserver.resources.filters import Related, filters, related_kinds
from ks_apiserver.resources.kinds import KINDS, OWNER
from ks_apiserver.resources.objects import indexes_of
from ks_apiserver.resources.ordering import count, page
from kubekit.cache import Cache, IndexFn
from kubekit.resource import REPLICA_SETS, SERVICES, Resource
from servicekit.paging import parse_page_query

CASES = int(os.environ.get("KS_SEARCH_CASES", "60"))
"""Of each kind; run with 20,000 when searching changes."""

WORDS = st.sampled_from(["a", "ab", "abc", "b", "web", "web-1", "é", "x y", ""])
VALUES = st.sampled_from(["a", "ab", "web", "v1", ""])
NAMES = st.sampled_from(["a", "ab", "abc", "b", "web", "web-1", "web-10", "web-2"])
NAMESPACES = st.sampled_from(["n1", "n2", "n3"])
TIMES = st.integers(0, 5).map(lambda second: f"2026-01-01T00:00:0{second}Z")
FEW = st.integers(0, 2)
LABELS = ["app", "chart", "release", "tier", WORKSPACE, "node-role.kubernetes.io/master"]
OWNERS = ["ReplicaSet", "Deployment", "Job", "CronJob", "S2iRun", "Workspace"]


def some(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    """A part of an object that has any of `parts`, or none."""
    return st.fixed_dictionaries({}, optional=parts)


def conditions(*times: str) -> st.SearchStrategy[list[Object]]:
    return st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(times, TIMES)), max_size=2)


_REPLICATED = {"spec": some(replicas=FEW), "status": some(readyReplicas=FEW)}
_VOLUME = st.fixed_dictionaries(
    {}, optional={"persistentVolumeClaim": st.fixed_dictionaries({"claimName": NAMES})}
)
_VERDICT = st.sampled_from(["True", "False", "Unknown"])
_STATE = st.sampled_from(
    [
        {},
        {"running": {}},
        {"waiting": {"reason": "ContainerCreating"}},
        {"waiting": {"reason": "CrashLoopBackOff"}},
        {"terminated": {"exitCode": 0}},
        {"terminated": {"exitCode": 137}},
    ]
)
_CONTAINER = st.fixed_dictionaries({"state": _STATE, "ready": st.booleans()})
PARTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "pods": {
        "spec": some(nodeName=NAMES, volumes=st.lists(_VOLUME, max_size=2)),
        "status": some(
            startTime=TIMES,
            phase=st.sampled_from(["Pending", "Running", "Succeeded", "Failed", "Unknown"]),
            containerStatuses=st.lists(_CONTAINER, max_size=2),
            initContainerStatuses=st.lists(_CONTAINER, max_size=1),
            conditions=st.lists(
                st.fixed_dictionaries({"type": st.just("PodScheduled"), "status": _VERDICT}), max_size=1
            ),
        ),
    },
    "deployments": {
        "spec": some(replicas=FEW),
        "status": some(readyReplicas=FEW, conditions=conditions("lastUpdateTime")),
    },
    "statefulsets": _REPLICATED,
    "daemonsets": {
        "status": st.fixed_dictionaries({"desiredNumberScheduled": FEW}, optional={"numberAvailable": FEW})
    },
    "jobs": {
        "status": some(
            active=FEW,
            succeeded=FEW,
            failed=FEW,
            conditions=conditions("lastProbeTime", "lastTransitionTime"),
        )
    },
    "cronjobs": {"spec": some(suspend=st.booleans()), "status": some(lastScheduleTime=TIMES)},
    "persistentvolumeclaims": {
        "spec": some(storageClassName=NAMES),
        "status": some(phase=st.sampled_from(["Pending", "Bound", "Lost"])),
    },
    "secrets": {"type": st.sampled_from(["Opaque", "kubernetes.io/tls"])},
    "horizontalpodautoscalers": {
        "spec": st.fixed_dictionaries(
            {
                "scaleTargetRef": st.fixed_dictionaries(
                    {"kind": st.sampled_from(["Deployment", "StatefulSet"]), "name": NAMES}
                )
            }
        )
    },
    "s2iruns": {"status": some(runState=st.sampled_from(["Running", "Failed"]))},
    "nodes": {
        "spec": some(unschedulable=st.booleans()),
        "status": some(
            conditions=st.tuples(_VERDICT, _VERDICT).map(
                lambda said: [
                    {"type": "Ready", "status": said[0]},
                    {"type": "MemoryPressure", "status": said[1]},
                    {"type": "OfSomebodyElse", "status": "False"},
                ]
            )
        ),
    },
}
"""What objects of a kind have beside their metadata."""

ASKED: dict[str, st.SearchStrategy[str]] = {
    "name": st.sampled_from(["a", "web|b", "nosuch"]),
    "status": st.sampled_from(
        ["running", "stopped", "updating", "complete", "failed", "paused", "bound", "pending|lost",
         "warning", "unschedulable", "Running", "nosuch"]
    ),
    "ownerKind": st.sampled_from(["ReplicaSet", "Deployment", "Job", "Workspace"]),
    "targetKind": st.sampled_from(["Deployment", "StatefulSet"]),
    "includeCronJob": st.sampled_from(["true", "false", "x"]),
    "includeS2iRun": st.sampled_from(["true", "false"]),
    "userfacing": st.sampled_from(["true", "false"]),
    "role": st.sampled_from(["master", "worker"]),
    "abnormal": st.sampled_from(["true", "false", "x"]),
    "type": st.sampled_from(["Opaque", "kubernetes.io/tls", "x"]),
}  # fmt: skip
# A query has no room for commas, and an operator ends a key: words without them are what people type.
PLAIN = st.sampled_from(["a", "b", "web", "web-1", "v1", "é"])


@st.composite
def objects(draw: Any, parts: dict[str, st.SearchStrategy[Any]], namespaced: bool) -> Object:
    metadata: Object = {"name": draw(NAMES), "creationTimestamp": draw(TIMES)}
    if namespaced:
        metadata["namespace"] = draw(NAMESPACES)
    metadata |= {"uid": f"{metadata.get('namespace')}/{metadata['name']}", "resourceVersion": "1"}
    labels = draw(st.dictionaries(st.sampled_from(LABELS), VALUES, max_size=3))
    notes = draw(st.dictionaries(st.sampled_from(["note", DISPLAY_NAME, CREATOR]), WORDS, max_size=2))
    for key, drawn in (("labels", labels), ("annotations", notes)):
        if drawn:
            metadata[key] = drawn
    kinds = draw(st.lists(st.sampled_from(OWNERS), max_size=2))
    if kinds:
        metadata["ownerReferences"] = [{"kind": kind, "name": draw(NAMES)} for kind in kinds]
    return {"metadata": metadata, "spec": {}, "status": {}} | {key: draw(part) for key, part in parts.items()}


def several(resource: Resource, parts: dict[str, st.SearchStrategy[Any]], most: int) -> Any:
    each = objects(parts, resource.namespaced)
    return st.lists(each, max_size=most, unique_by=lambda item: item["metadata"]["uid"])


_SELECTOR = some(selector=st.dictionaries(st.sampled_from(["app", "tier"]), VALUES, max_size=2))
WORLDS = st.builds(World, several(REPLICA_SETS, {}, most=4), several(SERVICES, {"spec": _SELECTOR}, most=4))


@st.composite
def questions(draw: Any, resource: str) -> Question:
    """Conditions with one and the same key twice are for the parser's own tests."""
    kind = KINDS[resource]
    keys = ["name", "keyword", "app", "tier", *MATCH.get(resource, ())]
    match = draw(st.fixed_dictionaries({}, optional={key: ASKED.get(key, PLAIN) for key in keys}))
    fuzzy_keys = ["name", "label", "annotation", "app", "tier"]
    orders = ["name", "createTime", "nosuch", *(order for of, order in ORDERS if of == resource)]
    return Question(
        namespace=draw(st.none() | NAMESPACES) if kind.namespaced else None,
        match=match,
        fuzzy=draw(st.fixed_dictionaries({}, optional=dict.fromkeys(fuzzy_keys, PLAIN | st.just("")))),
        order=draw(st.sampled_from(orders)),
        reverse=draw(st.booleans()),
        limit=draw(st.sampled_from([-1, 0, 1, 3, 10])),
        page=draw(st.integers(1, 4)),
    )


def cache_of(resource: Resource, items: list[Object], indexes: dict[str, IndexFn]) -> Cache:
    cache = add_indexes(Cache(resource))
    for name, fn in indexes.items():
        cache.add_index(name, fn)
    for item in items:
        cache.put(json.loads(json.dumps(item)))
    return cache


def searched(resource: str, items: list[Object], asked: Question, world: World) -> tuple[int, list[str]]:
    """What the service finds, from the query that a client would send."""
    written = [f"{key}={value}" for key, value in asked.match.items()]
    written += [f"{key}~{part}" for key, part in asked.fuzzy.items()]
    sent = {
        "conditions": ",".join(written),
        "orderBy": asked.order,
        "reverse": str(asked.reverse).lower(),
        "paging": f"limit={asked.limit},page={asked.page}",
    }
    query = parse_page_query(URL("/").with_query(sent).query)
    kind = KINDS[resource]
    cache = cache_of(kind.served[0], items, indexes_of(kind))
    needed = set(related_kinds(kind, query.conditions))
    related = Related(
        cache_of(REPLICA_SETS, list(world.replica_sets), {OWNER: owners})
        if "replicasets" in needed
        else None,
        cache_of(SERVICES, list(world.services), {}) if "services" in needed else None,
    )
    keeping = filters(kind, cache, query.conditions, related)
    found = page(kind, cache, asked.namespace, keeping, query)
    assert count(cache, asked.namespace, keeping) == found.total
    return found.total, [json.loads(raw)["metadata"]["uid"] for raw in found.items]


@pytest.mark.parametrize("resource", sorted(KINDS))
def test_a_page_is_that_of_everything_filtered_and_sorted(resource: str) -> None:
    @settings(max_examples=CASES, deadline=None)
    @given(
        items=several(KINDS[resource].served[0], PARTS.get(resource, {}), most=25),
        asked=questions(resource),
        world=WORLDS if resource == "pods" else st.just(World()),
    )
    def run(items: list[Object], asked: Question, world: World) -> None:
        expected = search_reference.found(resource, items, asked, world)
        assert searched(resource, items, asked, world) == expected

    run()


def test_every_kind_of_the_original_is_compared() -> None:
    assert len(KINDS) == 22
    assert set(MATCH) | {of for of, _ in ORDERS} | set(PARTS) <= set(KINDS)
