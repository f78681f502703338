"""What the application is told before anybody signs in: how the platform is called, and what it has."""

from importlib.metadata import PackageNotFoundError, version
from time import monotonic
from typing import Any

from ks_console.config import ConsoleSection
from ks_console.gateway import CONFIGZ, Gateway
from servicekit.errors import ServiceError
from servicekit.group import Group

KEPT = 30.0
"""Seconds for which the list of components is kept."""


class Runtime:
    """The route `/config`."""

    def __init__(self, console: ConsoleSection, gateway: Gateway) -> None:
        self._fixed = {
            "title": console.title,
            "links": [{"title": link.title, "url": link.url} for link in console.links],
            "languages": list(console.languages),
            "version": _version(),
        }
        self._gateway = gateway
        self._components: dict[str, Any] = {}
        self._asked = float("-inf")

    def group(self) -> Group:
        """The route as a group."""
        group = Group("runtime", "", prefix="", identified=False)

        @group.get("/config")
        async def configuration() -> dict[str, Any]:
            """Title, links, languages and version, and which components are enabled, as far as is known."""
            return {**self._fixed, "components": await self._enabled()}

        return group

    async def _enabled(self) -> dict[str, Any]:
        if monotonic() - self._asked > KEPT:
            try:
                answer = await self._gateway.ask("GET", CONFIGZ)
                if answer.status == 200:
                    self._components, self._asked = answer.json(), monotonic()
            except ServiceError:
                pass  # the login page shows without
        return self._components


def _version() -> str:
    try:
        return version("ks-console")
    except PackageNotFoundError:
        return ""
