"""`RbacIndex` against the cluster's own SubjectAccessReview, on generated roles, bindings and questions.

One example is a small world of roles and bindings, created for real, and a hundred questions about it.
"""

import asyncio
import itertools
import secrets
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.rbac import RbacIndex, RequestInfo
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SUBJECT_ACCESS_REVIEWS,
)

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(600)]

RUN = f"rbac-{secrets.token_hex(3)}"
SPACES = (f"{RUN}-a", f"{RUN}-b")
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
WORLDS = 25
QUESTIONS = 100
KINDS = (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS)

# Small alphabets, so that questions meet rules. Users and groups are made unique to the run and the world.
VERBS = ["get", "get", "list", "create", "deletecollection", "*", "Get"]
GROUPS = ["", "", "apps", "*"]
RESOURCES = ["pods", "pods", "deployments", "namespaces"]
SUBRESOURCES = ["log", "status", "log/x"]
WITH_SUBRESOURCES = ["pods/log", "pods/*", "*/log", "*/status", "*/*", "pods/", "deployments/status"]
RESOURCE_PATTERNS = [*RESOURCES, "*", *WITH_SUBRESOURCES]
OBJECTS = ["x", "y", *SPACES]
URLS = ["/logs", "/logs/*", "/logs*", "/logs/a", "*", "/", "/metrics**", "logs"]
PATHS = ["/logs", "/logs/", "/logs/a", "/logs/a/b", "/", "/metrics/x", "/metrics", "/version"]
USERS = ["alice", "bob"]
TEAMS = ["dev", "ops"]
ROLE_NAMES = ["r1", "r2", "r3"]
NAMED_ROLES = [*ROLE_NAMES, "missing"]


def some(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


RESOURCE_RULES = st.fixed_dictionaries(
    {"verbs": some(VERBS), "apiGroups": some(GROUPS), "resources": some(RESOURCE_PATTERNS)},
    optional={"resourceNames": some(OBJECTS)},
)
PATH_RULES = st.fixed_dictionaries({"verbs": some(VERBS), "nonResourceURLs": some(URLS)})
SUBJECTS = st.one_of(
    st.sampled_from(USERS).map(lambda name: {"kind": "User", "name": name}),
    st.sampled_from(TEAMS).map(lambda name: {"kind": "Group", "name": name}),
    st.sampled_from(SPACES).map(
        lambda space: {"kind": "ServiceAccount", "name": "robot", "namespace": space}
    ),
    st.sampled_from(SPACES).map(lambda space: {"kind": "Group", "name": f"system:serviceaccounts:{space}"}),
)
LOCAL_SUBJECTS = SUBJECTS | st.just({"kind": "ServiceAccount", "name": "robot"})
PEOPLE = st.tuples(st.sampled_from(USERS), st.lists(st.sampled_from(TEAMS), unique=True)) | st.sampled_from(
    SPACES
).map(lambda space: (f"system:serviceaccount:{space}:robot", [f"system:serviceaccounts:{space}"]))


CLUSTER_BINDINGS = st.tuples(st.sampled_from(NAMED_ROLES), st.lists(SUBJECTS, max_size=2))
BINDINGS = st.tuples(
    st.sampled_from(SPACES),
    st.sampled_from(["Role", "ClusterRole"]),
    st.sampled_from(NAMED_ROLES),
    st.lists(LOCAL_SUBJECTS, min_size=1, max_size=3),
)


@dataclass
class World:
    """Roles and bindings by kind and key, and what is asked about them."""

    cluster_roles: dict[str, list[dict[str, Any]]]
    roles: dict[tuple[str, str], list[dict[str, Any]]]
    cluster_bindings: list[tuple[str, list[dict[str, str]]]]
    bindings: list[tuple[str, str, str, list[dict[str, str]]]]
    questions: list[tuple[tuple[str, list[str]], RequestInfo]]


def asked_resource(
    verb: str, group: str, resource: str, subresource: str, name: str, namespace: str
) -> RequestInfo:
    return RequestInfo(
        is_resource=True,
        verb=verb,
        path="",
        api_prefix="apis",
        api_group=group,
        api_version="v1",
        namespace=namespace,
        resource=resource,
        subresource=subresource,
        name=name,
    )


def asked_path(verb: str, path: str) -> RequestInfo:
    return RequestInfo(is_resource=False, verb=verb, path=path)


ANYTHING = st.builds(
    asked_resource,
    st.sampled_from([*VERBS, "watch"]),
    st.sampled_from(GROUPS),
    st.sampled_from([*RESOURCES, "*"]),
    st.sampled_from(["", "", *SUBRESOURCES]),
    st.sampled_from(["", *OBJECTS]),
    st.sampled_from(["", *SPACES]),
) | st.builds(asked_path, st.sampled_from(["get", "create", "*"]), st.sampled_from(PATHS))


@st.composite
def near(draw: st.DrawFn, rule: dict[str, list[str]]) -> RequestInfo:
    """A request of the kind that `rule` is about; half of these it permits, given the right binding."""
    verb = draw(st.sampled_from(rule["verbs"]))
    if "nonResourceURLs" in rule:
        url = draw(st.sampled_from(rule["nonResourceURLs"]))
        return asked_path(verb, url.rstrip("*") + draw(st.sampled_from(["", "", "x"])) or "/")
    resource, _, subresource = draw(st.sampled_from(rule["resources"])).replace("*", "pods").partition("/")
    group = draw(st.sampled_from(rule["apiGroups"])).replace("*", "apps")
    name = draw(st.sampled_from([*rule.get("resourceNames", ()), ""]))
    return asked_resource(verb, group, resource, subresource, name, draw(st.sampled_from(["", *SPACES])))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Three ClusterRoles, three Roles a namespace, bindings (some to roles that do not exist), questions."""
    cluster_roles = draw(
        st.fixed_dictionaries(
            {name: st.lists(RESOURCE_RULES | PATH_RULES, min_size=1, max_size=4) for name in ROLE_NAMES}
        )
    )
    keys = itertools.product(SPACES, ROLE_NAMES)
    roles = draw(st.fixed_dictionaries({key: st.lists(RESOURCE_RULES, max_size=4) for key in keys}))
    cluster_bindings = draw(st.lists(CLUSTER_BINDINGS, min_size=1, max_size=3))
    bindings = draw(st.lists(BINDINGS, min_size=3, max_size=8))
    rules = [rule for role in (*cluster_roles.values(), *roles.values()) for rule in role]
    request = ANYTHING | st.sampled_from(rules).flatmap(near)
    questions = draw(st.lists(st.tuples(PEOPLE, request), min_size=QUESTIONS, max_size=QUESTIONS))
    return World(cluster_roles, roles, cluster_bindings, bindings, questions)


@dataclass
class Stage:
    """A real cluster on which worlds are set up, asked about, and taken down."""

    cluster: Cluster
    index: RbacIndex
    numbers: Any = field(default_factory=itertools.count)
    counts: Counter[str] = field(default_factory=Counter)

    async def play(self, world: World) -> None:
        """Sets `world` up, asks cluster and index the same, and fails where they disagree."""
        prefix = f"{RUN}-{next(self.numbers)}"
        await asyncio.gather(*(self.cluster.create(*wanted) for wanted in objects(world, prefix)))
        try:
            await self.settled(prefix)
            await asyncio.gather(
                *(
                    self.compare((unique(user, prefix), [unique(group, prefix) for group in groups]), request)
                    for (user, groups), request in world.questions
                )
            )
        finally:
            await self.clear()

    async def settled(self, prefix: str) -> None:
        """Returns when both sides have seen what was created so far.

        Each kind reaches the authorizer in the order of writing, so roles and bindings that are written last
        and already grant something prove that all before them arrived.
        """
        witness = (f"{prefix}-witness", [])
        for kind, scope in (("Role", SPACES[0]), ("ClusterRole", None)):
            rules = [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods" if scope else "nodes"]}]
            subjects = [{"kind": "User", "name": witness[0]}]
            for item in (
                role(witness[0], rules, scope),
                binding(witness[0], kind, witness[0], subjects, scope),
            ):
                await self.cluster.create(*item)
        requests = (
            RequestInfo(True, "get", "", namespace=SPACES[0], resource="pods"),
            RequestInfo(True, "get", "", resource="nodes"),
        )

        async def seen() -> None:
            for request in requests:
                assert await self.permits(witness, request)
                assert self.index.allows(*witness, request).allowed

        await eventually(seen, timeout=30)

    async def compare(self, who: tuple[str, list[str]], request: RequestInfo) -> None:
        ours = self.index.allows(*who, request)
        theirs = await self.permits(who, request)
        assert ours.allowed == theirs, f"{who} {request}: the cluster says {theirs}, the index {ours}"
        self.counts["allowed" if theirs else "denied"] += 1

    async def permits(self, who: tuple[str, list[str]], request: RequestInfo) -> bool:
        """The cluster's own answer."""
        spec: dict[str, Any] = {"user": who[0], "groups": who[1]}
        if request.is_resource:
            spec["resourceAttributes"] = {
                "verb": request.verb,
                "group": request.api_group,
                "version": request.api_version,
                "resource": request.resource,
                "subresource": request.subresource,
                "name": request.name,
                "namespace": request.namespace,
            }
        else:
            spec["nonResourceAttributes"] = {"verb": request.verb, "path": request.path}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        return (await self.cluster.create(SUBJECT_ACCESS_REVIEWS, review))["status"]["allowed"]

    async def clear(self) -> None:
        """Deletes all roles and bindings of this run."""
        for kind in KINDS:
            for scope in SPACES if kind.namespaced else (None,):
                await self.cluster.request(
                    "DELETE", kind.path(scope), params={"labelSelector": f"rbac-test={RUN}"}
                )


def unique(name: str, prefix: str) -> str:
    """The name of a user or group in one world; those of service accounts are unique already."""
    return name if ":" in name else f"{prefix}-{name}"


def objects(world: World, prefix: str) -> list[tuple[Any, ...]]:
    """What to create for `world`, as arguments of `Cluster.create`."""

    def renamed(subjects: list[dict[str, str]]) -> list[dict[str, str]]:
        return [
            subject
            if subject["kind"] == "ServiceAccount"
            else subject | {"name": unique(subject["name"], prefix)}
            for subject in subjects
        ]

    roles = [role(f"{prefix}-{name}", rules, None) for name, rules in world.cluster_roles.items()]
    roles += [role(f"{prefix}-{name}", rules, space) for (space, name), rules in world.roles.items()]
    bindings = [
        binding(f"{prefix}-{number}", "ClusterRole", f"{prefix}-{name}", renamed(subjects), None)
        for number, (name, subjects) in enumerate(world.cluster_bindings)
    ]
    bindings += [
        binding(f"{prefix}-{number}", kind, f"{prefix}-{name}", renamed(subjects), space)
        for number, (space, kind, name, subjects) in enumerate(world.bindings)
    ]
    return roles + bindings


def role(name: str, rules: list[dict[str, Any]], namespace: str | None) -> tuple[Any, ...]:
    body = {"metadata": {"name": name, "labels": {"rbac-test": RUN}}, "rules": rules}
    return (ROLES if namespace else CLUSTER_ROLES), body, namespace


def binding(
    name: str, kind: str, role: str, subjects: list[dict[str, str]], namespace: str | None
) -> tuple[Any, ...]:
    body = {
        "metadata": {"name": name, "labels": {"rbac-test": RUN}},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": subjects,
    }
    return (ROLE_BINDINGS if namespace else CLUSTER_ROLE_BINDINGS), body, namespace


@pytest_asyncio.fixture(scope="module")
async def stage(kubernetes):
    cluster = Cluster(ClusterConfig(kubeconfig=str(kubernetes.kubeconfig), qps=2000, burst=2000, pool=20))
    await cluster.open()
    index = RbacIndex(cluster)
    await index.open()
    for space in SPACES:
        await cluster.create(NAMESPACES, {"metadata": {"name": space}})
    async with asyncio.timeout(30):
        await index.synced()
    stage = Stage(cluster, index)
    yield stage
    asked = stage.counts
    print(f"\nRbacIndex against SubjectAccessReview: {sum(asked.values())} cases, {dict(asked)}")
    for space in SPACES:
        await cluster.delete(NAMESPACES, space)
    await index.close()
    await cluster.close()


@given(worlds())
@settings(max_examples=WORLDS, deadline=None, phases=[Phase.generate], suppress_health_check=SLOW)
async def test_the_index_decides_as_the_cluster_does(stage, world):
    await stage.play(world)


async def test_at_least_two_thousand_questions_were_asked(stage):
    assert sum(stage.counts.values()) >= 2000
    assert min(stage.counts["allowed"], stage.counts["denied"]) >= 100
