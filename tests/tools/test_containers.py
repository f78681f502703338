"""compose.yaml and what belongs to it, as far as it can be looked at without an engine."""

import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from devstack.ports import LOOPBACK, free_port

ROOT = Path(__file__).parents[2]
FILES = ("compose.yaml", "compose.cluster.yaml")
OURS = ("account", "apiserver", "controller-manager", "apigateway", "console")


def module(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "compose" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


given_cluster = module("given_cluster")
make_secrets = module("make_secrets")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Of compose.yaml, its anchors resolved."""
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_whatever_goes_on_has_a_health_check_and_is_waited_for_by_it(services: dict[str, Any]) -> None:
    once = {"secrets", "installer"}
    for name, service in services.items():
        assert ("healthcheck" in service) == (name not in once), name
        for needed, how in service.get("depends_on", {}).items():
            expected = "service_completed_successfully" if needed in once else "service_healthy"
            assert how == {"condition": expected}, f"{name} needs {needed}"


def test_nothing_waits_for_itself(services: dict[str, Any]) -> None:
    def before(name: str, path: tuple[str, ...] = ()) -> Iterator[str]:
        assert name not in path, f"{' -> '.join(path)} -> {name}"
        for needed in services[name].get("depends_on", {}):
            yield needed
            yield from before(needed, (*path, name))

    assert set(before("console")) == set(services) - {"console", "controller-manager"}


def test_containers_are_confined(services: dict[str, Any]) -> None:
    for name in services.keys() - {"kubernetes", "secrets"}:
        assert services[name]["read_only"] is True, name
        assert services[name]["cap_drop"] == ["ALL"], name
        assert services[name]["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in services[name], name


def test_only_gateway_and_console_are_published_and_on_loopback_alone(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"apigateway", "console"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_images_of_ours_have_the_names_that_make_images_gives(services: dict[str, Any]) -> None:
    for name in OURS:
        assert services[name]["image"] == f"ks-{name}:0.1.0"
        assert services[name]["build"]["dockerfile"] == f"services/{name}/Dockerfile"


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="there is no docker-compose")
@pytest.mark.parametrize("files", [FILES[:1], FILES], ids=["k3s", "given cluster"])
def test_docker_compose_reads_the_files(files: tuple[str, ...], tmp_path: Path) -> None:
    named = [word for file in files for word in ("--file", file)]
    done = subprocess.run(
        ["docker-compose", *named, "config"],
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(tmp_path / "kubeconfig")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kubernetes = yaml.safe_load(done.stdout)["services"]["kubernetes"]
    assert kubernetes["privileged"] is (files == FILES[:1])


def test_secrets_are_drawn_once(tmp_path: Path) -> None:
    make_secrets.main(tmp_path)
    drawn = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert len(drawn) == 5
    assert len(set(drawn.values())) == 5
    assert all(len(value) >= 43 for name, value in drawn.items() if name != "admin-password")
    make_secrets.main(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == drawn


def kubeconfig(server: str, **user: str) -> dict[str, Any]:
    return {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "me"}}],
        "clusters": [{"name": "one", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {"client-key-data": "a2V5", **user}}],
    }


def test_a_cluster_that_containers_reach_is_left_as_it_is() -> None:
    document = kubeconfig("https://10.0.0.1:6443")
    assert given_cluster.for_containers(document, 16443) is None
    assert document == kubeconfig("https://10.0.0.1:6443")


def test_a_cluster_on_loopback_is_relayed_under_the_name_in_its_certificate() -> None:
    document = kubeconfig("https://127.0.0.1:38123")
    assert given_cluster.for_containers(document, 16443) == ("127.0.0.1", 38123)
    assert document["clusters"][0]["cluster"] == {
        "server": "https://host.docker.internal:16443",
        "tls-server-name": "127.0.0.1",
    }


def test_a_kubeconfig_that_names_files_is_refused() -> None:
    document = kubeconfig("https://10.0.0.1:6443", **{"client-certificate": "/home/me/client.crt"})
    with pytest.raises(SystemExit, match=r"client-certificate.*--flatten --raw"):
        given_cluster.for_containers(document, 16443)


async def test_the_relay_passes_bytes_both_ways_to_the_end() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"echo of " + await reader.read())
        writer.close()

    port = free_port()
    upstream = await asyncio.start_server(echo, LOOPBACK, port)
    relay = await asyncio.start_server(
        lambda *client: given_cluster.relay(LOOPBACK, port, client), LOOPBACK, 0
    )
    async with upstream, relay:
        reader, writer = await asyncio.open_connection(*relay.sockets[0].getsockname())
        writer.write(json.dumps({"some": "thing"}).encode())
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 30) == b'echo of {"some": "thing"}'
        writer.close()
