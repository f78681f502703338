"""A project of the console, as a test sees it that works in it with a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, expect

from harness.platform import Client
from harness.visitors import WAIT_MS, Visitor

WRITES = "top -b -d 1"
"""What the container of a deployment runs: it writes to its log every second."""

TAKEN = "The server has tried this without effect, and takes it"
"""What a form says whose object may be made."""


@dataclass
class Project:
    """A project of a workspace, as its maker sees it; `client` looks at what became of it."""

    name: str
    base: str
    image: str
    maker: Visitor
    client: Client

    async def open(self, place: str) -> None:
        """Opens a page of the project."""
        await self.maker.go(f"{self.base}/{place}")

    async def deploy(self, name: str, **fields: str) -> None:
        """Makes a deployment by the form; returns on its page."""
        await self.open("create/deployments")
        for label, value in {"Name": name, "Image": self.image, "Arguments": WRITES, **fields}.items():
            await self.maker.fill(label, value)
        await self.create(name)

    async def create(self, name: str) -> None:
        """Has the form that is open tried and its object made; returns on the object's page."""
        await self.maker.click("button", "Review")
        await self.maker.see_text(TAKEN, exact=False)
        await self.maker.click("button", "Create")
        await self.maker.see("heading", name)

    async def act(self, name: str, what: str) -> None:
        """Chooses the entry of the menu of the object whose page, or row, is shown that begins so."""
        await self.maker.click("button", f"Actions for {name}")
        entry = self.maker.page.get_by_role("menuitem", name=re.compile(f"^{what}")).first
        await entry.click(timeout=WAIT_MS)

    async def write(self, editor: str, text: str) -> None:
        """Replaces all that is in the YAML editor that is labelled so."""
        await self.maker.page.get_by_role("textbox", name=editor, exact=True).click(timeout=WAIT_MS)
        await self.maker.page.keyboard.press("Control+a")
        await self.maker.page.keyboard.insert_text(text)

    async def dialog(self) -> Locator:
        """The dialog, once it is open."""
        dialog = self.maker.page.get_by_role("dialog")
        await expect(dialog).to_be_visible(timeout=WAIT_MS)
        return dialog

    async def no_dialog(self) -> None:
        """Returns once no dialog is open any more."""
        await expect(self.maker.page.get_by_role("dialog")).to_have_count(0, timeout=WAIT_MS)

    def path(self, kind: str, name: str = "", group: str = "apps/v1") -> str:
        """Where the API server has the objects of a kind in this project, or one of them."""
        root = f"/api/{group}" if group == "v1" else f"/apis/{group}"
        return f"{root}/namespaces/{self.name}/{kind}" + (f"/{name}" if name else "")

    async def stored(self, kind: str, name: str, group: str = "apps/v1") -> dict[str, Any]:
        """The object as the API server has it."""
        found = await self.client.get(self.path(kind, name, group))
        assert found.status == 200, found.text
        return found.json

    async def put(self, kind: str, body: dict[str, Any], group: str = "apps/v1") -> None:
        """Makes an object without the console."""
        made = await self.client.post(self.path(kind, group=group), body)
        assert made.status == 201, made.text
