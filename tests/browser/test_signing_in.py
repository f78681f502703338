"""Signing in, being thrown out, and coming back to where one was."""

from __future__ import annotations

from playwright.async_api import expect

from harness.platform import IAM, Client
from harness.visitors import WAIT_MS, Person, Visit


async def test_a_wrong_password_is_said_and_the_name_stays(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    await visitor.go("/login")
    await visitor.type_login(operator.name, "not-the-password")
    await visitor.see_text("The user name or the password is wrong.", exact=False)
    await expect(visitor.page.get_by_label("User name or e-mail")).to_have_value(operator.name)
    assert await visitor.violations() == []


async def test_a_link_leads_through_the_login_to_where_it_points(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    await visitor.go("/platform/accounts?q=op-&sort=username")
    await visitor.type_login(operator.name, operator.password)
    await visitor.see("heading", "Accounts", exact=False)
    assert visitor.page.url.endswith("/platform/accounts?q=op-&sort=username")


async def test_no_link_leads_from_the_login_to_another_site(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    await visitor.go("/login?next=https://evil.example/&x=1")
    await visitor.type_login(operator.name, operator.password)
    await visitor.see("heading", f"Welcome, {operator.name}")
    assert visitor.page.url == visitor.url + "/"


async def test_an_ended_session_is_explained_and_gone_on_with(
    visit: Visit, operator: Person, root: Client
) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.go("/platform/projects")
    await visitor.see("heading", "Projects", exact=False)
    assert (await root.delete(f"{IAM}/users/{operator.name}/sessions")).status == 200
    await visitor.click("link", "Accounts")
    await visitor.see_text("Your session has ended", exact=False)
    await visitor.type_login(operator.name, operator.password)
    await visitor.see("heading", "Accounts", exact=False)


async def test_signing_out_closes_the_door(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.click("button", f"Your account: {operator.name}")
    await visitor.click("menuitem", "Sign out")
    await visitor.see("heading", "Sign in")
    await visitor.go("/platform/accounts")
    await expect(visitor.page.locator("#password")).to_be_visible(timeout=WAIT_MS)
