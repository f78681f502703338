"""ks-account alone, as a real process on real back ends; the tests are its gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import ldap3
import pytest_asyncio
import redis.asyncio as redis
import yaml

from harness.account import IAM, PASSWORD, config_of, ready, unique
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer
from harness.services import running_service
from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig
from kubekit.errors import AlreadyExists, NotFound
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CRDS,
    NAMESPACES,
    ROLE_BINDINGS,
    WORKSPACES,
    Object,
)

MANIFEST = Path(__file__).parents[3] / "installer/components/access/manifests/ks-account.yaml"
CONTROLS = "kubesphere-controls-system"
NewPerson = Callable[..., Awaitable[SignedClient]]


@pytest_asyncio.fixture(scope="session")
async def config(
    openldap: RunningServer[Any],
    redis_server: RunningServer[Any],
    kubernetes: KubernetesServer,
    restricted: Path,
    server_directory: Path,
) -> dict[str, Any]:
    """The configuration of the service that most tests share; the administrator's password is PASSWORD."""
    password = server_directory / "admin-password"
    password.write_text(PASSWORD)
    return config_of(
        openldap,
        redis_server,
        kubernetes,
        authentication={"adminPasswordFile": str(password)},
        kubernetes={"kubeconfig": str(restricted)},
    )


@pytest_asyncio.fixture(scope="session")
async def restricted(kubernetes: KubernetesServer, cluster: Cluster) -> AsyncIterator[Path]:
    """A kubeconfig with the rights that the platform's manifests give the service, and no others."""
    documents = list(yaml.safe_load_all(MANIFEST.read_text()))
    rules = {d["kind"]: d["rules"] for d in documents if d["kind"] in ("ClusterRole", "Role")}
    user, name = unique("ks-account"), unique("ks-account-rights")
    subjects = [{"kind": "User", "apiGroup": CLUSTER_ROLES.group, "name": user}]
    for kind, suffix in (("ClusterRole", ""), ("Role", "-controls")):
        await cluster.create(CLUSTER_ROLES, {"metadata": {"name": name + suffix}, "rules": rules[kind]})
    everywhere, controls = (
        {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": CLUSTER_ROLES.group, "kind": "ClusterRole", "name": name + suffix},
            "subjects": subjects,
        }
        for suffix in ("", "-controls")
    )
    try:
        await cluster.create(NAMESPACES, {"metadata": {"name": CONTROLS}})
    except AlreadyExists:
        pass
    await cluster.create(CLUSTER_ROLE_BINDINGS, everywhere)
    await cluster.create(ROLE_BINDINGS, controls, CONTROLS)
    yield await kubernetes.user_kubeconfig(user)
    await cluster.delete(ROLE_BINDINGS, name, CONTROLS)
    await cluster.delete(CLUSTER_ROLE_BINDINGS, name)
    for suffix in ("", "-controls"):
        await cluster.delete(CLUSTER_ROLES, name + suffix)


@pytest_asyncio.fixture(scope="session")
async def account(config: dict[str, Any], server_directory: Path) -> AsyncIterator[SignedClient]:
    """Somebody who is not signed in, at a service that is ready."""
    async with running_service("ks-account", config, server_directory / "account") as service:
        client = await ready(service)
        yield client
        await client.close()


@pytest_asyncio.fixture(scope="session")
async def admin(account: SignedClient) -> SignedClient:
    """The first administrator."""
    return account.acting_as("admin")


@pytest_asyncio.fixture(scope="session")
async def store(redis_server: RunningServer[Any]) -> AsyncIterator[redis.Redis]:
    """The Redis behind the service."""
    client = redis.Redis(host=redis_server.host, port=redis_server.port, decode_responses=True)
    yield client
    await client.aclose()


@pytest_asyncio.fixture(scope="session")
async def cluster(kubernetes: KubernetesServer) -> AsyncIterator[Cluster]:
    """The cluster, as its administrator."""
    async with Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig))) as opened:
        yield opened


@pytest_asyncio.fixture
async def new_person(admin: SignedClient, cluster: Cluster) -> AsyncIterator[NewPerson]:
    """Makes a user, who is signed in, and is gone after the test."""
    made: list[str] = []

    async def make(role: str = "", **values: Any) -> SignedClient:
        name = values.pop("username", None) or unique("person")
        body = {"username": name, "email": f"{name}@x.io", "password": PASSWORD, "cluster_role": role}
        answer = await admin.post(f"{IAM}/users", {**body, **values})
        assert answer.status == 200, answer.text
        made.append(name)
        return admin.acting_as(name, address=f"198.51.100.{len(made)}")

    yield make
    for name in made:
        await admin.delete(f"{IAM}/users/{name}")


@pytest_asyncio.fixture
async def cluster_role(cluster: Cluster) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Makes a ClusterRole of rules, which is gone after the test."""
    made: list[str] = []

    async def make(*rules: dict[str, Any]) -> str:
        name = unique("role")
        await cluster.create(CLUSTER_ROLES, {"metadata": {"name": name}, "rules": list(rules)})
        made.append(name)
        return name

    yield make
    for name in made:
        await cluster.delete(CLUSTER_ROLES, name)


@pytest_asyncio.fixture
async def workspace(cluster: Cluster) -> AsyncIterator[str]:
    """A workspace with the roles and bindings that its controller makes."""
    async with _workspace(cluster, unique("ws")) as name:
        yield name


@pytest_asyncio.fixture
async def system_workspace(cluster: Cluster) -> AsyncIterator[str]:
    """The workspace of the cluster's own namespaces; where there is one, it stays."""
    try:
        async with _workspace(cluster, "system-workspace") as name:
            yield name
    except AlreadyExists:
        yield "system-workspace"


@asynccontextmanager
async def _workspace(cluster: Cluster, name: str) -> AsyncIterator[str]:
    await _serve_workspaces(cluster)
    kind = {"apiVersion": WORKSPACES.api_version, "kind": WORKSPACES.kind}
    made = await cluster.create(
        WORKSPACES, {**kind, "metadata": {"name": name}, "spec": {"manager": "admin"}}
    )
    for role, rules in WORKSPACE_ROLES.items():
        for resource, extra in (
            (CLUSTER_ROLES, {"rules": [{**rule, "resourceNames": [name]} for rule in rules]}),
            (CLUSTER_ROLE_BINDINGS, _binding(name, role)),
        ):
            try:
                await cluster.create(resource, {"metadata": _metadata(made, role), **extra})
            except AlreadyExists:  # a controller works in this cluster
                pass
    yield name
    await cluster.delete(WORKSPACES, name)
    for role in WORKSPACE_ROLES:
        for resource in (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS):
            try:
                await cluster.delete(resource, f"workspace:{name}:{role}")
            except NotFound:
                pass


WORKSPACE_ROLES: dict[str, list[dict[str, Any]]] = {
    "admin": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["workspaces", "workspaces/*"]}],
    "regular": [
        {"verbs": ["get"], "apiGroups": ["*"], "resources": ["workspaces"]},
        {"verbs": ["get"], "apiGroups": ["iam.kubesphere.io"], "resources": ["workspaces/members"]},
    ],
    "viewer": [{"verbs": ["get", "list"], "apiGroups": ["*"], "resources": ["workspaces", "workspaces/*"]}],
}


def _binding(workspace: str, role: str) -> dict[str, Any]:
    subjects = [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "admin"}]
    return {
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": f"workspace:{workspace}:{role}",
        },
        "subjects": subjects if role == "admin" else [],
    }


def _metadata(workspace: Object, role: str) -> dict[str, Any]:
    name = workspace["metadata"]["name"]
    owner = {
        "apiVersion": WORKSPACES.api_version,
        "kind": "Workspace",
        "name": name,
        "uid": workspace["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {
        "name": f"workspace:{name}:{role}",
        "labels": {"kubesphere.io/workspace": name},
        "ownerReferences": [owner],
    }


async def _serve_workspaces(cluster: Cluster) -> None:
    """Make the CustomResourceDefinition of workspaces where there is none yet."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    definition = {
        "metadata": {"name": "workspaces.tenant.kubesphere.io"},
        "spec": {
            "group": WORKSPACES.group,
            "scope": "Cluster",
            "names": {"plural": WORKSPACES.plural, "kind": WORKSPACES.kind},
            "versions": [
                {
                    "name": WORKSPACES.version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
    try:
        await cluster.create(CRDS, definition)
    except AlreadyExists:
        return

    async def served() -> None:
        try:
            await cluster.list(WORKSPACES)
        except NotFound as error:
            raise AssertionError(str(error)) from error

    await eventually(served, timeout=30)


@pytest_asyncio.fixture(scope="session")
async def set_password(openldap: RunningServer[Any]) -> Callable[[str, str | None], bytes]:
    """Stores a password as it is given, unless it is None, and gives what is stored."""

    def store_it(user: str, password: str | None) -> bytes:
        dn = f"uid={user},ou=Users,dc=kubesphere,dc=io"
        server = ldap3.Server(openldap.host, openldap.port, get_info=ldap3.NONE)
        manager = openldap.definition.manager_dn, openldap.definition.manager_password
        with ldap3.Connection(server, *manager, raise_exceptions=True) as connection:
            if password is not None:
                connection.modify(dn, {"userPassword": [(ldap3.MODIFY_REPLACE, [password])]})
            connection.search(dn, "(objectClass=*)", ldap3.BASE, attributes=["userPassword"])
            [entry] = connection.response or []
            return entry["raw_attributes"]["userPassword"][0]

    return store_it
