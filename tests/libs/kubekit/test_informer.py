"""A cache stays in step with its cluster: nothing lost, nothing told twice, whatever the API server does."""

from collections import Counter
from typing import Any

import pytest

from harness.fake_api_server import FakeApiServer
from harness.waiting import eventually
from kubekit.cache import Cache, Change
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError, NotServed, Unreachable
from kubekit.resource import PODS
from kubekit.store import Key


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "demo"}, "spec": spec}


class Record:
    """What a subscriber was told, and the state it would have built from it."""

    def __init__(self, cache: Cache) -> None:
        self.changes: list[tuple[str, str, str]] = []
        self.state: dict[Key, Any] = {}
        cache.subscribe(self._take)

    def _take(self, change: Change) -> None:
        version = change.object["metadata"]["resourceVersion"]
        self.changes.append((change.type, change.key.name, version))
        # Whoever builds state from changes must never be told to add what is there, or to change what is not.
        assert (change.key in self.state) == (change.type != "added"), change
        if change.type == "deleted":
            del self.state[change.key]
        else:
            self.state[change.key] = change.new

    def told_twice(self) -> list[tuple[str, str, str]]:
        return [change for change, times in Counter(self.changes).items() if times > 1]

    async def agrees_with(self, fake: FakeApiServer) -> None:
        def agreed() -> None:
            there = {name: obj["metadata"]["resourceVersion"] for (_, name), obj in fake.objects.items()}
            assert {key.name: obj["metadata"]["resourceVersion"] for key, obj in self.state.items()} == there

        await eventually(agreed)
        assert not self.told_twice()


@pytest.fixture
async def record(fake: FakeApiServer, fake_cluster: Cluster) -> Record:
    for number in range(10):
        fake.put(pod(f"pod-{number}", number=number))
    cache = fake_cluster.cache(PODS)
    await cache.synced(5)
    return Record(cache)


async def test_what_is_there_is_replayed_to_a_late_subscriber(record: Record, fake: FakeApiServer) -> None:
    assert [change[0] for change in record.changes] == ["added"] * 10
    assert fake.lists == 4  # pages of three


async def test_changes_arrive_in_order(record: Record, fake: FakeApiServer) -> None:
    fake.put(pod("pod-0", number=100))
    fake.put(pod("new"))
    fake.delete("pod-1", "demo")
    await record.agrees_with(fake)
    assert [change[:2] for change in record.changes[10:]] == [
        ("changed", "pod-0"),
        ("added", "new"),
        ("deleted", "pod-1"),
    ]


async def test_a_broken_watch_resumes_where_it_broke(record: Record, fake: FakeApiServer) -> None:
    fake.put(pod("before"))
    await record.agrees_with(fake)
    lists, resumed = fake.lists, str(fake.version)
    fake.cut()
    fake.put(pod("while-away"))
    fake.delete("pod-3", "demo")
    await record.agrees_with(fake)
    assert fake.lists == lists
    assert fake.watches[-1] == resumed


@pytest.mark.parametrize("how", ["http", "event"])
async def test_a_version_too_old_lists_again_and_reports_what_was_deleted(
    record: Record, fake: FakeApiServer, how: str
) -> None:
    lists = fake.lists
    if how == "http":
        fake.failing = [503]
        fake.cut()
    fake.delete("pod-4", "demo")
    fake.delete("pod-5", "demo")
    fake.put(pod("pod-5", recreated=True))
    fake.put(pod("pod-6", number=60))
    if how == "http":
        fake.compact()
    else:
        fake.expire()
    await record.agrees_with(fake)
    assert fake.lists > lists
    told = [change[:2] for change in record.changes[10:]]
    assert ("deleted", "pod-4") in told
    assert ("changed", "pod-6") in told
    # Another pod of the same name is not the same pod, even where the deletion was not seen.
    assert told.index(("deleted", "pod-5")) < told.index(("added", "pod-5"))


async def test_errors_of_the_server_are_retried_and_told_by_check(
    fake: FakeApiServer, fake_cluster: Cluster
) -> None:
    fake.failing = [500, 403, 429]
    fake.put(pod("one"))
    cache = fake_cluster.cache(PODS)
    with pytest.raises(Unreachable, match="not filled yet"):
        cache.require()
    await cache.synced(20)
    cache.require()
    await fake_cluster.check()
    assert [obj["metadata"]["name"] for obj in cache.all()] == ["one"]


async def test_a_cache_that_nobody_requires_is_no_matter_of_check(
    fake: FakeApiServer, fake_cluster: Cluster
) -> None:
    fake.failing = [403] * 1000
    cache = fake_cluster.cache(PODS, required=False)
    await fake_cluster.check()
    assert fake_cluster.cache(PODS) is cache
    with pytest.raises(KubernetesError):
        await fake_cluster.check()
    fake.failing = []


async def test_an_api_that_is_not_served_is_picked_up_once_it_is(
    fake: FakeApiServer, fake_cluster: Cluster
) -> None:
    fake.served = False
    cache = fake_cluster.cache(PODS)
    record = Record(cache)

    def not_served() -> None:
        assert not cache.served

    await eventually(not_served)
    await fake_cluster.check()
    with pytest.raises(NotServed, match="apply its CRD"):
        cache.require()
    fake.put(pod("late"))
    fake.served = True
    await cache.synced(10)
    await record.agrees_with(fake)
    cache.require()


async def test_an_api_that_goes_away_takes_its_objects_along(record: Record, fake: FakeApiServer) -> None:
    fake.served = False
    fake.cut()

    def empty() -> None:
        assert not record.state

    await eventually(empty, timeout=15)


async def test_one_wrong_404_empties_nothing(record: Record, fake: FakeApiServer) -> None:
    fake.failing = [404]
    fake.cut()
    fake.put(pod("after"))
    await record.agrees_with(fake)
    assert not [change for change in record.changes if change[0] == "deleted"]


async def test_a_failing_subscriber_or_index_harms_nobody_else(
    fake: FakeApiServer, fake_cluster: Cluster
) -> None:
    def broken(_: Change) -> None:
        raise RuntimeError("a subscriber's mistake")

    cache = fake_cluster.cache(PODS, index={"node": lambda obj: obj["spec"]["nodeName"]})
    cache.subscribe(broken)
    record = Record(cache)
    fake.put(pod("without-node"))
    fake.put(pod("with-node", nodeName="n1"))
    await record.agrees_with(fake)
    assert [obj["metadata"]["name"] for obj in cache.by("node", "n1")] == ["with-node"]


async def test_after_unsubscribing_nothing_is_told(fake: FakeApiServer, fake_cluster: Cluster) -> None:
    told: list[Change] = []
    cache = fake_cluster.cache(PODS)
    unsubscribe = cache.subscribe(told.append)
    unsubscribe()
    fake.put(pod("one"))
    await cache.synced(5)
    assert not told


async def test_caches_drop_what_nobody_reads(fake: FakeApiServer, fake_cluster: Cluster) -> None:
    obj = pod("fat")
    obj["metadata"] |= {
        "managedFields": [{"manager": "kubectl"}],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"},
    }
    fake.put(obj)
    cache = fake_cluster.cache(PODS)
    await cache.synced(5)
    found = cache.get("fat", "demo")
    assert found is not None
    assert "managedFields" not in found["metadata"]
    assert found["metadata"]["annotations"] == {"kept": "yes"}
    assert (found["apiVersion"], found["kind"]) == ("v1", "Pod")


async def test_a_quiet_watch_that_is_open_again_is_well_again(
    fake: FakeApiServer, fake_cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubekit.cache.GRACE", 0)
    cache = fake_cluster.cache(PODS)
    await cache.synced(5)
    fake.failing = [500]
    fake.cut()

    def broken() -> None:
        assert cache.state.error is not None

    def well() -> None:
        assert cache.state.error is None
        cache.check()

    await eventually(broken, interval=0.001)
    await eventually(well)
