"""A browser, and people who use the console with it; each test gets names of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from devstack import settings
from devstack.stack import Stack
from harness.platform import IAM, TENANT, WORKSPACES, Client, Platform
from harness.projects import Project
from harness.visitors import PASSWORD, Person, Visit, Visitor, running_browser, visiting
from harness.waiting import eventually

_serial = itertools.count(1)


@pytest.fixture
def unique() -> str:
    """A name that no other test, and no earlier run against the same platform, uses."""
    return f"b{os.getpid()}x{next(_serial)}"


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests; each visitor is a stranger to the others."""
    async with running_browser() as browser:
        yield browser


@pytest.fixture
async def visit(chromium: Browser, platform: Platform) -> AsyncIterator[Visit]:
    """Open the console in a browser of one's own. A fault in any page fails the test."""
    async with AsyncExitStack() as open_ones:
        visitors: list[Visitor] = []

        async def make(**options: Any) -> Visitor:
            visitor = await open_ones.enter_async_context(visiting(chromium, platform.console_url, **options))
            visitors.append(visitor)
            return visitor

        yield make
        assert [fault for visitor in visitors for fault in visitor.unexplained()] == []


@pytest_asyncio.fixture(scope="session")
async def root(platform: Platform) -> AsyncIterator[Client]:
    """Who prepares what tests need, through the gateway: a second administrator, as a new session of somebody
    ends the one before.
    """
    name = f"root{os.getpid()}"
    async with platform.signed_in("admin", platform.admin_password) as admin:
        await _make(admin, name, "cluster-admin")
    async with platform.signed_in(name, PASSWORD) as client:
        yield client


async def _make(client: Client, name: str, role: str) -> None:
    body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "cluster_role": role}
    created = await client.post(f"{IAM}/users", body)
    assert created.status == 200, created.text


@pytest.fixture
async def new_person(root: Client) -> Callable[[str, str], Awaitable[Person]]:
    """Make an account, with a role in the platform."""

    async def make(name: str, role: str = "cluster-regular") -> Person:
        await _make(root, name, role)
        return Person(name)

    return make


@pytest.fixture
async def operator(new_person: Callable[[str, str], Awaitable[Person]], unique: str) -> Person:
    """An administrator of the platform."""
    return await new_person(f"op-{unique}", "cluster-admin")


@pytest.fixture
async def workspace(root: Client, unique: str) -> AsyncIterator[str]:
    """A workspace whose roles have been made."""
    name = f"ws-{unique}"
    body = {
        "apiVersion": "tenant.kubesphere.io/v1alpha1",
        "kind": "Workspace",
        "metadata": {"name": name},
        "spec": {"manager": root.user},
    }
    created = await root.post(WORKSPACES, body)
    assert created.status == 201, created.text

    async def bound() -> None:
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/workspace:{name}:admin"
        assert (await root.get(path)).status == 200

    await eventually(bound, timeout=60)
    yield name
    await root.delete(f"{WORKSPACES}/{name}")


@pytest.fixture
async def project(
    visit: Visit, platform: Platform, root: Client, workspace: str, operator: Person, unique: str
) -> AsyncIterator[Project]:
    """A project in `workspace`, open to the operator, who has signed in."""
    name = f"p-{unique}"
    made = await root.post(f"{TENANT}/workspaces/{workspace}/namespaces", {"metadata": {"name": name}})
    assert made.status == 200, made.text
    maker = await visit()
    await maker.sign_in(operator.name, operator.password)
    base = f"/workspaces/{workspace}/projects/{name}"
    yield Project(name, base, platform.env.get("KS_TEST_IMAGE", "example.org/none:1"), maker, root)
    await root.delete(f"{TENANT}/workspaces/{workspace}/namespaces/{name}")


@pytest.fixture
def restart(platform: Platform) -> Callable[[str], Awaitable[None]]:
    """Stop and start one of the platform's programs, and wait until it serves."""
    stack = Stack(settings.remembered(platform.state))

    async def run(name: str) -> None:
        await asyncio.to_thread(stack.restart, [name])

    return run
