"""What searches cost in ks-apiserver, with thousands of namespaces, deployments and pods.

Two peers are measured in the same run: the smallest aiohttp application, which answers the bytes of the first
page from memory, and a plain list, decoded, filtered and sorted for each request. The figures of v2.1.1 were
taken on two cores of the same kind and are no part of this run.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from devstack.ports import free_port
from harness.crowd import clear, deployment, fill, namespace_name, pod
from harness.fake_api_server import running_fake_cluster
from harness.kubernetes import KubernetesServer
from harness.load import Load, load
from harness.services import RunningService, running_service
from harness.signed import SignedClient
from harness.tables import print_table
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    PODS,
    ROLE_BINDINGS,
    ROLES,
    WORKSPACES,
)
from servicekit.identity import IDENTITY_HEADER, Identity, IdentitySigner

NAMESPACES_MADE, DEPLOYMENTS_MADE, PODS_MADE = 2_010, 5_012, 50_000
SECRET = "a-secret-of-the-benchmarks-long-enough"
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
WHO = "bench-apiserver"
FILL_SECONDS = 120

SMALLEST = """
import asyncio, pathlib, sys
import uvloop
from aiohttp import web

body = pathlib.Path(sys.argv[2]).read_bytes()

async def answer(request):
    return web.Response(body=body, content_type="application/json")

application = web.Application()
application.router.add_get("/{path:.*}", answer)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None,
            loop=uvloop.new_event_loop())
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A search, and what it cost v2.1.1: milliseconds of CPU and of waiting over two connections."""

    name: str
    path: str
    cpu: float = 0.0
    p50: float = 0.0
    differing: bool = False
    """Each request is another one, so that none is answered from memory."""


DEPLOYMENT_CASES = (
    Case("page of 10 deployments", "/deployments?paging=limit%3D10,page%3D1", 7.66, 6.6),
    Case(
        "the same, fuzzy name and reverse",
        "/deployments?conditions=name~web-1&orderBy=name&reverse=true&paging=limit%3D10,page%3D1",
        6.16,
    ),
    Case("deployments of one namespace (3)", f"/namespaces/{namespace_name(7)}/deployments", 0.39),
    Case(
        "page of 10, never asked for before", "/deployments?paging=limit%3D10,page%3D1", 7.66, differing=True
    ),
    Case(
        "of one namespace, never before", f"/namespaces/{namespace_name(7)}/deployments", 0.39, differing=True
    ),
)
POD_CASES = (
    Case("page of 10 pods", "/pods?paging=limit%3D10,page%3D1"),
    Case(
        "the same, fuzzy name and reverse",
        "/pods?conditions=name~web-1&orderBy=name&reverse=true&paging=limit%3D10,page%3D1",
    ),
    Case(
        "by start time, of a label",
        "/pods?conditions=version%3Dv1&orderBy=startTime&paging=limit%3D10,page%3D3",
    ),
    Case("objects of any kind, by a part of the name", "/search?q=web-1"),
    Case("pods of one namespace", f"/namespaces/{namespace_name(7)}/pods"),
    Case("page of 10 pods, never before", "/pods?paging=limit%3D10,page%3D1", differing=True),
    Case("by a part of the name, never before", "/search?q=web-1", differing=True),
)


def configuration(kubeconfig: Path) -> dict[str, object]:
    return {
        "kubernetes": {"kubeconfig": str(kubeconfig)},
        "authentication": {"jwtSecret": SECRET},
        "server": {"checkInterval": "500ms"},
        "log": {"level": os.environ.get("KS_BENCH_LOG", "info")},
    }


@contextlib.asynccontextmanager
async def serving(kubeconfig: Path, directory: Path) -> AsyncIterator[tuple[RunningService, float]]:
    """The service, ready, and how many seconds that took."""
    started = time.monotonic()
    async with running_service("ks-apiserver", configuration(kubeconfig), directory) as service:
        client = SignedClient(service.url, SECRET)

        async def is_ready() -> None:
            assert (await client.get("/readyz")).status == 200

        await eventually(is_ready, timeout=FILL_SECONDS, interval=0.02)
        seconds = time.monotonic() - started
        await client.close()
        yield service, seconds


@contextlib.asynccontextmanager
async def smallest(body: str, directory: Path) -> AsyncIterator[tuple[str, int]]:
    """An aiohttp application that answers `body` to everything: its address and process."""
    port = free_port()
    (directory / "body").write_text(body)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SMALLEST, str(port), str(directory / "body")
    )

    async def listens() -> None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            raise AssertionError("not yet") from error
        writer.close()

    try:
        await eventually(listens, timeout=FILL_SECONDS)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        await process.wait()


async def filled(service: RunningService, path: str) -> str:
    """The answer at `path`, once the cache behind it has filled."""
    client = SignedClient(service.url, SECRET).acting_as(WHO, "system:masters")

    async def answered() -> str:
        answer = await client.get(RESOURCES + path)
        assert answer.status == 200, answer.text
        return answer.text

    try:
        return await eventually(answered, timeout=FILL_SECONDS)
    finally:
        await client.close()


async def loaded(service: RunningService, case: Case, connections: int) -> Load:
    headers = {IDENTITY_HEADER: IdentitySigner(SECRET.encode()).sign(Identity(WHO, ("system:masters",)))}
    url = service.url + RESOURCES + case.path
    return await load(url, service.pid, connections=connections, headers=headers, differing=case.differing)


def plain(items: list[dict[str, object]]) -> float:
    """Milliseconds of CPU to decode a list, keep a few by name, sort them and encode ten."""
    payload = json.dumps(items)
    started = time.process_time()
    kept = [item for item in json.loads(payload) if "web-1" in item["metadata"]["name"]]
    kept.sort(key=lambda item: item["metadata"]["name"], reverse=True)
    json.dumps(kept[:10])
    return (time.process_time() - started) * 1000


def resident(service: RunningService) -> float:
    """MiB."""
    return psutil.Process(service.pid).memory_info().rss / 2**20


def row(name: str, measured: Load, base: Load, case: Case | None = None) -> tuple[str, ...]:
    against = f"{measured.cpu / case.cpu:.2f}" if case and case.cpu else "-"
    return (
        name,
        f"{measured.rate:.0f}",
        f"{measured.p50:.2f}",
        f"{measured.p99:.2f}",
        f"{measured.cpu:.3f}",
        f"{measured.cpu / base.cpu:.2f}",
        against,
    )


HEADER = ("search", "req/s", "p50 ms", "p99 ms", "CPU ms", "of smallest", "of v2.1.1 CPU")


async def measure(
    title: str, service: RunningService, cases: tuple[Case, ...], make: Callable[[int], dict[str, object]],
    count: int, directory: Path,
) -> list[Load]:  # fmt: skip
    """Loads each case, and the smallest application with the answer of the first, and prints the table."""
    body = await filled(service, cases[0].path)
    async with smallest(body, directory) as (url, pid):
        base = await load(url, pid, connections=2)
        results = [await loaded(service, case, 2) for case in cases]
        crowd = await loaded(service, cases[0], 200)
        base_crowd = await load(url, pid, connections=200)
    rows = [row("smallest aiohttp application", base, base)]
    rows += [row(case.name, result, base, case) for case, result in zip(cases, results, strict=True)]
    rows += [row("smallest aiohttp application, 200 users", base_crowd, base_crowd)]
    rows += [row(f"{cases[0].name}, 200 users", crowd, base_crowd)]
    listed = plain([make(number) for number in range(count)])
    rows.append(
        ("plain decode, filter and sort", "-", "-", "-", f"{listed:.1f}", f"{listed / base.cpu:.0f}", "-")
    )
    print_table(title, HEADER, rows)
    return [*results, crowd]


@pytest.mark.timeout(1800)
async def test_searches_of_deployments(kubernetes: KubernetesServer, tmp_path: Path) -> None:
    config = ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=0, pool=64, timeout=300)
    async with Cluster(config) as cluster:
        await fill(cluster, NAMESPACES_MADE, DEPLOYMENTS_MADE)
        async with serving(kubernetes.kubeconfig, tmp_path) as (service, seconds):
            await filled(service, DEPLOYMENT_CASES[0].path)
            idle = resident(service)
            title = f"{NAMESPACES_MADE} namespaces, {DEPLOYMENTS_MADE} deployments, 2 connections"
            await measure(title, service, DEPLOYMENT_CASES, deployment, DEPLOYMENTS_MADE, tmp_path)
            memory = f"resident {idle:.0f} MiB, {resident(service):.0f} after load (v2.1.1: 205 and 306)"
            print(f"\nready after {seconds:.1f} s; {memory}")
        if "KS_BENCH_KEEP" not in os.environ:
            await clear(cluster, NAMESPACES_MADE)


@pytest.mark.timeout(1800)
async def test_searches_of_pods(tmp_path: Path) -> None:
    """The pods come from a small server that speaks list and watch: to make so many really takes an hour."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    roles = ("clusterroles", "clusterrolebindings", "roles", "rolebindings")
    paths = ("/api/v1/pods", "/api/v1/namespaces", "/apis/tenant.kubesphere.io/v1alpha1/workspaces")
    async with running_fake_cluster(tmp_path, *paths, *(f"{rbac}/{each}" for each in roles)) as (
        fakes,
        config,
    ):
        fakes[f"{rbac}/clusterroles"].put(EVERYTHING)
        fakes[f"{rbac}/clusterrolebindings"].put(TO_MASTERS)
        for number in range(PODS_MADE):
            fakes[paths[0]].put(pod(number))
        fakes[paths[0]].compact()
        async with serving(config, tmp_path) as (service, seconds):
            before = resident(service)
            await filled(service, POD_CASES[0].path)
            held = resident(service)
            await measure(f"{PODS_MADE} pods, 2 connections", service, POD_CASES, pod, PODS_MADE, tmp_path)
            first, after = ((each - before) * 1024 / PODS_MADE for each in (held, resident(service)))
            print(f"\nready after {seconds:.1f} s; KiB resident a pod: {first:.1f}, {after:.1f} after load")


FAKED = (PODS, NAMESPACES, WORKSPACES, CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS)
EVERYTHING = {
    "metadata": {"name": "cluster-admin"},
    "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
}
TO_MASTERS = {
    "metadata": {"name": "cluster-admin"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:masters"}],
}
