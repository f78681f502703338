"""What reads, or makes what is read, cut off from each back end after each message (ACCOUNT-35)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.account import IAM
from harness.cut_off import USERS, Operation, Stage, check, staged
from harness.oidc import OAUTH, Browser, running_provider
from harness.servers import RunningServer
from harness.signed import Reply
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import DEPLOYMENTS

BACKENDS = ("ldap", "redis", "kubernetes")
PROVIDER = "first"


@pytest_asyncio.fixture(scope="module")
async def issuer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with running_provider(tmp_path_factory.mktemp("oidc")) as url:
        yield url


@pytest_asyncio.fixture(scope="module")
async def stage(
    cluster: Cluster,
    restricted: Path,
    mariadb: RunningServer[Any],
    issuer: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stage]:
    provider = {
        "name": PROVIDER,
        "issuer": issuer,
        "clientID": "ks",
        "clientSecret": "secret",
        "redirectURL": f"http://127.0.0.1{OAUTH}/{PROVIDER}/callback",
    }
    directory = tmp_path_factory.mktemp("cut-off-reading")
    async with staged(directory, cluster, restricted, mariadb, oidc=[provider]) as made:
        yield made


_ROLE = "extension-apiserver-authentication-reader"
READS = (
    "/users", "/users?conditions=keyword={user}", "/users?check=true&check={user}",
    "/users/{user}", "/users/{user}/logs", "/users/{user}/roles", "/users/{user}/apitokens",
    "/clusterroles", "/clusterroles/view/users", "/clusterroles/view/rules",
    "/workspaces/{workspace}/members", "/workspaces/{workspace}/members/admin",
    "/workspaces/{workspace}/roles", "/workspaces/{workspace}/roles/workspace-admin",
    "/workspaces/{workspace}/roles/workspace-admin/rules",
    "/namespaces/kube-system/roles", f"/namespaces/kube-system/roles/{_ROLE}/users",
    f"/namespaces/kube-system/roles/{_ROLE}/rules", "/namespaces/kube-system/users",
    "/devops/any/roles/owner/rules", "/rulesmapping/clusterroles", "/rulesmapping/roles", "/oauth/providers",
)  # fmt: skip
"""Of every operation that changes nothing."""


async def _nothing(stage: Stage, name: str) -> None:
    """An answer of 200 is all there is to see."""


def _reading(path: str) -> Operation:
    async def read(stage: Stage, name: str) -> Reply:
        return await stage.admin.get(IAM + path.replace("{user}", name))

    return Operation(read, _nothing)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", BACKENDS)
async def test_reading_that_is_cut_off_says_so_and_can_be_asked_for_again(
    stage: Stage, workspace: str, backend: str
) -> None:
    members = f"{IAM}/workspaces/{workspace}/members"

    async def known() -> None:
        assert (await stage.admin.get(members)).status == 200

    await eventually(known)
    for path in READS:
        await check(stage, _reading(path.replace("{workspace}", workspace)), backend)


async def _keep_token(stage: Stage, name: str) -> Reply:
    answer = await stage.sign_in(name)
    stage.kept[name] = answer.json["access_token"]
    return answer


async def _review(stage: Stage, name: str) -> Reply:
    return await stage.admin.post(f"{IAM}/authenticate", {"spec": {"token": stage.kept[name]}})


async def _is_authenticated(stage: Stage, name: str) -> None:
    assert (await _review(stage, name)).json["status"]["user"]["username"] == name


async def _sign_out(stage: Stage, name: str) -> Reply:
    headers = {"Authorization": f"Bearer {stage.kept[name]}"}
    return await stage.acting_as(name).request("DELETE", f"{IAM}/token", headers=headers)


async def _is_signed_out(stage: Stage, name: str) -> None:
    assert (await _review(stage, name)).json["status"] == {"authenticated": False}


async def _keep_api_token(stage: Stage, name: str) -> Reply:
    body = {"name": "ci", "verbs": ["get"], "workspaces": ["*"], "lifetime": "1h"}
    answer = await stage.acting_as(name).post(f"{USERS}/{name}/apitokens", body)
    stage.kept[name] = answer.json["id"]
    return answer


async def _revoke_api_token(stage: Stage, name: str) -> Reply:
    return await stage.admin.delete(f"{USERS}/{name}/apitokens/{stage.kept[name]}")


async def _has_no_api_token(stage: Stage, name: str) -> None:
    assert (await stage.admin.get(f"{USERS}/{name}/apitokens")).json["items"] == []


async def _get_kubeconfig(stage: Stage, name: str) -> Reply:
    return await stage.acting_as(name).get(f"{USERS}/{name}/kubeconfig")


async def _has_kubeconfig(stage: Stage, name: str) -> None:
    assert "client-certificate-data" in (await _get_kubeconfig(stage, name)).text


async def _get_kubectl(stage: Stage, name: str) -> Reply:
    """Without a node no pod starts: that it is starting is all that can be said."""
    answer = await stage.acting_as(name).get(f"{USERS}/{name}/kubectl")
    starts = answer.status == 503 and answer.message.startswith("the kubectl terminal is not available")
    return replace(answer, status=200) if starts else answer


async def _has_kubectl(stage: Stage, name: str) -> None:
    await stage.cluster.get(DEPLOYMENTS, f"kubectl-{name}", "kubesphere-controls-system")


MORE = {
    "review": Operation(_review, _is_authenticated, before=_keep_token),
    "sign out": Operation(_sign_out, _is_signed_out, before=_keep_token),
    "revoke an API token": Operation(
        _revoke_api_token, _has_no_api_token, before=_keep_api_token, again=(404,)
    ),
    "kubeconfig": Operation(_get_kubeconfig, _has_kubeconfig),
    "kubectl": Operation(_get_kubectl, _has_kubectl),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", MORE)
async def test_an_operation_that_is_cut_off_says_so_and_can_be_asked_for_again(
    stage: Stage, name: str, backend: str
) -> None:
    await check(stage, MORE[name], backend)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_login_at_a_provider_that_is_cut_off_can_be_begun_again(
    stage: Stage, issuer: str, backend: str
) -> None:
    async def sign_in(stage: Stage, name: str) -> Reply:
        claims = {"preferred_username": name, "email": f"{name}@x.io", "email_verified": True}
        return await Browser(stage.admin, issuer).log_in(PROVIDER, name, **claims)

    async def is_the_same_user(stage: Stage, name: str) -> None:
        assert (await sign_in(stage, name)).status == 200
        assert (await stage.profile(name))["email"] == f"{name}@x.io"

    await check(stage, Operation(sign_in, is_the_same_user, makes=True), backend)
