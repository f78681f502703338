"""People and places that the system tests act with; each test gets names of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from harness.platform import IAM, WORKSPACES, Client, Platform
from harness.waiting import eventually

_serial = itertools.count(1)
_PASSWORD = "Corr3ct-horse"


@pytest.fixture
def unique() -> str:
    """A name that no other test, and no earlier run against the same platform, uses."""
    return f"t{os.getpid()}x{next(_serial)}"


@pytest.fixture
async def admin(platform: Platform) -> AsyncIterator[Client]:
    """The first administrator, signed in through the gateway."""
    async with platform.signed_in("admin", platform.admin_password) as client:
        yield client


@pytest.fixture
async def new_person(platform: Platform, admin: Client) -> AsyncIterator[Callable[[str], Awaitable[Client]]]:
    """Make a person who belongs to nothing, and sign them in."""
    async with AsyncExitStack() as people:

        async def make(name: str) -> Client:
            created = await admin.post(
                f"{IAM}/users",
                {
                    "username": name,
                    "email": f"{name}@example.org",
                    "password": _PASSWORD,
                    "cluster_role": "cluster-regular",
                },
            )
            assert created.status == 200, created.text
            return await people.enter_async_context(platform.signed_in(name, _PASSWORD))

        yield make


@pytest.fixture
async def workspace(admin: Client, unique: str) -> AsyncIterator[str]:
    """A workspace of the administrator whose roles have been made."""
    name = f"ws-{unique}"
    created = await admin.post(
        WORKSPACES,
        {
            "apiVersion": "tenant.kubesphere.io/v1alpha1",
            "kind": "Workspace",
            "metadata": {"name": name},
            "spec": {"manager": "admin"},
        },
    )
    assert created.status == 201, created.text

    async def bound() -> None:
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/workspace:{name}:admin"
        assert (await admin.get(path)).status == 200

    await eventually(bound, timeout=30)
    yield name
    await admin.delete(f"{WORKSPACES}/{name}")
