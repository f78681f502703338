"""A node with images and nothing installed yet, and the installer and kubectl beside it."""

import asyncio
import base64
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from harness import third_party
from imagebuilder.service import Assembler
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.resource import NAMESPACES, NODES, SECRETS, Resource
from localkube.cluster import Localkube
from localkube.progress import progress_for

ROOT = Path(__file__).parents[2]
KUBECTL_IMAGE = "kubesphere/kubectl:advanced-1.0.0"
_PASSING = {"Event", "Lease", "ComponentStatus", "NodeMetrics", "PodMetrics"}
_WRITTEN_BY_OTHERS = ("labels", "annotations", "finalizers", "ownerReferences")


@dataclass(frozen=True)
class Outcome:
    """How a run of the installer ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines that it wrote."""
        return [orjson.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Site:
    """A cluster with a node, which has the images, and the installer beside it."""

    kubernetes: Localkube
    cluster: Cluster
    directory: Path

    async def installer(self, *arguments: str, sources: Path, kill_after: float | None = None) -> Outcome:
        """Runs `ks-installer` of `sources`, a copy made by `edited`; after that many seconds it is killed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "ks_installer", *arguments, "--kubeconfig", str(self.kubernetes.kubeconfig)),
            stdout=PIPE,
            stderr=PIPE,
            env={**os.environ, "PYTHONPATH": str(sources / "installer")},
        )
        told = asyncio.create_task(process.communicate())
        done, _ = await asyncio.wait({told}, timeout=kill_after)
        if not done:
            process.kill()
        out, err = await told
        return Outcome(process.returncode or 0, out.decode(), err.decode())

    async def kubectl(self, *arguments: str) -> str:
        """What kubectl of the cluster's administrator prints; raises AssertionError where it fails."""
        return await self._run("--kubeconfig", str(self.kubernetes.kubeconfig), *arguments)

    async def kubectl_through(self, server: str, authority: Path, token: str, *arguments: str) -> str:
        """What kubectl prints that speaks TLS to `server`, as the owner of `token` and nobody else."""
        at = ("--kubeconfig", os.devnull, "--server", server, "--certificate-authority", str(authority))
        return await self._run(*at, "--token", token, *arguments)

    async def _run(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            str(self.kubernetes.kubectl), *arguments,
            stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env={**os.environ, "HOME": str(self.directory)},
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def address(self) -> str:
        """Of the node, where its NodePorts answer."""
        (node,) = (await self.cluster.list(NODES)).items
        return next(one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP")

    async def drawn_password(self) -> str:
        """The administrator's, as the installer has drawn it."""
        secret = await self.cluster.get(SECRETS, "ks-account-secret", "kubesphere-system")
        return base64.b64decode(secret["data"]["admin-password"]).decode()


async def everything(cluster: Cluster) -> dict[str, Any]:
    """The objects of every kind that the cluster serves, by kind and name, but for events and heartbeats.

    Of namespaces it is said what others may have written to them, of anything else only that it is there.
    """
    found: dict[str, Any] = {}
    for resource in await _served(cluster):
        if resource.kind in _PASSING:
            continue
        for obj in (await cluster.list(resource)).items:
            meta = obj["metadata"]
            told = {part: meta.get(part) for part in _WRITTEN_BY_OTHERS} if resource == NAMESPACES else None
            found[f"{resource.kind} {meta.get('namespace', '')}/{meta['name']}"] = told
    return found


async def _served(cluster: Cluster) -> list[Resource]:
    groups = orjson.loads(await cluster.request("GET", "/apis"))["groups"]
    versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
    found: list[Resource] = []
    for api_version in versions:
        group, _, version = api_version.rpartition("/")
        path = f"/apis/{api_version}" if group else f"/api/{version}"
        for entry in orjson.loads(await cluster.request("GET", path))["resources"]:
            if "list" in entry["verbs"] and "/" not in entry["name"]:
                found.append(Resource(group, version, entry["name"], entry["kind"], entry["namespaced"]))
    return found


def edited(directory: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    """A copy of the installer's sources, in whose files (by path) one text is replaced by another."""
    for part in ("installer", "k8s"):
        shutil.copytree(ROOT / part, directory / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (old, new) in changes.items():
        text = (directory / name).read_text()
        assert old in text, f"{name} has no {old!r}"
        (directory / name).write_text(text.replace(old, new))
    return directory


@asynccontextmanager
async def site(directory: Path, images: Iterable[str]) -> AsyncIterator[Site]:
    """A node that has `images`, and nothing installed; gone at the end."""
    kubernetes = Localkube("tests-installed", directory / "kubernetes", progress=progress_for())
    made = asyncio.create_task(asyncio.to_thread(_made, sorted(images)))
    try:
        await asyncio.to_thread(kubernetes.up)
        archives = [*(await made), await asyncio.to_thread(_kubectl, kubernetes)]
        for archive in archives:
            await asyncio.to_thread(kubernetes.import_image, archive)
        async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as cluster:
            yield Site(kubernetes, cluster, directory)
    finally:
        made.cancel()
        await asyncio.to_thread(kubernetes.down, delete=True)


def _made(images: list[str]) -> list[Path]:
    assembler = Assembler(ROOT)
    paths: list[Path] = []
    for image in images:
        if third_party.known(image):
            paths.append(third_party.archive(image).path)
        elif image != KUBECTL_IMAGE:
            paths.append(assembler.assemble(image.partition(":")[0]).path)
    return paths


def _kubectl(kubernetes: Localkube) -> Path:
    return third_party.archive(KUBECTL_IMAGE, kubectl=kubernetes.kubectl).path
