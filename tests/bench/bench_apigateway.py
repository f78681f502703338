"""What a request costs in the gateway, next to nginx as a plain proxy, in one run.

An nginx answers 1 KiB of JSON; wrk asks over 32 kept connections: directly, through an nginx that only
proxies, and through ks-apigateway, which authenticates and authorises each request. One process each.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.ports import free_port
from devstack.servers import Redis
from harness.gateway import SECRET, login_token, running_gateway, session_key
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import CLUSTER_ROLE_BINDINGS

CONNECTIONS = 32
SECONDS = 5
PATH = "/kapis/resources.kubesphere.io/v1alpha2/namespaces/default/deployments"

NGINX = """
worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  keepalive_requests 100000000;
  upstream back {{ server 127.0.0.1:{back}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""
STATIC = "location / {{ default_type application/json; return 200 '{body}'; }}"
PROXY = 'location / { proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ""; }'


@dataclass
class Result:
    """One line of the table."""

    name: str
    rate: float
    p50: float
    p99: float
    cpu: float
    """Microseconds of the measured process for each request."""


@contextlib.asynccontextmanager
async def nginx(directory: Path, location: str, back: int = 1) -> AsyncIterator[int]:
    """An nginx with one worker; gives its port."""
    port = free_port()
    config = _configured(directory, location, port, back)
    process = await asyncio.create_subprocess_exec("nginx", "-c", str(config), "-p", str(directory))
    try:

        async def answers() -> None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError as error:
                raise AssertionError("not yet") from error
            writer.close()

        await eventually(answers)
        yield port
    finally:
        process.terminate()
        await process.wait()


def _configured(directory: Path, location: str, port: int, back: int) -> Path:
    directory.mkdir(parents=True)
    config = directory / "nginx.conf"
    config.write_text(NGINX.format(directory=directory, location=location, port=port, back=back))
    return config


def cpu_of(pids: Iterable[int]) -> float:
    """Seconds of CPU that the processes and their children have had."""
    total = 0.0
    for pid in pids:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            times = each.cpu_times()
            total += times.user + times.system
    return total


async def load(name: str, port: int, pids: list[int], token: str = "") -> Result:
    """Runs wrk, and says what each request took of time and of the processes' CPU."""
    arguments = ["-t1", f"-c{CONNECTIONS}", "--latency", f"http://127.0.0.1:{port}{PATH}"]
    if token:
        arguments += ["-H", f"Authorization: Bearer {token}"]
    warm_up = await asyncio.create_subprocess_exec("wrk", "-d1s", *arguments, stdout=asyncio.subprocess.PIPE)
    await warm_up.communicate()
    before = cpu_of(pids)
    process = await asyncio.create_subprocess_exec(
        "wrk", f"-d{SECONDS}s", *arguments, stdout=asyncio.subprocess.PIPE
    )
    out = (await process.communicate())[0].decode()
    used = cpu_of(pids) - before
    assert "Non-2xx" not in out, out
    count = int(_found(r"(\d+) requests in", out))
    return Result(
        name,
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", out)),
        p50=_milliseconds(_found(r"50%\s+(\S+)", out)),
        p99=_milliseconds(_found(r"99%\s+(\S+)", out)),
        cpu=used / count * 1e6,
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, text
    return match[1]


def _milliseconds(text: str) -> float:
    value, unit = _found(r"([\d.]+)", text), text.lstrip("0123456789.")
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def show(results: list[Result]) -> None:
    """Prints the table."""
    base = results[1].cpu
    titles = ("req/s", "p50 ms", "p99 ms", "CPU us", "of nginx")
    print(f"\n{'proxied request, 32 connections':34}" + "".join(f"{title:>10}" for title in titles))
    for each in results:
        figures = f"{each.rate:10.0f}{each.p50:10.2f}{each.p99:10.2f}{each.cpu:10.1f}{each.cpu / base:10.2f}"
        print(f"{each.name:34}{figures}")


async def test_a_proxied_request(
    redis_server: RunningServer[Redis], kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    """Authenticated and authorised, against nginx that does neither."""
    body = '{"items":["' + "x" * 1000 + '"]}'
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "bench-gateway"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bench-gateway"}],
    }  # fmt: skip
    async with (
        Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as cluster,
        nginx(tmp_path / "static", STATIC.format(body=body)) as back,
        nginx(tmp_path / "proxy", PROXY, back) as plain,
        running_gateway(
            tmp_path / "gateway", redis_server.port, kubernetes.kubeconfig,
            upstreams={"apiserver": f"http://127.0.0.1:{back}"},
        ) as gateway,
    ):  # fmt: skip
        await cluster.apply(CLUSTER_ROLE_BINDINGS, binding, field_manager="bench")
        try:
            token = login_token("bench-gateway", secret=SECRET)
            await gateway.sessions.set(session_key("bench-gateway", token), "", ex=2400)

            async def allowed() -> None:
                assert (await gateway.get(PATH, token=token)).status == 200

            await eventually(allowed, timeout=30)
            pid_of = {port: int((tmp_path / name / "nginx.pid").read_text())
                      for name, port in (("static", back), ("proxy", plain))}  # fmt: skip
            results = [
                await load("the upstream itself", back, [pid_of[back]]),
                await load("nginx, plain", plain, [pid_of[plain]]),
                await load("ks-apigateway, allowed", gateway.service.port, [gateway.service.pid], token),
            ]
            show(results)
        finally:
            await cluster.delete(CLUSTER_ROLE_BINDINGS, "bench-gateway")
