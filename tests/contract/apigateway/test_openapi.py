"""What the platform serves, read in one place: the services' documents as one, and a page that shows it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from harness.browser import page_of_a_browser
from harness.gateway import GatewayUnderTest
from harness.kubernetes import KubernetesServer
from harness.services import RunningService, running_service
from harness.waiting import eventually
from ks_apigateway.openapi import documents
from ks_apigateway.openapi.documents import Documents, NoDocument
from ks_apigateway.openapi.merge import merge

WHOLE = "/openapi/v3/kapis"


@pytest_asyncio.fixture(scope="module")
async def described(
    start_gateway: Any, kubernetes: KubernetesServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[GatewayUnderTest, RunningService]]:
    """A gateway before a real ks-apiserver; ks-account is a server that has no document."""
    config = {
        "kubernetes": {"kubeconfig": str(kubernetes.kubeconfig)},
        "authentication": {"jwtSecret": "a-secret-of-the-tests-that-is-long-enough"},
    }
    directory = tmp_path_factory.mktemp("described")
    async with (
        running_service("ks-apiserver", config, directory) as apiserver,
        start_gateway(upstreams={"apiserver": apiserver.url}) as gateway,
    ):
        yield gateway, apiserver
        assert not gateway.failures


async def test_one_document_describes_every_service_that_answers(
    described: tuple[GatewayUnderTest, RunningService],
) -> None:
    """GATEWAY-27"""
    gateway, _ = described

    async def complete() -> dict[str, Any]:
        answer = await gateway.get(WHOLE)
        assert answer.status == 200
        found = answer.json
        assert "/kapis/tenant.kubesphere.io/v1alpha2/workspaces" in found["paths"], found["x-unavailable"]
        return found

    found = await eventually(complete, timeout=60)
    assert found["openapi"].startswith("3.1")
    assert "/kapis/authorization.kubesphere.io/v1/explain" in found["paths"]
    assert set(found["x-unavailable"]) == {"ks-account"}, "one that is down takes nothing from the others"
    assert "ks-account" in found["info"]["description"]
    schemas = found["components"]["schemas"]
    references = {
        part.partition('"')[0] for part in json.dumps(found["paths"]).split('"#/components/schemas/')[1:]
    }
    assert references <= set(schemas)


async def test_kubectl_finds_the_document_in_the_list_of_kubernetes(
    described: tuple[GatewayUnderTest, RunningService], admin: str
) -> None:
    gateway, _ = described
    assert (await gateway.get("/openapi/v3")).status == 401

    async def listed() -> None:
        paths = (await gateway.get("/openapi/v3", token=admin)).json["paths"]
        assert paths["kapis"]["serverRelativeURL"].startswith(f"{WHOLE}?hash=")
        assert paths["api/v1"]["serverRelativeURL"].startswith("/openapi/v3/api/v1")

    await eventually(listed, timeout=60)
    part = await gateway.get("/openapi/v3/api/v1", token=admin)
    assert "/api/v1/namespaces" in part.json["paths"]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/swagger-ui", "text/html"),
        ("/swagger-ui/", "text/html"),
        ("/swagger-ui/start.js", "text/javascript"),
        ("/swagger-ui/swagger-ui-bundle.js", "text/javascript"),
        ("/swagger-ui/swagger-ui.css", "text/css"),
    ],
)
async def test_the_page_comes_from_here_alone(gateway: GatewayUnderTest, path: str, kind: str) -> None:
    answer = await gateway.get(path)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith(kind)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    if kind == "text/html":
        assert b"://" not in answer.body
        assert b"<script>" not in answer.body


@pytest.mark.parametrize("name", ["x.js", "__init__.py", "index.css/x", "swagger-ui.js"])
async def test_nothing_else_of_the_package_is_served(gateway: GatewayUnderTest, name: str) -> None:
    assert (await gateway.get(f"/swagger-ui/{name}")).status == 404


async def test_a_browser_shows_the_operations_under_that_policy(
    described: tuple[GatewayUnderTest, RunningService],
) -> None:
    gateway, _ = described
    async with page_of_a_browser() as page:
        problems: list[str] = []
        page.on("console", lambda each: problems.append(each.text) if each.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(f"{gateway.service.url}/swagger-ui")
        await page.wait_for_selector("text=tenant.kubesphere.io")
        assert problems == []


def test_schemas_of_one_name_stay_apart() -> None:
    def document(kind: str) -> dict[str, Any]:
        return {
            "paths": {f"/{kind}": {"get": {"schema": {"$ref": "#/components/schemas/Item"}}}},
            "components": {
                "schemas": {
                    "Item": {"type": kind},
                    "Error": {"type": "object"},
                    "List": {"items": {"$ref": "#/components/schemas/Item"}},
                }
            },
            "tags": [{"name": "x"}],
        }

    whole = merge({"a": document("string"), "b": document("integer")}, {}, "1")
    schemas = whole["components"]["schemas"]
    assert schemas["Item"] == {"type": "string"}
    assert schemas["b.Item"] == {"type": "integer"}
    assert whole["paths"]["/string"]["get"]["schema"]["$ref"].endswith("/Item")
    assert whole["paths"]["/integer"]["get"]["schema"]["$ref"].endswith("/b.Item")
    assert schemas["List"]["items"]["$ref"].endswith("/Item")
    assert schemas["b.List"]["items"]["$ref"].endswith("/b.Item")
    assert sum(name.endswith("Error") for name in schemas) == 1
    assert whole["tags"] == [{"name": "x"}]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"paths": 1}', b"<html>"])
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(NoDocument):
        documents._decoded(body)


async def test_what_a_service_said_last_stays_while_it_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "FRESH", 0.0)
    monkeypatch.setattr(documents, "AGAIN", 0.0)
    answers: list[Any] = [{"paths": {"/a": {}}}]

    def fetcher(address: str) -> Any:
        async def fetch() -> Any:
            if not answers:
                raise NoDocument("it is down")
            return answers.pop()

        return fetch

    monkeypatch.setattr(documents, "_fetcher", fetcher)
    both = Documents(lambda: {"paths": {}}, {"ks-x": "http://x"}, None, "1")  # type: ignore[arg-type]
    for _ in range(2):
        found = json.loads(await both.platform())
        assert list(found["paths"]) == ["/a"]
        assert found["x-unavailable"] == {}
