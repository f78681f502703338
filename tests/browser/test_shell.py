"""The frame around every page: keyboard, small screens, languages, notices, menus, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Response, Route, expect

from harness.platform import IAM, TENANT, Client
from harness.visitors import WAIT_MS, Person, Visit, Visitor
from harness.waiting import eventually

PHONE = {"width": 390, "height": 844}
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
    "/workspaces/system-workspace/quotas",
    *(
        f"/workspaces/system-workspace/projects/kube-system{place}"
        for place in (
            "",
            "/workloads/deployments",
            "/workloads/statefulsets",
            "/workloads/daemonsets",
            "/workloads/jobs",
            "/workloads/cronjobs",
            "/pods",
            "/routes",
            "/services",
            "/volumes",
            "/config/configmaps",
            "/config/secrets",
            "/config/serviceaccounts",
            "/members",
            "/roles",
            "/quotas",
            "/isolation",
            *(
                f"/create/{kind}"
                for kind in (
                    "deployments",
                    "cronjobs",
                    "services",
                    "ingresses",
                    "persistentvolumeclaims",
                    "secrets",
                    "serviceaccounts",
                )
            ),
        )
    ),
    "/me",
    "/me?tab=tokens",
]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NOT_TRANSLATED = {"CPU", "YAML", "kubectl", "kubeconfig"}


async def shown(visitor: Visitor, path: str) -> None:
    """Opens a page; returns when nothing of it is a skeleton any more."""
    await visitor.go(path)
    await expect(visitor.page.get_by_role("heading", level=1).first).to_be_visible(timeout=WAIT_MS)
    await expect(visitor.page.locator("[aria-busy=true]")).to_have_count(0, timeout=WAIT_MS)


async def test_all_of_it_can_be_done_without_a_mouse(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    page = visitor.page
    await visitor.go("/login")
    await expect(page.get_by_label("User name or e-mail")).to_be_focused(timeout=WAIT_MS)
    await page.keyboard.type(operator.name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(operator.password)
    await page.keyboard.press("Enter")
    await visitor.see("heading", f"Welcome, {operator.name}")

    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()

    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog").get_by_role("textbox")).to_be_focused(timeout=WAIT_MS)
    await page.keyboard.type("accou")
    await visitor.see("menuitem", "Accounts")
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitem", name="Accounts", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    await visitor.see("heading", "Accounts", exact=False)

    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_be_visible(timeout=WAIT_MS)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)

    await (await visitor.see("button", f"Actions for {operator.name}")).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Edit")).to_be_visible(timeout=WAIT_MS)
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("menuitem").first).to_be_focused(timeout=WAIT_MS)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menuitem")).to_have_count(0)


async def test_on_a_phone_nothing_is_cut_off_and_the_navigation_comes_when_called(
    visit: Visit, operator: Person
) -> None:
    visitor = await visit(viewport=PHONE, has_touch=True)
    await visitor.go("/login")
    await visitor.type_login(operator.name, operator.password)
    await visitor.see("heading", f"Welcome, {operator.name}")
    too_wide = {}
    for path in PAGES:
        await shown(visitor, path)
        if beyond := await visitor.page.evaluate(_BEYOND):
            too_wide[path] = beyond
    assert too_wide == {}
    await visitor.click("button", "Show or hide the navigation")
    await visitor.click("link", "Home", exact=True)
    await visitor.see("heading", f"Welcome, {operator.name}")
    assert await visitor.violations() == []


_BEYOND = """
() => {
  const main = document.querySelector('.pf-v6-c-page__main');
  const found = [document.scrollingElement, main].filter((each) => each.scrollWidth > each.clientWidth + 1);
  if (found.length === 0) return [];
  return [...document.querySelectorAll('.pf-v6-c-page__main *, .pf-v6-c-masthead *')]
    .filter((each) => each.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 5).map((each) => `${each.tagName}.${each.className}: ${each.textContent.slice(0, 40)}`);
}
"""


async def test_in_chinese_nothing_is_left_in_english(visit: Visit, operator: Person) -> None:
    visitor = await visit(locale="zh-CN")
    await visitor.go("/login")
    await visitor.page.locator("#username").fill(operator.name)
    await visitor.page.locator("#password").fill(operator.password)
    await visitor.click("button", "登录")
    await visitor.see("link", "企业空间")
    foreign = {}
    for path in PAGES:
        await shown(visitor, path)
        heads = "" if path.endswith("kube-system/roles") else "th, "  # there they are names of roles
        words = visitor.page.locator(f"h1, h2, {heads}nav a, .pf-v6-c-page__main button:not([translate=no])")
        texts = {text.strip() for text in await words.all_inner_texts()}
        labels = await visitor.page.locator("main :is(button, input)[aria-label]").evaluate_all(
            "(all) => all.map((each) => each.getAttribute('aria-label'))"
        )
        left = {
            text
            for text in texts | set(labels)
            if re.search(r"[A-Za-z]{3}", text) and not CHINESE.search(text)
        }
        if left := left - NOT_TRANSLATED - await _names(visitor.page):
            foreign[path] = left
    assert foreign == {}


async def _names(page: Page) -> set[str]:
    """What is called as somebody called it: objects that are in the address."""
    return {part for part in re.split(r"[/?=&]", page.url) if part}


async def test_no_entry_of_a_menu_leads_to_what_is_refused(
    visit: Visit,
    new_person: Callable[..., Awaitable[Person]],
    unique: str,
    root: Client,
    workspace: str,
) -> None:
    member = await new_person(f"view-{unique}")
    invited = {"username": member.name, "workspace_role": "workspace-viewer"}
    assert (await root.post(f"{IAM}/workspaces/{workspace}/members", invited)).status == 200
    project = {"metadata": {"name": f"p-{unique}"}}
    assert (await root.post(f"{TENANT}/workspaces/{workspace}/namespaces", project)).status == 200
    visitor = await visit()
    await visitor.sign_in(member.name, member.password)
    refused: list[str] = []

    def answered(answer: Response) -> None:
        if answer.status == 403:
            refused.append(f"{visitor.page.url}: {answer.request.method} {answer.url}")

    base = f"/workspaces/{workspace}"

    async def project_is_open() -> None:
        rules = await visitor.page.request.get(f"{visitor.url}{TENANT}/namespaces/p-{unique}/rules")
        assert rules.status == 200, await rules.text()
        assert await rules.json()

    await eventually(project_is_open, timeout=60)
    visitor.page.on("response", answered)
    visited: list[str] = []
    for start in ("/", base, f"{base}/projects/p-{unique}"):
        await shown(visitor, start)
        links = await visitor.page.locator("nav[aria-label] a").evaluate_all(
            "(all) => all.map((each) => each.getAttribute('href'))"
        )
        for link in dict.fromkeys(links):
            await shown(visitor, link)
            visited.append(link)
    assert len(visited) > 12, visited
    assert refused == []


async def test_a_page_that_failed_says_which_request_it_was_and_is_tried_again(
    visit: Visit, operator: Person
) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)

    async def fail(route: Route) -> None:
        error = {"message": "the directory is away", "reason": "InternalError", "requestId": "r-4711"}
        await route.fulfill(status=500, json=error)

    await visitor.page.route(f"**{IAM}/users?*", fail)
    await visitor.go("/platform/accounts")
    await visitor.see_text("the directory is away")
    await visitor.see_text("r-4711")
    await visitor.see("heading", "Accounts", exact=False)
    assert await visitor.violations() == []
    await visitor.page.unroute(f"**{IAM}/users?*")
    await visitor.click("button", "Try again")
    await visitor.see("link", operator.name)


async def test_a_page_with_a_fault_leaves_the_shell_and_is_tried_again(
    visit: Visit, operator: Person
) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)

    async def answer_nonsense(route: Route) -> None:
        await route.fulfill(json={"items": [None], "total_count": 1})

    await visitor.page.route(f"**{IAM}/users?*", answer_nonsense)
    await visitor.go("/platform/accounts")
    await visitor.see("heading", "This page has a fault")
    await visitor.see("link", "Nodes")
    visitor.faults.clear()
    await visitor.page.unroute(f"**{IAM}/users?*")
    await visitor.click("button", "Try again")
    await visitor.see("link", operator.name)


async def test_what_was_done_is_told_and_kept(visit: Visit, operator: Person, unique: str) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go(f"/platform/accounts?q={operator.name}")
    await visitor.click("button", f"Actions for {operator.name}")
    await visitor.click("menuitem", "Edit")
    await visitor.fill("Description", "Runs the platform")
    await visitor.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    await visitor.see_text(f"{operator.name} was saved", exact=False)
    await visitor.click("link", "Nodes")
    await visitor.page.get_by_role("button", name="Notifications").click()
    drawer = visitor.page.locator(".ks-drawer")
    await expect(drawer.get_by_text(f"{operator.name} was saved")).to_be_visible(timeout=WAIT_MS)
    await drawer.get_by_role("button", name="Clear all").click()
    await expect(drawer.get_by_text("Nothing has happened yet")).to_be_visible(timeout=WAIT_MS)
    await visitor.page.keyboard.press("Escape")
    await expect(drawer).to_have_count(0)


@pytest.mark.parametrize("way", ["back", "reload"])
async def test_the_address_says_everything_that_is_shown(
    visit: Visit, operator: Person, root: Client, workspace: str, unique: str, way: str
) -> None:
    project = f"p-{unique}"
    made = await root.post(f"{TENANT}/workspaces/{workspace}/namespaces", {"metadata": {"name": project}})
    assert made.status == 200
    for name, team in (("one", "blue"), ("two", "red")):
        body = {"metadata": {"name": f"{name}-{unique}", "labels": {"team": team}}}
        path = f"/api/v1/namespaces/{project}/configmaps"
        assert (await root.post(path, body)).status == 201
    visitor = await visit()
    page = visitor.page
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go(f"/workspaces/{workspace}/projects/{project}/config/configmaps")
    await visitor.see("link", f"two-{unique}")
    await page.get_by_role("textbox", name="Filter by Label").fill("blue")
    await expect(page.get_by_role("link", name=f"two-{unique}")).to_have_count(0, timeout=WAIT_MS)
    await page.get_by_role("button", name="Name", exact=True).click()
    await expect(page).to_have_url(re.compile("sort=name"), timeout=WAIT_MS)
    address = page.url
    await visitor.click("link", f"one-{unique}")
    await visitor.click("tab", "YAML")
    await expect(page).to_have_url(re.compile("tab=yaml"), timeout=WAIT_MS)
    if way == "reload":
        await page.reload()
        await expect(page.get_by_role("tab", name="YAML")).to_have_attribute(
            "aria-selected", "true", timeout=WAIT_MS
        )
        return
    await page.go_back()
    await page.go_back()
    await expect(page).to_have_url(address, timeout=WAIT_MS)
    await visitor.see("link", f"one-{unique}")
    await expect(page.get_by_role("link", name=f"two-{unique}")).to_have_count(0)
    await expect(page.get_by_role("textbox", name="Filter by Label")).to_have_value("blue")
