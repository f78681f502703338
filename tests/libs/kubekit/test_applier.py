"""Writing from a cache that lags: neither one's own writes are repeated, nor those of others lost."""

import contextvars
from typing import Any

import pytest

from kubekit import ownwrites
from kubekit.applier import Applier
from kubekit.apply import keep_items
from kubekit.cache import Cache
from kubekit.cluster import Cluster
from kubekit.errors import Conflict
from kubekit.objects import key_of
from kubekit.ownwrites import CAUSE, OwnWrites
from kubekit.resource import CONFIG_MAPS, ROLE_BINDINGS, Object
from kubekit.store import Key

RBAC = "rbac.authorization.k8s.io"


def versioned(version: int, uid: str = "1", **data: str) -> Object:
    metadata = {"name": "x", "namespace": "n", "uid": uid, "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


KEY = Key("n", "x")


@pytest.fixture
def lagging() -> tuple[Cache, OwnWrites]:
    cache, writes = Cache(CONFIG_MAPS), OwnWrites()
    writes.follow(cache)
    return cache, writes


def test_a_write_counts_until_the_cache_has_it(lagging: tuple[Cache, OwnWrites]) -> None:
    cache, writes = lagging
    cache.put(versioned(1, a="old"))
    writes.note(CONFIG_MAPS, versioned(9, a="written"))
    cache.put(versioned(8, a="older than the write"))
    assert writes.latest(cache, KEY) == versioned(9, a="written")
    cache.put(versioned(10, a="newer"))
    assert writes.latest(cache, KEY) == versioned(10, a="newer")


def test_what_was_created_is_there_before_the_cache_knows(lagging: tuple[Cache, OwnWrites]) -> None:
    cache, writes = lagging
    writes.note(CONFIG_MAPS, versioned(9, a="created"))
    assert writes.latest(cache, KEY) == versioned(9, a="created")


def test_what_was_deleted_since_is_gone(lagging: tuple[Cache, OwnWrites]) -> None:
    cache, writes = lagging
    writes.note(CONFIG_MAPS, versioned(9, a="created"))
    cache.put(versioned(9, a="created"))
    cache.remove(KEY)
    assert writes.latest(cache, KEY) is None


@pytest.mark.parametrize(
    ("again", "known"), [([], True), ([Key(None, "other")], True), ([Key(None, "me")], False)]
)
def test_what_was_written_is_news_to_who_has_looked_again_since(again: list[Key], known: bool) -> None:
    """In between it may have been missing where the next look was taken."""
    cache, writes = Cache(CONFIG_MAPS), OwnWrites()
    causes: list[Key | None] = []
    cache.subscribe(lambda change: causes.append(writes.cause(CONFIG_MAPS, change)))
    writes.follow(cache)
    writes.begin(Key(None, "me"))
    context = contextvars.copy_context()
    context.run(CAUSE.set, Key(None, "me"))
    context.run(writes.note, CONFIG_MAPS, versioned(9, a="written"))
    for key in again:
        writes.begin(key)
    cache.put(versioned(9, a="written"))
    assert causes == [Key(None, "me") if known else None]
    assert writes._caused == {}


def test_a_write_that_no_cache_comes_to_know_of_is_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleted by others before the cache saw it, and the cache then listed anew."""
    clock = 1000.0
    monkeypatch.setattr(ownwrites, "monotonic", lambda: clock)
    cache, writes = Cache(CONFIG_MAPS), OwnWrites()
    context = contextvars.copy_context()
    context.run(CAUSE.set, Key(None, "me"))
    context.run(writes.note, CONFIG_MAPS, versioned(9, a="written"))
    writes.begin(Key(None, "me"))
    assert writes.overdue() == set()
    clock += ownwrites.TRUSTED + 1
    assert writes.overdue() == {Key(None, "me")}
    assert writes.overdue() == set()
    assert writes.latest(cache, KEY) is None


def test_the_end_of_a_former_object_does_not_end_its_successor(lagging: tuple[Cache, OwnWrites]) -> None:
    cache, writes = lagging
    cache.put(versioned(1, uid="former"))
    writes.note(CONFIG_MAPS, versioned(9, uid="successor"))
    cache.remove(KEY)
    assert writes.latest(cache, KEY) == versioned(9, uid="successor")


def binding(namespace: str, *members: str) -> Object:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "team", "namespace": namespace},
        "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": "team"},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": name} for name in members],
    }


def keep_subjects(present: Object, wanted: Object) -> Object:
    return keep_items(present, wanted, "subjects", ("kind", "name", "namespace"))


@pytest.mark.kubernetes
async def test_a_member_added_since_the_cache_heard_is_not_lost(cluster: Cluster, namespace: str) -> None:
    stale = Cache(ROLE_BINDINGS)
    applier = Applier(cluster, {ROLE_BINDINGS: stale}, "tests", keep_subjects)
    stale.put(await cluster.create(ROLE_BINDINGS, binding(namespace, "alice")))
    bob: dict[str, Any] = binding(namespace, "bob")["subjects"][0]
    addition = [{"op": "add", "path": "/subjects/-", "value": bob}]
    await cluster.patch(ROLE_BINDINGS, "team", addition, namespace, patch_type="json")
    with pytest.raises(Conflict):
        await applier.apply(None, [binding(namespace, "alice", "carol")])
    fresh = await cluster.get(ROLE_BINDINGS, "team", namespace)
    assert key_of(fresh) == Key(namespace, "team")
    stale.put(fresh)
    assert await applier.apply(None, [binding(namespace, "alice", "carol")]) == 1
    stored = await cluster.get(ROLE_BINDINGS, "team", namespace)
    assert [subject["name"] for subject in stored["subjects"]] == ["alice", "bob", "carol"]
