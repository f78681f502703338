"""The platform's own services, as the stack runs them."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devstack.program import NotReady, Program, check_http


@dataclass(kw_only=True)
class Service(Program):
    """The service `ks-<service>`, configured by the file that all of them share.

    `setting` is the name of its port in the settings.
    """

    service: str
    setting: str
    config: Path
    more_ports: Mapping[str, int] = field(default_factory=dict)
    """Further ports that it listens on, by the names of their settings."""
    ops_port: int | None = None
    """Where its health is, if not on `port`."""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Values over the file's, by `section.key`."""

    @property
    def name(self) -> str:
        return self.service

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def ops_url(self) -> str:
        """Where /healthz, /readyz and /metrics are."""
        return f"http://{self.host}:{self.ops_port or self.port}"

    @property
    def ports(self) -> Mapping[str, int]:
        return {self.setting: self.port, **self.more_ports}

    @property
    def configuration(self) -> Path:
        return self.config

    @property
    def stop_seconds(self) -> int:
        return 30

    def prepare(self) -> None:
        """Has nothing of its own to write."""

    def command(self) -> list[str]:
        program = Path(sys.executable).parent / f"ks-{self.service}"
        serve = [str(program), "serve", "--config", str(self.config), "--listen", self.address]
        return serve + [word for key, value in self.overrides.items() for word in ("--set", f"{key}={value}")]

    def check(self) -> None:
        try:
            check_http(f"{self.ops_url}/readyz")
        except NotReady as reason:
            raise NotReady(_dependencies(str(reason))) from reason


def _dependencies(reason: str) -> str:
    """What /readyz says of the dependencies that are missing, where `reason` holds such an answer."""
    _, _, body = reason.partition(" answers 503: ")
    try:
        dependencies = json.loads(body)["dependencies"]
        lacking = {name: each["reason"] for name, each in dependencies.items() if not each["ready"]}
    except (ValueError, KeyError, TypeError):
        return reason
    return "; ".join(f"{name}: {why}" for name, why in lacking.items()) or reason
