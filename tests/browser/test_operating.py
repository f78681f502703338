"""What an operator does with people and with the cluster: first passwords, roles, members, nodes, storage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import ldap3
import pytest
from playwright.async_api import Page, expect

from harness.platform import IAM, Client, Platform
from harness.visitors import PASSWORD, WAIT_MS, Person, Visit
from harness.waiting import eventually

NODES, PODS = "/api/v1/nodes", "/api/v1/namespaces/default/pods"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
MERGE = {"Content-Type": "application/merge-patch+json"}
DEFAULT = "storageclass.kubernetes.io/is-default-class"


def _have_the_password_changed_first(platform: Platform, name: str) -> None:
    """Marks the entry as that of the administrator is when the platform was installed."""
    env = platform.env
    with ldap3.Connection(
        env["KS_LDAP_URL"], env["KS_LDAP_MANAGER_DN"], env["KS_LDAP_MANAGER_PASSWORD"], auto_bind=True
    ) as directory:
        base = env["KS_LDAP_MANAGER_DN"].partition(",")[2]
        assert directory.search(base, f"(uid={name})")
        entry = directory.entries[0].entry_dn
        marked = {
            "objectClass": [(ldap3.MODIFY_ADD, ["shadowAccount"])],
            "shadowLastChange": [(ldap3.MODIFY_REPLACE, ["0"])],
        }
        assert directory.modify(entry, marked), directory.result


async def test_the_first_password_is_replaced_before_anything_else(
    visit: Visit,
    new_person: Callable[..., Awaitable[Person]],
    unique: str,
    platform: Platform,
) -> None:
    person = await new_person(f"first-{unique}")
    await asyncio.to_thread(_have_the_password_changed_first, platform, person.name)
    visitor = await visit()
    await visitor.go("/login?next=/me")
    await visitor.type_login(person.name, person.password)
    await visitor.see("heading", "Set your own password")
    await visitor.go("/platform/workspaces")
    await visitor.see("heading", "Set your own password")
    assert await visitor.violations() == []
    await visitor.page.locator("#current").fill(PASSWORD)
    await visitor.page.locator("#new").fill(PASSWORD)
    await visitor.page.locator("#repeat").fill("An0ther-one")
    await visitor.see_text("The two do not match.", exact=False)
    await visitor.page.locator("#repeat").fill(PASSWORD)
    await visitor.click("button", "Set the password")
    await visitor.see_text("the new password must be another one", exact=False)
    await visitor.page.locator("#new").fill("An0ther-one")
    await visitor.page.locator("#repeat").fill("An0ther-one")
    await visitor.click("button", "Set the password")
    await visitor.see("heading", f"Welcome, {person.name}")

    again = await visit()
    await again.sign_in(person.name, "An0ther-one")
    await again.see("heading", f"Welcome, {person.name}")


async def test_an_account_gets_another_address_and_another_role(
    visit: Visit, operator: Person, new_person: Callable[..., Awaitable[Person]], root: Client, unique: str
) -> None:
    person = await new_person(f"edit-{unique}")
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go(f"/platform/accounts/{person.name}")
    await visitor.click("button", f"Actions for {person.name}")
    await visitor.click("menuitem", "Edit")
    await visitor.fill("E-mail", "no address")
    await visitor.see_text("This is no e-mail address.", exact=False)
    await visitor.fill("E-mail", f"other-{unique}@example.org")
    await visitor.page.locator("#account-role").select_option("workspaces-manager")
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await visitor.see_text(f"other-{unique}@example.org")
    await visitor.see_text("workspaces-manager")
    profile = (await root.get(f"{IAM}/users/{person.name}")).json
    assert (profile["email"], profile["cluster_role"]) == (
        f"other-{unique}@example.org",
        "workspaces-manager",
    )


async def test_a_member_gets_another_role_and_is_removed(
    visit: Visit,
    operator: Person,
    new_person: Callable[..., Awaitable[Person]],
    root: Client,
    unique: str,
    workspace: str,
) -> None:
    person = await new_person(f"team-{unique}")
    members = f"{IAM}/workspaces/{workspace}/members"
    visitor = await visit()
    dialog = visitor.page.get_by_role("dialog")
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go(f"/workspaces/{workspace}/members")
    await visitor.page.get_by_role("button", name="Invite").first.click()
    await visitor.fill("Account name", f"nobody-{unique}")
    await dialog.get_by_role("button", name="Invite").click()
    await expect(dialog.get_by_text("not found", exact=False)).to_be_visible(timeout=WAIT_MS)
    await visitor.fill("Account name", person.name)
    await dialog.get_by_role("button", name="Invite").click()
    await expect(dialog).to_have_count(0, timeout=WAIT_MS)
    await visitor.click("button", f"Actions for {person.name}")
    await visitor.click("menuitem", "Change the role")
    await visitor.page.locator("#member-role").select_option("workspace-viewer")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0, timeout=WAIT_MS)
    found = {each["username"]: each["workspace_role"] for each in (await root.get(members)).json["items"]}
    assert found[person.name] == "workspace-viewer"

    await visitor.click("button", f"Actions for {person.name}")
    await visitor.click("menuitem", "Remove")
    await dialog.get_by_role("button", name="Delete").click()
    await visitor.see_text(f"{person.name} was deleted", exact=False)
    assert person.name not in {each["username"] for each in (await root.get(members)).json["items"]}

    await visitor.click("link", "Roles", exact=True)
    assert await _allowed(visitor.page, "members", "create") == {
        "Administrator": True,
        "Regular": False,
        "Viewer": False,
    }


async def _allowed(page: Page, permission: str, action: str) -> dict[str, bool]:
    """What the matrix on the page says of one action: by role, whether it is allowed."""
    row = page.locator("tbody tr").filter(has_text=permission).filter(has_text=action).first
    await expect(row).to_be_visible(timeout=WAIT_MS)
    heads = (await page.get_by_role("columnheader").all_inner_texts())[1:]
    cells = [" ".join(cell.split()) for cell in await row.get_by_role("gridcell").all_inner_texts()][1:]
    assert set(cells) <= {"Allowed", "– Not allowed", "–Not allowed"}, cells
    names = [head.split("\n")[0].strip() for head in heads]
    return dict(zip(names, [cell == "Allowed" for cell in cells], strict=True))


async def test_the_matrix_says_what_each_role_of_the_platform_allows(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go("/platform/roles")
    allowed = await _allowed(visitor.page, "workspaces", "manage")
    assert (allowed["cluster-admin"], allowed["workspaces-manager"], allowed["cluster-regular"]) == (
        True,
        True,
        False,
    )


@pytest.fixture
async def node(root: Client, unique: str) -> AsyncIterator[str]:
    """A node that nobody runs, with a pod on it that stays until it is deleted."""
    name = f"n-{unique}"
    assert (await root.post(NODES, {"metadata": {"name": name}})).status == 201
    spec = {"nodeName": name, "containers": [{"name": "c", "image": "x"}]}
    assert (await root.post(PODS, {"metadata": {"name": name}, "spec": spec})).status == 201
    yield name
    await _end_pod(root, name)
    await root.delete(f"{NODES}/{name}")


async def _end_pod(root: Client, name: str) -> None:
    """Does what the kubelet of its node would."""
    await root.request("DELETE", f"{PODS}/{name}?gracePeriodSeconds=0")


async def test_a_drain_shows_what_it_waits_for_and_goes_on_when_one_leaves(
    visit: Visit, operator: Person, root: Client, node: str
) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go(f"/platform/nodes?q={node}")
    await visitor.click("button", f"Actions for {node}")
    await visitor.click("menuitem", "Cordon", exact=False)
    await visitor.see_text("Cordoned")
    await visitor.click("link", node)
    await visitor.click("button", f"Actions for {node}")
    await visitor.click("menuitem", "Drain", exact=False)
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Drain").click()
    await visitor.see_text("Draining: 0 of 1 pods are gone", exact=False)
    await visitor.see_text(f"default/{node}:", exact=False)
    await visitor.click("link", "Components")
    await visitor.see("heading", "Components")

    async def evicted() -> None:
        assert (await root.get(f"{PODS}/{node}")).json["metadata"].get("deletionTimestamp")

    await eventually(evicted, timeout=60)
    await _end_pod(root, node)
    await visitor.go(f"/platform/nodes/{node}")
    await visitor.see_text("Drain: succeeded", exact=False)
    await visitor.click("button", f"Actions for {node}")
    await visitor.click("menuitem", "Uncordon", exact=False)
    await expect(visitor.page.get_by_text("Cordoned", exact=True)).to_have_count(0, timeout=WAIT_MS)


async def test_another_storage_class_becomes_the_default(
    visit: Visit, operator: Person, root: Client, unique: str
) -> None:
    before = (await root.get(CLASSES)).json["items"]
    was = [
        each["metadata"]["name"] for each in before if each["metadata"].get("annotations", {}).get(DEFAULT)
    ]
    name = f"sc-{unique}"
    assert (
        await root.post(CLASSES, {"metadata": {"name": name}, "provisioner": "x.example/y"})
    ).status == 201
    try:
        visitor = await visit()
        await visitor.sign_in(operator.name, operator.password)
        await visitor.go("/platform/storageclasses")
        await visitor.click("button", f"Actions for {name}")
        await visitor.click("menuitem", "Make it the default")
        await visitor.see_text(f"{name} is the default now", exact=False)
        row = visitor.page.get_by_role("row").filter(has_text=name)
        await expect(row.get_by_text("Default", exact=True)).to_be_visible(timeout=WAIT_MS)
        assert (await root.get(f"{CLASSES}/{name}")).json["metadata"]["annotations"][DEFAULT] == "true"
    finally:
        await root.delete(f"{CLASSES}/{name}")
        for each in was:
            change = {"metadata": {"annotations": {DEFAULT: "true"}}}
            await root.request("PATCH", f"{CLASSES}/{each}", json=change, headers=MERGE)


async def test_the_components_say_how_they_are(visit: Visit, operator: Person, root: Client) -> None:
    health = (await root.get("/kapis/resources.kubesphere.io/v1alpha2/componenthealth")).json
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go("/platform/components")
    nodes = health["nodeStatus"]
    await visitor.see_text(f"of {nodes['totalNodes']} nodes are ready", exact=False)
    for service in health["kubesphereStatus"]:
        await visitor.see_text(service["name"])
    await visitor.see_text("Enabled", exact=False)
