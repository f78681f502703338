"""Writes docs/screenshots/*.png from a stack that is up: `make up`, then `make screenshots`.

It makes a workspace with people, a project and workloads of which one does not run, looks at the main pages
as the administrator, and takes away what it made.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from devstack import settings
from devstack.stack import Stack
from harness.platform import IAM, TENANT, WORKSPACES, Client, Platform
from harness.visitors import PASSWORD, Visitor, running_browser, visiting

OUTPUT = Path(__file__).parents[2] / "docs" / "screenshots"
WORKSPACE, PROJECT = "checkout", "shop"
PEOPLE = {"maria": "workspace-regular", "chen": "workspace-viewer", "oleg": "workspace-regular"}
BASE = f"/workspaces/{WORKSPACE}/projects/{PROJECT}"
PAGES = {
    "home": "/",
    "workspaces": "/platform/workspaces",
    "workspace": f"/workspaces/{WORKSPACE}",
    "accounts": "/platform/accounts",
    "roles": "/platform/roles",
    "nodes": "/platform/nodes",
    "project": BASE,
    "deployments": f"{BASE}/workloads/deployments",
    "deployment": f"{BASE}/workloads/deployments/cart",
    "pods": f"{BASE}/pods",
}
SETTLED_MS = 2500
STARTING_SECONDS = 15
"""Until pods have started, or have failed to."""
SIZE = {"width": 1280, "height": 800}


async def main(platform: Platform) -> None:
    """Makes what is shown, shows it, and takes it away again."""
    async with platform.signed_in("admin", platform.admin_password) as admin:
        await _furnish(admin, platform.env.get("KS_TEST_IMAGE", "busybox:1.36"))
    try:
        await asyncio.sleep(STARTING_SECONDS)
        async with (
            running_browser() as browser,
            visiting(browser, platform.console_url, viewport=SIZE) as visitor,
        ):
            await _look(visitor, platform.admin_password)
    finally:
        async with platform.signed_in("admin", platform.admin_password) as admin:
            await _clear(admin)


async def _look(visitor: Visitor, password: str) -> None:
    await visitor.go("/login")
    await _shoot(visitor, "login")
    await visitor.sign_in("admin", password)
    for name, path in PAGES.items():
        await visitor.go(path)
        await _shoot(visitor, name)
    await visitor.go("/platform/workspaces")
    await visitor.see("link", WORKSPACE)
    await visitor.page.keyboard.press("Control+k")
    await visitor.page.get_by_role("dialog").get_by_role("textbox").fill("cart")
    await _shoot(visitor, "search")
    await visitor.page.evaluate("localStorage.setItem('ks.theme', 'dark')")
    await visitor.go(BASE)
    await _shoot(visitor, "project-dark")


async def _shoot(visitor: Visitor, name: str) -> None:
    await visitor.page.wait_for_load_state("load")
    await visitor.page.wait_for_timeout(SETTLED_MS)
    await visitor.page.screenshot(path=OUTPUT / f"{name}.png")
    print(OUTPUT / f"{name}.png")


async def _furnish(admin: Client, image: str) -> None:
    notes = {
        "kubesphere.io/alias-name": "Checkout team",
        "kubesphere.io/description": "From cart to receipt.",
    }
    await admin.post(
        WORKSPACES,
        {
            "apiVersion": "tenant.kubesphere.io/v1alpha1",
            "kind": "Workspace",
            "metadata": {"name": WORKSPACE, "annotations": notes},
            "spec": {"manager": "admin"},
        },
    )
    for name in PEOPLE:
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        await admin.post(f"{IAM}/users", {**body, "cluster_role": "cluster-regular"})
    await asyncio.sleep(3)
    for name, role in PEOPLE.items():
        await admin.post(f"{IAM}/workspaces/{WORKSPACE}/members", {"username": name, "workspace_role": role})
    for name in (PROJECT, "payments", "receipts"):
        await admin.post(f"{TENANT}/workspaces/{WORKSPACE}/namespaces", {"metadata": {"name": name}})
    await asyncio.sleep(2)
    path = f"/apis/apps/v1/namespaces/{PROJECT}/deployments"
    await admin.post(path, _deployment("cart", image, 2))
    await admin.post(path, _deployment("orders", image, 1))
    await admin.post(path, _deployment("prices", "registry.example/prices:9", 1))


def _deployment(name: str, image: str, replicas: int) -> dict[str, Any]:
    container = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do echo served; sleep 2 & wait $!; done"],
        "ports": [{"containerPort": 8080}],
    }
    labels = {"app": name}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


async def _clear(admin: Client) -> None:
    await admin.delete(f"{WORKSPACES}/{WORKSPACE}")
    for name in PEOPLE:
        await admin.delete(f"{IAM}/users/{name}")


def running_at(state: Path) -> Platform:
    """The platform of the stack whose state is in `state`."""
    stack = Stack(settings.remembered(state.absolute()))
    return Platform(env=stack.env(), state=stack.settings.state)


if __name__ == "__main__":
    OUTPUT.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(running_at(Path(sys.argv[1] if len(sys.argv) > 1 else ".dev"))))
