"""Shells and logs in real containers."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.kubernetes import LocalKubernetes
from harness.services import RunningService, running_service
from harness.signed import Reply, SignedClient
from harness.tenancy import Tenancy, tenancy
from harness.terminal import opened_terminal
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import DEPLOYMENTS, NAMESPACES, PODS, ROLE_BINDINGS, SERVICE_ACCOUNTS
from localkube.node.archive import Image, write_archive
from localkube.node.images import BUSYBOX

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="a node needs root"),
    pytest.mark.timeout(300),
]

SECRET = "a-secret-of-the-tests-that-is-long-enough"
ROUTE = "/kapis/terminal.kubesphere.io/v1alpha2/namespaces"
CONTROLS = "kubesphere-controls-system"
BARE = "tests/bare:1"
IMPATIENT = {"idleTimeout": "3s", "pingInterval": "500ms", "maxSessionsPerUser": 1}
COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.2; done"
CRASHING = "echo last words of $(cat /proc/sys/kernel/random/uuid); sleep 2; exit 1"


def pod(name: str, image: str, command: list[str], **container: Any) -> dict[str, Any]:
    """A pod of one container, which ends at once when it is deleted."""
    main = {"name": "main", "image": image, "command": command, **container}
    return {"metadata": {"name": name}, "spec": {"terminationGracePeriodSeconds": 0, "containers": [main]}}


class Room:
    """A namespace with pods, and the service that opens terminals in them."""

    def __init__(
        self, kubernetes: LocalKubernetes, cluster: Cluster, people: Tenancy, namespace: str
    ) -> None:
        self.kubernetes = kubernetes
        self.cluster = cluster
        self.people = people
        self.namespace = namespace

    async def create(self, body: dict[str, Any], namespace: str = "") -> None:
        """Creates a pod, here or in another namespace; returns once it runs."""
        where = namespace or self.namespace

        async def runs() -> None:
            found = await self.cluster.get(PODS, body["metadata"]["name"], where)
            statuses = found["status"].get("containerStatuses") or [{}]
            assert "running" in statuses[0].get("state", {}), found["status"]

        await self.cluster.create(PODS, body, where)
        await eventually(runs, timeout=120)

    def path(self, pod: str, rest: str = "") -> str:
        return f"{ROUTE}/{self.namespace}/pods/{pod}{rest}"


@pytest_asyncio.fixture(scope="module")
async def room(kubernetes_node, tmp_path_factory) -> AsyncIterator[Room]:
    """Where erin is admin and dave a viewer; with a pod `shell` and one, `bare`, that has no `sh` by name."""
    if not isinstance(kubernetes_node, LocalKubernetes):
        pytest.skip("KS_TEST_KUBECONFIG names a cluster that may have no node, or other images")
    archive = tmp_path_factory.mktemp("image") / "image.tar"
    files = {"busybox/sh": Path("/bin/busybox")}
    write_archive(Image(BARE, ["/busybox/sh"], files=files, folders=["busybox"]), archive)
    kubernetes_node.cluster.import_image(archive)
    config = ClusterConfig(kubeconfig=str(kubernetes_node.kubeconfig), qps=500, burst=500)
    async with Cluster(config) as cluster, tenancy(cluster) as people:
        namespace = await people.namespace("shells", admin=["erin"], viewer=["dave"])
        made = Room(kubernetes_node, cluster, people, namespace)

        async def has_account() -> None:
            accounts = await cluster.request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts")
            assert b'"default"' in accounts

        await eventually(has_account, timeout=60)
        await made.create(pod("shell", BUSYBOX, ["sleep", "3600"]))
        await made.create(pod("bare", BARE, ["/busybox/sh"], stdin=True))
        yield made


@asynccontextmanager
async def serving(room: Room, directory: Path, **terminal: Any) -> AsyncIterator[RunningService]:
    """The service, ready, on the cluster of `room`."""
    config = {
        "kubernetes": {"kubeconfig": str(room.kubernetes.kubeconfig)},
        "authentication": {"jwtSecret": SECRET},
        "server": {"checkInterval": "500ms", "shutdownGrace": "5s"},
        "terminal": terminal,
    }
    async with running_service("ks-apiserver", config, directory) as service:
        client = SignedClient(service.url, SECRET)

        async def is_ready() -> None:
            assert (await client.get("/readyz")).status == 200

        await eventually(is_ready, timeout=60)
        await client.close()
        yield service


@pytest_asyncio.fixture(scope="module")
async def service(room, tmp_path_factory) -> AsyncIterator[RunningService]:
    async with serving(room, tmp_path_factory.mktemp("apiserver")) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def impatient(room, tmp_path_factory) -> AsyncIterator[RunningService]:
    """The service with short limits."""
    async with serving(room, tmp_path_factory.mktemp("impatient"), **IMPATIENT) as running:
        yield running


@pytest.fixture
def terminal(room, service):
    """Opens a terminal, as erin where nobody else is named."""

    def opened(name: str = "shell", query: str = "", person: str = "erin", at: RunningService = service):
        return opened_terminal(at.url, SECRET, room.path(name, query), room.people.name(person))

    return opened


@pytest_asyncio.fixture
async def erin(room, service) -> AsyncIterator[SignedClient]:
    client = SignedClient(service.url, SECRET)
    yield client.acting_as(room.people.name("erin"))
    await client.close()


@pytest_asyncio.fixture
async def kubectl(room) -> AsyncIterator[str]:
    """The pod of the own kubectl of bob, who has no rights."""
    name = room.people.name("bob")
    labels = {"username": name}
    body = pod(f"kubectl-{name}-1", BUSYBOX, ["sleep", "3600"])
    body["metadata"]["labels"] = labels
    body["spec"] |= {"automountServiceAccountToken": False}
    await room.cluster.apply(NAMESPACES, {"metadata": {"name": CONTROLS}}, field_manager="tests")
    account = {"metadata": {"name": "default", "namespace": CONTROLS}}
    await room.cluster.apply(SERVICE_ACCOUNTS, account, field_manager="tests")
    template = {"metadata": {"labels": labels}, "spec": body["spec"] | {"terminationGracePeriodSeconds": 30}}
    spec = {"replicas": 0, "paused": True, "selector": {"matchLabels": labels}, "template": template}
    await room.cluster.create(DEPLOYMENTS, {"metadata": {"name": f"kubectl-{name}"}, "spec": spec}, CONTROLS)
    await room.create(body, CONTROLS)
    yield body["metadata"]["name"]
    await room.cluster.delete(DEPLOYMENTS, f"kubectl-{name}", CONTROLS)
    await room.cluster.delete(PODS, body["metadata"]["name"], CONTROLS)


async def test_who_has_no_rights_has_a_shell_in_the_own_kubectl(room, service, kubectl):
    """USERS-3"""
    path = f"{ROUTE}/{CONTROLS}/pods/{kubectl}"
    async with opened_terminal(service.url, SECRET, path, room.people.name("bob")) as shell:
        await shell.type("echo $((6 * 7))-is-it\n")
        await shell.shows("42-is-it")


async def test_the_own_kubectl_stays_open_for_who_has_no_rights(room, kubectl, tmp_path):
    """USERS-3"""
    path = f"{ROUTE}/{CONTROLS}/pods/{kubectl}"
    async with (
        serving(room, tmp_path, accessInterval="200ms") as service,
        opened_terminal(service.url, SECRET, path, room.people.name("bob")) as shell,
    ):
        await shell.shows("#")
        await asyncio.sleep(1)  # in which the right was asked about several times
        await shell.type("echo $((6 * 7))-is-it\n")
        await shell.shows("42-is-it")


async def test_what_is_typed_reaches_the_shell_and_what_it_prints_the_user(terminal):
    async with terminal() as shell:
        await shell.send({"Op": "resize", "Cols": 123, "Rows": 45})
        await shell.type("stty size; printf '%s-%s\\n' grüße 日本\n")
        await shell.shows("grüße-日本")
        assert "45 123" in shell.screen
        await shell.send({"op": "resize", "cols": 80, "rows": 24})
        await shell.type("stty size\n")
        await shell.shows("24 80")
        await shell.type("exit 3\n")
        assert await shell.ends() == (1000, "Process exited with code 3")
        assert not shell.toasts


async def test_all_of_a_large_output_arrives(terminal):
    async with terminal() as shell:
        await shell.type("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo ' d'one\n")
        await shell.shows(" done")
        assert shell.screen.count("x") - 1 >= 3_000_000


async def test_a_terminal_of_a_viewer_is_refused(terminal):
    """TERMINAL-1"""
    for person in ("dave", "bob"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with terminal(person=person):
                pass
        assert refused.value.status == 403


async def test_a_shell_that_the_container_does_not_have_is_told(terminal):
    async with terminal(query="?shell=zsh") as shell:
        code, reason = await shell.ends()
        assert code == 4404
        assert shell.toasts == [reason]


async def test_a_shell_by_another_name_is_found_and_nothing_typed_meanwhile_is_lost(terminal):
    async with terminal("bare") as shell:
        await shell.type("echo fo''und it\n")
        await shell.shows("found it")


async def test_a_message_that_is_none_ends_the_terminal_with_the_reason(terminal):
    async with terminal() as shell:
        await shell.send({"Op": "launch"})
        assert await shell.ends() == (4400, "unknown message type 'launch'")


async def test_an_idle_terminal_is_closed_with_the_reason(terminal, impatient):
    async with terminal(at=impatient) as shell:
        await shell.shows("#")
        code, reason = await shell.ends()
        assert code == 4408
        assert "terminal.idleTimeout" in reason
        assert shell.toasts == [reason]
        assert shell.pings


async def test_who_gives_no_sign_of_life_is_given_up(terminal, impatient):
    async with terminal(at=impatient) as shell:
        await shell.type("while :; do echo x; sleep 0.5; done\n")
        async with asyncio.timeout(60):
            while await shell.step(answer_pings=False):
                pass
        assert (shell.code, shell.reason) == (1001, "the other side gave no sign of life")


async def test_one_user_opens_no_more_terminals_than_allowed(terminal, impatient):
    async with terminal(at=impatient):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with terminal(at=impatient):
                pass
        assert refused.value.status == 429


async def test_a_service_that_stops_tells_the_user_to_come_back(terminal, impatient):
    async with terminal(at=impatient) as shell:
        await shell.type("while :; do echo wor''king; sleep 0.5; done\n")
        await shell.shows("working")
        stopping = asyncio.ensure_future(impatient.stop())
        code, reason = await shell.ends()
        assert code == 1001
        assert shell.toasts == [reason]
        await stopping


async def test_a_log_is_read_from_where_it_is_asked_for(room, erin):
    await room.create(pod("counting", BUSYBOX, ["sh", "-c", COUNTING]))

    async def counted():
        answer = await erin.get(room.path("counting", "/log"))
        assert "line 6\n" in answer.text
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"

    await eventually(counted, timeout=60)
    last = await erin.get(room.path("counting", "/log?tailLines=2&timestamps=true&container=main"))
    lines = last.text.splitlines()
    assert len(lines) == 2
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+Z line \d+", line) for line in lines), lines
    assert (await erin.get(room.path("counting", "/log?limitBytes=6"))).text == "line 1"


async def following(client: SignedClient, path: str) -> asyncio.Task[Reply]:
    """A log that is being followed.

    The kubelet watches its file with inotify, of which a machine that is busy may have none left for a while
    (fs.inotify.max_user_instances): then the log says so, and ends.
    """

    async def begun() -> asyncio.Task[Reply]:
        task = asyncio.create_task(client.get(path))
        done, _ = await asyncio.wait((task,), timeout=2)
        assert not done, task.result().text
        return task

    return await eventually(begun, timeout=90)


async def test_a_log_is_followed_until_the_pod_is_gone(room, service):
    client = SignedClient(service.url, SECRET).acting_as(room.people.name("erin"))
    await room.create(pod("followed", BUSYBOX, ["sh", "-c", COUNTING]))
    answering = await following(client, room.path("followed", "/log?follow=true"))
    await room.cluster.delete(PODS, "followed", room.namespace)
    async with asyncio.timeout(60):
        answer = await answering
    assert answer.text.startswith("line 1\nline 2\n")
    await client.close()


async def test_what_a_container_wrote_before_it_crashed_can_be_read(room, erin):
    await room.cluster.create(PODS, pod("crashing", BUSYBOX, ["sh", "-c", CRASHING]), room.namespace)

    async def both():
        previous = await erin.get(room.path("crashing", "/log?previous=true"))
        current = await erin.get(room.path("crashing", "/log"))
        assert previous.status == current.status == 200, previous.text
        assert previous.text.startswith("last words of ")
        assert previous.text != current.text

    await eventually(both, timeout=120)


async def test_who_may_no_longer_run_commands_is_cut_off(room, tmp_path):
    people, namespace = room.people, room.namespace
    for name, role in (("frank-runs", "admin"), ("frank-reads", "viewer")):
        await people.bind_in(namespace, name, ["frank"], "Role", role)
    await room.create(pod("watched", BUSYBOX, ["sleep", "3600"]))
    async with serving(room, tmp_path, accessInterval="300ms") as service:
        client = SignedClient(service.url, SECRET).acting_as(people.name("frank"))
        answering = await following(client, room.path("watched", "/log?follow=true"))
        async with opened_terminal(service.url, SECRET, room.path("shell"), people.name("frank")) as shell:
            await shell.shows("#")
            await room.cluster.delete(ROLE_BINDINGS, "frank-runs", namespace)
            code, reason = await shell.ends()
            assert (code, reason) == (4403, "you may no longer run commands in this container")
        assert not answering.done()
        await room.cluster.delete(ROLE_BINDINGS, "frank-reads", namespace)
        with pytest.raises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(answering, 60)
        await client.close()


async def test_terminals_and_followed_logs_last_no_longer_than_they_may(room, tmp_path):
    await room.create(pod("lasting", BUSYBOX, ["sh", "-c", COUNTING]))
    erin = room.people.name("erin")
    async with serving(room, tmp_path, maxDuration="5s") as service:
        client = SignedClient(service.url, SECRET).acting_as(erin)
        answering = await following(client, room.path("lasting", "/log?follow=true"))
        async with opened_terminal(service.url, SECRET, room.path("shell"), erin) as shell:
            await shell.type("while :; do echo at work; sleep 0.2; done\n")
            await shell.shows("at work")
            code, reason = await shell.ends()
        assert (code, reason) == (4409, "a terminal may last 5 s (terminal.maxDuration)")
        assert shell.toasts == [reason]
        with pytest.raises(aiohttp.ClientPayloadError):
            await asyncio.wait_for(answering, 60)
        await client.close()


async def test_a_restart_of_kubernetes_ends_terminals_with_the_reason_and_new_ones_open(
    terminal, room, service
):
    client = SignedClient(service.url, SECRET).acting_as(room.people.name("erin"))
    await room.create(pod("silent", BUSYBOX, ["sleep", "3600"]))
    answering = await following(client, room.path("silent", "/log?follow=true"))
    async with terminal() as shell:
        await shell.shows("#")
        await room.kubernetes.stop_apiserver(hard=True)
        try:
            code, reason = await shell.ends()
            assert code == 4503
            assert reason.startswith("kubernetes is not available")
            with pytest.raises(aiohttp.ClientPayloadError):
                await answering
            refused = await client.get(room.path("shell"))
            assert refused.status == 503
            assert "kubernetes is not available" in refused.message
        finally:
            await room.kubernetes.start_apiserver()

    async def open_again():
        try:
            async with terminal() as shell:
                await shell.shows("#")
        except aiohttp.WSServerHandshakeError as error:
            raise AssertionError("not yet") from error

    await eventually(open_again, timeout=60)
    await client.close()
