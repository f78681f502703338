"""Hands the containers the kubeconfig of a cluster that is there already, in a form that works in them.

A cluster that listens on this machine's loopback alone is out of their reach: it is relayed from the address
by which they reach the machine. `--check` says whether the cluster serves.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig

_GIVEN = Path("/etc/given/kubeconfig")
_WRITTEN = Path("/etc/kubernetes/kubeconfig")
_MACHINE = "host.docker.internal"  # what containers call the machine that they run on
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_CHUNK = 64 * 1024


def current_cluster(kubeconfig: dict[str, Any]) -> dict[str, Any]:
    """The entry of the cluster of the current context. Ends the program where it names files."""
    context = next(
        each["context"] for each in kubeconfig["contexts"] if each["name"] == kubeconfig["current-context"]
    )
    cluster = next(each["cluster"] for each in kubeconfig["clusters"] if each["name"] == context["cluster"])
    user = next(each["user"] for each in kubeconfig["users"] if each["name"] == context["user"])
    named = [name for name in _FILES if name in cluster or name in user]
    if named:
        sys.exit(
            f"the kubeconfig names files ({', '.join(named)}) that containers do not see: "
            "give one that holds them, as `kubectl config view --flatten --raw` prints it"
        )
    return cluster


def for_containers(kubeconfig: dict[str, Any], port: int) -> tuple[str, int] | None:
    """Changes `kubeconfig` so that containers can use it; gives what to relay to at `port`, if anything."""
    cluster = current_cluster(kubeconfig)
    server = urlsplit(cluster["server"])
    if server.hostname not in _LOOPBACK:
        return None
    cluster["server"] = f"{server.scheme}://{_MACHINE}:{port}"
    cluster.setdefault("tls-server-name", server.hostname)
    return server.hostname, server.port or 443


async def relay(host: str, port: int, client: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Passes bytes both ways until one side is done."""
    try:
        upstream = await asyncio.open_connection(host, port)
    except OSError:
        client[1].close()
        return
    pumps = [
        asyncio.create_task(_pump(client[0], upstream[1])),
        asyncio.create_task(_pump(upstream[0], client[1])),
    ]
    await asyncio.wait(pumps)
    for _, writer in (client, upstream):
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.close()


async def serve(target: tuple[str, int], port: int) -> None:
    """Relays what comes to `port` of the machine's address among the containers to `target`, for ever."""
    own = socket.gethostbyname(_MACHINE)
    server = await asyncio.start_server(lambda *client: relay(*target, client), own, port)
    await server.serve_forever()


async def ask() -> None:
    """Asks the cluster whether it serves."""
    async with Cluster(ClusterConfig(kubeconfig=str(_GIVEN), timeout=4)) as cluster:
        await cluster.request("GET", "/readyz")


def main() -> None:
    """Writes the kubeconfig and stays, relaying where that is needed."""
    if sys.argv[1:] == ["--check"]:
        asyncio.run(ask())
        return
    port = int(os.environ["RELAY_PORT"])
    kubeconfig = yaml.safe_load(_GIVEN.read_text())
    target = for_containers(kubeconfig, port)
    _WRITTEN.write_text(yaml.safe_dump(kubeconfig))
    _WRITTEN.chmod(0o444)
    asyncio.run(serve(target, port) if target else asyncio.Event().wait())


if __name__ == "__main__":
    main()
