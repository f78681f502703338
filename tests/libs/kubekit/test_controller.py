"""A controller brings the cluster to what its objects ask for, keeps it there, and writes nothing beyond
that.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import REGISTRY

from harness.waiting import eventually
from kubekit.applier import Applier
from kubekit.apply import OwnedByAnother, keep_items, owned
from kubekit.cache import Cache
from kubekit.cluster import Cluster
from kubekit.controller import DONE, Controller, ControllerManager, Key, Outcome, RequeueAfter
from kubekit.objects import being_deleted, controller_of, labels
from kubekit.resource import CONFIG_MAPS, NAMESPACES, ROLE_BINDINGS, ROLES, Object

pytestmark = pytest.mark.kubernetes

RBAC = "rbac.authorization.k8s.io"
MARK = "tests.kubekit/team"


class TeamController(Controller):
    """A ConfigMap labelled as a team gets a role and a binding of its members."""

    name = "tests-team"
    reconciles = CONFIG_MAPS
    owns = ROLES, ROLE_BINDINGS
    workers = 3

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self.reconciled: Counter[Key] = Counter()
        self.writes = 0

    async def reconcile(self, key: Key) -> Outcome:
        team = self.cache[CONFIG_MAPS].get(key.name, key.namespace)
        if team is None or being_deleted(team) or MARK not in labels(team):
            return DONE
        self.writes += await self.apply(team, [self._role(team), self._binding(team)], prune=True)
        self.reconciled[key] += 1
        return DONE

    def merge(self, present: Object, wanted: Object) -> Object:
        if wanted["kind"] == "RoleBinding":
            return keep_items(present, wanted, "subjects", ("kind", "name", "namespace"))
        return wanted

    def _role(self, team: Object) -> Object:
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": team["data"]["verbs"].split()}
        return {**self._named(team, "Role"), "rules": [rule]}

    def _binding(self, team: Object) -> Object:
        role = team["data"].get("role", team["metadata"]["name"])
        subjects = [
            {"apiGroup": RBAC, "kind": "User", "name": name} for name in team["data"]["members"].split()
        ]
        return {
            **self._named(team, "RoleBinding"),
            "subjects": subjects,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": role},
        }

    def _named(self, team: Object, kind: str) -> Object:
        metadata = {name: team["metadata"][name] for name in ("name", "namespace")}
        return {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata}


def team(**data: str) -> Object:
    return {
        "metadata": {"name": "red", "labels": {MARK: "yes"}},
        "data": {"verbs": "get list", "members": "alice", **data},
    }


@asynccontextmanager
async def running(*controllers: Controller) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(ControllerManager(controllers[0].cluster, controllers).run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 10)


@pytest.fixture
async def teams(cluster: Cluster) -> AsyncIterator[TeamController]:
    controller = TeamController(cluster)
    async with running(controller):
        yield controller


async def settled(
    controller: TeamController, namespace: str, verify: Callable[[Object, Object], None]
) -> None:
    """Waits until role and binding are as `verify` says, and the controller has nothing left to do."""

    async def as_wanted() -> None:
        found = [(await controller.cluster.list(kind, namespace)).items for kind in (ROLES, ROLE_BINDINGS)]
        assert all(len(items) == 1 for items in found), found
        verify(found[0][0], found[1][0])

    await eventually(as_wanted)
    # Namespaces of earlier tests that still end are tried again, at longer and longer intervals.
    await eventually(lambda: _idle(controller), timeout=90)


def _idle(controller: Controller) -> None:
    assert controller.queue.waiting == 0


def members(binding: Object) -> list[str]:
    return [subject["name"] for subject in binding["subjects"]]


def always(_role: Object, _binding: Object) -> None:
    """Anything will do."""


async def test_what_an_object_asks_for_is_made_once(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    made = await cluster.create(CONFIG_MAPS, team(), namespace)

    def verify(role: Object, binding: Object) -> None:
        assert role["rules"][0]["verbs"] == ["get", "list"]
        assert members(binding) == ["alice"]
        for obj in (role, binding):
            owner = controller_of(obj)
            assert owner is not None
            assert owner["uid"] == made["metadata"]["uid"]

    await settled(teams, namespace, verify)
    assert teams.writes == 2


async def test_an_object_that_the_cache_has_not_seen_is_compared_before_it_is_written(
    cluster: Cluster, namespace: str
) -> None:
    made = await cluster.create(CONFIG_MAPS, team(), namespace)
    unfilled = Applier(cluster, {ROLES: Cache(ROLES)}, "tests", lambda _present, wanted: wanted)
    wanted = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "red", "namespace": namespace},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
    }
    theirs = await cluster.create(ROLES, wanted, namespace)
    assert await unfilled.apply(None, [wanted]) == 0
    other = {**made, "apiVersion": "v1", "kind": "ConfigMap"}
    await cluster.patch(ROLES, "red", {"metadata": owned(other, theirs)["metadata"]}, namespace)
    stranger = {**other, "metadata": {**other["metadata"], "uid": "another"}}
    with pytest.raises(OwnedByAnother):
        await unfilled.apply(stranger, [wanted])


async def test_its_own_writes_give_a_controller_nothing_to_do(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    await cluster.create(CONFIG_MAPS, team(), namespace)
    await settled(teams, namespace, always)
    key = Key(namespace, "red")
    # Again where the watch is ahead of the answer to a write, or behind what was looked at since.
    assert teams.reconciled[key] <= 3
    before = teams.reconciled[key]
    role = await cluster.get(ROLES, "red", namespace)
    await cluster.patch(ROLES, "red", {"metadata": {"labels": {"by": "others"}}}, namespace)
    assert role["metadata"].get("labels") is None

    def woken() -> None:
        assert teams.reconciled[key] > before

    await eventually(woken, 30)


async def test_a_resync_and_a_restart_write_nothing(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    await cluster.create(CONFIG_MAPS, team(), namespace)
    await settled(teams, namespace, always)
    key = Key(namespace, "red")
    before = await versions(cluster, namespace)
    writes, times = teams.writes, teams.reconciled[key]

    async def again() -> None:
        teams.queue.add(key)
        await asyncio.sleep(0.1)
        assert teams.reconciled[key] >= times + 3

    await eventually(again)
    restarted = TeamController(cluster)
    async with running(restarted):
        await eventually(lambda: _reconciled(restarted, key))
    assert (teams.writes, restarted.writes) == (writes, 0)
    assert await versions(cluster, namespace) == before


def _reconciled(controller: TeamController, key: Key) -> None:
    assert controller.reconciled[key]


async def versions(cluster: Cluster, namespace: str) -> list[str]:
    lists = [(await cluster.list(kind, namespace)).items for kind in (ROLES, ROLE_BINDINGS)]
    return [item["metadata"]["resourceVersion"] for items in lists for item in items]


async def test_what_others_change_or_delete_is_put_right(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    await cluster.create(CONFIG_MAPS, team(), namespace)
    await settled(teams, namespace, always)
    await cluster.patch(ROLES, "red", {"rules": []}, namespace)
    await cluster.delete(ROLE_BINDINGS, "red", namespace)

    def verify(role: Object, binding: Object) -> None:
        assert role["rules"][0]["verbs"] == ["get", "list"]
        assert members(binding) == ["alice"]

    await settled(teams, namespace, verify)


async def test_members_that_others_added_stay(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    await cluster.create(CONFIG_MAPS, team(), namespace)
    await settled(teams, namespace, always)
    bob = {"op": "add", "path": "/subjects/-", "value": {"apiGroup": RBAC, "kind": "User", "name": "bob"}}
    await cluster.patch(ROLE_BINDINGS, "red", [bob], namespace, patch_type="json")
    await cluster.patch(CONFIG_MAPS, "red", {"data": {"members": "alice carol"}}, namespace)

    def verify(_: Object, binding: Object) -> None:
        assert members(binding) == ["alice", "bob", "carol"]

    await settled(teams, namespace, verify)


async def test_a_binding_to_another_role_is_made_anew(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    await cluster.create(CONFIG_MAPS, team(), namespace)
    await settled(teams, namespace, always)
    await cluster.patch(CONFIG_MAPS, "red", {"data": {"role": "other"}}, namespace)

    def verify(_: Object, binding: Object) -> None:
        assert binding["roleRef"]["name"] == "other"
        assert members(binding) == ["alice"]

    await settled(teams, namespace, verify)


async def test_what_is_wanted_no_more_is_pruned_but_only_ours(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    made = await cluster.create(CONFIG_MAPS, team(), namespace)
    await settled(teams, namespace, always)
    owner = controller_of((await cluster.list(ROLES, namespace)).items[0])
    for name, references in (("ours", [owner]), ("theirs", [])):
        metadata = {"name": name, "namespace": namespace, "ownerReferences": references}
        await cluster.create(ROLES, {"metadata": metadata, "rules": []})

    async def pruned() -> None:
        names = {role["metadata"]["name"] for role in (await cluster.list(ROLES, namespace)).items}
        assert names == {"red", "theirs"}

    await eventually(pruned)
    another = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {**made["metadata"], "uid": "another"}}
    wanted = {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": {"name": "red", "namespace": namespace}}
    with pytest.raises(OwnedByAnother):
        await teams.apply(another, [wanted])


async def test_objects_without_an_owner_are_written_as_they_are(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    wanted = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "Role",
        "metadata": {"name": "free", "namespace": namespace},
    }
    assert await teams.apply(None, [wanted | {"rules": []}]) == 1
    assert await teams.apply(None, [wanted | {"rules": []}]) == 0
    assert controller_of(await cluster.get(ROLES, "free", namespace)) is None
    with pytest.raises(ValueError, match="prune needs an owner"):
        await teams.apply(None, [wanted], prune=True)
    with pytest.raises(ValueError, match="add its resource to `owns`"):
        await teams.apply(None, [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}])


class Failing(Controller):
    name = "tests-failing"
    reconciles = CONFIG_MAPS
    timeout = 0.2

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        super().__init__(cluster)
        self.namespace = namespace
        self.tries: Counter[str] = Counter()

    async def reconcile(self, key: Key) -> Outcome:
        if key.namespace != self.namespace or key.name == "kube-root-ca.crt":
            return DONE
        self.tries[key.name] += 1
        if key.name == "broken" and self.tries[key.name] < 4:
            raise RuntimeError("a mistake in a controller")
        if key.name == "stuck" and self.tries[key.name] < 3:
            await asyncio.sleep(60)
        return RequeueAfter(0.05) if key.name == "periodic" and self.tries[key.name] < 4 else DONE


def metric(name: str, **of: str) -> float:
    return REGISTRY.get_sample_value(name, of) or 0.0


async def test_failures_are_retried_and_harm_nobody_else(
    cluster: Cluster, namespace: str, teams: TeamController
) -> None:
    failing = Failing(cluster, namespace)
    for name in ("broken", "stuck", "periodic", "fine"):
        await cluster.create(CONFIG_MAPS, {"metadata": {"name": name}}, namespace)
    await cluster.create(CONFIG_MAPS, team(), namespace)
    errors = metric("controller_runtime_reconcile_errors_total", controller=failing.name)
    async with running(failing):

        def tried() -> None:
            assert failing.tries["broken"] == 4
            assert failing.tries["stuck"] == 3
            assert failing.tries["periodic"] == 4
            assert failing.tries["fine"] == 1

        await eventually(tried)
        await settled(teams, namespace, always)
    assert metric("controller_runtime_reconcile_errors_total", controller=failing.name) == errors + 5
    assert metric("controller_runtime_reconcile_total", controller=failing.name, result="requeue_after") == 3


async def test_another_resource_wakes_what_it_concerns(cluster: Cluster, namespace: str) -> None:
    woken: list[Key] = []

    class Watching(Controller):
        name = "tests-watching"
        reconciles = NAMESPACES
        watches = {CONFIG_MAPS: lambda obj: [Key(None, obj["metadata"]["namespace"])]}  # noqa: RUF012

        async def reconcile(self, key: Key) -> Outcome:
            woken.append(key)
            return DONE

    controller = Watching(cluster)
    async with running(controller):
        key = Key(None, namespace)
        await eventually(lambda: _contains(woken, key))
        await eventually(lambda: _idle(controller), timeout=90)
        woken.clear()
        await cluster.create(CONFIG_MAPS, {"metadata": {"name": "wakes"}}, namespace)
        await eventually(lambda: _contains(woken, key))


def _contains(keys: list[Key], key: Key) -> None:
    assert key in keys


async def test_stopping_waits_for_the_reconciliation_under_way(cluster: Cluster, namespace: str) -> None:
    ended: list[Any] = []
    began = asyncio.Event()

    class Slow(Controller):
        name = "tests-slow"
        reconciles = NAMESPACES

        async def reconcile(self, key: Key) -> Outcome:
            began.set()
            await asyncio.sleep(0.3)
            ended.append(key)
            return DONE

    async with running(Slow(cluster)):
        await began.wait()
    assert len(ended) == 1


async def test_a_controller_waits_without_harm_while_its_api_is_not_served(fake_cluster: Cluster) -> None:
    """The fake server knows pods only."""
    controller = TeamController(fake_cluster)
    async with running(controller):
        await asyncio.sleep(0.2)
    assert not controller.reconciled
