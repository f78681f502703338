"""Registries and repositories that a caller names: real ones, and those that nobody may reach this way."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from devstack.ports import LOOPBACK
from harness.git_server import running_git_server
from harness.kubernetes import KubernetesServer
from harness.registries import PASSWORD, USER, Registries, running_registries
from harness.services import running_service
from harness.signed import Reply, SignedClient
from harness.tenancy import Tenancy
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import SECRETS

pytestmark = pytest.mark.kubernetes

SECRET = "a-secret-of-the-tests-that-is-long-enough"
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
CONFIG = {"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/web"]}, "rootfs": {"type": "layers"}}
NOT_ASKED = "cannot be reached"

Ask = Callable[[str], SignedClient]


@pytest_asyncio.fixture(scope="module")
async def registries(server_directory: Path) -> AsyncIterator[Registries]:
    async with running_registries(server_directory / "registries") as running:
        await running.push("team/web", CONFIG)
        yield running


@pytest_asyncio.fixture(scope="module")
async def git_server(server_directory: Path) -> AsyncIterator[str]:
    async with running_git_server(server_directory / "git") as address:
        yield address


@pytest_asyncio.fixture(scope="module")
async def redirects() -> AsyncIterator[str]:
    """A server that sends everybody to what the query names."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        target = request.query["to"]
        return web.Response(
            status=302, headers={"Location": target if target != "self" else str(request.url)}
        )

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    host, port = runner.addresses[0][:2]
    yield f"{host}:{port}"
    await runner.cleanup()


@pytest_asyncio.fixture(scope="module")
async def ask(
    kubernetes: KubernetesServer, apiserver_config: Callable[[Path], dict[str, Any]], server_directory: Path,
    registries: Registries, git_server: str, redirects: str, tenants: Tenancy,
) -> AsyncIterator[Ask]:  # fmt: skip
    """A client for somebody of the service, which may reach these servers, and nothing else of this host."""
    allowed = [registries.by_password, registries.by_token, registries.tokens, git_server, redirects]
    config = apiserver_config(kubernetes.kubeconfig) | {"egress": {"allow": allowed, "timeout": "10s"}}
    async with running_service("ks-apiserver", config, server_directory / "egress") as service:
        nobody = SignedClient(service.url, SECRET)

        async def is_ready() -> None:
            assert (await nobody.get("/readyz")).status == 200

        await eventually(is_ready, timeout=60)
        yield lambda person: nobody.acting_as(tenants.name(person))
        await nobody.close()


@pytest_asyncio.fixture(scope="module")
async def namespace(tenants: Tenancy, cluster: Cluster, registries: Registries) -> str:
    """One where erin is admin and dave views; its secrets are `pull` and `git`."""
    made = await tenants.namespace("egress", tenants.name("demo-ws"), admin=["erin"])
    auths = {f"http://{address}": {"username": USER, "password": PASSWORD}
             for address in (registries.by_password, registries.by_token)}  # fmt: skip
    pull = {"type": "kubernetes.io/dockerconfigjson", "metadata": {"name": "pull"}}
    await cluster.create(
        SECRETS, {**pull, "stringData": {".dockerconfigjson": json.dumps({"auths": auths})}}, made
    )
    basic = {"username": USER, "password": PASSWORD}
    await cluster.create(SECRETS, {"metadata": {"name": "git"}, "stringData": basic}, made)
    return made


def login(host: str, password: str = PASSWORD) -> dict[str, str]:
    return {"username": USER, "password": password, "serverhost": host}


async def image(client: SignedClient, name: str, namespace: str = "", secret: str = "") -> Reply:
    query = f"image={name}&namespace={namespace}&secret={secret}"
    return await client.get(f"{RESOURCES}/registry/blob?{query}")


@pytest.mark.parametrize("which", ["by_password", "by_token"])
async def test_credentials_are_checked_at_a_real_registry(ask, registries, which):
    host = f"http://{getattr(registries, which)}"
    good = await ask("erin").post(f"{RESOURCES}/registry/verify", login(host))
    assert (good.status, good.json) == (200, {"message": "success"})
    wrong = await ask("erin").post(f"{RESOURCES}/registry/verify", login(host, "wrong"))
    assert wrong.status == 400
    assert "does not accept" in wrong.message
    assert PASSWORD not in wrong.text


@pytest.mark.parametrize("which", ["by_password", "by_token"])
async def test_an_image_tells_what_it_is_made_of(ask, registries, namespace, which):
    answer = await image(ask("erin"), f"{getattr(registries, which)}/team/web:latest", namespace, "pull")
    assert answer.status == 200
    body = answer.json
    assert body["status"] == "succeeded", body
    assert (body["imageTag"], body["registry"]) == ("latest", getattr(registries, which))
    assert body["imageBlob"] == CONFIG
    assert set(body["imageManifest"]) == {"schemaVersion", "mediaType", "config", "layers"}


async def test_an_image_that_is_not_there_says_so_in_the_answer(ask, registries, namespace):
    answer = await image(ask("erin"), f"{registries.by_token}/team/none", namespace, "pull")
    assert (answer.status, answer.json["status"]) == (200, "failed")
    assert "no such image" in answer.json["message"]


async def test_what_is_no_image_is_refused_as_in_v2_1_1(ask):
    answer = await image(ask("bob"), "")
    assert answer.status == 400
    assert answer.message == 'parsing image "" failed: invalid reference format'


async def test_a_secret_of_another_kind_is_told_as_in_v2_1_1(ask, namespace):
    answer = await image(ask("erin"), "127.0.0.1:1/x", namespace, "git")
    message = f"secret git in ns {namespace} type should be kubernetes.io/dockerconfigjson"
    assert (answer.status, answer.json) == (200, {"status": "failed", "message": message})


async def test_nobody_uses_a_secret_that_kubernetes_does_not_let_them_read(
    ask, registries, namespace, git_server
):
    """EGRESS-2"""
    answer = await image(ask("bob"), f"{registries.by_password}/team/web", namespace, "pull")
    assert answer.status == 403
    reference = {"name": "git", "namespace": namespace}
    body = {"remoteUrl": f"http://{git_server}/private.git", "secretRef": reference}
    assert (await ask("bob").post(f"{RESOURCES}/git/verify", body)).status == 403
    assert (await ask("erin").post(f"{RESOURCES}/git/verify", body)).status == 200


async def test_credentials_go_to_the_registry_that_they_are_of_alone(ask, namespace, redirects):
    answer = await image(ask("erin"), f"{redirects}/team/web", namespace, "pull")
    assert answer.json["status"] == "failed"
    assert "no credentials for" in answer.json["message"]


async def test_a_repository_is_read_if_it_is_one(ask, git_server):
    async def verify(path: str) -> Reply:
        return await ask("bob").post(f"{RESOURCES}/git/verify", {"remoteUrl": f"http://{git_server}/{path}"})

    assert (await verify("public.git")).json == {"message": "success"}
    assert "authentication required" in (await verify("private.git")).message
    assert "not found" in (await verify("none.git")).message
    assert (await verify("public.git/HEAD?")).status == 400


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:1", "localhost:1", "0.0.0.0:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "2130706433:1",
        "0x7f.1:1", "169.254.169.254", "10.96.0.1", "192.168.0.1", "[fe80::1]", "[fd00::1]", "nosuch.invalid",
    ],
)  # fmt: skip
async def test_no_host_inside_the_network_is_reached(ask, host):
    """EGRESS-1: and whether there is one cannot be told from the answer."""
    verified = await ask("bob").post(f"{RESOURCES}/registry/verify", login(f"http://{host}"))
    read = await ask("bob").post(f"{RESOURCES}/git/verify", {"remoteUrl": f"http://{host}/x.git"})
    for answer in (verified, read):
        assert answer.status == 400
        assert NOT_ASKED in answer.message


async def test_the_cluster_itself_is_not_reached(ask, kubernetes):
    """EGRESS-1"""
    answer = await ask("bob").post(f"{RESOURCES}/git/verify", {"remoteUrl": f"{kubernetes.url}/x.git"})
    assert (answer.status, NOT_ASKED in answer.message) == (400, True)


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/", "http://169.254.169.254/latest", "file:///etc/passwd"]
)
async def test_a_redirect_leads_nowhere_that_the_caller_could_not_name(ask, redirects, target):
    """EGRESS-1"""
    url = f"http://{redirects}/x.git?to={target}&rest="
    answer = await ask("bob").post(f"{RESOURCES}/git/verify", {"remoteUrl": url})
    assert answer.status == 400
    assert NOT_ASKED in answer.message or "must be a URL" in answer.message


async def test_redirects_in_a_circle_end(ask, redirects):
    url = f"http://{redirects}/x.git?to=self&rest="
    answer = await ask("bob").post(f"{RESOURCES}/git/verify", {"remoteUrl": url})
    assert (answer.status, "redirects more than" in answer.message) == (400, True)


@pytest.mark.parametrize(
    "url",
    ["", "file:///etc/passwd", "ssh://git@host/x", "http://", "http://a b/", "http://u:p@host/x", "x" * 3000],
)
async def test_what_is_no_address_of_the_web_is_a_mistake_of_the_client(ask, url):
    assert (await ask("bob").post(f"{RESOURCES}/git/verify", {"remoteUrl": url})).status == 400
