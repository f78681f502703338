"""The platform in containers, on a control plane of this machine: runs where a Docker engine answers.

KS_TEST_CONTAINERS=1 pytest tests/tools/test_containers_running.py
"""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from devstack.ports import LOOPBACK, free_port
from harness.console import Browser
from imagebuilder import engine
from localkube.cluster import Localkube

CONTAINERS = Path(__file__).parents[2] / "tools" / "containers"
PROJECT = "kubesphere-tests"
ONCE = {"secrets", "installer"}
LOGIN = "/kapis/iam.kubesphere.io/v1alpha2/login"
WORKSPACES = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"

pytestmark = pytest.mark.timeout(1200)


def run(*command: str | Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


@pytest_asyncio.fixture(scope="module")
async def environment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mapping[str, str]]:
    """Of a stack that runs on a cluster which listens on loopback alone."""
    ports = {name: str(free_port()) for name in ("GATEWAY_PORT", "CONSOLE_PORT", "RELAY_PORT")}
    cluster = Localkube(
        "tests-containers", tmp_path_factory.mktemp("containers") / "kubernetes", control_plane_only=True
    )
    chosen = {**ports, "COMPOSE_PROJECT_NAME": PROJECT, "KUBECONFIG": str(cluster.kubeconfig)}
    if "KS_TEST_CONTAINERS" not in os.environ:
        pytest.skip("it takes minutes: KS_TEST_CONTAINERS=1 runs it, where a Docker engine answers")
    if not engine.answers():
        pytest.skip("no Docker engine answers: start one, or name it in DOCKER_HOST")
    possible = run(CONTAINERS, "possible", environment=chosen)
    if possible.returncode != 0:
        pytest.skip(possible.stderr.strip())
    try:
        await asyncio.to_thread(cluster.up)
        up = await asyncio.to_thread(run, CONTAINERS, "up", environment=chosen)
        assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-3000:]
        yield {**chosen, "PASSWORD": up.stdout.split("password  ")[1].split()[0]}
    finally:
        down = await asyncio.to_thread(run, CONTAINERS, "down", environment=chosen)
        await asyncio.to_thread(cluster.down, delete=True)
        assert down.returncode == 0, down.stderr


def containers() -> dict[str, dict]:
    """What the engine knows of each container, by the name of its service."""
    label = "com.docker.compose.project"
    listed = run("docker", "ps", "--all", "--quiet", "--filter", f"label={label}={PROJECT}", environment={})
    found = json.loads(run("docker", "inspect", *listed.stdout.split(), environment={}).stdout)
    return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}


def test_everything_is_healthy_or_did_its_work(environment: Mapping[str, str]) -> None:
    found = containers()
    assert found.keys() > ONCE
    for name, container in found.items():
        state = container["State"]
        if name in ONCE:
            assert (state["Status"], state["ExitCode"]) == ("exited", 0), name
        else:
            assert state["Health"]["Status"] == "healthy", name


def test_containers_run_without_root_and_may_write_nowhere(environment: Mapping[str, str]) -> None:
    for name, container in containers().items():
        assert container["HostConfig"]["ReadonlyRootfs"], name
        assert not container["HostConfig"]["Privileged"], name
        if name not in {*ONCE, "kubernetes"}:
            assert container["Config"]["User"].startswith("65532"), name


async def test_the_administrator_signs_in_at_the_gateway(environment: Mapping[str, str]) -> None:
    gateway = f"http://{LOOPBACK}:{environment['GATEWAY_PORT']}"
    credentials = {"username": "admin", "password": environment["PASSWORD"]}
    async with aiohttp.ClientSession(gateway) as session:
        async with session.post(LOGIN, json=credentials) as answer:
            assert answer.status == 200, await answer.text()
            token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        async with session.get(WORKSPACES, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            names = [item["metadata"]["name"] for item in (await answer.json())["items"]]
        assert names == ["system-workspace"]
        async with session.get("/api/v1/namespaces/kubesphere-system", headers=headers) as answer:
            assert answer.status == 200, await answer.text()


async def test_the_administrator_signs_in_at_the_console(environment: Mapping[str, str]) -> None:
    browser = Browser(f"http://{LOOPBACK}:{environment['CONSOLE_PORT']}")
    try:
        page = await browser.get("/", headers={"Accept": "text/html"})
        assert "<script" in page.text
        answer = await browser.sign_in("admin", environment["PASSWORD"])
        assert answer.status == 200, answer.text
        assert (await browser.get(WORKSPACES)).json["total_count"] == 1
    finally:
        await browser.close()
