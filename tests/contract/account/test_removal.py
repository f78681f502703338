"""Deleting a user takes all that belongs to them, and can be gone on with after a failure in the middle."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import redis.asyncio as redis
from sqlalchemy import insert, select

from harness.account import IAM, PASSWORD, config_of, ready, unique
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer, running_openldap, running_redis
from harness.services import running_service
from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS, CONFIG_MAPS, DEPLOYMENTS
from servicekit.sections import MysqlConfig
from storekit.database import Database
from storekit.tables import PROJECT_MEMBERSHIP

USERS = f"{IAM}/users"
CONTROLS = "kubesphere-controls-system"
PATIENCE = 60


@dataclass
class Stage:
    """A service with back ends of its own, which a test may stop, and ways to look into them."""

    admin: SignedClient
    nobody: SignedClient
    cluster: Cluster
    database: Database
    store: redis.Redis
    stop: dict[str, Callable[[], Awaitable[None]]]
    start: dict[str, Callable[[], Awaitable[None]]]

    async def make(self) -> str:
        """A user with one of everything."""
        name = unique("gone")
        body = {"username": name, "email": f"{name}@x.io", "password": PASSWORD, "cluster_role": "view"}
        assert (await self.admin.post(USERS, body)).status == 200
        login = await self.nobody.post(f"{IAM}/login", {"username": name, "password": PASSWORD})
        assert login.status == 200, login.text
        assert (await self.admin.get(f"{USERS}/{name}/kubectl")).status == 503, "no pod runs without a node"
        row = {"username": name, "project_id": f"p-{name}", "role": "owner", "status": "active"}
        async with self.database.begin() as connection:
            await connection.execute(insert(PROJECT_MEMBERSHIP).values(**row, grant_by="admin"))
        assert len(await self.left(name)) == 6
        return name

    async def settle(self) -> None:
        """Return once connections that broke are replaced."""

        async def works() -> None:
            login = await self.nobody.post(f"{IAM}/login", {"username": "admin", "password": PASSWORD})
            assert login.status == 200, login.text
            assert (await self.nobody.get("/readyz")).status == 200

        await eventually(works, timeout=PATIENCE)

    async def left(self, name: str) -> set[str]:
        """What there is of a user."""
        found = set[str]()
        for resource, of_user, namespace in (
            (CLUSTER_ROLE_BINDINGS, name, None),
            (CONFIG_MAPS, f"kubeconfig-{name}", CONTROLS),
            (DEPLOYMENTS, f"kubectl-{name}", CONTROLS),
        ):
            try:
                await self.cluster.get(resource, of_user, namespace)
            except NotFound:
                continue
            found.add(of_user + str(resource))
        members = PROJECT_MEMBERSHIP.c.username
        async with self.database.begin() as connection:
            rows = (await connection.execute(select(members).where(members == name))).all()
        found |= {f"membership of {row[0]}" for row in rows}
        found |= {key async for key in self.store.scan_iter(match=f"kubesphere:users:{name}:login-log")}
        if await self.store.exists(f"kubesphere:users:{name}:sessions"):
            found.add("sessions")
        return found


@pytest_asyncio.fixture(scope="module")
async def stage(
    kubernetes: KubernetesServer,
    cluster: Cluster,
    restricted: Path,
    mariadb: RunningServer[Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stage]:
    directory = tmp_path_factory.mktemp("removal")
    (directory / "password").write_text(PASSWORD)
    mysql = {
        "host": f"{mariadb.host}:{mariadb.port}",
        "username": "kubesphere",
        "password": "kubesphere",
        "database": "kubesphere",
    }
    async with running_openldap(directory) as openldap, running_redis(directory) as redis_server:
        config = config_of(
            openldap,
            redis_server,
            kubernetes={"kubeconfig": str(restricted), "timeout": "5s"},
            authentication={"adminPasswordFile": str(directory / "password")},
            mysql=mysql,
            ldap={"timeout": "5s"},
        )
        store = redis.Redis(host=redis_server.host, port=redis_server.port, decode_responses=True)
        database = Database(MysqlConfig.model_validate(mysql))
        async with running_service("ks-account", config, directory) as service:
            client = await ready(service)
            servers = {"ldap": openldap, "redis": redis_server, "mysql": mariadb}
            stop = {name: lambda server=server: server.stop(hard=True) for name, server in servers.items()}
            start = {name: server.start for name, server in servers.items()}
            yield Stage(
                client.acting_as("admin"),
                client,
                cluster,
                database,
                store,
                {**stop, "kubernetes": lambda: kubernetes.stop_apiserver(hard=True)},
                {**start, "kubernetes": kubernetes.start_apiserver},
            )
            await client.close()
        await database.close()
        await store.aclose()


async def test_nothing_is_left_of_a_deleted_user_and_others_keep_theirs(stage: Stage) -> None:
    """ACCOUNT-14."""
    gone, kept = await stage.make(), await stage.make()
    answer = await stage.admin.delete(f"{USERS}/{gone}")
    assert answer.status == 200, answer.text
    assert await stage.left(gone) == set()
    assert len(await stage.left(kept)) == 6
    assert (await stage.admin.delete(f"{USERS}/{gone}")).status == 404
    assert (await stage.admin.delete(f"{USERS}/{kept}")).status == 200


@pytest.mark.parametrize(
    ("server", "first_left"),
    [
        ("mysql", "memberships of DevOps projects"),
        ("ldap", "entry in the directory"),
        ("redis", "sessions"),
        ("kubernetes", "ownership"),
    ],
)
async def test_a_deletion_that_failed_says_what_is_left_and_goes_on(
    stage: Stage, server: str, first_left: str
) -> None:
    """ACCOUNT-14: whichever back end is killed."""
    name = await stage.make()
    await stage.stop[server]()
    answer = await stage.admin.delete(f"{USERS}/{name}")
    await stage.start[server]()
    assert answer.status == 503, answer.text
    assert answer.message.startswith(f"{server} is not available")
    _, _, left = answer.message.partition(f"left of {name}: ")
    assert first_left in left
    assert "kubeconfig, kubectl terminal" in left
    assert left.endswith("login log. Delete again to go on")

    async def deleted() -> None:
        again = await stage.admin.delete(f"{USERS}/{name}")
        assert again.status in (200, 404), again.text
        assert await stage.left(name) == set()

    await eventually(deleted, timeout=PATIENCE)
    assert (await stage.admin.get(f"{USERS}/{name}")).status == 404
    await stage.settle()
