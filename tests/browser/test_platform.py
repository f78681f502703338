"""The platform's pages: workspaces and people, rights, nodes, and finding things."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from harness.platform import IAM, TENANT, Client
from harness.visitors import WAIT_MS, Person, Visit

PAGES = [
    "/",
    "/platform/workspaces",
    "/platform/projects",
    "/platform/accounts",
    "/platform/roles",
    "/platform/nodes",
    "/platform/storageclasses",
    "/platform/components",
    "/workspaces/system-workspace",
    "/workspaces/system-workspace/projects",
    "/workspaces/system-workspace/members",
    "/workspaces/system-workspace/roles",
    "/me?tab=tokens",
]


async def test_an_operator_makes_a_workspace_invites_somebody_and_they_make_a_project(
    visit: Visit, operator: Person, new_person: Callable[..., Awaitable[Person]], unique: str
) -> None:
    colleague = await new_person(f"dev-{unique}")
    admin = await visit()
    await admin.sign_in(operator.name, operator.password)
    await admin.go("/platform/workspaces")
    await admin.click("button", "Create workspace")
    await admin.fill("Name", f"made-{unique}")
    await admin.click("button", "Create", exact=True)
    await admin.see("heading", f"made-{unique}")
    await admin.click("link", "Members", exact=True)
    await admin.click("button", "Invite")
    await admin.fill("Account name", colleague.name)
    await admin.page.get_by_role("dialog").get_by_role("button", name="Invite").click()
    await admin.see_text(f"{colleague.name} is a member now", exact=False)

    other = await visit()
    await other.sign_in(colleague.name, colleague.password)
    await other.click("link", f"made-{unique}")
    await other.click("link", "Projects", exact=True)
    await other.page.get_by_role("button", name="Create project").first.click(timeout=WAIT_MS)
    await other.fill("Name", f"p-{unique}")
    await other.click("button", "Create", exact=True)
    await other.see("link", f"p-{unique}")


async def test_who_may_not_is_told_why_and_sees_no_entry_for_it(
    visit: Visit, new_person: Callable[..., Awaitable[Person]], unique: str, workspace: str
) -> None:
    stranger = await new_person(f"nobody-{unique}")
    visitor = await visit()
    await visitor.sign_in(stranger.name, stranger.password)
    await visitor.see_text("You belong to no workspace yet")
    for hidden in ("Accounts", "Nodes", "Roles"):
        await expect(visitor.page.get_by_role("link", name=hidden, exact=True)).to_have_count(0)
    await visitor.go(f"/workspaces/{workspace}")
    await visitor.see_text("You may not see this")
    await visitor.see_text("Who manages this workspace or the platform can grant it", exact=False)
    assert await visitor.violations() == []


async def test_an_account_is_made_locked_and_deleted(
    visit: Visit, operator: Person, root: Client, unique: str
) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go("/platform/accounts?q=" + unique)
    await visitor.click("button", "Create account")
    await visitor.fill("Name", f"new-{unique}")
    await visitor.fill("E-mail", f"new-{unique}@example.org")
    await visitor.page.locator("#account-password").fill("Corr3ct-horse")
    await visitor.click("button", "Create", exact=True)
    await visitor.see("link", f"new-{unique}")
    await visitor.click("button", f"Actions for new-{unique}")
    await visitor.click("menuitem", "Lock", exact=False)
    await visitor.see_text("Locked")
    await visitor.click("button", f"Actions for new-{unique}")
    await visitor.click("menuitem", "Delete")
    await visitor.fill(f"Type new-{unique} to confirm", f"new-{unique}")
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await visitor.see_text(f"new-{unique} was deleted", exact=False)
    assert (await root.get(f"{IAM}/users/new-{unique}")).status == 404


async def test_theme_and_language_are_chosen_and_stay(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.click("button", f"Your account: {operator.name}")
    await visitor.click("menuitem", "Dark")
    await visitor.click("menuitem", "简体中文")
    await visitor.see("link", "企业空间")
    await visitor.page.reload()
    await visitor.see("link", "企业空间")
    dark = await visitor.page.evaluate("document.documentElement.classList.contains('pf-v6-theme-dark')")
    assert dark
    assert await visitor.page.evaluate("document.documentElement.lang") == "zh"
    assert await visitor.violations() == []


async def test_the_palette_finds_a_workspace_by_a_part_of_its_name(
    visit: Visit, new_person: Callable[..., Awaitable[Person]], unique: str, root: Client, workspace: str
) -> None:
    member = await new_person(f"mem-{unique}")
    invited = {"username": member.name, "workspace_role": "workspace-viewer"}
    assert (await root.post(f"{IAM}/workspaces/{workspace}/members", invited)).status == 200
    visitor = await visit()
    await visitor.sign_in(member.name, member.password)
    await visitor.page.keyboard.press("Control+k")
    await visitor.page.get_by_role("dialog").get_by_role("textbox").fill(workspace[3:])
    await visitor.click("menuitem", workspace, exact=False)
    await visitor.see("heading", workspace)


async def test_what_a_list_shows_is_in_its_address(visit: Visit, operator: Person, root: Client) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go("/platform/projects")
    await visitor.see("link", "kube-system")
    await visitor.page.get_by_role("textbox", name="Find by name").fill("kube-s")
    await expect(visitor.page.get_by_role("link", name="kube-public")).to_have_count(0, timeout=WAIT_MS)
    assert "q=kube-s" in visitor.page.url
    await visitor.page.reload()
    await visitor.see("link", "kube-system")
    await expect(visitor.page.get_by_role("link", name="kube-public")).to_have_count(0)


async def test_the_console_survives_a_restart_of_the_gateway(
    visit: Visit, operator: Person, restart: Callable[[str], Awaitable[None]]
) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go("/platform/nodes")
    await visitor.see("heading", "Nodes", exact=False)
    await restart("apigateway")
    await visitor.click("link", "Accounts")
    await visitor.see("link", operator.name)
    visitor.forgive("WebSocket connection to")


async def test_no_page_has_a_serious_barrier(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    found: dict[str, list[str]] = {}
    for path in PAGES:
        await visitor.go(path)
        await expect(visitor.page.get_by_role("heading", level=1).first).to_be_visible(timeout=WAIT_MS)
        await expect(visitor.page.locator("[aria-busy=true]")).to_have_count(0, timeout=WAIT_MS)
        if violations := await visitor.violations():
            found[path] = violations
    assert found == {}


async def test_a_node_is_cordoned_and_takes_pods_again(visit: Visit, operator: Person, root: Client) -> None:
    nodes = (await root.get("/api/v1/nodes")).json["items"]
    if not nodes:
        pytest.skip("the platform has no node: pods run where root runs the tests")
    name = nodes[0]["metadata"]["name"]
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go(f"/platform/nodes/{name}")
    await visitor.see_text("Ready")
    await visitor.click("button", f"Actions for {name}")
    await visitor.click("menuitem", "Cordon", exact=False)
    await visitor.see_text("Cordoned")
    assert (await root.get(f"/api/v1/nodes/{name}")).json["spec"]["unschedulable"] is True
    await visitor.click("button", f"Actions for {name}")
    await visitor.click("menuitem", "Uncordon", exact=False)
    await expect(visitor.page.get_by_text("Cordoned", exact=True)).to_have_count(0, timeout=WAIT_MS)


async def test_an_api_token_is_shown_once_and_acts_within_its_limits(
    visit: Visit, operator: Person, root: Client
) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go("/me?tab=tokens")
    await visitor.page.get_by_role("button", name="Create token").first.click(timeout=WAIT_MS)
    await visitor.fill("Name", "nightly")
    await visitor.click("button", "Create", exact=True)
    token = await (await visitor.see("textbox", "Your new token")).input_value()
    program = Client(root.base_url, token=token)
    assert (await program.get(f"{TENANT}/workspaces")).status == 200
    assert (await program.post(f"{TENANT}/workspaces/system-workspace/namespaces", {})).status == 403
    await program.close()
