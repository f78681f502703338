"""What the gateway holds: for each idle WebSocket, while 1 GiB passes each way, and after many requests."""

import asyncio
import os
import resource
import socket
import threading
from pathlib import Path
from time import perf_counter

import pytest

from devstack.servers import Redis
from harness.gateway_bench import FILES, PATH, PROXY, STATIC, Peer, gateway, load, nginx
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer

IDLE = int(os.environ.get("KS_BENCH_IDLE", "10000"))
MIB = int(os.environ.get("KS_BENCH_MIB", "1024"))
REQUESTS = int(os.environ.get("KS_BENCH_REQUESTS", "100000"))
"""In the run that looks for leaks; a million is worth its time once in a while."""
KIB = 1024
PIECE = 256 * KIB
UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n"


async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An upstream that changes to any protocol or begins a watch, and then waits; it has nothing else."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b"websocket" in head:
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
    elif b"watch=true" in head:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
    else:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        return
    await reader.read(-1)
    writer.close()


def _allow(count: int) -> int:
    """Lets this process, with both ends of each, and the gateway have `count` connections; says how many of
    them are allowed.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(hard, 2 * count + 1000), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        except ValueError:  # it takes CAP_SYS_RESOURCE, which root has not everywhere
            continue
        hard = limit
        break
    return min(count, hard // 2 - 500)


@pytest.mark.parametrize(
    ("kind", "query", "fields"), [("WebSockets", "", UPGRADE), ("watches", "?watch=true", "")]
)
async def test_idle_connections(
    redis_server: RunningServer[Redis],
    kubernetes: KubernetesServer,
    tmp_path: Path,
    kind: str,
    query: str,
    fields: str,
) -> None:
    count = _allow(IDLE)
    upstream = await asyncio.start_server(wait, "127.0.0.1", 0, backlog=1024)
    port = upstream.sockets[0].getsockname()[1]
    limits = {"connections": count + 100, "connectTimeout": "60s"}
    async with (
        upstream,
        gateway(tmp_path / "g", redis_server, kubernetes, port, backends=limits) as (_, ours),
    ):
        before = ours.memory()
        places = asyncio.Semaphore(64)
        head = f"GET {PATH}{query} HTTP/1.1\r\nHost: b\r\nAuthorization: Bearer {ours.token}\r\n"
        request = f"{head}{fields}\r\n"

        async def opened() -> asyncio.StreamWriter:
            async with places:
                reader, writer = await asyncio.open_connection("127.0.0.1", ours.port)
                writer.write(request.encode())
                answer = await reader.readuntil(b"\r\n\r\n")
                assert answer.startswith((b"HTTP/1.1 101", b"HTTP/1.1 200")), answer
                return writer

        writers = await asyncio.gather(*(opened() for _ in range(count)))
        each = (ours.memory() - before) / count / KIB
        print(f"\n{count} idle {kind}: {each:.1f} KiB of memory each")
        for writer in writers:
            writer.close()


async def test_a_large_body_each_way(
    redis_server: RunningServer[Redis], kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    with Sink() as sink:
        async with (
            nginx(files, FILES) as source,
            nginx(tmp_path / "nginx-down", PROXY, source.port) as nginx_down,
            nginx(tmp_path / "nginx-up", PROXY, sink.port) as nginx_up,
            gateway(tmp_path / "down", redis_server, kubernetes, source.port) as (_, down),
            gateway(tmp_path / "up", redis_server, kubernetes, sink.port) as (_, up),
        ):
            large = files / PATH[1:]
            large.parent.mkdir(parents=True)
            with large.open("wb") as file:
                file.truncate(MIB * KIB * KIB)
            print(f"\n{f'{MIB} MiB':34}{'MiB/s':>10}{'of nginx':>10}{'grew MiB':>10}")
            for way, call, plain, ours in (
                ("down", download, nginx_down, down), ("up", upload, nginx_up, up),
            ):  # fmt: skip
                base = 0.0
                for peer in (plain, ours):
                    before = peer.memory()
                    rate = await asyncio.to_thread(call, peer)
                    base = base or rate
                    grew = (peer.memory() - before) / KIB / KIB
                    print(f"{f'{peer.name}, {way}':34}{rate:10.0f}{rate / base:10.2f}{grew:10.1f}")


def download(peer: Peer) -> float:
    """MiB in a second."""
    with _ask(peer, "GET", "") as client:
        begin, got, buffer = perf_counter(), 0, bytearray(PIECE)
        while got < MIB * KIB * KIB:
            count = client.recv_into(buffer)
            assert count, f"the answer ended after {got} bytes"
            got += count
        return MIB / (perf_counter() - begin)


def upload(peer: Peer) -> float:
    """MiB in a second."""
    with _ask(peer, "PUT", f"Content-Length: {MIB * KIB * KIB}\r\n") as client:
        begin, piece = perf_counter(), bytes(PIECE)
        for _ in range(MIB * KIB * KIB // PIECE):
            client.sendall(piece)
        assert b" 200 " in client.recv(KIB)
        return MIB / (perf_counter() - begin)


def _ask(peer: Peer, method: str, fields: str) -> socket.socket:
    authorization = f"Authorization: Bearer {peer.token}\r\n" if peer.token else ""
    client = socket.create_connection(("127.0.0.1", peer.port))
    client.sendall(f"{method} {PATH} HTTP/1.1\r\nHost: b\r\n{authorization}{fields}\r\n".encode())
    return client


class Sink:
    """An upstream that reads bodies, and says so."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "Sink":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        buffer = bytearray(PIECE)
        with connection:
            while head := connection.recv(PIECE):
                beginning, _, body = head.partition(b"\r\n\r\n")
                length = beginning.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                left = int(length or 0) - len(body)
                while left > 0:
                    left -= connection.recv_into(buffer)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


async def test_memory_stays_flat(
    redis_server: RunningServer[Redis], kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    body = '{"items":["' + "x" * 1000 + '"]}'
    async with (
        nginx(tmp_path / "static", STATIC.format(body=body)) as back,
        gateway(tmp_path / "gateway", redis_server, kubernetes, back.port) as (_, ours),
    ):
        done, held = 0.0, [ours.memory()]
        while done < REQUESTS:
            done += (await load(ours, 5)).rate * 5
            held.append(ours.memory())
        shown = " ".join(f"{each / KIB / KIB:.1f}" for each in held)
        print(f"\nMiB held over {done:.0f} requests: {shown}")
        assert held[-1] - held[1] < 4 * KIB * KIB, "it grows with the requests"
