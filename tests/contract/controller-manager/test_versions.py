"""Two managers of different versions on one cluster: none undoes for ever what the other did."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.convergence import snapshot
from harness.services import RunningService
from harness.waiting import eventually
from kubekit import contest
from kubekit.cluster import Cluster
from kubekit.contest import Contest, Contested
from kubekit.resource import CONFIG_MAPS, LEASES, ROLES, Object
from kubekit.store import Key

OTHER_VERSION = """
import sys
from ks_controller_manager.namespace import controller, roles
from ks_controller_manager.__main__ import main

roles._RULES["viewer"] = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
controller.NamespaceController.name = "namespace-controller-of-before"
main()
"""
"""The manager as another version: other rules for one Role, written by another field manager."""

LEASE = ("ks-controller-manager-leader-election", "kubesphere-system")
QUIET = 6
"""Seconds that nothing may be written in: many times what a manager takes to set something right."""


class OtherVersion(RunningService):
    """The manager as another version."""

    def _command(self, config: Path) -> list[str]:
        return [sys.executable, "-c", OTHER_VERSION, *super()._command(config)[3:]]


@asynccontextmanager
async def other_version(kubeconfig: Path, directory: Path, **more: Any) -> AsyncIterator[RunningService]:
    config = {"kubernetes": {"kubeconfig": str(kubeconfig)}, "log": {"format": "text"}, **more}
    service = OtherVersion("ks-controller-manager", config, directory, None)
    try:
        await service.start()
        yield service
    finally:
        await service.stop()


async def verbs_of_viewer(cluster: Cluster, namespace: str) -> list[str]:
    items = {role["metadata"]["name"]: role for role in (await cluster.list(ROLES, namespace)).items}
    return items["viewer"]["rules"][0]["verbs"]


async def led_by(cluster: Cluster, manager: RunningService) -> None:
    leases = {lease["metadata"]["name"]: lease for lease in (await cluster.list(LEASES, LEASE[1])).items}
    assert f"_{manager.pid}_" in leases[LEASE[0]]["spec"]["holderIdentity"]


async def written_while_nothing_changes(cluster: Cluster, prefix: str) -> list[str]:
    """The objects that are written within QUIET seconds."""
    before = (await snapshot(cluster, prefix)).versions()
    await asyncio.sleep(QUIET)
    after = (await snapshot(cluster, prefix)).versions()
    return [f"{place}" for place, version in after.items() if before.get(place) != version]


@pytest.mark.kubernetes
async def test_two_versions_side_by_side_write_nothing_once_settled(
    cluster: Cluster,
    tenants: Any,
    managers: Callable[..., Any],
    platform_kubeconfig: Path,
    tmp_path: Path,
) -> None:
    workspace = (await tenants.workspace())["metadata"]["name"]
    namespace = (await tenants.namespace(workspace))["metadata"]["name"]
    prefix = workspace.rpartition("-")[0]
    async with other_version(platform_kubeconfig, tmp_path / "other") as before, managers() as present:

        async def has(verbs: list[str]) -> None:
            assert await verbs_of_viewer(cluster, namespace) == verbs

        await eventually(lambda: led_by(cluster, before), 60)
        await eventually(lambda: has(["get"]), 60)
        assert await written_while_nothing_changes(cluster, prefix) == []
        await before.stop()
        await eventually(lambda: led_by(cluster, present), 60)
        await eventually(lambda: has(["get", "list", "watch"]), 60)
        await before.start()
        assert await written_while_nothing_changes(cluster, prefix) == []


@pytest.mark.kubernetes
async def test_two_versions_that_know_nothing_of_each_other_do_not_write_for_ever(
    cluster: Cluster,
    tenants: Any,
    managers: Callable[..., Any],
    platform_kubeconfig: Path,
    tmp_path: Path,
) -> None:
    """contested-objects"""
    workspace = (await tenants.workspace())["metadata"]["name"]
    namespace = (await tenants.namespace(workspace))["metadata"]["name"]
    alone = {"leaderElection": {"enabled": False}}
    async with (
        other_version(platform_kubeconfig, tmp_path / "other", **alone) as before,
        managers(**alone) as present,
    ):

        async def given_up() -> None:
            logs = before.log + present.log
            assert f"Role {namespace}/viewer was set right {contest.REWRITES} times" in logs

        async def quiet() -> None:
            assert await written_while_nothing_changes(cluster, workspace.rpartition("-")[0]) == []

        await eventually(given_up, 120)
        await eventually(quiet, 60)
        rewritten = f" wrote Role {namespace}/viewer"
        assert (before.log + present.log).count(rewritten) <= 2 * contest.REWRITES + 2


KEY = Key("n", "x")


def wanted(**data: str) -> Object:
    return {"metadata": {"name": "x", "namespace": "n"}, "data": data}


def test_setting_an_object_right_to_the_same_too_often_is_a_fight(monkeypatch: pytest.MonkeyPatch) -> None:
    """contested-objects"""
    clock = 1000.0
    monkeypatch.setattr(contest, "monotonic", lambda: clock)
    tried = Contest()
    for _ in range(contest.REWRITES):
        tried.enter(CONFIG_MAPS, KEY, wanted(a="1"))
    with pytest.raises(Contested, match="ConfigMap n/x was set right 10 times"):
        tried.enter(CONFIG_MAPS, KEY, wanted(a="1"))
    clock += contest.WINDOW
    tried.enter(CONFIG_MAPS, KEY, wanted(a="1"))


def test_many_changes_of_what_is_wanted_are_no_fight() -> None:
    tried = Contest()
    for number in range(5 * contest.REWRITES):
        tried.enter(CONFIG_MAPS, KEY, wanted(members=str(number)))


def test_conditions_that_differ_in_their_time_alone_are_the_same() -> None:
    tried = Contest()

    def says(status: str, number: int) -> Object:
        return {"status": {"conditions": [{"status": status, "lastTransitionTime": f"{number}"}]}}

    for number in range(5 * contest.REWRITES):
        tried.enter(
            CONFIG_MAPS, KEY, says("True" if number % 2 else "False", number)
        )  # our own change of mind
    for number in range(contest.REWRITES - 1):
        tried.enter(CONFIG_MAPS, KEY, says("True", number))
    with pytest.raises(Contested):
        tried.enter(CONFIG_MAPS, KEY, says("True", 99))
