"""What roles and bindings permit, without a cluster."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubekit.rbac import ALL, Policy, RequestInfo, effective_groups

PODS = [{"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}]
WORKSPACE = [
    {
        "verbs": ["*"],
        "apiGroups": ["*"],
        "resources": ["workspaces", "workspaces/*"],
        "resourceNames": ["demo"],
    }
]


def role(name, rules, namespace=""):
    return {"metadata": {"name": name} | ({"namespace": namespace} if namespace else {}), "rules": rules}


def binding(name, role, subjects, namespace="", kind="ClusterRole"):
    return {
        "metadata": {"name": name} | ({"namespace": namespace} if namespace else {}),
        "roleRef": {"kind": kind, "name": role},
        "subjects": subjects,
    }


def user(name):
    return {"kind": "User", "name": name}


@pytest.fixture
def policy():
    policy = Policy()
    policy.put_role(role("pods", PODS))
    policy.put_role(role("pods", [], namespace="a"))
    policy.put_role(role("workspace:demo:admin", WORKSPACE))
    return policy


def get(path):
    return RequestInfo.of("GET", path)


def test_a_decision_names_the_binding_that_grants(policy):
    policy.put_binding(binding("readers", "pods", [user("alice")], namespace="a"))
    decision = policy.allows("alice", (), get("/api/v1/namespaces/a/pods"))
    assert decision.allowed
    assert decision.because == 'RoleBinding a/readers gives ClusterRole pods to user "alice"'
    assert not policy.allows("alice", (), get("/api/v1/namespaces/b/pods")).allowed
    assert not policy.allows("alice", (), get("/api/v1/pods")).allowed


def test_a_refusal_names_the_role_that_is_missing(policy):
    policy.put_binding(binding("readers", "gone", [user("alice")], namespace="a", kind="Role"))
    decision = policy.allows("alice", (), get("/api/v1/namespaces/a/pods"))
    assert decision.because == (
        'User "alice" cannot list resource "pods" in API group "" in the namespace "a"; '
        "RoleBinding a/readers refers to Role a/gone, which does not exist"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda policy: policy.put_role(role("pods", [])),
        lambda policy: policy.delete_role("", "pods"),
        lambda policy: policy.put_binding(binding("other", "pods", [user("bob")])),
        lambda policy: policy.delete_binding("", "other"),
    ],
)
def test_every_change_is_another_generation(policy, change):
    """Whoever remembers an answer relies on it."""
    before = policy.generation
    change(policy)
    assert policy.generation != before


def test_an_answer_changes_no_generation(policy):
    before = policy.generation
    policy.allows("alice", (), get("/api/v1/namespaces/a/pods/x"))
    assert policy.generation == before


def test_the_kind_of_the_referenced_role_counts(policy):
    policy.put_binding(binding("readers", "pods", [user("alice")], namespace="a", kind="Role"))
    assert not policy.allows("alice", (), get("/api/v1/namespaces/a/pods")).allowed


def test_a_star_after_a_resource_covers_subresources_under_kapis_only(policy):
    """RBAC-3"""
    policy.put_binding(binding("admins", "workspace:demo:admin", [user("erin")]))
    kapis = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"
    assert policy.allows("erin", (), get(f"{kapis}/demo/namespaces")).allowed
    assert not policy.allows("erin", (), get(f"{kapis}/other/namespaces")).allowed
    assert not policy.allows("erin", (), get(kapis)).allowed
    assert not policy.allows(
        "erin", (), get("/apis/tenant.kubesphere.io/v1alpha1/workspaces/demo/status")
    ).allowed


def test_the_names_that_a_user_reaches_come_from_the_rules(policy):
    policy.put_binding(binding("admins", "workspace:demo:admin", [user("erin")]))
    workspaces = get("/kapis/tenant.kubesphere.io/v1alpha2/workspaces/x")
    assert policy.names("erin", (), workspaces) == {"demo"}
    assert policy.names("bob", (), workspaces) == frozenset()
    policy.put_role(role("all", [{"verbs": ["get"], "apiGroups": ["*"], "resources": ["*"]}]))
    policy.put_binding(binding("everything", "all", [{"kind": "Group", "name": "ops"}]))
    assert policy.names("erin", ("ops",), workspaces) is ALL


def test_the_namespaces_that_a_user_reaches_come_from_the_bindings(policy):
    policy.put_binding(binding("r", "pods", [user("alice")], namespace="a"))
    policy.put_binding(binding("r", "pods", [{"kind": "Group", "name": "dev"}], namespace="b"))
    policy.put_binding(binding("r", "pods", [user("alice")], namespace="c", kind="Role"))
    request = get("/api/v1/pods")
    assert policy.namespaces("alice", (), request) == {"a"}
    assert policy.namespaces("alice", ("dev",), request) == {"a", "b"}
    assert policy.bound_namespaces("alice", ("dev",)) == {"a", "b"}, "the role in c does not exist"
    policy.put_binding(binding("r", "pods", [user("alice")]))
    assert policy.namespaces("alice", (), request) is ALL


def test_rules_and_bindings_of_a_user_are_listed(policy):
    policy.put_binding(binding("r", "pods", [user("alice")]))
    policy.put_binding(binding("r", "pods", [user("alice")], namespace="a"))
    assert [rule.resources for rule in policy.rules("alice", (), "a")] == [("pods",)]
    assert [str(found.key) for found in policy.bindings_of("alice", ())] == [
        "ClusterRoleBinding r",
        "RoleBinding a/r",
    ]


@pytest.mark.parametrize(
    ("user", "groups", "effective"),
    [
        ("alice", (), {"system:authenticated"}),
        ("alice", ("dev",), {"dev", "system:authenticated"}),
        ("system:anonymous", (), {"system:unauthenticated"}),
        (
            "system:serviceaccount:a:robot",
            (),
            {"system:serviceaccounts", "system:serviceaccounts:a", "system:authenticated"},
        ),
    ],
)
def test_the_groups_that_a_cluster_adds(user, groups, effective):
    assert set(effective_groups(user, groups)) == effective


NAMESPACES = st.sampled_from(["", "a", "b"])
NAMES = st.sampled_from(["r", "s"])
CHANGES = st.one_of(
    st.tuples(st.just("put role"), NAMESPACES, NAMES, st.sampled_from([PODS, WORKSPACE, []])),
    st.tuples(st.just("delete role"), NAMESPACES, NAMES),
    st.tuples(
        st.just("put binding"),
        NAMESPACES,
        NAMES,
        NAMES,
        st.sampled_from(["Role", "ClusterRole"]),
        st.lists(st.sampled_from(["alice", "bob"]), unique=True),
    ),
    st.tuples(st.just("delete binding"), NAMESPACES, NAMES),
)


def apply(policy, change):
    match change:
        case ("put role", namespace, name, rules):
            policy.put_role(role(name, rules, namespace))
        case ("delete role", namespace, name):
            policy.delete_role(namespace, name)
        case ("put binding", namespace, name, to, kind, users):
            policy.put_binding(binding(name, to, [user(name) for name in users], namespace, kind))
        case ("delete binding", namespace, name):
            policy.delete_binding(namespace, name)


@given(st.lists(CHANGES, max_size=40))
def test_changes_one_by_one_lead_where_a_fresh_start_leads(changes):
    policy, last = Policy(), {}
    for change in changes:
        apply(policy, change)
        last[change[0].split()[1], change[1], change[2]] = change
    fresh = Policy()
    for change in last.values():
        apply(fresh, change)
    for name in ("alice", "bob"):
        assert sorted(policy.bindings_of(name, ()), key=str) == sorted(fresh.bindings_of(name, ()), key=str)
        assert policy.bound_namespaces(name, ()) == fresh.bound_namespaces(name, ())
        for namespace in ("", "a", "b"):
            assert set(policy.rules(name, (), namespace)) == set(fresh.rules(name, (), namespace))


@given(st.lists(CHANGES, max_size=20))
def test_what_is_deleted_leaves_nothing_behind(changes):
    policy = Policy()
    for change in changes:
        apply(policy, change)
    for namespace in ("", "a", "b"):
        for name in ("r", "s"):
            policy.delete_role(namespace, name)
            policy.delete_binding(namespace, name)
    kept = {name: value for name, value in vars(policy).items() if name != "generation"}
    assert not any(kept.values())
