"""Pages that stay current over one WebSocket."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import cast

import aiohttp
import pytest
import pytest_asyncio

from harness.recorded_cluster import RecordedCluster
from harness.waiting import eventually
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.discovery import Discovery
from ks_apiserver.resources.objects import Objects
from ks_apiserver.resources.search import Search
from ks_apiserver.watching.session import WatchSession
from kubekit.cluster import Cluster
from kubekit.rbac import RbacIndex
from kubekit.resource import CONFIG_MAPS, ROLE_BINDINGS
from servicekit.identity import IDENTITY_HEADER, Identity, IdentitySigner

pytestmark = pytest.mark.kubernetes

EVERYTHING = {
    "clusterroles": [
        {"metadata": {"name": "all"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    ],
    "clusterrolebindings": [
        {
            "metadata": {"name": "ann"},
            "roleRef": {"kind": "ClusterRole", "name": "all"},
            "subjects": [{"kind": "User", "name": "ann"}],
        }
    ],
}
"""Ann may do all."""
SECRET = "a-secret-of-the-tests-that-is-long-enough"
PATH = "/kapis/resources.kubesphere.io/v1alpha2/watch"
WAIT = 60


@pytest_asyncio.fixture(scope="module")
async def ours(tenants, cluster: Cluster):
    """A namespace of erin's with two config maps, which wanda may list too."""
    namespace = await tenants.namespace("watched", tenants.name("demo-ws"), admin=["erin"])
    await tenants.bind_in(namespace, "wanda", ["wanda"], "Role", "viewer")
    for name in ("seen-1", "seen-2"):
        await cluster.create(CONFIG_MAPS, {"metadata": {"name": name}, "data": {"a": "1"}}, namespace)
    return namespace


class Watcher:
    """The client's side: what it holds of each page, from what it is told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def ask(self, **message) -> None:
        await self.socket.send_str(json.dumps(message))

    async def told(self) -> dict:
        return json.loads(await self.socket.receive_str(timeout=WAIT))


@asynccontextmanager
async def watching(apiserver, tenants, person: str):
    signed = IdentitySigner(SECRET.encode()).sign(Identity(tenants.name(person), (), "192.0.2.1"))
    async with (
        aiohttp.ClientSession(headers={IDENTITY_HEADER: signed}) as session,
        session.ws_connect(apiserver.url + PATH) as socket,
    ):
        yield Watcher(socket)


def names(told: dict) -> list[str]:
    return [item["metadata"]["name"] for item in told["changed"]]


@pytest_asyncio.fixture(scope="module")
async def known(tenants, as_, ours):
    """Returns once the service knows of all that was made."""

    async def listed() -> None:
        for person in ("erin", "wanda"):
            path = (
                f"/kapis/resources.kubesphere.io/v1alpha2/namespaces/{ours}/configmaps?conditions=name~seen"
            )
            answer = await as_(tenants, person).get(path)
            assert answer.json["total_count"] == 2, answer.text

    await eventually(listed, timeout=WAIT)


async def test_a_page_is_told_once_and_then_what_changes_of_it(apiserver, tenants, cluster, ours, known):
    async with watching(apiserver, tenants, "erin") as watcher:
        await watcher.ask(
            id="a", resource="configmaps", namespace=ours, query="conditions=name~seen&orderBy=name"
        )
        first = await watcher.told()
        assert (first["id"], first["total_count"], names(first)) == ("a", 2, ["seen-1", "seen-2"])
        assert len(first["order"]) == 2

        await cluster.patch(CONFIG_MAPS, "seen-2", {"data": {"a": "2"}}, ours)
        changed = await watcher.told()
        assert (names(changed), changed["order"]) == (["seen-2"], first["order"])
        assert changed["changed"][0]["data"] == {"a": "2"}

        await cluster.create(CONFIG_MAPS, {"metadata": {"name": "seen-0"}}, ours)
        more = await watcher.told()
        assert (names(more), more["total_count"]) == (["seen-0"], 3)
        assert more["order"][1:] == first["order"]

        await cluster.delete(CONFIG_MAPS, "seen-0", ours)
        less = await watcher.told()
        assert (names(less), less["order"], less["total_count"]) == ([], first["order"], 2)


async def test_a_slow_reader_gets_fewer_messages_and_the_latest_state():
    """Without a cluster: what is told while nobody reads depends on time otherwise."""
    recorded = RecordedCluster(EVERYTHING)
    cluster = cast("Cluster", recorded)
    rbac = RbacIndex(cluster)
    await rbac.open()
    search = Search(Objects(cluster), Access(rbac), Discovery(cluster))
    told: list[dict] = []
    read = asyncio.Event()

    async def send(message: bytes) -> None:
        told.append(json.loads(message))
        await read.wait()

    session = WatchSession(search, Identity("ann"), send)
    await session.take(json.dumps({"id": "a", "resource": "configmaps"}))
    running = asyncio.ensure_future(session.run())

    async def first() -> None:
        assert [message["total_count"] for message in told] == [0]

    await eventually(first)
    cache = recorded.cache(CONFIG_MAPS)
    for number in range(50):
        metadata = {"name": f"x-{number}", "namespace": "n", "uid": str(number), "resourceVersion": "1"}
        cache.put({"metadata": metadata})
    read.set()

    async def second() -> None:
        assert [message["total_count"] for message in told] == [0, 50]
        assert len(told[1]["changed"]) == 10

    await eventually(second)
    running.cancel()


async def test_what_cannot_be_watched_is_refused_and_the_rest_goes_on(apiserver, tenants, ours, known):
    async with watching(apiserver, tenants, "erin") as watcher:
        for wrong in (
            {"resource": "secrets", "namespace": ours}, {"resource": "nosuch"}, {"resource": 1},
            {"resource": "configmaps", "query": "paging=limit=-1,page=1"},
            {"resource": "configmaps", "query": "paging=limit=101,page=1"},
            {"resource": "configmaps", "query": "conditions=x"},
            {"resource": "configmaps", "namespace": "n" * 300},
        ):  # fmt: skip
            await watcher.ask(id="w", **wrong)
            assert (await watcher.told())["error"]["status"] == 400
        await watcher.socket.send_str("no JSON")
        assert (await watcher.told())["error"]["status"] == 400
        await watcher.ask(id="ok", resource="configmaps", namespace=ours, query="conditions=name~seen")
        assert (await watcher.told())["total_count"] == 2


async def test_pages_of_one_connection_are_bounded(apiserver, tenants, ours, known):
    async with watching(apiserver, tenants, "erin") as watcher:
        for number in range(17):
            await watcher.ask(id=str(number), resource="configmaps", namespace=ours)
        told = {message["id"]: message for message in [await watcher.told() for _ in range(17)]}
        assert told["16"]["error"]["status"] == 400


async def test_nobody_watches_what_they_may_not_list(apiserver, tenants, ours, known):
    for person in ("bob", "mallory"):
        async with watching(apiserver, tenants, person) as watcher:
            await watcher.ask(id="a", resource="configmaps", namespace=ours)
            told = await watcher.told()
            assert told["error"]["status"] == 403
            assert "seen" not in json.dumps(told)


async def test_a_right_that_is_taken_away_ends_the_page(apiserver, tenants, cluster, ours, known):
    async with watching(apiserver, tenants, "wanda") as watcher:
        await watcher.ask(id="a", resource="configmaps", namespace=ours, query="conditions=name~seen")
        assert (await watcher.told())["total_count"] == 2
        await cluster.delete(ROLE_BINDINGS, "wanda", ours)
        assert (await watcher.told())["error"]["status"] == 403


async def test_it_is_a_websocket(as_, tenants, ours):
    assert (await as_(tenants, "erin").get(PATH)).status == 400
