"""A cluster for the installer alone: it is taken apart, so nobody else may use it."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from localkube.cluster import Localkube
from localkube.progress import progress_for


@dataclass(frozen=True)
class Outcome:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines that it wrote."""
        return [orjson.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Coroutine[Any, Any, Outcome]]


@pytest.fixture(scope="session")
def run_installer() -> Run:
    """Runs `ks-installer` with these arguments to its end.

    `kill_after` lines of output it is killed instead.
    """

    async def run(*arguments: str, kill_after: int | None = None) -> Outcome:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ks_installer", *arguments, stdout=PIPE, stderr=PIPE
        )
        if kill_after is not None:
            assert process.stdout is not None
            for _ in range(kill_after):
                await process.stdout.readline()
            process.kill()
        out, err = await process.communicate()
        return Outcome(process.returncode or 0, out.decode(), err.decode())

    return run


@pytest_asyncio.fixture(scope="session")
async def kubernetes_alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Localkube]:
    """Of a control plane without nodes, empty as Kubernetes makes it."""
    directory = tmp_path_factory.mktemp("installer") / "kubernetes"
    cluster = Localkube("tests-installer", directory, control_plane_only=True, progress=progress_for())
    try:
        await asyncio.to_thread(cluster.up)
        yield cluster
    finally:
        await asyncio.to_thread(cluster.down, delete=True)


@pytest.fixture(scope="session")
def kubeconfig(kubernetes_alone: Localkube) -> Path:
    """Of that cluster's administrator."""
    return kubernetes_alone.kubeconfig


@pytest.fixture(scope="session")
def users_kubeconfig(kubernetes_alone: Localkube) -> Callable[[str], Path]:
    """Makes the kubeconfig of a user who has no rights yet."""
    return lambda user: kubernetes_alone.user_kubeconfig(user, [])


@pytest_asyncio.fixture(scope="session")
async def cluster(kubeconfig: Path) -> AsyncIterator[Cluster]:
    """The same cluster, to look at from the outside."""
    async with Cluster(ClusterConfig(kubeconfig=str(kubeconfig))) as opened:
        yield opened


@pytest.fixture(scope="session")
def installer(kubeconfig: Path, run_installer: Run) -> Run:
    """The same on that cluster."""

    async def run(*arguments: str, kill_after: int | None = None) -> Outcome:
        return await run_installer(*arguments, "--kubeconfig", str(kubeconfig), kill_after=kill_after)

    return run
