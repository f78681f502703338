"""The platform in containers, by both generations of compose: runs where a Docker engine answers.

KS_TEST_CONTAINERS=1 pytest tests/tools/test_containers_running.py
"""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from devstack.ports import LOOPBACK, free_port
from harness import go_programs, third_party
from harness.console import Browser
from harness.go_programs import Program
from imagebuilder import engine
from localkube.binaries import Finder
from localkube.cluster import Localkube
from localkube.versions import find_version

CONTAINERS = Path(__file__).parents[2] / "tools" / "containers"
PROJECT = "kubesphere-tests"
ONCE = {"secrets", "installer"}
LOGIN = "/kapis/iam.kubesphere.io/v1alpha2/login"
WORKSPACES = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"
COMPOSE_2 = Program("github.com/docker/compose/v2", "cmd", "v2.40.3", called="docker-compose")
K3S = "rancher/k3s:v1.34.4-k3s1"
STACKS = {
    "compose 1, a given cluster": {"compose": 1, "k3s": False},
    "compose 2, a given cluster": {"compose": 2, "k3s": False},
    "compose 2, k3s": {"compose": 2, "k3s": True},
}

pytestmark = pytest.mark.timeout(1200)


def run(*command: str | Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def client(generation: int, directory: Path) -> Mapping[str, str]:
    """Makes `docker compose` Compose v2, or nothing, by an environment; skips where that cannot be."""
    environment = {"DOCKER_CONFIG": str(directory)}
    if run("docker", "compose", "version", environment=environment).returncode == 0:
        if generation == 1:
            pytest.skip("Compose v2 is installed for everybody, and tools/containers prefers it")
        return {}
    if generation == 2:
        if not (COMPOSE_2.is_kept or os.environ.get("KS_TEST_BUILD")):
            pytest.skip("building Compose v2 takes minutes: KS_TEST_BUILD=1 allows it")
        plugins = directory / "cli-plugins"
        plugins.mkdir()
        (plugins / "docker-compose").symlink_to(go_programs.built(COMPOSE_2))
    return environment


@asynccontextmanager
async def given_cluster(directory: Path) -> AsyncIterator[Mapping[str, str]]:
    """One that listens on loopback alone."""
    cluster = Localkube("tests-containers", directory / "kubernetes", control_plane_only=True)
    try:
        await asyncio.to_thread(cluster.up)
        yield {"KUBECONFIG": str(cluster.kubeconfig)}
    finally:
        await asyncio.to_thread(cluster.down, delete=True)


@asynccontextmanager
async def own_cluster(directory: Path) -> AsyncIterator[Mapping[str, str]]:
    """That of compose.yaml; where no registry gives the image of k3s, with a control plane in its place."""
    if any(
        run("docker", *how, K3S, environment={}).returncode == 0 for how in (("image", "inspect"), ("pull",))
    ):
        yield {"KUBECONFIG": ""}
        return
    hyperkube = Finder(find_version("1.34")).kubernetes().paths["kube-apiserver"]
    archive = await asyncio.to_thread(third_party.archive, K3S, k3s=hyperkube)
    loaded = run("docker", "load", "--quiet", "--input", archive.path, environment={})
    assert loaded.returncode == 0, loaded.stderr
    unprivileged = directory / "unprivileged.yaml"
    # A control plane needs no privileges, and not every engine may give them.
    unprivileged.write_text("services: {kubernetes: {privileged: false}}\n")
    try:
        yield {"KUBECONFIG": "", "COMPOSE_FILE": f"compose.yaml:{unprivileged}"}
    finally:
        run("docker", "image", "rm", K3S, environment={})


@pytest_asyncio.fixture(scope="module", params=STACKS.values(), ids=STACKS.keys())
async def environment(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, str]]:
    """Of a stack that runs."""
    if "KS_TEST_CONTAINERS" not in os.environ:
        pytest.skip("it takes minutes: KS_TEST_CONTAINERS=1 runs it, where a Docker engine answers")
    if not engine.answers():
        pytest.skip("no Docker engine answers: start one, or name it in DOCKER_HOST")
    directory = tmp_path_factory.mktemp("containers")
    ports = {name: str(free_port()) for name in ("GATEWAY_PORT", "CONSOLE_PORT", "RELAY_PORT")}
    chosen = {**ports, "COMPOSE_PROJECT_NAME": PROJECT, **client(request.param["compose"], directory)}
    async with (own_cluster if request.param["k3s"] else given_cluster)(directory) as of_cluster:
        chosen |= of_cluster
        possible = run(CONTAINERS, "possible", environment=chosen)
        if possible.returncode != 0:
            pytest.skip(possible.stderr.strip())
        try:
            up = await asyncio.to_thread(run, CONTAINERS, "up", environment=chosen)
            assert up.returncode == 0, up.stdout[-3000:] + up.stderr[-3000:]
            yield {**chosen, "PASSWORD": up.stdout.split("password  ")[1].split()[0]}
        finally:
            down = await asyncio.to_thread(run, CONTAINERS, "down", environment=chosen)
        assert down.returncode == 0, down.stderr
        assert containers() == {}


def containers() -> dict[str, dict]:
    """What the engine knows of each container, by the name of its service."""
    label = "com.docker.compose.project"
    listed = run("docker", "ps", "--all", "--quiet", "--filter", f"label={label}={PROJECT}", environment={})
    if not listed.stdout:
        return {}
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
    found = containers()
    if not environment["KUBECONFIG"]:
        del found["kubernetes"]  # k3s needs both
    for name, container in found.items():
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
