"""`plan` says what would be written, as people and programs read it, and writes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ks_controller_manager.plan.report import Plan, changes, document, text
from kubekit.cluster import Cluster
from kubekit.errors import KubernetesError, NotFound
from kubekit.rehearsal import NotRehearsed, Place, Rehearsal, Rehearsed
from kubekit.resource import CONFIG_MAPS, ROLES, SECRETS, WORKSPACES, Object, Resource
from kubekit.store import Key


def obj(kind: str, name: str = "x", version: str = "1", **content: Any) -> Object:
    metadata = {"name": name, "namespace": "n", "uid": "u", "resourceVersion": version}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def plan_of(resource: Resource, before: Object | None, after: Object | None) -> Plan:
    place = Place(resource, Key("n", "x"))
    return Plan(changes({place: Rehearsed(before, after, ("namespace-controller",))}), (), ())


def test_a_change_is_shown_as_a_difference_and_as_a_sum() -> None:
    before = obj("ConfigMap", data={"a": "1", "b": "2"})
    told = text(plan_of(CONFIG_MAPS, before, obj("ConfigMap", version="2", data={"a": "1", "b": "3"})))
    assert told.splitlines()[0] == "~ ConfigMap n/x  (change by namespace-controller)"
    assert "    -  b: '2'\n    +  b: '3'\n" in told
    assert "resourceVersion" not in told
    assert told.endswith("\n0 to create, 1 to change, 0 to delete\n")


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        (None, obj("Role"), "create"),
        (obj("Role"), None, "delete"),
        (obj("Role", rules=[]), obj("Role", rules=[{"verbs": ["get"]}]), "change"),
    ],
)
def test_what_would_become_of_an_object_is_named(
    before: Object | None, after: Object | None, action: str
) -> None:
    [entry] = json.loads(document(plan_of(ROLES, before, after)))["changes"]
    assert (entry["action"], entry["kind"], entry["namespace"], entry["name"]) == (action, "Role", "n", "x")
    assert (entry["before"] is None, entry["after"] is None) == (action == "create", action == "delete")


@pytest.mark.parametrize("after", [obj("Role", version="7", rules=[]), obj("Role", version="7", rules=None)])
def test_what_ends_as_it_was_is_no_change(after: Object) -> None:
    assert plan_of(ROLES, obj("Role"), after).changes == ()


def test_the_content_of_a_secret_is_not_shown() -> None:
    told = plan_of(SECRETS, obj("Secret", data={"p": "b2xk"}), obj("Secret", data={"p": "bmV3"}))
    assert len(told.changes) == 1
    for form in (text(told), document(told).decode()):
        assert "b2xk" not in form
        assert "bmV3" not in form


def test_what_could_not_be_told_is_said() -> None:
    told = Plan((), (("job-controller", "n/x", "refused"),), (("mesh", "the cluster does not serve it"),))
    assert "! job-controller fails on n/x: refused" in text(told)
    assert "! mesh was not tried: the cluster does not serve it" in text(told)
    assert json.loads(document(told))["failures"][0]["error"] == "refused"


@pytest.mark.kubernetes
async def test_a_new_workspace_is_planned_to_the_end_by_who_may_only_read(
    cluster: Cluster, tenants: Any, plan: Callable[..., Any], reader_kubeconfig: Path
) -> None:
    """first-start-plan: members of its namespaces follow from bindings that are only planned themselves."""
    workspace = (await tenants.workspace("mia"))["metadata"]["name"]
    namespace = (await tenants.namespace(workspace, creator="eve"))["metadata"]["name"]
    code, told = await plan(reader_kubeconfig, "--json")
    assert code == 1, told
    found = {
        (entry["action"], entry["kind"], entry["name"]): entry
        for entry in json.loads(told)["changes"]
        if namespace in (entry["name"], entry["namespace"]) or workspace in entry["name"]
    }
    assert sorted(found) == sorted(
        [
            *(("create", "ClusterRole", f"workspace:{workspace}:{role}") for role in _ROLES),
            *(("create", "ClusterRoleBinding", f"workspace:{workspace}:{role}") for role in _ROLES),
            *(("create", "Role", role) for role in ("admin", "operator", "viewer")),
            *(("create", "RoleBinding", role) for role in ("admin", "admin-eve", "viewer")),
            ("change", "Namespace", namespace),
            ("change", "Workspace", workspace),
        ]
    )
    assert found["create", "RoleBinding", "admin"]["after"]["subjects"][0]["name"] == "mia"
    assert (await cluster.list(ROLES, namespace)).items == []
    assert "finalizers" not in (await cluster.get(WORKSPACES, workspace))["metadata"]
    code, told = await plan(reader_kubeconfig)
    assert code == 1
    assert f"+ Role {namespace}/operator  (create by namespace-controller)" in told


_ROLES = ("admin", "regular", "viewer")


@pytest.mark.kubernetes
async def test_a_plan_of_nothing_and_one_that_cannot_be_made_are_told_by_the_exit_status(
    plan: Callable[..., Any], reader_kubeconfig: Path, tmp_path: Path
) -> None:
    code, told = await plan(reader_kubeconfig, "--controllers", "job-controller")
    assert (code, told) == (0, "0 to create, 0 to change, 0 to delete\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(_nobody_there())
    code, told = await plan(elsewhere)
    assert code == 2
    assert "127.0.0.1:1" in told


def _nobody_there() -> str:
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        }
    )


@pytest.mark.kubernetes
async def test_a_rehearsal_sends_no_write_and_shows_each_to_who_asks_next(
    cluster: Cluster, tenants: Any
) -> None:
    namespace = (await tenants.namespace())["metadata"]["name"]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": namespace}}
    async with Rehearsal(cluster.config) as rehearsal:
        cache = rehearsal.cache(CONFIG_MAPS)
        await cache.synced(30)
        await rehearsal.create(CONFIG_MAPS, {**config, "data": {"a": "1", "b": "2"}})
        await rehearsal.patch(CONFIG_MAPS, "x", {"data": {"a": None}}, namespace)
        await rehearsal.apply(CONFIG_MAPS, {**config, "data": {"c": "3"}}, field_manager="tests")
        seen = cache.get("x", namespace)
        assert seen is not None
        assert seen["data"] == (await rehearsal.get(CONFIG_MAPS, "x", namespace))["data"]
        assert seen["data"] == {"b": "2", "c": "3"}
        await rehearsal.delete(CONFIG_MAPS, "x", namespace)
        assert cache.get("x", namespace) is None
        with pytest.raises(NotFound):
            await rehearsal.get(CONFIG_MAPS, "x", namespace)
        for refused in (
            rehearsal.request("POST", CONFIG_MAPS.path(namespace), body=config),
            rehearsal.patch(CONFIG_MAPS, "kube-root-ca.crt", [], namespace, patch_type="json"),
        ):
            with pytest.raises(NotRehearsed):
                await refused
    with pytest.raises(KubernetesError, match="not found"):
        await cluster.get(CONFIG_MAPS, "x", namespace)
