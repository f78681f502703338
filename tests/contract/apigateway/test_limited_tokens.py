"""Tokens that are for less than their user may do: API tokens (GATEWAY-30), and those of a password
that must be changed first (GATEWAY-31).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from harness.account import unique
from harness.gateway import GatewayUnderTest, login_token, session_key
from harness.kubernetes import KubernetesServer
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.resource import NAMESPACES

USER = "agw-admin"
IAM = "/kapis/iam.kubesphere.io/v1alpha2"
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
KUBECTL = f"/namespaces/kubesphere-controls-system/pods/kubectl-{USER}-7d9-x2x"
NewToken = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture(scope="module")
async def cluster(kubernetes: KubernetesServer) -> AsyncIterator[Cluster]:
    async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module")
async def namespaces(cluster: Cluster) -> AsyncIterator[dict[str, str]]:
    """The namespace of each workspace."""
    made = {workspace: unique(f"ns-{workspace}") for workspace in ("mine", "theirs")}
    for workspace, name in made.items():
        labels = {"kubesphere.io/workspace": workspace}
        await cluster.create(NAMESPACES, {"metadata": {"name": name, "labels": labels}})
    yield made
    for name in made.values():
        await cluster.delete(NAMESPACES, name)


@pytest.fixture
def new_token(gateway: GatewayUnderTest, admin: str) -> NewToken:
    """An API token of an administrator, as ks-account makes them: Redis knows it by its identifier."""

    async def make(verbs: Any = ("*",), workspaces: Any = ("*",), **claims: Any) -> str:
        identifier = unique("identifier-of-a-token")
        scope = {"verbs": list(verbs), "workspaces": list(workspaces)}
        more = {"typ": "api", "jti": identifier, "scope": scope, "exp": int(time.time()) + 600, **claims}
        await gateway.sessions.set(session_key(USER, identifier), "api", ex=600)
        return login_token(USER, **more)

    return make


async def _status(gateway: GatewayUnderTest, token: str, path: str, method: str = "GET", *more: str) -> int:
    return (await gateway.get(path, *more, token=token, method=method)).status


async def test_a_token_for_one_workspace_reaches_its_namespaces_and_nothing_else(
    gateway: GatewayUnderTest, new_token: NewToken, namespaces: dict[str, str]
) -> None:
    token = await new_token(workspaces=["mine"])
    mine, theirs = namespaces["mine"], namespaces["theirs"]

    async def reaches_its_own() -> None:
        assert await _status(gateway, token, f"/api/v1/namespaces/{mine}/pods") == 200

    await eventually(reaches_its_own, timeout=30)
    inside = (
        f"/api/v1/namespaces/{mine}",
        f"/apis/apps/v1/namespaces/{mine}/deployments",
        f"{RESOURCES}/namespaces/{mine}/pods",
        "/kapis/tenant.kubesphere.io/v1alpha2/workspaces/mine/namespaces",
        f"{IAM}/workspaces/mine/members",
    )
    outside = (
        f"/api/v1/namespaces/{theirs}/pods",
        f"{RESOURCES}/namespaces/{theirs}/pods",
        f"/api/v1/namespaces/{unique('none')}/pods",
        "/kapis/tenant.kubesphere.io/v1alpha2/workspaces/theirs/namespaces",
        "/kapis/tenant.kubesphere.io/v1alpha2/workspaces",
        f"{RESOURCES}/pods",
        "/api/v1/nodes",
        "/api/v1/pods",
        "/api/v1/namespaces",
        "/api",
        "/apis",
        "/version",
        "/openapi/v3",
        "/apis/tenant.kubesphere.io/v1alpha1/workspaces/mine",
        "/job/any",
        f"{IAM}/users",
        f"{IAM}/users/{USER}",
    )
    assert {path: await _status(gateway, token, path) for path in inside} == dict.fromkeys(inside, 200)
    assert {path: await _status(gateway, token, path) for path in outside} == dict.fromkeys(outside, 403)


async def test_a_token_for_reading_changes_nothing_and_opens_no_terminal(
    gateway: GatewayUnderTest, new_token: NewToken, namespaces: dict[str, str]
) -> None:
    token = await new_token(verbs=["get", "list", "watch"])
    pods = f"/api/v1/namespaces/{namespaces['mine']}/pods"
    assert await _status(gateway, token, pods) == 200
    assert await _status(gateway, token, "/api") == 200
    for method, path in (
        ("POST", pods),
        ("PUT", f"{pods}/x"),
        ("PATCH", f"{pods}/x"),
        ("DELETE", f"{pods}/x"),
        ("DELETE", pods),
        ("GET", f"{pods}/x/exec?command=sh"),
        ("GET", f"{pods}/x/proxy/admin"),
        ("GET", f"/api/v1/proxy{pods.removeprefix('/api/v1')}/x"),
        ("POST", "/job/any"),
    ):
        assert await _status(gateway, token, path, method) == 403, (method, path)
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    terminal = f"/kapis/terminal.kubesphere.io/v1alpha2/namespaces/{namespaces['mine']}/pods/x"
    assert await _status(gateway, token, terminal, "GET", *upgrade) == 403


async def test_a_verb_is_what_kubernetes_calls_it(gateway: GatewayUnderTest, new_token: NewToken) -> None:
    token = await new_token(verbs=["list"])
    assert await _status(gateway, token, "/api/v1/namespaces") == 200
    assert await _status(gateway, token, "/api/v1/namespaces/default") == 403
    assert await _status(gateway, token, "/api/v1/namespaces?watch=true") == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{IAM}/users/{USER}/apitokens"),
        ("GET", f"{IAM}/users/{USER}/kubeconfig"),
        ("GET", f"{RESOURCES}/users/{USER}/kubeconfig"),
        ("PUT", f"{IAM}/users/{USER}"),
        ("DELETE", f"{IAM}/users/{USER}/sessions"),
        ("DELETE", f"{IAM}/users/somebody/lock"),
        ("DELETE", f"{IAM}/token"),
        ("GET", f"/kapis/terminal.kubesphere.io/v1alpha2{KUBECTL}"),
        ("GET", f"/api/v1{KUBECTL}/exec?command=sh"),
    ],
)
async def test_no_api_token_gets_credentials_that_reach_further(
    gateway: GatewayUnderTest, new_token: NewToken, method: str, path: str
) -> None:
    answer = await gateway.get(path, token=await new_token(), method=method)
    assert (answer.status, answer.json["reason"]) == (403, "OutsideTokenScope")


async def test_an_api_token_that_is_revoked_is_refused_at_once_and_its_last_use_is_noted(
    gateway: GatewayUnderTest, new_token: NewToken
) -> None:
    identifier = unique("identifier-of-a-token")
    token = await new_token(jti=identifier)
    await gateway.sessions.set(session_key(USER, identifier), "api", ex=600)
    assert await _status(gateway, token, "/api/v1/namespaces") == 200
    used = await gateway.sessions.hget(f"kubesphere:api-tokens-used:{USER}", identifier)  # type: ignore[misc]
    assert abs(int(used or 0) - time.time()) < 60
    await gateway.sessions.delete(session_key(USER, identifier))

    async def refused() -> None:
        assert await _status(gateway, token, "/api/v1/namespaces") == 401

    await eventually(refused, timeout=10)


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": None},
        {"scope": {"verbs": [], "workspaces": ["*"]}},
        {"scope": {"verbs": ["*"]}},
        {"scope": {"verbs": "*", "workspaces": "*"}},
        {"scope": {"verbs": [1], "workspaces": ["*"]}},
        {"exp": None},
        {"jti": None},
        {"jti": "x"},
        {"typ": "refresh"},
    ],
)
async def test_an_api_token_without_a_plain_scope_end_and_identifier_is_none(
    gateway: GatewayUnderTest, new_token: NewToken, claims: dict[str, Any]
) -> None:
    assert await _status(gateway, await new_token(**claims), "/api/v1/namespaces") == 401


async def test_a_password_that_must_be_changed_serves_for_nothing_else(
    gateway: GatewayUnderTest, admin: str
) -> None:
    token = await gateway.sign_in(USER, must_change_password=True)
    profile = f"{IAM}/users/{USER}"
    assert await _status(gateway, token, profile) == 200
    assert await _status(gateway, token, profile, "PUT") == 200
    assert await _status(gateway, token, f"{IAM}/token", "DELETE") == 200
    for method, path in (
        ("GET", "/api/v1/namespaces"),
        ("GET", "/apis"),
        ("GET", f"{IAM}/users"),
        ("GET", f"{IAM}/users/{USER}/kubeconfig"),
        ("DELETE", profile),
        ("PUT", f"{IAM}/users/another"),
        ("GET", f"{RESOURCES}/users/{USER}"),
        ("GET", "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"),
    ):
        answer = await gateway.get(path, token=token, method=method)
        assert (answer.status, answer.json["reason"]) == (403, "PasswordChangeRequired"), (method, path)
