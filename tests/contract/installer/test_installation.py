"""An installation from an empty cluster to its end, by the command itself."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from harness.waiting import eventually
from ks_installer import workspaces
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.errors import NotFound
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CRDS,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    WORKSPACES,
    Object,
    Resource,
)

pytestmark = pytest.mark.kubernetes

Run = Callable[..., Coroutine[Any, Any, Any]]

WORKSPACE_LABEL = "kubesphere.io/workspace"
KINDS = (
    NAMESPACES,
    CRDS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    ROLES,
    ROLE_BINDINGS,
    CONFIG_MAPS,
    SERVICE_ACCOUNTS,
)


async def everything(cluster: Cluster) -> dict[str, Object]:
    """All objects of the kinds that the installer applies, by kind and name."""
    found: dict[str, Object] = {}
    for kind in (*KINDS, WORKSPACES):
        try:
            items = (await cluster.list(kind)).items
        except NotFound:
            continue
        for obj in items:
            meta = obj["metadata"]
            found[f"{kind.kind} {meta.get('namespace', '')}/{meta['name']}"] = obj
    return found


async def versions(cluster: Cluster) -> dict[str, str]:
    return {name: obj["metadata"]["resourceVersion"] for name, obj in (await everything(cluster)).items()}


@pytest.fixture
async def installed(installer: Run) -> None:
    outcome = await installer("apply", "--profile", "dev")
    assert outcome.code == 0, outcome.err


@pytest.mark.usefixtures("installed")
async def test_an_installation_brings_what_the_services_expect(cluster: Cluster) -> None:
    for name in (
        "kubesphere-system",
        "kubesphere-controls-system",
        "kubesphere-monitoring-system",
        "kube-system",
    ):
        namespace = await cluster.get(NAMESPACES, name)
        assert namespace["metadata"]["labels"][WORKSPACE_LABEL] == "system-workspace"
    assert (await cluster.get(WORKSPACES, "system-workspace"))["spec"] == {"manager": "admin"}
    admin = await cluster.get(CLUSTER_ROLES, "cluster-admin")
    assert admin["metadata"]["annotations"]["kubesphere.io/creator"] == "system"
    assert admin["rules"][0] == {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


@pytest.mark.usefixtures("installed")
async def test_a_second_run_writes_nothing(installer: Run, cluster: Cluster) -> None:
    before = await versions(cluster)
    assert (await installer("apply", "--profile", "dev")).code == 0
    assert await versions(cluster) == before


@pytest.mark.usefixtures("installed")
async def test_plan_shows_what_drifted_and_apply_repairs_it(installer: Run, cluster: Cluster) -> None:
    await cluster.patch(CLUSTER_ROLES, "workspaces-manager", {"rules": []})
    await cluster.delete(CLUSTER_ROLES, "cluster-regular")
    planned = await installer("plan", "--profile", "dev", "--output", "text")
    assert "2 of" in planned.out
    assert "create  roles               ClusterRole cluster-regular" in planned.out
    assert "change  roles               ClusterRole workspaces-manager  (rules)" in planned.out
    status = await installer("status", "--output", "text")
    assert status.code == 1
    assert "ClusterRole cluster-regular: it is not there" in status.out
    assert (await installer("apply", "--profile", "dev")).code == 0
    assert "0 of" in (await installer("plan", "--profile", "dev", "--output", "text")).out
    assert (await installer("status")).code == 0


async def test_an_installation_that_is_killed_again_and_again_is_resumed(installer: Run) -> None:
    assert (await installer("uninstall")).code == 0
    for lines in (1, 6, 24):
        await installer("apply", "--profile", "dev", kill_after=lines)
    resumed = await installer("apply", "--profile", "dev")
    assert resumed.code == 0, resumed.err
    assert "0 of" in (await installer("plan", "--profile", "dev", "--output", "text")).out


@pytest.mark.usefixtures("installed")
async def test_one_component_can_be_applied_alone(installer: Run, cluster: Cluster) -> None:
    await cluster.delete(CLUSTER_ROLES, "cluster-regular")
    await cluster.delete(CONFIG_MAPS, "policy-rules", "kubesphere-system")
    assert (await installer("apply", "--profile", "dev", "--only", "roles")).code == 0
    await cluster.get(CLUSTER_ROLES, "cluster-regular")
    with pytest.raises(NotFound):
        await cluster.get(CONFIG_MAPS, "policy-rules", "kubesphere-system")


async def test_a_component_is_not_applied_alone_before_what_it_needs(installer: Run) -> None:
    await installer("uninstall", "--purge")
    outcome = await installer("apply", "--profile", "dev", "--only", "system-workspace")
    assert outcome.code == 2
    assert "needs crds, which is not ready" in outcome.err


async def test_uninstalling_leaves_the_cluster_as_it_was(installer: Run, cluster: Cluster) -> None:
    await installer("uninstall", "--purge")
    before = await everything(cluster)
    assert (await installer("apply", "--profile", "dev")).code == 0
    outcome = await installer("uninstall")
    assert outcome.code == 0, outcome.err

    async def gone() -> None:
        after = await everything(cluster)
        assert set(after) == set(before)
        for name in ("Namespace /kube-system", "Namespace /default", "ClusterRole /cluster-admin"):
            for part in ("labels", "annotations", "ownerReferences", "finalizers"):
                assert after[name]["metadata"].get(part) == before[name]["metadata"].get(part)

    await eventually(gone, 30)


async def test_uninstalling_never_deletes_namespaces_of_users(installer: Run, cluster: Cluster) -> None:
    assert (await installer("apply", "--profile", "dev")).code == 0
    workspace = await cluster.create(
        WORKSPACES,
        {
            "apiVersion": WORKSPACES.api_version,
            "kind": "Workspace",
            "metadata": {"name": "users-own", "finalizers": ["finalizers.tenant.kubesphere.io"]},
        },
    )
    owner = {
        "apiVersion": WORKSPACES.api_version,
        "kind": "Workspace",
        "name": "users-own",
        "controller": True,
    }
    await cluster.create(
        NAMESPACES,
        {
            "metadata": {
                "name": "users-project",
                "labels": {WORKSPACE_LABEL: "users-own"},
                "ownerReferences": [owner | {"uid": workspace["metadata"]["uid"]}],
                "finalizers": ["finalizers.kubesphere.io/namespaces"],
            }
        },
    )
    kept = await installer("uninstall")
    assert kept.code == 0, kept.err
    notes = [event["text"] for event in kept.events if event["event"] == "note"]
    assert notes == ["workspaces.tenant.kubesphere.io stays: it has 1 objects (--purge deletes them)"]
    assert (await cluster.get(WORKSPACES, "users-own"))["metadata"]["uid"] == workspace["metadata"]["uid"]

    assert (await installer("apply", "--profile", "dev")).code == 0
    purged = await installer("uninstall", "--purge")
    assert purged.code == 0, purged.err
    project = await cluster.get(NAMESPACES, "users-project")
    assert project["metadata"].get("ownerReferences") is None
    assert project["metadata"].get("finalizers") is None
    assert project["status"]["phase"] == "Active"
    await cluster.delete(NAMESPACES, "users-project")


async def test_what_users_were_granted_is_taken_back_when_nothing_is_to_stay(
    installer: Run, cluster: Cluster, kubeconfig: Path
) -> None:
    """And what anybody else granted is left alone, as is what a workload lives by."""

    def binding(metadata: Object, role: Object, subject: Object) -> Object:
        reference = {"apiGroup": "rbac.authorization.k8s.io", **role}
        return {"metadata": metadata, "roleRef": reference, "subjects": [subject]}

    def user(name: str) -> Object:
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}

    view, admin = {"kind": "ClusterRole", "name": "view"}, {"kind": "Role", "name": "admin"}
    async with Cluster(ClusterConfig(kubeconfig=str(kubeconfig), user_agent="ks-account")) as service:
        await service.create(CLUSTER_ROLE_BINDINGS, binding({"name": "alice"}, view, user("alice")))
    await cluster.create(CLUSTER_ROLE_BINDINGS, binding({"name": "bob"}, view, user("bob")))
    workload = {"kind": "ServiceAccount", "name": "worker", "namespace": "default"}
    for namespace, subject in (("default", workload), ("kube-public", user("alice"))):
        place = {"name": "admin", "namespace": namespace}
        made_by = {"annotations": {"kubesphere.io/creator": "system"}}
        await cluster.create(ROLES, {"metadata": {**place, **made_by}, "rules": []})
        await cluster.create(ROLE_BINDINGS, binding(place, admin, subject))

    assert (await installer("uninstall")).code == 0
    await cluster.get(CLUSTER_ROLE_BINDINGS, "alice")
    assert (await installer("uninstall", "--purge")).code == 0
    left = {name for name in await everything(cluster) if name.endswith(("/alice", "/bob", "/admin"))}
    assert left == {
        "ClusterRoleBinding /bob",
        "ClusterRole /admin",
        "Role default/admin",
        "RoleBinding default/admin",
    }
    await cluster.delete(CLUSTER_ROLE_BINDINGS, "bob")
    await cluster.delete(ROLE_BINDINGS, "admin", "default")
    await cluster.delete(ROLES, "admin", "default")


async def test_somebody_without_rights_is_told_so(
    kubeconfig: Path, users_kubeconfig: Callable[[str], Path], run_installer: Run
) -> None:
    outcome = await run_installer(
        "apply", "--profile", "dev", "--kubeconfig", str(users_kubeconfig("nobody"))
    )
    assert outcome.code == 4
    assert outcome.err.startswith("ks-installer: Kubernetes refuses: ")
    assert 'User "nobody" cannot' in outcome.err
    assert outcome.err.count("\n") == 1


async def test_a_cluster_that_does_not_answer_is_named(run_installer: Run, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(
        "{apiVersion: v1, kind: Config, current-context: c, users: [{name: u, user: {}}],"
        " clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}],"
        " contexts: [{name: c, context: {cluster: c, user: u}}]}"
    )
    outcome = await run_installer("apply", "--profile", "dev", "--kubeconfig", str(path))
    assert outcome.code == 3
    assert "Kubernetes does not answer: https://127.0.0.1:1" in outcome.err
    assert outcome.err.count("\n") == 1


async def test_a_kubeconfig_that_is_missing_is_named(run_installer: Run, tmp_path: Path) -> None:
    outcome = await run_installer("apply", "--profile", "dev", "--kubeconfig", str(tmp_path / "nosuch"))
    assert outcome.code == 2
    assert str(tmp_path / "nosuch") in outcome.err
    assert outcome.err.count("\n") == 1


class Killed(Exception):
    """What a test throws where a process would be killed."""


async def test_who_is_killed_once_a_workspace_is_gone_leaves_no_role_of_it(
    installer: Run, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next run finds no workspace any more that would lead it to them."""
    assert (await installer("apply", "--profile", "dev")).code == 0
    kind = {"apiVersion": WORKSPACES.api_version, "kind": WORKSPACES.kind}
    workspace = {**kind, "metadata": {"name": "short-lived"}, "spec": {"manager": "admin"}}
    await cluster.create(WORKSPACES, workspace)
    labels = {workspaces.WORKSPACE_LABEL: "short-lived"}
    role = {"metadata": {"name": "workspace:short-lived:admin", "labels": labels}, "rules": []}
    await cluster.create(CLUSTER_ROLES, role)
    delete = Cluster.delete

    async def killed(self: Cluster, resource: Resource, *arguments: Any, **options: Any) -> None:
        await delete(self, resource, *arguments, **options)
        if resource == WORKSPACES:
            raise Killed

    monkeypatch.setattr(Cluster, "delete", killed)
    with pytest.raises(Killed):
        await workspaces.release(cluster, "short-lived")
    with pytest.raises(NotFound):
        await cluster.get(CLUSTER_ROLES, "workspace:short-lived:admin")
