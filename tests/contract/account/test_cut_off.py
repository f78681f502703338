"""Each operation that changes something, cut off from each back end after each message (ACCOUNT-35)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from harness.account import IAM, PASSWORD
from harness.cut_off import ROLE, USERS, Check, Operation, Stage, check, new_user, staged
from harness.servers import RunningServer
from harness.signed import Reply
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS

OTHER = "An0ther-password"


@pytest_asyncio.fixture(scope="module")
async def stage(
    cluster: Cluster,
    restricted: Path,
    mariadb: RunningServer[Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("cut-off"), cluster, restricted, mariadb) as made:
        yield made


async def _create(stage: Stage, name: str) -> Reply:
    return await stage.admin.post(USERS, new_user(name))


async def _is_whole(stage: Stage, name: str) -> None:
    assert (await stage.sign_in(name)).status == 200
    binding = await stage.cluster.get(CLUSTER_ROLE_BINDINGS, name)
    assert binding["roleRef"]["name"] == ROLE


async def _describe_otherwise(stage: Stage, name: str) -> Reply:
    body = {"username": name, "email": f"{name}@other.io", "description": "other", "lang": "zh"}
    return await stage.admin.put(f"{USERS}/{name}", body)


async def _is_other(stage: Stage, name: str) -> None:
    shown = await stage.profile(name)
    assert (shown["email"], shown["description"], shown["lang"]) == (f"{name}@other.io", "other", "zh")


async def _change_own_password(stage: Stage, name: str) -> Reply:
    body = {"username": name, "email": f"{name}@x.io", "password": OTHER, "current_password": PASSWORD}
    return await stage.acting_as(name).put(f"{USERS}/{name}", body)


async def _reset_password(stage: Stage, name: str) -> Reply:
    body = {"username": name, "email": f"{name}@x.io", "password": OTHER}
    return await stage.admin.put(f"{USERS}/{name}", body)


async def _has_other_password(stage: Stage, name: str) -> None:
    assert not await stage.store.exists(f"kubesphere:users:{name}:sessions"), "the sessions ended"
    assert (await stage.sign_in(name, PASSWORD)).status == 401
    assert (await stage.sign_in(name, OTHER)).status == 200


async def _lock(stage: Stage, name: str) -> Reply:
    return await stage.admin.put(f"{USERS}/{name}/lock", {})


async def _is_locked(stage: Stage, name: str) -> None:
    assert (await stage.sign_in(name)).status == 403
    assert (await stage.profile(name))["locked"] is True


async def _unlock(stage: Stage, name: str) -> Reply:
    return await stage.admin.delete(f"{USERS}/{name}/lock")


async def _delete(stage: Stage, name: str) -> Reply:
    return await stage.admin.delete(f"{USERS}/{name}")


async def _is_gone(stage: Stage, name: str) -> None:
    assert (await stage.admin.get(f"{USERS}/{name}")).status == 404
    assert (await stage.sign_in(name)).status == 401
    left = [key async for key in stage.store.scan_iter(match=f"kubesphere:users:{name}:*")]
    assert left == []
    with pytest.raises(NotFound):
        await stage.cluster.get(CLUSTER_ROLE_BINDINGS, name)


async def _sign_in(stage: Stage, name: str) -> Reply:
    return await stage.sign_in(name)


async def _is_signed_in(stage: Stage, name: str) -> None:
    assert (await stage.admin.get(f"{USERS}/{name}/logs")).json


async def _grant(stage: Stage, name: str) -> Reply:
    body = {"grant_type": "password", "username": name, "password": PASSWORD}
    return await stage.acting_as(name).post(f"{IAM}/token", body)


async def _keep_refresh_token(stage: Stage, name: str) -> Reply:
    answer = await _grant(stage, name)
    stage.kept[name] = answer.json["refresh_token"]
    return answer


async def _refresh(stage: Stage, name: str) -> Reply:
    body = {"grant_type": "refresh_token", "refresh_token": stage.kept[name]}
    return await stage.acting_as(name).post(f"{IAM}/token", body)


async def _is_used_up(stage: Stage, name: str) -> None:
    """A refresh token is good once, also where its answer got lost; its owner signs in again."""
    assert (await _refresh(stage, name)).status == 401
    assert (await stage.sign_in(name)).status == 200


async def _make_api_token(stage: Stage, name: str) -> Reply:
    body = {"name": "ci", "verbs": ["get"], "workspaces": ["*"], "lifetime": "1h"}
    return await stage.acting_as(name).post(f"{USERS}/{name}/apitokens", body)


async def _has_api_token(stage: Stage, name: str) -> None:
    """Whose token got lost on the way finds it in the list, and can revoke it."""
    listed = (await stage.acting_as(name).get(f"{USERS}/{name}/apitokens")).json["items"]
    assert [each["name"] for each in listed] == ["ci"]
    revoked = await stage.acting_as(name).delete(f"{USERS}/{name}/apitokens/{listed[0]['id']}")
    assert revoked.status == 200
    assert (await _make_api_token(stage, name)).status == 200


async def _end_sessions(stage: Stage, name: str) -> Reply:
    return await stage.admin.delete(f"{USERS}/{name}/sessions")


async def _has_no_session(stage: Stage, name: str) -> None:
    assert not await stage.store.exists(f"kubesphere:users:{name}:sessions")


OPERATIONS = {
    "create": Operation(_create, _is_whole, makes=True, again=(409,)),
    "update": Operation(_describe_otherwise, _is_other),
    "change the own password": Operation(_change_own_password, _has_other_password),
    "reset a password": Operation(_reset_password, _has_other_password),
    "lock": Operation(_lock, _is_locked),
    "unlock": Operation(_unlock, _is_whole),
    "delete": Operation(_delete, _is_gone, again=(404,)),
    "sign in": Operation(_sign_in, _is_signed_in),
    "token": Operation(_grant, _is_signed_in),
    "refresh": Operation(_refresh, _is_used_up, before=_keep_refresh_token, again=(401,)),
    "API token": Operation(_make_api_token, _has_api_token, again=(409,)),
    "end sessions": Operation(_end_sessions, _has_no_session),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", ["ldap", "redis", "kubernetes"])
@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_that_is_cut_off_says_so_and_can_be_asked_for_again(
    stage: Stage, name: str, backend: str
) -> None:
    await check(stage, OPERATIONS[name], backend)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", ["ldap", "redis", "kubernetes"])
async def test_a_membership_whose_change_is_cut_off_can_be_asked_for_again(
    stage: Stage, workspace: str, backend: str
) -> None:
    members = f"{IAM}/workspaces/{workspace}/members"

    async def known() -> None:
        assert (await stage.admin.get(f"{members}/admin")).status == 200

    async def invite(stage: Stage, name: str) -> Reply:
        return await stage.admin.post(members, {"username": name, "workspace_role": "workspace-viewer"})

    async def remove(stage: Stage, name: str) -> Reply:
        return await stage.admin.delete(f"{members}/{name}")

    def shows(status: int) -> Check:
        async def shown(stage: Stage, name: str) -> None:
            async def so() -> None:
                assert (await stage.admin.get(f"{members}/{name}")).status == status

            await eventually(so)

        return shown

    async def is_member(stage: Stage, name: str) -> Reply:
        answer = await invite(stage, name)
        await shows(200)(stage, name)
        return answer

    await eventually(known)
    await check(stage, Operation(invite, shows(200)), backend)
    await check(
        stage,
        Operation(
            remove,
            shows(404),
            before=is_member,
            again=(404,),
        ),
        backend,
    )


@pytest.mark.timeout(600)
async def test_a_deletion_that_is_cut_off_from_mysql_can_be_asked_for_again(stage: Stage) -> None:
    """Nothing else asks MySQL."""
    await check(stage, OPERATIONS["delete"], "mysql")
