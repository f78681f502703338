"""Back ends that go away and come back: 503 with the reason meanwhile, never a wrong answer (ACCOUNT-20)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_asyncio
import yaml

from harness.account import IAM, PASSWORD, config_of, ready, unique
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer, running_openldap, running_redis
from harness.services import RunningService, running_service
from harness.signed import SignedClient
from harness.waiting import eventually

LOGIN = f"{IAM}/login"
USERS = f"{IAM}/users"


@dataclass
class Stage:
    """A service with back ends of its own, which a test may stop."""

    service: RunningService
    client: SignedClient
    admin: SignedClient
    openldap: RunningServer[Any]
    redis: RunningServer[Any]

    async def sign_in(self, name: str = "admin", password: str = PASSWORD) -> int:
        return (await self.client.post(LOGIN, {"username": name, "password": password})).status

    async def down(self) -> set[str]:
        """What /readyz says is down."""
        states = (await self.client.get("/readyz")).json["dependencies"]
        return {name for name, state in states.items() if not state["ready"]}


@pytest_asyncio.fixture(scope="module")
async def stage(kubernetes: KubernetesServer, tmp_path_factory: Any) -> AsyncIterator[Stage]:
    directory: Path = tmp_path_factory.mktemp("outages")
    (directory / "password").write_text(PASSWORD)
    async with running_openldap(directory) as openldap, running_redis(directory) as redis:
        config = config_of(
            openldap,
            redis,
            kubernetes,
            authentication={"adminPasswordFile": str(directory / "password")},
            ldap={"timeout": "2s"},
        )
        async with running_service("ks-account", config, directory) as service:
            client = await ready(service)
            yield Stage(service, client, client.acting_as("admin"), openldap, redis)
            await client.close()


async def test_a_directory_that_is_killed_is_no_wrong_password(stage: Stage) -> None:
    assert await stage.sign_in() == 200
    await stage.openldap.stop(hard=True)
    answer = await stage.client.post(LOGIN, {"username": "admin", "password": PASSWORD})
    assert answer.status == 503
    assert answer.message.startswith("ldap is not available: ")
    assert (await stage.admin.get(USERS)).status == 503
    assert (
        await stage.admin.post(USERS, {"username": "x", "email": "x@x.io", "password": PASSWORD})
    ).status == 503

    async def named() -> None:
        assert "ldap" in await stage.down()

    await eventually(named)
    assert (await stage.client.get("/healthz")).status == 200
    await stage.openldap.start()
    assert await stage.sign_in() == 200, "broken connections are replaced at once"

    async def recovered() -> None:
        assert await stage.down() == set()

    await eventually(recovered)


async def test_connections_that_broke_while_idle_are_not_noticed(stage: Stage) -> None:
    name = unique("idle")
    await asyncio.gather(*(stage.sign_in() for _ in range(8)))
    await stage.openldap.stop()
    await stage.openldap.start()
    answer = await stage.admin.post(USERS, {"username": name, "email": f"{name}@x.io", "password": PASSWORD})
    assert answer.status == 200, answer.text
    await stage.openldap.stop(hard=True)
    await stage.openldap.start()
    assert await asyncio.gather(*(stage.sign_in() for _ in range(8))) == [200] * 8
    assert (await stage.admin.delete(f"{USERS}/{name}")).status == 200


async def test_redis_that_is_killed_ends_no_session_and_lets_nobody_in(stage: Stage) -> None:
    assert await stage.sign_in() == 200
    await stage.redis.stop(hard=True)
    answer = await stage.client.post(LOGIN, {"username": "admin", "password": PASSWORD})
    assert answer.status == 503
    assert answer.message.startswith("redis is not available: ")
    assert await stage.sign_in(password="not-the-password") == 503
    review = await stage.client.post(f"{IAM}/authenticate", {"spec": {"token": "a.b.c"}})
    assert review.status == 200
    assert review.json["status"] == {"authenticated": False}

    async def named() -> None:
        assert "redis" in await stage.down()

    await eventually(named)
    await stage.redis.start()

    async def back() -> None:
        assert await stage.sign_in() == 200

    await eventually(back)


async def test_a_redis_that_was_restarted_fails_no_request(stage: Stage) -> None:
    """Each kept connection broke meanwhile, and none of them is found out by a request that fails."""
    assert await asyncio.gather(*(stage.sign_in() for _ in range(16))) == [200] * 16
    await stage.redis.stop(hard=True)
    await stage.redis.start()
    assert await asyncio.gather(*(stage.sign_in() for _ in range(16))) == [200] * 16


async def test_users_and_logins_go_on_through_restarts_of_both(stage: Stage) -> None:
    """Each request ends with an answer that is true, and whatever was answered 200 is there afterwards."""
    made: list[str] = []

    async def work(number: int) -> None:
        for step in range(6):
            name = unique(f"w{number}s{step}")
            body = {"username": name, "email": f"{name}@x.io", "password": PASSWORD}
            answer = await stage.admin.post(USERS, body)
            assert answer.status in (200, 503), answer.text
            if answer.status == 200:
                made.append(name)
            assert await stage.sign_in() in (200, 503)
            await asyncio.sleep(0.05)

    async def disturb() -> None:
        for server in (stage.openldap, stage.redis):
            await asyncio.sleep(0.1)
            await server.stop(hard=True)
            await server.start()

    await asyncio.gather(disturb(), *(work(number) for number in range(4)))

    async def complete() -> None:
        for name in made:
            assert await stage.sign_in(name) == 200

    await eventually(complete)


async def test_a_service_that_is_killed_leaves_nothing_half_done_behind(stage: Stage) -> None:
    """A creation cut off in the middle can be asked for again, and a deletion too."""
    names = [unique("cut") for _ in range(10)]
    bodies = [
        {"username": n, "email": f"{n}@x.io", "password": PASSWORD, "cluster_role": "view"} for n in names
    ]
    requests = [asyncio.create_task(stage.admin.post(USERS, body)) for body in bodies]
    await asyncio.sleep(0.05)
    await stage.service.kill()
    await asyncio.gather(*requests, return_exceptions=True)
    await stage.service.start()
    await (await ready(stage.service)).close()

    async def again(body: dict[str, str]) -> None:
        answer = await stage.admin.post(USERS, body)
        assert answer.status in (200, 409), answer.text
        assert answer.status == 200 or "already exists" in answer.message, "the claims of the dead process go"

    for body in bodies:
        await eventually(lambda body=body: again(body), timeout=60)
    for name in names:
        assert await stage.sign_in(name) == 200
        assert (await stage.admin.delete(f"{USERS}/{name}")).status == 200


async def test_a_slow_directory_is_bounded(
    stage: Stage, kubernetes: KubernetesServer, redis_server: RunningServer[Any], tmp_path: Path
) -> None:
    """A server that takes connections and never answers: 503 in the end, and the rest is served meanwhile."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        slow = {"host": f"127.0.0.1:{silent.getsockname()[1]}", "timeout": "1s", "pool": 2}
        config = config_of(stage.openldap, redis_server, kubernetes, ldap=slow, account={"poolWait": "1s"})
        async with running_service("ks-account", config, tmp_path) as service:
            client = SignedClient(service.url, config["authentication"]["jwtSecret"])
            logins = [client.post(LOGIN, {"username": f"u{n}", "password": "pass-word"}) for n in range(12)]
            waiting = asyncio.gather(*logins)
            assert (await client.get("/healthz")).status == 200
            answers = await waiting
            assert {answer.status for answer in answers} == {503}
            assert any("connections were busy" in answer.message for answer in answers)
            await client.close()


async def test_a_cluster_that_is_out_of_reach_is_503(
    stage: Stage, kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    """Nobody is allowed anything before the roles were read once; signing in needs no roles."""
    unreachable = yaml.safe_load(kubernetes.kubeconfig.read_text())
    for entry in unreachable["clusters"]:
        entry["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(unreachable))
    given = {"kubeconfig": str(tmp_path / "kubeconfig")}
    config = config_of(stage.openldap, stage.redis, kubernetes, kubernetes=given)
    async with running_service("ks-account", config, tmp_path) as service:
        client = SignedClient(service.url, config["authentication"]["jwtSecret"])
        answer = await client.acting_as("admin").get(USERS)
        assert answer.status == 503, answer.text
        assert "kubernetes" in answer.message
        assert (await client.post(LOGIN, {"username": "admin", "password": PASSWORD})).status == 200

        async def named() -> None:
            down = (await client.get("/readyz")).json["dependencies"]
            assert not down["kubernetes"]["ready"]

        await eventually(named)
        await client.close()
