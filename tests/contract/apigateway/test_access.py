"""What the gateway remembers of permissions is good for as long as no role and no binding changes."""

from collections.abc import Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ks_apigateway.authn.token import Claims
from ks_apigateway.authz import access
from ks_apigateway.authz.access import Access
from kubekit.rbac import Policy, RequestInfo
from kubekit.rbac.policy import Decision
from servicekit.errors import Forbidden, Unavailable

PODS = "/kapis/resources.kubesphere.io/v1alpha2/namespaces/a/pods"
ALICE = Claims("alice", (), None, None)
BOB = Claims("bob", (), None, None)
ROLE = {
    "metadata": {"name": "pods"},
    "rules": [{"verbs": ["list"], "apiGroups": ["resources.kubesphere.io"], "resources": ["pods"]}],
}
BINDING = {
    "metadata": {"name": "alice", "namespace": "a"},
    "roleRef": {"kind": "ClusterRole", "name": "pods"},
    "subjects": [{"kind": "User", "name": "alice"}],
}


class Counted(Policy):
    """A policy that counts its answers."""

    asked = 0

    def allows(self, user: str, groups: Iterable[str], request: RequestInfo) -> Decision:
        self.asked += 1
        return super().allows(user, groups, request)


@pytest.fixture
def policy() -> Counted:
    policy = Counted()
    policy.put_role(ROLE)
    policy.put_binding(BINDING)
    return policy


@pytest.fixture
def kubernetes() -> SimpleNamespace:
    return SimpleNamespace(ready=True, reason="", since=datetime.now(UTC))


@pytest.fixture
def checked(policy: Counted, kubernetes: SimpleNamespace) -> Access:
    health = SimpleNamespace(states=lambda: {"kubernetes": kubernetes})
    return Access(cast(Any, policy), cast(Any, health), stale=0)


def test_a_permission_is_worked_out_once(checked: Access, policy: Counted) -> None:
    for _ in range(3):
        checked.check(ALICE, "GET", PODS)
    assert policy.asked == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda policy: policy.delete_binding("a", "alice"),
        lambda policy: policy.delete_role("", "pods"),
        lambda policy: policy.put_role(ROLE | {"rules": []}),
        lambda policy: policy.put_binding(BINDING | {"subjects": [{"kind": "User", "name": "bob"}]}),
    ],
)
def test_a_right_that_is_taken_away_is_gone_with_the_next_request(
    checked: Access, policy: Counted, change: Any
) -> None:
    checked.check(ALICE, "GET", PODS)
    change(policy)
    with pytest.raises(Forbidden):
        checked.check(ALICE, "GET", PODS)


def test_a_right_that_is_given_is_there_with_the_next_request(checked: Access, policy: Counted) -> None:
    with pytest.raises(Forbidden):
        checked.check(BOB, "GET", PODS)
    policy.put_binding(BINDING | {"subjects": [{"kind": "User", "name": "bob"}]})
    checked.check(BOB, "GET", PODS)


@pytest.mark.parametrize(
    ("claims", "method", "path"),
    [
        (BOB, "GET", PODS),
        (Claims("alic", ("e",), None, None), "GET", PODS),
        (ALICE, "POST", PODS),
        (ALICE, "DELETE", PODS),
        (ALICE, "GET", PODS.replace("/a/", "/b/")),
        (ALICE, "GET", PODS + "/x"),
    ],
)
def test_what_is_remembered_answers_no_other_question(
    checked: Access, claims: Claims, method: str, path: str
) -> None:
    checked.check(ALICE, "GET", PODS)
    with pytest.raises(Forbidden):
        checked.check(claims, method, path)


def test_what_is_remembered_grows_old_with_the_roles(checked: Access, kubernetes: SimpleNamespace) -> None:
    checked.check(ALICE, "GET", PODS)
    kubernetes.ready = False
    with pytest.raises(Unavailable, match="too old"):
        checked.check(ALICE, "GET", PODS)


def test_only_so_much_is_remembered(
    checked: Access, policy: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "CAPACITY", 2)
    policy.put_role(ROLE | {"rules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]})
    for name in ("x", "y", "z"):
        checked.check(ALICE, "GET", f"{PODS}/{name}")
    assert len(checked._allowed) <= 2
