"""What the first start would write to the whole recorded cluster of v2.1.1: what is accepted, and no more.

Without a cluster: every controller runs on a rehearsal of the recorded objects. test_compatibility does the
same for one workspace on a real one, and looks into each object.
"""

import asyncio
import json
from pathlib import Path

import pytest

from harness.recorded_rehearsal import RecordedRehearsal
from ks_controller_manager.config import ControllerManagerConfig
from ks_controller_manager.job import revisions
from ks_controller_manager.manager import chosen
from ks_controller_manager.plan.command import settled
from ks_controller_manager.plan.report import Change, changes
from kubekit.controller import ControllerManager
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SERVICES,
    WORKSPACES,
    Object,
    Resource,
)

DATA = Path(__file__).parent / "data"
KINDS = {
    "workspaces": WORKSPACES,
    "namespaces": NAMESPACES,
    "clusterroles": CLUSTER_ROLES,
    "clusterrolebindings": CLUSTER_ROLE_BINDINGS,
    "roles": ROLES,
    "rolebindings": ROLE_BINDINGS,
    "jobs": JOBS,
    "deployments": DEPLOYMENTS,
    "services": SERVICES,
}
RECORDED: dict[Resource, list[Object]] = {
    KINDS[plural]: objects
    for file in ("cluster-v2.1.1.json", "workloads-v2.1.1.json")
    for plural, objects in json.loads((DATA / file).read_text()).items()
}


@pytest.fixture(scope="module")
async def planned() -> dict[tuple[str, str], Change]:
    """What would be written, by kind and name."""
    cluster = RecordedRehearsal(RECORDED)
    controllers = chosen(cluster, ControllerManagerConfig())
    cluster.fill(controllers)
    stop = asyncio.Event()
    running = asyncio.create_task(ControllerManager(cluster, controllers).run(stop))
    try:
        await settled(controllers, within=60)
        assert [one.failures for one in controllers if one.failures] == []
        return {(one.place.resource.kind, str(one.place.key)): one for one in changes(cluster.changes)}
    finally:
        stop.set()
        await running


def names(resource: Resource) -> list[str]:
    return [obj["metadata"]["name"] for obj in RECORDED[resource]]


def test_what_is_right_is_not_written(planned: dict[tuple[str, str], Change]) -> None:
    changed = {
        *(("Workspace", name) for name in names(WORKSPACES)),  # workspace-status
        *(("Namespace", name) for name in names(NAMESPACES)),  # namespace-status, system-namespaces
        *(("Role", f"{name}/{role}") for name in names(NAMESPACES) for role in ("operator", "viewer")),
        *(
            ("ClusterRole", f"workspace:{name}:{role}")
            for name in names(WORKSPACES)
            for role in ("admin", "viewer")
        ),
    }
    # v2.1.1 had not come to binding the viewers of its own workspace, who are nobody.
    missing = {
        ("RoleBinding", f"{name}/viewer")
        for name in names(NAMESPACES)
        if (name, "viewer") not in {place_of(binding) for binding in RECORDED[ROLE_BINDINGS]}
    }
    actions = {what: change.action for what, change in planned.items()}
    assert actions == dict.fromkeys(changed, "change") | dict.fromkeys(missing, "create")


def place_of(obj: Object) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def test_of_a_workspace_only_its_status_is_written(planned: dict[tuple[str, str], Change]) -> None:
    for name in names(WORKSPACES):
        change = planned["Workspace", name]
        assert change.before is not None
        assert change.after is not None
        assert {**change.before, "status": change.after["status"]} == change.after


def test_only_namespaces_of_the_system_lose_their_owner(planned: dict[tuple[str, str], Change]) -> None:
    """system-namespaces"""
    for name in names(NAMESPACES):
        change = planned["Namespace", name]
        assert change.before is not None
        assert change.after is not None
        before, after = change.before["metadata"], change.after["metadata"]
        if before["labels"]["kubesphere.io/workspace"] == "system-workspace":
            owners = before.pop("ownerReferences")
            assert [one["name"] for one in owners] == ["system-workspace"]
        assert before == after


@pytest.mark.parametrize("job", RECORDED[JOBS], ids=lambda job: job["metadata"]["name"])
def test_the_runs_of_a_job_stay_as_v211_recorded_them(job: Object) -> None:
    assert revisions.patch(job) == {}
