"""What helps along: kubeconfig, a kubectl of one's own, documentation, an editor that knows the API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import expect

from harness.platform import Client, Platform
from harness.projects import Project
from harness.visitors import WAIT_MS, Person, Visit

YAML = "The same as YAML"


def servers(kubeconfig: dict[str, Any]) -> list[str]:
    return [each["cluster"]["server"] for each in kubeconfig["clusters"]]


async def test_the_kubeconfig_that_is_taken_along_is_ones_own(
    visit: Visit, operator: Person, platform: Platform, tmp_path: Path
) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.click("button", "Help")
    await visitor.click("menuitem", "kubeconfig")
    async with visitor.page.expect_download(timeout=WAIT_MS) as download:
        await visitor.click("button", "Download")
    kept = tmp_path / "kubeconfig.yaml"
    await (await download.value).save_as(kept)
    content = yaml.safe_load(kept.read_text())
    (user,) = content["users"]
    assert (content["kind"], user["name"]) == ("Config", operator.name)
    # Outside the cluster it has to name the address that everybody uses there.
    everybodys = yaml.safe_load(Path(platform.env["KUBECONFIG"]).read_text())  # noqa: ASYNC240
    assert servers(content) == servers(everybodys)
    await visitor.click("button", "Show")
    await visitor.see_text("current-context", exact=False)
    assert await visitor.violations() == []


async def test_ones_own_kubectl_has_ones_own_kubeconfig(
    visit: Visit, operator: Person, platform: Platform
) -> None:
    if "KS_TEST_IMAGE" not in platform.env:
        pytest.skip("the platform has no node: a kubectl of one's own is a pod")
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.click("button", "Help")
    await visitor.click("menuitem", "kubectl")
    shell = visitor.page.locator(".ks-terminal-host")
    await expect(shell).to_contain_text(re.compile(r"[#$]"), timeout=2 * WAIT_MS)
    await shell.click()
    await visitor.page.keyboard.type("kubectl auth whoami -o jsonpath='{.status.userInfo}'\n")
    await expect(shell).to_contain_text(f'"username":"{operator.name}"', timeout=WAIT_MS)


async def test_the_documentation_tries_operations_as_who_is_signed_in(visit: Visit, operator: Person) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.click("button", "Help")
    async with visitor.context.expect_page(timeout=WAIT_MS) as opened:
        await visitor.click("menuitem", "API documentation")
    page = await opened.value
    await (
        page.get_by_role("button", name="Expand operation")
        .and_(page.locator("[id*=tenant] button, [data-tag*=tenant] button"))
        .first.click(timeout=WAIT_MS)
    )
    operation = (
        page.locator(".opblock").filter(has_text="/kapis/tenant.kubesphere.io/v1alpha2/workspaces").first
    )
    await operation.locator(".opblock-summary").click(timeout=WAIT_MS)
    await operation.get_by_role("button", name="Try it out").click(timeout=WAIT_MS)
    await operation.get_by_role("button", name="Execute").click(timeout=WAIT_MS)
    answer = operation.locator(".live-responses-table tbody .response-col_status").first
    await expect(answer).to_contain_text("200", timeout=WAIT_MS)
    await expect(operation.locator(".live-responses-table")).to_contain_text("system-workspace")


async def test_about_says_which_versions_these_are(visit: Visit, operator: Person, root: Client) -> None:
    visitor = await visit()
    await visitor.sign_in(operator.name, operator.password)
    await visitor.click("button", "Help")
    await visitor.click("menuitem", "About")
    dialog = visitor.page.get_by_role("dialog")
    version = (await root.get("/version")).json["gitVersion"]
    await expect(dialog).to_contain_text(version, timeout=WAIT_MS)
    assert await visitor.violations() == []


async def test_the_editor_completes_explains_and_marks_what_the_api_does_not_know(project: Project) -> None:
    page = project.maker.page
    await project.open("create/configmaps")
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  paused: true\n"
    text += "  replcias: 2\n"
    await project.write(YAML, text)
    editor = page.get_by_role("textbox", name=YAML, exact=True)
    await expect(editor.locator(".cm-lintRange-warning")).to_have_text("replcias", timeout=WAIT_MS)
    await page.keyboard.type("  min")
    option = page.get_by_role("option").filter(has_text="minReadySeconds")
    await expect(option).to_be_visible(timeout=WAIT_MS)
    await option.click()
    await expect(editor).to_contain_text("minReadySeconds: ")
    await editor.get_by_text("paused").hover()
    await expect(page.locator(".ks-yaml-explanation")).to_contain_text(
        "Indicates that the deployment is paused", timeout=WAIT_MS
    )
