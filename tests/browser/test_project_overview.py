"""The first page of a project: what is wrong comes first, and is found among hundreds."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from playwright.async_api import expect

from harness.projects import Project
from harness.visitors import WAIT_MS

MANY = 105
"""More than a page that the console asks for."""


def waiting_pod(name: str) -> dict[str, Any]:
    """A pod that no scheduler looks at: it waits, and nothing is wrong with it."""
    container = {"name": "main", "image": "example.org/none:1"}
    return {"metadata": {"name": name}, "spec": {"schedulerName": "nobody", "containers": [container]}}


async def test_a_project_that_is_well_says_so_in_one_line(project: Project) -> None:
    await project.open("")
    await project.maker.see_text("All is well", exact=False)
    assert await project.maker.violations() == []


async def test_the_one_that_failed_is_found_among_hundreds_that_are_newer(project: Project) -> None:
    page = project.maker.page
    await project.put("pods", waiting_pod("oldest"), "v1")
    failed = {"status": {"phase": "Failed", "reason": "Evicted"}}
    headers = {"Content-Type": "application/merge-patch+json"}
    path = project.path("pods", "oldest/status", "v1")
    answer = await project.client.request("PATCH", path, json=failed, headers=headers)
    assert answer.status == 200, answer.text
    await asyncio.sleep(1.1)  # times of creation are whole seconds
    for start in range(0, MANY, 15):
        names = [f"newer-{number}" for number in range(start, start + 15)]
        await asyncio.gather(*(project.put("pods", waiting_pod(name), "v1") for name in names))
    await project.open("")
    await project.maker.see("heading", "1 needs attention")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="oldest"))
    await expect(row).to_contain_text("Evicted", timeout=WAIT_MS)

    await project.open("pods")
    await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("106"), timeout=WAIT_MS)
    await project.maker.click("button", "Filter by Status")
    await project.maker.click("option", "Not well")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Pods1", timeout=WAIT_MS)
    await project.maker.see("link", "oldest")
    assert "abnormal=true" in page.url
    await project.maker.click("link", "oldest")
    await project.maker.see_text("Evicted", exact=False)


async def test_a_quota_that_is_used_up_is_said_first(project: Project) -> None:
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"count/configmaps": "1"}}}
    await project.put("resourcequotas", quota, "v1")
    await project.open("")
    await project.maker.see_text("Used up: count/configmaps (1 / 1)", exact=False)
