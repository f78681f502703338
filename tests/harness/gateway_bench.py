"""A gateway next to nginx and Caddy as plain proxies, one process and one core each, for the benchmarks."""

import asyncio
import contextlib
import getpass
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.ports import free_port
from devstack.servers import Redis
from harness.gateway import SECRET, GatewayUnderTest, login_token, running_gateway, session_key
from harness.kubernetes import KubernetesServer
from harness.load import Load
from harness.load import load as load_of
from harness.servers import RunningServer
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import CLUSTER_ROLE_BINDINGS

CONNECTIONS = 32
USER = "bench-gateway"
PATH = "/kapis/resources.kubesphere.io/v1alpha2/namespaces/default/deployments"
_RBAC = "rbac.authorization.k8s.io"

_NGINX = """
user {user}; worker_processes 1; daemon off; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {directory}/b; proxy_temp_path {directory}/p;
  fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  keepalive_requests 100000000; client_max_body_size 0; sendfile on;
  upstream back {{ server 127.0.0.1:{back}; keepalive 64; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port}; root {directory}; {location} }}
}}
"""
STATIC = "location / {{ default_type application/json; return 200 '{body}'; }}"
FILES = "location / { }"
PROXY = (
    'location / { proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection "";'
    " proxy_request_buffering off; proxy_max_temp_file_size 0; }"
)
_CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:{back}
}}
"""


@dataclass
class Peer:
    """A server that is measured: its port, and its process."""

    name: str
    port: int
    pid: int
    token: str = ""

    def memory(self) -> int:
        """Bytes that it and its children hold."""
        process = psutil.Process(self.pid)
        return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))


@contextlib.asynccontextmanager
async def nginx(directory: Path, location: str, back: int = 1) -> AsyncIterator[Peer]:
    """An nginx with one worker."""
    port = free_port()
    config = _written(directory, "nginx.conf", _NGINX, location=location, port=port, back=back)
    async with _running(port, "nginx", "-c", str(config), "-p", str(directory)) as pid:
        yield Peer("nginx, plain", port, pid)


@contextlib.asynccontextmanager
async def caddy(directory: Path, back: int) -> AsyncIterator[Peer]:
    """A Caddy 2 on one core."""
    port = free_port()
    config = _written(directory, "Caddyfile", _CADDY, port=port, back=back)
    one_core = {"GOMAXPROCS": "1", "HOME": str(directory)}
    arguments = ("caddy", "run", "--config", str(config), "--adapter", "caddyfile")
    async with _running(port, *arguments, **one_core) as pid:
        yield Peer("Caddy 2, plain", port, pid)


def _written(directory: Path, name: str, template: str, **values: object) -> Path:
    directory.mkdir(parents=True)
    file = directory / name
    file.write_text(template.format(directory=directory, user=getpass.getuser(), **values))
    return file


@contextlib.asynccontextmanager
async def _running(port: int, *command: str, **environment: str) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stderr=asyncio.subprocess.DEVNULL
    )
    try:

        async def answers() -> None:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError as error:
                raise AssertionError("not yet") from error
            writer.close()

        await eventually(answers, timeout=60)
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def gateway(
    directory: Path, redis: RunningServer[Redis], kubernetes: KubernetesServer, back: int, **section: object
) -> AsyncIterator[tuple[GatewayUnderTest, Peer]]:
    """A gateway before the apiserver at the port `back`, with a user who may ask for `PATH`."""
    name = f"{USER}-{directory.name}"
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": USER}],
    }
    upstreams = {"apiserver": f"http://127.0.0.1:{back}"}
    async with (
        Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as cluster,
        running_gateway(
            directory, redis.port, kubernetes.kubeconfig, upstreams=upstreams, **section
        ) as running,
    ):
        await cluster.apply(CLUSTER_ROLE_BINDINGS, binding, field_manager="bench")
        token = login_token(USER, secret=SECRET)
        await running.sessions.set(session_key(USER, token), "", ex=24 * 3600)

        async def allowed() -> None:
            answer = await running.get(PATH, token=token)
            assert answer.status not in (401, 403, 503), answer

        try:
            await eventually(allowed, timeout=60)
            yield running, Peer("ks-apigateway", running.service.port, running.service.pid, token)
        finally:
            await cluster.delete(CLUSTER_ROLE_BINDINGS, name)


async def load(peer: Peer, seconds: float, *, path: str = PATH, pause: int = 0) -> Load:
    """What `peer` does under as much load as it takes, or with a pause of so many milliseconds before each
    request of a connection.
    """
    headers = {"Authorization": f"Bearer {peer.token}"} if peer.token else {}
    url = f"http://127.0.0.1:{peer.port}{path}"
    return await load_of(
        url, peer.pid, connections=CONNECTIONS, seconds=seconds, headers=headers, pause=pause
    )


async def rounds(peers: Iterable[Peer], count: int, seconds: float) -> dict[str, Load]:
    """Measures each of `peers` in turn, `count` times, and gives the middle of each figure."""
    found: dict[str, list[Load]] = {}
    for _ in range(count):
        for peer in peers:
            found.setdefault(peer.name, []).append(await load(peer, seconds))
    return {name: _middle(results) for name, results in found.items()}


def _middle(results: list[Load]) -> Load:
    def middle(figure: str) -> float:
        return sorted(getattr(each, figure) for each in results)[len(results) // 2]

    return Load(*(middle(figure) for figure in ("rate", "p50", "p99", "cpu")))
