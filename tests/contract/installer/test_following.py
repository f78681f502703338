"""The installer as it runs in a cluster: with the rights of its manifests, following its ConfigMap."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import pytest_asyncio
import yaml

from devstack.ports import LOOPBACK, free_port
from harness.pretend_node import pretend_node
from harness.waiting import eventually
from ks_installer.discovery import Discovery
from ks_installer.health import Health, answering
from kubekit.cluster import Cluster
from kubekit.resource import CONFIG_MAPS, DEPLOYMENTS, EVENTS, SERVICES
from localkube.cluster import Localkube

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(600)]

Run = Callable[..., Coroutine[Any, Any, Any]]

DEPLOY = Path(__file__).parents[3] / "installer" / "deploy"
SYSTEM = "kubesphere-system"
ACCOUNT = "system:serviceaccount:kubesphere-system:ks-installer"
GROUPS = ["system:serviceaccounts", "system:serviceaccounts:kubesphere-system"]


class Follower:
    """The process, and what it has written so far."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url
        self.events: list[dict[str, Any]] = []

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.events.append(orjson.loads(line))

    def notes(self) -> list[str]:
        return [event["text"] for event in self.events if event["event"] == "note"]


@pytest_asyncio.fixture(scope="module")
async def follower(kubernetes_alone: Localkube, installer: Run, cluster: Cluster) -> AsyncIterator[Follower]:
    """It runs as the service account of installer/deploy, applied but for the Deployment."""
    assert (await installer("uninstall", "--purge")).code == 0
    discovery = Discovery(cluster)
    for name in ("namespace", "rbac", "ks-config"):
        for obj in yaml.safe_load_all((DEPLOY / f"{name}.yaml").read_text()):
            resource = await discovery.resource_of(obj)
            assert resource is not None
            await eventually(lambda r=resource, o=obj: cluster.apply(r, o, field_manager="tests"), 30)
    kubeconfig = await asyncio.to_thread(kubernetes_alone.user_kubeconfig, ACCOUNT, GROUPS)
    port = free_port()
    async with pretend_node(cluster):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "ks_installer", "follow", "--kubeconfig", str(kubeconfig), "--output", "json"),
            *("--health-port", str(port)),
            stdout=PIPE,
            stderr=DEVNULL,
        )
        follower = Follower(process, f"http://{LOOPBACK}:{port}")
        reading = asyncio.create_task(follower.read())
        try:
            yield follower
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await reading
            assert (await installer("uninstall", "--purge")).code == 0
            for kind in ("clusterrole", "clusterrolebinding"):
                path = f"/apis/rbac.authorization.k8s.io/v1/{kind}s/ks-installer"
                await cluster.request("DELETE", path)


async def reasons(cluster: Cluster) -> list[str]:
    """What was told about the ConfigMap."""
    found = await cluster.list(EVENTS, SYSTEM, field_selector="involvedObject.name=ks-installer")
    return [event["reason"] for event in found.items]


async def configure(cluster: Cluster, text: str) -> None:
    await cluster.patch(CONFIG_MAPS, "ks-installer", {"data": {"ks-config.yaml": text}}, SYSTEM)


async def test_it_installs_what_the_configmap_says_with_the_rights_of_its_manifests(
    follower: Follower, cluster: Cluster
) -> None:
    async def installed() -> None:
        assert follower.process.returncode is None
        assert "Installed" in await reasons(cluster), follower.notes()

    await eventually(installed, 120, 0.5)


async def test_it_answers_the_kubelet(follower: Follower) -> None:
    async with aiohttp.ClientSession(follower.url) as session:
        for path in ("/healthz", "/readyz"):
            async with session.get(path) as answer:
                assert answer.status == 200, path


async def test_it_is_not_ready_before_it_follows_the_configmap() -> None:
    health, port = Health(), free_port()
    async with answering(health, port), aiohttp.ClientSession(f"http://{LOOPBACK}:{port}") as session:
        for follows, status in ((False, 503), (True, 200)):
            health.follows = follows
            async with session.get("/readyz") as answer:
                assert answer.status == status
            async with session.get("/healthz") as answer:
                assert answer.status == 200


async def test_a_change_of_the_configmap_is_followed(follower: Follower, cluster: Cluster) -> None:
    await configure(cluster, "console: {port: 30991}\ncommon: {minioEnabled: true}")

    async def changed() -> None:
        port = (await cluster.get(SERVICES, "ks-console", SYSTEM))["spec"]["ports"][0]["nodePort"]
        assert port == 30991, follower.notes()
        assert await cluster.list(DEPLOYMENTS, SYSTEM, field_selector="metadata.name=minio")

    await eventually(changed, 120, 0.5)


async def test_what_is_wrong_is_told_and_the_next_change_is_followed_at_once(
    follower: Follower, cluster: Cluster
) -> None:
    await configure(cluster, "console: {prot: 30992}")

    async def told() -> None:
        assert "InstallationFailed" in await reasons(cluster)
        assert any("console.prot: there is no such key; did you mean port?" in n for n in follower.notes())

    await eventually(told, 60, 0.5)
    await configure(cluster, "console: {port: 30992}")

    async def mended() -> None:
        port = (await cluster.get(SERVICES, "ks-console", SYSTEM))["spec"]["ports"][0]["nodePort"]
        assert port == 30992

    await eventually(mended, 120, 0.5)


async def test_it_ends_when_it_is_told_to(follower: Follower) -> None:
    """As the first process of its container too, where nothing ends by a signal that it does not handle."""
    follower.process.terminate()
    assert await asyncio.wait_for(follower.process.wait(), 10) == 130
