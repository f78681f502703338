"""A platform that the installer has brought to a real node, as whoever ordered it would have it."""

import random
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from harness import third_party
from harness.asking import Address
from harness.platform import IAM, TENANT, Client
from harness.site import Outcome, Site, edited, everything, site
from ks_installer.catalogue import Catalogue, images

GATEWAY_PORT, GATEWAY_TLS_PORT, CONSOLE_PORT = 30881, 30882, 30880
INSTALLER_IMAGE = "ks-installer:0.1.0"
_PASSWORD = "Chosen-0ne"
_SMALL: dict[str, dict[str, Any]] = {
    "monitoring": {"prometheusMemoryRequest": "100Mi", "prometheusVolumeSize": "1Gi"},
    "gateway": {"nodePort": GATEWAY_PORT},
    "console": {"port": CONSOLE_PORT},
}
_OF_BEFORE = {"k8s/base/services/kubesphere.yaml": ("db: 0", "db: 0\nlog: {level: debug}")}
"""What the manifests of before say differently: every service has to be replaced to be of today."""
_PASSWORD_OF_REDIS = (
    "            - {name: KS_REDIS_PASSWORD_FILE, value: /etc/kubesphere-secrets/redis-password}\n"
)
OPEN_REDIS = {
    **_OF_BEFORE,
    "installer/components/common/templates/redis.yaml": ("requirepass $REDISCLI_AUTH", "protected-mode no"),
    "k8s/base/services/ks-account.yaml": (_PASSWORD_OF_REDIS, ""),
    "k8s/base/services/ks-apigateway.yaml": (_PASSWORD_OF_REDIS, ""),
}
"""What they say where Redis has no password."""


def missing(component: str, image: str = "") -> str:
    """Why a component (or one image of it) cannot be run here; empty where it can."""
    named = Catalogue.installed().metadata(component).images
    unbuilt = [name for one in named if image in ("", one) for name in third_party.unbuilt(named[one])]
    return f"{', '.join(unbuilt)}: not built; KS_TEST_BUILD=1 builds it, in minutes" if unbuilt else ""


MONITORED = not missing("monitoring")


class Installation:
    """What was installed on a site: with which release of the installer, and what was there before.

    `figures` are what was measured on the way, to be printed.
    """

    def __init__(self, place: Site) -> None:
        self.site = place
        self.cluster = place.cluster
        self.before: dict[str, Any] = {}
        self.figures: dict[str, str] = {}
        self.address = ""
        self.release = Path()
        self._password = ""

    @property
    def gateway(self) -> Address:
        """The NodePort of ks-apigateway."""
        return Address(self.address, GATEWAY_PORT)

    async def installer(self, *arguments: str, kill_after: float | None = None) -> Outcome:
        """Runs `ks-installer` of the release that is installed; after `kill_after` seconds it is killed."""
        return await self.site.installer(*arguments, sources=self.release, kill_after=kill_after)

    async def apply(self, *arguments: str, **sections: Any) -> Outcome:
        """Runs `ks-installer apply` with these sections in ks-config.yaml."""
        return await self.installer("apply", "--config", self.config(**sections), *arguments)

    async def killed(self, *arguments: str, times: int, within: float) -> None:
        """Runs the installer that often and kills it at a random moment, `within` seconds after it began."""
        seed = random.randrange(10**6)
        print(f"moments by random.Random({seed})")
        moments = random.Random(seed)
        outcomes = [
            await self.installer(*arguments, kill_after=moments.uniform(0.5, within)) for _ in range(times)
        ]
        assert all(outcome.code in (0, -signal.SIGKILL) for outcome in outcomes)
        number = sum(outcome.code != 0 for outcome in outcomes)
        self.figures[f"killed while it did {arguments[0]}"] = f"{number} of {times} times"

    async def is_as_before(self) -> None:
        """Raises AssertionError unless every object of every kind is what there was before."""
        after = await everything(self.cluster)
        assert sorted(after.keys() - self.before.keys()) == []
        assert sorted(self.before.keys() - after.keys()) == []
        assert after == self.before

    def sources(self, name: str, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
        """A copy of the installer with these changes, and without monitoring where that cannot be run."""
        without = {} if MONITORED else {"installer/profiles/platform.yaml": ("  - monitoring\n", "")}
        return edited(self.site.directory / name, {**without, **(changes or {})})

    def config(self, **sections: Any) -> str:
        """A ks-config.yaml of a small platform with the keys of these sections besides."""
        path = self.site.directory / "ks-config.yaml"
        path.write_text(yaml.safe_dump(_small(sections)))
        return str(path)

    def deployable(self, **sections: Any) -> Path:
        """The manifests of the installer itself, which is to follow a configuration as `config` makes it."""
        folder = self.release / "installer" / "deploy"
        shipped = yaml.safe_load((folder / "ks-config.yaml").read_text())
        data = {"ks-config.yaml": yaml.safe_dump(_small(sections))}
        (folder / "ks-config.yaml").write_text(yaml.safe_dump({**shipped, "data": data}))
        return folder

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Client]:
        """The administrator, signed in through the gateway's NodePort.

        The first time, as for anybody, with the password that was drawn, which has to be changed.
        """
        client = Client(f"http://{self.address}:{GATEWAY_PORT}")
        try:
            if not self._password:
                await self._choose_password(client)
            client.token = (await _login(client, self._password))["access_token"]
            yield client
        finally:
            await client.close()

    async def _choose_password(self, client: Client) -> None:
        drawn = await self.site.drawn_password()
        session = await _login(client, drawn)
        assert session["password_change_required"] is True
        client.token = session["access_token"]
        assert (await client.get(f"{TENANT}/workspaces")).status == 403
        user = {"username": "admin", "email": "admin@kubesphere.io"}
        change = {**user, "password": _PASSWORD, "current_password": drawn}
        answer = await client.request("PUT", f"{IAM}/users/admin", json=change)
        assert answer.status == 200, answer.text
        client.token, self._password = "", _PASSWORD


def _small(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {**_SMALL, **{name: {**_SMALL.get(name, {}), **keys} for name, keys in sections.items()}}


async def _login(client: Client, password: str) -> dict[str, Any]:
    answer = await client.post(f"{IAM}/login", {"username": "admin", "password": password})
    assert answer.status == 200, answer.text
    return answer.json


@asynccontextmanager
async def installation(directory: Path) -> AsyncIterator[Installation]:
    """The minimal set on a node of its own, installed from the manifests of before."""
    catalogue = Catalogue.installed()
    wanted = {*images(catalogue.select("platform")), *catalogue.metadata("common").images.values()}
    wanted |= {*catalogue.metadata("metrics_server").images.values(), INSTALLER_IMAGE}
    if not MONITORED:
        wanted -= set(catalogue.metadata("monitoring").images.values())
    async with site(directory, {image for image in wanted if not third_party.unbuilt(image)}) as place:
        one = Installation(place)
        one.release = one.sources("before", _OF_BEFORE)
        one.address = await place.address()
        one.before = await everything(place.cluster)
        began = time.monotonic()
        outcome = await one.apply()
        took = time.monotonic() - began
        assert outcome.code == 0, outcome.err
        one.figures["minimal installation"] = f"{took:.1f} s as a command: {outcome.events[-1]['text']}"
        yield one
