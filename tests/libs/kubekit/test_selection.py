"""Asking a cache gives what sorting and filtering everything would give, in any combination."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubekit.cache import Cache
from kubekit.resource import PODS
from kubekit.store import Key, Row

OBJECTS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.text("xyz", min_size=1, max_size=3),
        st.integers(0, 9),
        st.sampled_from("12"),
    ),
    unique_by=lambda one: one[:2],
    max_size=40,
)


def obj(namespace: str, name: str, second: int, node: str) -> dict[str, Any]:
    created = f"2026-01-01T00:00:0{second}Z"
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"{namespace}/{name}",
        "resourceVersion": "1",
        "creationTimestamp": created,
    }
    return {"metadata": metadata, "spec": {"nodeName": node}}


def name_of(row: Row) -> str:
    return row.name


def filled(objects: list[tuple[str, str, int, str]]) -> Cache:
    cache = Cache(PODS)
    cache.add_index("node", lambda pod: pod["spec"]["nodeName"])
    for one in objects:
        cache.put(obj(*one))
    return cache


@given(
    OBJECTS,
    st.sampled_from([None, "a", "b"]),
    st.sampled_from([None, "1", "2"]),
    st.none() | st.sets(st.builds(Key, st.sampled_from("ab"), st.text("xyz", min_size=1, max_size=2))),
    st.none() | st.text("xyz", max_size=2),
    st.sampled_from(["name", "createTime"]),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 12)),
    st.integers(0, 12),
)
def test_a_page_is_that_of_everything_filtered_and_sorted(
    objects: list[tuple[str, str, int, str]],
    namespace: str | None,
    node: str | None,
    keys: set[Key] | None,
    part: str | None,
    order: Any,
    reverse: bool,
    limit: int | None,
    offset: int,
) -> None:
    cache = filled(objects)
    wanted = [
        one
        for one in objects
        if (namespace is None or one[0] == namespace)
        and (node is None or one[3] == node)
        and (keys is None or one[:2] in keys)
        and (part is None or part in one[1])
    ]
    wanted.sort(
        key=lambda one: (one[1], one[0]) if order == "name" else (one[2], one[1], one[0]), reverse=reverse
    )
    index = None if node is None else ("node", node)
    found = cache.select(namespace, index=index, keys=keys).order_by(order, reverse=reverse)
    if part is not None:
        found = found.containing(name_of, part)
    page = found.page(limit, offset)
    assert found.count() == len(wanted)
    assert [row.decode() for row in found.rows()] == [obj(*one) for one in wanted]
    expected = wanted[offset:] if limit is None else wanted[offset : offset + limit]
    assert page.total == len(wanted)
    assert page.objects() == [obj(*one) for one in expected]


@given(OBJECTS, st.data())
def test_indexes_and_orders_follow_every_change(
    objects: list[tuple[str, str, int, str]], data: st.DataObject
) -> None:
    cache = filled(objects)
    cache.select().order_by("createTime").page()
    cache.select().order_by("name").containing(name_of, "x").page()
    for namespace, name, second, _ in objects:
        step = data.draw(st.sampled_from(["keep", "move", "delete"]))
        if step == "move":
            moved = obj(namespace, name, 9 - second, "3")
            moved["metadata"]["resourceVersion"] = "2"
            cache.put(moved)
        elif step == "delete":
            cache.remove(next(key for key in cache.keys(namespace) if key.name == name))
    for order in ("createTime", "name"):
        # The same, by the way that sorts anew.
        asked: Any = order
        anew = cache.select(keys=cache.keys()).where(lambda _: True).order_by(asked, reverse=True)
        assert cache.select().order_by(asked, reverse=True).page() == anew.page()
        with_x = cache.select().order_by(asked, reverse=True).containing(name_of, "x")
        assert with_x.page() == anew.where(lambda row: "x" in row.name).page()
    by_node: dict[str, list[Any]] = {}
    for there in cache.all():
        by_node.setdefault(there["spec"]["nodeName"], []).append(there["metadata"]["uid"])
    for node, uids in by_node.items():
        assert sorted(found["metadata"]["uid"] for found in cache.by("node", node)) == sorted(uids)


def test_a_row_is_asked_before_anything_is_decoded() -> None:
    cache = filled([("a", "x", 1, "1"), ("a", "y", 2, "1"), ("b", "x", 3, "2")])
    selection = cache.select().where(lambda row: row.name == "x")
    assert selection.count() == 2
    assert [found["metadata"]["namespace"] for found in selection.page().objects()] == ["a", "b"]


def test_what_cannot_be_asked_is_named() -> None:
    cache = filled([])
    with pytest.raises(KeyError, match="no index 'owner'; there are"):
        cache.by("owner", "x")
    with pytest.raises(ValueError, match="cannot order by"):
        cache.select().order_by("age")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="another function"):
        cache.add_index("node", lambda pod: pod["metadata"]["name"])


def by_node_and_name(row: Row) -> tuple[str, ...]:
    return (*row.values("node"), row.name, row.namespace or "")


def test_an_order_of_ones_own_may_read_what_rows_are_indexed_by() -> None:
    cache = filled([("a", "x", 1, "2"), ("a", "y", 2, "1"), ("b", "x", 3, "2")])
    cache.put(obj("a", "z", 4, "1"))
    cache.remove(Key("b", "x"))
    assert [
        found["metadata"]["name"] for found in cache.select().order_by(by_node_and_name).page().objects()
    ] == [
        "y",
        "z",
        "x",
    ]


def test_an_index_that_comes_late_covers_what_is_there() -> None:
    cache = filled([("a", "x", 1, "1"), ("b", "y", 2, "1")])
    cache.add_index("namespace", lambda pod: pod["metadata"]["namespace"])
    assert [key.name for key in cache.keys_by("namespace", "b")] == ["y"]
