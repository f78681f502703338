"""Whom v2.1.1 let in, and whom it refused in which words, over everything that was recorded of it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import pytest

from harness.gateway import GatewayUnderTest
from ks_apigateway.authn.token import Claims
from ks_apigateway.authz.access import Access
from ks_apigateway.authz.refusal import NotAllowed
from ks_apigateway.routes import Authentication, Authorization, Table, builtin_routes
from kubekit.rbac import Policy
from servicekit.errors import BadRequest

HERE = Path(__file__).parent
DIFFERENT = {
    ("bob", "GET", "/api/v1/namespaces/bob-intruder/secrets"): "the namespace was gone when roles were kept",
}
"""Requests that are decided otherwise here, and why."""


class Recorded(NamedTuple):
    """A request of `user` (empty without a token), and why it was refused (empty when it was let in)."""

    user: str
    method: str
    path: str
    reason: str


RECORDED = [Recorded(*json.loads(line)) for line in (HERE / "recorded-decisions.jsonl").open()]


@pytest.fixture(scope="module")
def access() -> Access:
    """Decides by the roles and bindings of the recorded cluster."""
    objects = json.loads((HERE / "recorded-roles.json").read_text())
    policy = Policy()
    for role in objects["clusterroles"] + objects["roles"]:
        policy.put_role(role)
    for binding in objects["clusterrolebindings"] + objects["rolebindings"]:
        policy.put_binding(binding)
    state = SimpleNamespace(ready=True, reason="", since=datetime.now(UTC))
    health = SimpleNamespace(states=lambda: {"kubernetes": state})
    return Access(cast(Any, policy), cast(Any, health), stale=600)


def _refusal(access: Access, table: Table, recorded: Recorded) -> str:
    """Why the request is refused here; empty when it is let in, or left to the service behind."""
    route = table.find(recorded.method, recorded.path)
    assert route is not None
    decided_behind = route.authorize is Authorization.IDENTITY and route.upstream != "kubernetes"
    if decided_behind or route.authenticate is Authentication.NONE:
        return ""
    try:
        access.check(Claims(recorded.user, (), None, None), recorded.method, recorded.path)
    except NotAllowed as refused:
        return refused.headers["WWW-Authenticate"].removeprefix("Forbidden,")
    return ""


def test_everybody_may_what_they_could_and_is_refused_in_the_same_words(access: Access) -> None:
    table = Table(builtin_routes())
    different: dict[Any, tuple[str, str]] = {}
    asked = 0
    for recorded in RECORDED:
        if not recorded.user or table.find(recorded.method, recorded.path) is None:
            continue
        asked += 1
        try:
            found = _refusal(access, table, recorded)
        except BadRequest:
            continue  # GATEWAY-15
        if found != recorded.reason and recorded[:3] not in DIFFERENT:
            different[recorded[:3]] = (recorded.reason, found)
    assert asked > 600
    assert different == {}


async def test_without_a_token_nobody_comes_further_than_recorded(gateway: GatewayUnderTest) -> None:
    anonymous = [each for each in RECORDED if not each.user]
    assert len(anonymous) > 30
    async with gateway.wire() as wire:
        for each in anonymous:
            await wire.send(f"{each.method} {each.path} HTTP/1.1\r\nHost: gateway\r\n\r\n")
            answer = await wire.answer()
            told = (answer.status, answer.headers.get("www-authenticate"))
            assert told == (401, f"Unauthorized,{each.reason}"), each


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/foo", 404),
        ("GET", "/KAPIS/iam.kubesphere.io/v1alpha2/users", 404),
        ("GET", "/kapis/notification.kubesphere.io/x", 503),  # GATEWAY-19
        ("GET", "/kapis/devops.kubesphere.io/v1alpha/x", 503),  # GATEWAY-19
        ("GET", "/version", 200),  # GATEWAY-10
        ("GET", "//kapis/iam.kubesphere.io//v1alpha2/users", 400),  # GATEWAY-15
    ],
)
async def test_paths_at_the_edge_are_answered_as_recorded_or_as_it_is_written_down(
    gateway: GatewayUnderTest, admin: str, method: str, path: str, status: int
) -> None:
    assert (await gateway.get(path, token=admin, method=method)).status == status
