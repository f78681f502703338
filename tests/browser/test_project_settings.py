"""Who works in a project, what they may do, what it may use, and who reaches its pods."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from harness.platform import IAM, TENANT, Client
from harness.projects import Project
from harness.visitors import WAIT_MS, Person, Visit
from harness.waiting import eventually

NewPerson = Callable[..., Awaitable[Person]]
RBAC = "rbac.authorization.k8s.io/v1"
NETWORK = "networking.k8s.io/v1"
CHANGES = re.compile(r"^(Create|Delete|Edit|Invite|Remove|Add|Actions for)\b")
"""How the buttons begin that change something."""


@pytest.fixture
async def colleague(root: Client, new_person: NewPerson, workspace: str, unique: str) -> Person:
    """A member of the workspace who is in no project of it yet."""
    person = await new_person(f"col-{unique}")
    body = {"username": person.name, "workspace_role": "workspace-regular"}
    assert (await root.post(f"{IAM}/workspaces/{workspace}/members", body)).status == 200
    return person


async def bindings(project: Project, person: Person) -> set[str]:
    """The roles of the project that somebody holds there."""
    found = await project.client.get(project.path("rolebindings", group=RBAC))
    return {
        each["roleRef"]["name"]
        for each in found.json["items"]
        if person.name in {subject["name"] for subject in each.get("subjects", [])}
    }


async def test_a_colleague_is_invited_gets_another_role_and_is_removed(
    project: Project, colleague: Person
) -> None:
    page = project.maker.page
    await project.open("members")
    await project.maker.click("button", "Invite a member")
    dialog = await project.dialog()
    option = dialog.get_by_label("User").get_by_role("option", name=colleague.name, exact=False)
    await expect(option).to_have_count(1, timeout=WAIT_MS)
    await dialog.get_by_label("User").select_option(colleague.name)
    await dialog.get_by_label("Role").select_option("operator")
    assert await project.maker.violations() == []
    await dialog.get_by_role("button", name="Invite").click()
    await project.no_dialog()
    row = page.get_by_role("row").filter(has_text=colleague.name)
    await expect(row).to_contain_text("operator", timeout=WAIT_MS)
    assert await bindings(project, colleague) == {"operator"}

    await project.act(colleague.name, "Change role")
    dialog = await project.dialog()
    await dialog.get_by_label("Role").select_option("viewer")
    await dialog.get_by_role("button", name="Save").click()
    await project.no_dialog()
    await expect(row).to_contain_text("viewer", timeout=WAIT_MS)
    assert await bindings(project, colleague) == {"viewer"}

    await project.act(colleague.name, "Remove")
    dialog = await project.dialog()
    await expect(dialog).to_contain_text("what they have made stays")
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await project.no_dialog()
    await expect(row).to_have_count(0, timeout=WAIT_MS)
    assert await bindings(project, colleague) == set()


async def test_an_invitation_that_is_refused_stays_open_and_says_why(
    project: Project, colleague: Person
) -> None:
    await project.open("members")
    await project.maker.click("button", "Invite a member")
    dialog = await project.dialog()
    await dialog.get_by_label("User").select_option(colleague.name, timeout=WAIT_MS)
    # Meanwhile somebody else invites them to the same role.
    binding = {
        "metadata": {"name": f"viewer-{colleague.name}"},
        "roleRef": {"apiGroup": RBAC.partition("/")[0], "kind": "Role", "name": "viewer"},
        "subjects": [{"kind": "User", "apiGroup": RBAC.partition("/")[0], "name": colleague.name}],
    }
    await project.put("rolebindings", binding, RBAC)
    await dialog.get_by_role("button", name="Invite").click()
    await expect(dialog).to_contain_text("already exists", timeout=WAIT_MS)
    await expect(dialog.get_by_label("User")).to_have_value(colleague.name)


async def test_a_role_of_ones_own_is_made_shown_changed_and_deleted(project: Project) -> None:
    page = project.maker.page
    await project.open("roles")
    await project.maker.see("button", "admin")
    await project.maker.click("button", "Create role")
    dialog = await project.dialog()
    editor = dialog.get_by_role("textbox", name="Role", exact=True)
    await expect(editor).to_contain_text("my-role", timeout=WAIT_MS)
    await project.write("Role", (await editor.inner_text()).replace("my-role", "watcher"))
    await dialog.get_by_role("button", name="Save").click()
    await project.no_dialog()
    await project.maker.click("button", "watcher")
    dialog = await project.dialog()
    await expect(dialog.get_by_role("row").filter(has_text="deployments")).to_contain_text(
        "view", timeout=WAIT_MS
    )
    assert await project.maker.violations() == []
    await dialog.get_by_role("button", name="Close").click()

    await project.act("watcher", "Delete")
    await (await project.dialog()).get_by_role("button", name="Delete", exact=True).click()
    await project.no_dialog()
    await expect(page.get_by_role("button", name="watcher", exact=True)).to_have_count(0, timeout=WAIT_MS)
    assert (await project.client.get(project.path("roles", "watcher", RBAC))).status == 404
    # Those that the platform keeps have no entries that would be undone.
    assert await page.get_by_role("button", name="Actions for admin").count() == 0


async def test_a_quota_and_limits_are_set_and_told_where_they_matter(
    project: Project, workspace: str
) -> None:
    page = project.maker.page
    await project.open("quotas")
    for number, (kind, before, after) in enumerate(
        (("resourcequotas", "pods: '50'", "pods: '10'"), ("limitranges", "cpu: 500m", "cpu: 250m"))
    ):
        await page.get_by_role("button", name="Edit").nth(number).click(timeout=WAIT_MS)
        dialog = await project.dialog()
        editor = dialog.get_by_role("textbox", name="Quotas and limits", exact=True)
        await expect(editor).to_contain_text("kind:", timeout=WAIT_MS)
        text = await editor.inner_text()
        changed = text.replace(before, after).replace(before.replace("'", '"'), after)
        assert changed != text, text
        await project.write("Quotas and limits", changed)
        await dialog.get_by_role("button", name="Save").click()
        await project.no_dialog()
        await project.stored(kind, project.name, "v1")
    await project.maker.see_text("0 of 10")
    await project.maker.see_text("250m")
    assert await project.maker.violations() == []

    # Beside the numbers that would use it,
    await project.open("create/deployments")
    await project.maker.see_text("Left in the project:", exact=False)
    await project.maker.see_text("pods 10", exact=False)
    # and for all projects of the workspace.
    await project.maker.go(f"/workspaces/{workspace}/quotas")
    row = page.get_by_role("row").filter(has_text=project.name)
    await expect(row).to_contain_text("0 of 10", timeout=WAIT_MS)
    assert await project.maker.violations() == []
    await row.get_by_role("link", name=project.name).click()
    await project.maker.see("heading", "Quotas and limits")


async def test_a_project_is_isolated_lets_one_in_and_is_opened_again(project: Project) -> None:
    page = project.maker.page
    await project.open("isolation")
    switch = page.get_by_role("switch")
    await switch.click(timeout=WAIT_MS, force=True)

    async def policies() -> list[dict[str, Any]]:
        found = await project.client.get(project.path("networkpolicies", group=NETWORK))
        return found.json["items"]

    async def isolated() -> None:
        assert [each["spec"]["policyTypes"] for each in await policies()] == [["Ingress"]]

    await eventually(isolated, timeout=60)
    await page.get_by_role("textbox", name="Project", exact=False).fill("friends", timeout=WAIT_MS)
    await project.maker.click("button", "Add")
    await project.maker.see("button", "Remove friends")
    assert "friends" in str(await policies())
    assert await project.maker.violations() == []
    await switch.click(force=True)

    async def open_again() -> None:
        assert await policies() == []

    await eventually(open_again, timeout=60)


async def test_a_viewer_finds_no_way_to_change_anything(
    project: Project, colleague: Person, visit: Visit, workspace: str
) -> None:
    await project.put("configmaps", {"metadata": {"name": "settings"}, "data": {"a": "1"}}, "v1")
    binding = {
        "metadata": {"name": "viewer-of"},
        "roleRef": {"apiGroup": RBAC.partition("/")[0], "kind": "Role", "name": "viewer"},
        "subjects": [{"kind": "User", "apiGroup": RBAC.partition("/")[0], "name": colleague.name}],
    }
    await project.put("rolebindings", binding, RBAC)
    looker = await visit()
    await looker.sign_in(colleague.name, colleague.password)

    async def let_in() -> None:
        rules = await looker.page.request.get(f"{looker.url}{TENANT}/namespaces/{project.name}/rules")
        assert rules.status == 200, await rules.text()
        assert await rules.json()

    await eventually(let_in, timeout=60)
    for place in (
        "config/configmaps",
        "config/configmaps/settings",
        "members",
        "roles",
        "quotas",
        "isolation",
    ):
        await looker.go(f"{project.base}/{place}")
        await expect(looker.page.get_by_role("heading", level=1).first).to_be_visible(timeout=WAIT_MS)
        await expect(looker.page.locator("[aria-busy=true]")).to_have_count(0, timeout=WAIT_MS)
        main = looker.page.locator("main")
        offered = main.get_by_role("button", name=CHANGES)
        assert await offered.count() == 0, (place, await offered.all_inner_texts())
        for switch in await main.get_by_role("switch").all():
            assert await switch.is_disabled(), place
        await looker.see_text("You may not", exact=False)
    # The address of a form is no way around.
    await looker.go(f"{project.base}/create/configmaps")
    await looker.see_text("You may not create here", exact=False)
    await looker.fill("Name", "mine")
    await looker.click("button", "Review")
    await looker.see_text("forbidden", exact=False)
