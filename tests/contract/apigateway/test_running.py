"""Starting, changing the routes, and stopping."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.ports import free_port
from harness.gateway import SECRET, GatewayUnderTest, gateway_config
from harness.kubernetes import KubernetesServer
from harness.waiting import eventually
from ks_apigateway.__main__ import main

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2/x"


def routes(path: str, upstream: str | list[str]) -> str:
    return yaml.safe_dump(
        {
            "upstreams": {"other": upstream},
            "routes": [{"path": path, "upstream": "other", "authenticate": "none", "rewrite": "/x"}],
        }
    )


async def test_routes_are_read_again_without_dropping_a_connection(
    start_gateway: Any, tmp_path: Path
) -> None:
    file = tmp_path / "gateway.yaml"
    file.write_text(routes("/first", "http://127.0.0.1:1"))
    async with start_gateway(routesFile=str(file)) as gateway, gateway.wire() as wire:
        file.write_text(routes("/second", gateway.upstream.url))

        async def changed() -> None:
            await wire.send("GET /second/y HTTP/1.1\r\nHost: gateway\r\n\r\n")
            answer = await wire.answer()
            assert answer.status == 200
            assert answer.json["target"] == "/x/y"

        await eventually(changed)
        assert (await gateway.get("/first")).status == 401, "it is no public path any more"

        for bad in (
            "routes: [{path: /third}]",
            "routes: 5",
            "{",
            routes("/third/", gateway.upstream.url),
            routes("/third", "not an address"),
            routes("/third", []),
            "routes: [{path: /a, upstream: kubernetes, authenticate: none}]",
        ):
            lines = gateway.service.log.count("the routes stay as they were")
            file.write_text(bad)

            def refused(before: int = lines) -> None:
                assert gateway.service.log.count("the routes stay as they were") == before + 1

            await eventually(refused)
            await changed()
        file.unlink()
        await eventually(lambda: _logged(gateway, "No such file"))
        await changed()


@contextlib.asynccontextmanager
async def _busy(
    gateway: GatewayUnderTest, path: str, *, clients: int = 8
) -> AsyncIterator[tuple[list[str], list[Any]]]:
    """Clients that ask again and again over kept connections: where each request arrived, and what failed."""
    served: list[str] = []
    failed: list[Any] = []
    done = asyncio.Event()

    async def client() -> None:
        with contextlib.suppress(ConnectionRefusedError):
            while not done.is_set():
                async with gateway.wire() as wire:
                    closed = False
                    while not (closed or done.is_set()):
                        await wire.send(f"GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n")
                        answer = await wire.answer()
                        closed = answer.headers.get("connection") == "close"
                        if answer.status == 200:
                            served.append(answer.headers.get("x-served-by", ""))
                        else:
                            failed.append(answer)

    async def guarded() -> None:
        try:
            await client()
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            failed.append(error)

    tasks = [asyncio.create_task(guarded()) for _ in range(clients)]
    await eventually(lambda: _more_than(100, len(served)), timeout=60)
    try:
        yield served, failed
    finally:
        done.set()
        await asyncio.gather(*tasks)


async def test_new_routes_and_addresses_under_load_fail_no_request(
    start_gateway: Any, tmp_path: Path
) -> None:
    async with _named("one") as one, _named("two") as two:
        file = tmp_path / "gateway.yaml"
        file.write_text(routes("/busy", one))
        async with start_gateway(routesFile=str(file)) as gateway, _busy(gateway, "/busy") as load:
            served, failed = load
            for number in range(4):
                name, url = (("one", one), ("two", two))[(number + 1) % 2]
                file.write_text(routes("/busy", url) + f"# {number}\n")
                begin = len(served)

                def moved(name: str = name, begin: int = begin) -> None:
                    assert name in served[begin:]
                    assert set(served[-20:]) == {name}

                await eventually(moved, timeout=60)
        assert failed == []


@contextlib.asynccontextmanager
async def _named(name: str) -> AsyncIterator[str]:
    """The address of a server that says its name."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(f"HTTP/1.1 200 OK\r\nX-Served-By: {name}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_stop_under_load_fails_no_request_of_a_kept_connection(start_gateway: Any) -> None:
    async with start_gateway() as gateway:
        async with _busy(gateway, "/kapis/v1alpha1/configz") as load:
            await gateway.service.stop()
        assert load[1] == []
        assert not gateway.failures


def _logged(gateway: Any, text: str) -> None:
    assert text in gateway.service.log


async def test_a_stop_lets_requests_end_and_takes_no_new_ones(start_gateway: Any) -> None:
    async with start_gateway() as gateway:
        token = await gateway.sign_in("agw-alice")
        gateway.upstream.release.clear()
        head = f"HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
        async with gateway.wire() as running, gateway.wire() as idle, gateway.wire() as tunnel:
            await running.send(f"GET {TENANT}?do=events {head}\r\n")
            assert (await running.head())[0] == 200
            await idle.send(f"GET {TENANT} {head}\r\n")
            assert (await idle.answer()).status == 200
            await tunnel.send(f"GET {TENANT}?do=upgrade {head}Connection: Upgrade\r\nUpgrade: x\r\n\r\n")
            assert (await tunnel.answer()).status == 101
            await tunnel.reader.readexactly(3)
            stopping = asyncio.create_task(gateway.service.stop())
            assert await asyncio.wait_for(idle.ended(), 30)
            await eventually(lambda: _refuses(gateway), timeout=30)
            assert not stopping.done()
            assert await running.chunk() == b"first\n"
            gateway.upstream.release.set()
            assert await running.chunk() == b"second\n"
            assert await running.chunk() == b""
            assert await asyncio.wait_for(running.reader.read(-1), 10) == b"\r\n"
            assert await asyncio.wait_for(tunnel.ended(), 10)
            await stopping
        assert not gateway.failures


async def _refuses(gateway: Any) -> None:
    try:
        wire = await gateway.connect()
    except ConnectionError:
        return
    wire.close()
    raise AssertionError("it still accepts")


async def test_a_stop_under_load_fails_no_request(start_gateway: Any) -> None:
    async with start_gateway() as gateway:
        token = await gateway.sign_in("agw-alice")
        await gateway.get(TENANT, token=token)
        served = 0
        broken: list[Any] = []

        async def client() -> None:
            nonlocal served
            while True:
                try:
                    wire = await gateway.connect()
                except ConnectionError:
                    return
                try:
                    await wire.send(
                        f"GET {TENANT} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {token}\r\n"
                        "Connection: close\r\n\r\n"
                    )
                    answer = await wire.answer()
                    served += 1
                    if answer.status != 200:
                        broken.append(answer)
                except (ConnectionError, asyncio.IncompleteReadError):
                    # Not accepted yet when the listener closed: the request was never read.
                    return
                finally:
                    wire.close()

        clients = [asyncio.create_task(client()) for _ in range(8)]
        await eventually(lambda: _more_than(10, served))
        await gateway.service.stop()
        await asyncio.gather(*clients)
        assert not broken


def _more_than(least: int, count: int) -> None:
    assert count > least


def run(*arguments: str, config: Any, directory: Path) -> subprocess.CompletedProcess[str]:
    file = directory / "kubesphere.yaml"
    file.write_text(config if isinstance(config, str) else yaml.safe_dump(config))
    command = [sys.executable, "-m", "ks_apigateway", *arguments, "--config", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def good(directory: Path) -> dict[str, Any]:
    return gateway_config(6379, directory / "kubeconfig", "http://127.0.0.1:1", free_port())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"authentication": {}}, "authentication.jwtSecret: is not set"),
        ({"redis": {}}, "redis.host: is not set"),
        ({"gateway": {"trustedProxies": ["nonsense"]}}, "gateway.trustedProxies"),
        ({"gateway": {"opsListen": "nowhere"}}, "gateway.opsListen"),
        ({"gateway": {"clients": {"headers": "many"}}}, "gateway.clients.headers"),
        ({"gateway": {"nosuch": 1}}, "gateway.nosuch"),
        ({"gateway": {"upstreams": {"account": "ftp://x"}}}, "gateway.upstreams"),
        ({"gateway": {"upstreams": {"kubernetes": "http://x"}}}, "gateway.upstreams: kubernetes is where"),
        ({"gateway": {"routesFile": "/nonexistent/gateway.yaml"}}, "gateway.routesFile"),
        ({"gateway": {"tlsListen": "127.0.0.1:1"}}, "tlsListen needs tlsCertFile"),
        ({"gateway": {"sessionCache": "5s"}}, "gateway.sessionCache"),
        ({"server": {"workers": 0}}, "server.workers"),
        ({"authentication": {"jwtSecret": "a" * 31}}, "authentication.jwtSecret: has 31 bytes"),
        (
            {"gateway": {"tlsListen": "127.0.0.1:1", "tlsCertFile": "/nowhere", "tlsKeyFile": "/nowhere"}},
            "gateway.tlsCertFile: /nowhere",
        ),
        ({"gateway": {"upstreamsCaFile": "/nowhere"}}, "gateway.upstreamsCaFile: /nowhere"),
        ({"gateway": {"rateLimits": {"perUser": {"rate": 0}}}}, "gateway.rateLimits.perUser.rate"),
        ({"gateway": {"audit": {"level": "Everything"}}}, "gateway.audit.level"),
        ({"gateway": {"audit": {"webhook": {"url": "ftp://x"}}}}, "gateway.audit.webhook.url"),
        (
            {"gateway": {"audit": {"webhook": {"url": "https://x", "caFile": "/nowhere"}}}},
            "gateway.audit: [Errno 2]",
        ),
        ({"gateway": {"upstreams": {"gateway": "http://x"}}}, "gateway.upstreams: gateway is the gateway"),
    ],
)
def test_a_configuration_that_cannot_work_is_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, told: str
) -> None:
    file = tmp_path / "kubesphere.yaml"
    file.write_text(yaml.safe_dump(good(tmp_path) | change))
    with pytest.raises(SystemExit) as done:
        main(["check-config", "--config", str(file)])
    assert done.value.code == 2
    complaint = capsys.readouterr().err
    assert told in complaint
    assert complaint.count("\n") == 1


def test_the_description_of_the_api_needs_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["openapi"])
    assert json.loads(capsys.readouterr().out)["info"]["title"] == "ks-apigateway"


def test_check_config_shows_no_secret(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "kubesphere.yaml"
    file.write_text(yaml.safe_dump(good(tmp_path)))
    main(["check-config", "--config", str(file)])
    shown = capsys.readouterr().out
    assert SECRET not in shown
    assert "headerTimeout: 15.0" in shown


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("serve", "--listen", address, config=good(tmp_path), directory=tmp_path)
    assert done.returncode == 1
    assert f"cannot listen at {address}" in done.stderr


def test_check_config_tells_what_is_probably_not_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    routes_file = tmp_path / "gateway.yaml"
    routes_file.write_text(yaml.safe_dump({"routes": [{"path": "/a", "upstream": "nobody"}]}))
    config = good(tmp_path)
    config["gateway"] |= {
        "routesFile": str(routes_file),
        "trustedProxies": ["0.0.0.0/0"],
        "audit": {"file": {"path": str(tmp_path / "missing" / "audit.log")}},
    }
    file = tmp_path / "kubesphere.yaml"
    file.write_text(yaml.safe_dump(config))
    main(["check-config", "--config", str(file)])
    told = capsys.readouterr().err
    for doubt in (
        f"kubernetes.kubeconfig: {tmp_path / 'kubeconfig'}: No such file",
        "gateway.routesFile: /a goes to nobody, which has no address",
        "gateway.trustedProxies: trusts everybody",
        f"gateway.audit.file.path: there is no folder {tmp_path / 'missing'}",
    ):
        assert f"warning: {doubt}" in told


async def test_a_kubeconfig_that_is_missing_is_named_until_it_is_there(
    start_gateway: Any, kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    file = tmp_path / "kubeconfig"
    async with start_gateway(kubeconfig=file) as gateway:
        token = await gateway.sign_in("agw-alice")

        async def named() -> None:
            assert str(file) in (await gateway.get("/readyz")).json["dependencies"]["kubernetes"]["reason"]

        await eventually(named, timeout=60)
        for path in ("/api/v1/nodes", "/kapis/resources.kubesphere.io/v1alpha2/nodes"):
            assert (await gateway.get(path, token=token)).status == 503
        assert (await gateway.get(TENANT, token=token)).status == 200
        file.write_bytes(kubernetes.kubeconfig.read_bytes())

        async def ready() -> None:
            assert (await gateway.get("/readyz")).status == 200

        await eventually(ready, timeout=60)
        assert (await gateway.get("/api/v1/nodes", token=token)).status == 403
