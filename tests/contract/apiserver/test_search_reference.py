"""A search gives what reading everything would give: the conditions, order and page in plain Python."""

import json
import os
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from ks_apiserver.conditions import add_indexes
from ks_apiserver.resources.filters import Related, filters
from ks_apiserver.resources.kinds import KINDS, Kind
from ks_apiserver.resources.objects import indexes_of
from ks_apiserver.resources.ordering import count, page
from kubekit.cache import Cache
from servicekit.paging import parse_page_query

CASES = int(os.environ.get("KS_SEARCH_CASES", "150"))
"""Of each kind; run with 20,000 when searching changes."""
DISPLAY_NAME = "kubesphere.io/alias-name"
Object = dict[str, Any]

WORDS = st.sampled_from(["a", "ab", "abc", "b", "web", "web-1", "é", "x y", ""])
VALUES = st.sampled_from(["a", "ab", "web", "v1", ""])
NAMES = st.sampled_from(["a", "ab", "abc", "b", "web", "web-1", "web-10", "web-2"])
NAMESPACES = st.sampled_from(["n1", "n2", "n3"])
TIMES = st.integers(0, 5).map(lambda second: f"2026-01-01T00:00:0{second}Z")
LABELS = st.dictionaries(st.sampled_from(["app", "chart", "release", "tier"]), VALUES, max_size=3)
ANNOTATIONS = st.dictionaries(st.sampled_from(["note", DISPLAY_NAME]), WORDS, max_size=2)


@st.composite
def metadata(draw: Any) -> Object:
    made: Object = {"name": draw(NAMES), "namespace": draw(NAMESPACES), "creationTimestamp": draw(TIMES)}
    made |= {"uid": f"{made['namespace']}/{made['name']}", "resourceVersion": "1"}
    for key, drawn in (("labels", draw(LABELS)), ("annotations", draw(ANNOTATIONS))):
        if drawn:
            made[key] = drawn
    if draw(st.booleans()):
        made["ownerReferences"] = [
            {"kind": draw(st.sampled_from(["ReplicaSet", "Job"])), "name": draw(NAMES)}
        ]
    return made


@st.composite
def pods(draw: Any) -> Object:
    status = {"startTime": draw(TIMES)} if draw(st.booleans()) else {}
    return {"metadata": draw(metadata()), "spec": {"nodeName": draw(VALUES)}, "status": status}


@st.composite
def deployments(draw: Any) -> Object:
    conditions = [{"lastUpdateTime": each} for each in draw(st.lists(TIMES, max_size=2))]
    status = {"readyReplicas": draw(st.integers(0, 2)), "conditions": conditions}
    return {"metadata": draw(metadata()), "spec": {"replicas": draw(st.integers(0, 2))}, "status": status}


def meta(item: Object, part: str) -> dict[str, str]:
    return item["metadata"].get(part) or {}


def owner_of(item: Object) -> tuple[str, str]:
    return next(
        ((each["kind"], each["name"]) for each in item["metadata"].get("ownerReferences", ())), ("", "")
    )


def in_any(part: str, pairs: dict[str, str]) -> bool:
    return not part or any(part in key or part in value for key, value in pairs.items())


def status_of(item: Object) -> str:
    wanted, ready = item["spec"]["replicas"], item["status"]["readyReplicas"]
    if wanted == ready == 0:
        return "stopped"
    return "running" if wanted == ready else "updating"


MATCH: dict[str, Callable[[Object, str], bool]] = {
    "name": lambda item, value: item["metadata"]["name"] in value.split("|"),
    "keyword": lambda item, value: (
        value in item["metadata"]["name"]
        or in_any(value, meta(item, "labels"))
        or in_any(value, meta(item, "annotations"))
    ),
    "app": lambda item, value: meta(item, "labels").get("app") == value,
    "tier": lambda item, value: meta(item, "labels").get("tier") == value,
}
FUZZY: dict[str, Callable[[Object, str], bool]] = {
    "name": lambda item, part: (
        part in item["metadata"]["name"] or part in meta(item, "annotations").get(DISPLAY_NAME, "")
    ),
    "label": lambda item, part: in_any(part, meta(item, "labels")),
    "annotation": lambda item, part: in_any(part, meta(item, "annotations")),
    "app": lambda item, part: any(part in meta(item, "labels").get(key, "") for key in ("chart", "release")),
    "tier": lambda item, part: (
        part in meta(item, "labels").get("tier", "") if part else not meta(item, "labels").get("tier")
    ),
}
OF_KIND: dict[str, dict[str, Callable[[Object, str], bool]]] = {
    "pods": {
        "nodeName": lambda item, value: item["spec"]["nodeName"] == value,
        "ownerName": lambda item, value: owner_of(item) == ("ReplicaSet", value),
    },
    "deployments": {"status": lambda item, value: status_of(item) == value},
}
ORDERS: dict[str, Callable[[Object], str]] = {
    "name": lambda item: "",
    "createTime": lambda item: item["metadata"]["creationTimestamp"],
    "startTime": lambda item: item["status"].get("startTime", "~"),
    "updateTime": lambda item: max(
        [
            item["metadata"]["creationTimestamp"],
            *(each["lastUpdateTime"] for each in item["status"]["conditions"]),
        ]
    ),
}


def reference(
    items: list[Object], resource: str, namespace: str | None, match: dict[str, str], fuzzy: dict[str, str],
    order: str, reverse: bool, limit: int, number: int,
) -> tuple[int, list[str]]:  # fmt: skip
    tests = MATCH | OF_KIND[resource]
    kept = [
        item
        for item in items
        if (namespace is None or item["metadata"]["namespace"] == namespace)
        and all(tests[key](item, value) for key, value in match.items())
        and all(FUZZY[key](item, part) for key, part in fuzzy.items())
    ]
    kept.sort(key=lambda item: (ORDERS[order](item), item["metadata"]["name"], item["metadata"]["namespace"]))
    if reverse:
        kept.reverse()
    shown = kept if limit < 0 else kept[(number - 1) * limit : number * limit]
    return len(kept), [item["metadata"]["uid"] for item in shown]


def cache_of(kind: Kind, items: list[Object]) -> Cache:
    cache = add_indexes(Cache(kind.served[0]))
    for name, fn in indexes_of(kind).items():
        cache.add_index(name, fn)
    for item in items:
        cache.put(json.loads(json.dumps(item)))
    return cache


def check(resource: str, objects: st.SearchStrategy[Object], orders: list[str]) -> None:
    kind = KINDS[resource]
    wanted = {
        "name": st.sampled_from(["a", "web|b", "nosuch"]),
        "status": st.sampled_from(["running", "stopped"]),
    }
    keys = [*MATCH, *OF_KIND[resource]]
    # A query has no room for commas, and an operator ends a key: words without them are what people type.
    plain = st.sampled_from(["a", "b", "web", "web-1", "v1", "é"])

    @settings(max_examples=CASES, deadline=None)
    @given(
        items=st.lists(objects, max_size=25, unique_by=lambda item: item["metadata"]["uid"]),
        namespace=st.none() | NAMESPACES,
        match=st.fixed_dictionaries({}, optional={key: wanted.get(key, plain) for key in keys}),
        fuzzy=st.fixed_dictionaries({}, optional=dict.fromkeys(FUZZY, plain | st.just(""))),
        order=st.sampled_from(orders),
        reverse=st.booleans(),
        limit=st.sampled_from([-1, 0, 1, 3, 10]),
        number=st.integers(1, 4),
    )
    def run(
        items: list[Object], namespace: str | None, match: dict[str, str], fuzzy: dict[str, str],
        order: str, reverse: bool, limit: int, number: int,
    ) -> None:  # fmt: skip
        if "ownerName" in match:
            match = {**match, "ownerKind": "ReplicaSet"}
        conditions = [f"{key}={value}" for key, value in match.items()]
        conditions += [f"{key}~{part}" for key, part in fuzzy.items()]
        asked = {
            "conditions": ",".join(conditions),
            "orderBy": order,
            "reverse": str(reverse).lower(),
            "paging": f"limit={limit},page={number}",
        }
        query = parse_page_query(URL("/").with_query(asked).query)
        cache = cache_of(kind, items)
        keeping = filters(kind, cache, query.conditions, Related())
        found = page(kind, cache, namespace, keeping, query)
        match.pop("ownerKind", None)
        expected = reference(items, resource, namespace, match, fuzzy, order, reverse, limit, number)
        assert (found.total, [json.loads(raw)["metadata"]["uid"] for raw in found.items]) == expected
        assert count(cache, namespace, keeping) == expected[0]

    run()


def test_a_page_of_pods_is_that_of_everything_filtered_and_sorted() -> None:
    check("pods", pods(), ["name", "createTime", "startTime"])


def test_a_page_of_deployments_is_that_of_everything_filtered_and_sorted() -> None:
    check("deployments", deployments(), ["name", "createTime", "updateTime"])
