"""The Kubernetes API through the gateway: as the user, decided by the cluster, with real clients."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from devstack.ports import free_port
from harness.gateway import GatewayUnderTest
from harness.kubernetes import KubernetesServer
from harness.waiting import eventually

pytestmark = pytest.mark.kubernetes


@pytest.mark.parametrize("path", ["/api", "/apis", "/version", "/openapi/v2", "/openapi/v3", "/api/v1/nodes"])
async def test_an_administrator_reads_the_api(gateway: GatewayUnderTest, admin: str, path: str) -> None:
    assert (await gateway.get(path, token=admin)).status == 200


async def test_the_cluster_decides_and_names_the_user(gateway: GatewayUnderTest, alice: str) -> None:
    answer = await gateway.get("/api/v1/nodes", token=alice)
    assert answer.status == 403
    assert answer.json["kind"] == "Status"
    assert 'User "agw-alice" cannot list resource "nodes"' in answer.json["message"]


async def test_a_cluster_is_reached_by_another_name_than_its_certificates(
    start_gateway: Any, kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    """As behind a relay: tls-server-name of the kubeconfig says whose certificate to expect."""
    document = yaml.safe_load(kubernetes.kubeconfig.read_text())
    if "127.0.0.1" not in kubernetes.url:
        pytest.skip("the cluster is on another machine, whose other names are not known")
    for entry in document["clusters"]:
        server = entry["cluster"]["server"]
        entry["cluster"] |= {"server": server.replace("127.0.0.1", "127.1"), "tls-server-name": "127.0.0.1"}
    renamed = tmp_path / "kubeconfig"
    renamed.write_text(yaml.safe_dump(document))
    async with start_gateway(kubeconfig=renamed) as gateway:
        token = await gateway.sign_in("agw-relayed")

        async def answers() -> None:
            assert (await gateway.get("/version", token=token)).status == 200

        await eventually(answers, timeout=60)


async def review(gateway: GatewayUnderTest, token: str, *headers: str) -> dict[str, Any]:
    """Who the cluster takes the owner of `token` for."""
    body = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}).encode()
    lines = [
        "POST /apis/authentication.k8s.io/v1/selfsubjectreviews HTTP/1.1", "Host: gateway",
        "Content-Type: application/json", f"Content-Length: {len(body)}", f"Authorization: Bearer {token}",
        *headers,
    ]  # fmt: skip
    answer = await gateway.ask("\r\n".join(lines) + "\r\n\r\n", body)
    assert answer.status == 201, answer
    return answer.json["status"]["userInfo"]


async def test_the_cluster_sees_user_and_groups(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-erin", groups=["devs", "two words", "system:masters"])
    info = await review(gateway, token)
    assert info["username"] == "agw-erin"
    assert set(info["groups"]) == {"devs", "two words", "system:authenticated"}


async def test_a_user_with_another_alphabet_is_that_user(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-\u017dofie")
    assert (await review(gateway, token))["username"] == "agw-\u017dofie"


@pytest.mark.parametrize(
    "header",
    [
        "Impersonate-User: admin",
        "impersonate-group: system:masters",
        "Impersonate-Extra-Scopes: x",
        "X-Remote-User: admin",
        "X-Remote-Group: system:masters",
        "Connection: Impersonate-User",
        "Connection: impersonate-group, close",
    ],
)
async def test_nobody_becomes_somebody_else(gateway: GatewayUnderTest, alice: str, header: str) -> None:
    info = await review(gateway, alice, header)
    assert info["username"] == "agw-alice"
    assert info["groups"] == ["system:authenticated"]


@pytest_asyncio.fixture(scope="module")
async def secure(start_gateway: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """A gateway that also listens with TLS, and a function that runs kubectl against that."""
    directory: Path = tmp_path_factory.mktemp("tls")
    subprocess.run(  # noqa: ASYNC221  a moment, before anything runs
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", directory / "tls.key", "-out", directory / "tls.crt", "-days", "2", "-subj", "/CN=g",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    port = free_port()
    files = {"tlsCertFile": str(directory / "tls.crt"), "tlsKeyFile": str(directory / "tls.key")}
    async with start_gateway(tlsListen=f"127.0.0.1:{port}", **files) as gateway:
        yield gateway, f"https://127.0.0.1:{port}", directory


async def test_kubectl_works(secure: Any, admin: str, kubernetes: KubernetesServer) -> None:
    _, url, directory = secure
    kubectl = [
        kubernetes.kubectl, "--server", url, "--certificate-authority", str(directory / "tls.crt"),
        "--token", admin, "--namespace", "default",
    ]  # fmt: skip
    environment = {**os.environ, "KUBECONFIG": os.devnull, "HOME": str(directory)}

    async def run(*arguments: str, stdin: str | None = None) -> str:
        process = await asyncio.create_subprocess_exec(
            *kubectl, *arguments, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate(None if stdin is None else stdin.encode())
        assert process.returncode == 0, out.decode()
        return out.decode()

    name = "agw-kubectl"
    manifest = json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}}
    )
    assert "kube-system" in await run("get", "namespaces")
    try:
        assert "created" in await run("apply", "-f", "-", stdin=manifest)
        assert "serverside-applied" in await run(
            "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest
        )
        watching = await asyncio.create_subprocess_exec(
            *kubectl, "get", "configmap", name, "--watch", "-o", "jsonpath={.metadata.labels.x}/",
            env=environment, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert watching.stdout is not None
        try:
            assert await asyncio.wait_for(watching.stdout.readuntil(b"/"), 30) == b"/"
            await run("label", "configmap", name, "x=now")
            assert await asyncio.wait_for(watching.stdout.readuntil(b"/"), 30) == b"now/"
        finally:
            watching.kill()
            await watching.wait()
    finally:
        assert "deleted" in await run("delete", "configmap", name)
    assert "yes" in await run("auth", "can-i", "create", "pods")


async def test_two_listeners_serve_the_same(secure: Any, admin: str) -> None:
    import ssl

    import aiohttp

    gateway, url, directory = secure
    context = ssl.create_default_context(cafile=str(directory / "tls.crt"))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {admin}"}) as session:
        async with session.get(f"{url}/version", ssl=context) as answer:
            assert answer.status == 200
        async with session.get(f"{url}/kapis/v1alpha1/configz", ssl=context) as answer:
            assert dict((await answer.json())["fields"])["x-forwarded-proto"] == "https"
    assert (await gateway.get("/version", token=admin)).status == 200
