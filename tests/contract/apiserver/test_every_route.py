"""What holds for every route, those to come included."""

import re

import pytest

from ks_apiserver.app import build
from ks_apiserver.config import ApiserverConfig
from ks_apiserver.tenant.components import NOT_CONFIGURED

pytestmark = pytest.mark.kubernetes

OPEN_TO_ALL = {"/kapis/v1alpha1/configz"}
ROUTES = sorted(
    {(route.method, route.path) for group in build(ApiserverConfig()).groups for route in group.routes}
    - {("GET", path) for path in OPEN_TO_ALL}
)
OPEN_TO_PEOPLE = {"dryrun", "git/verify", "registry/blob", "registry/verify", "watch"}
"""Of the cluster they show what Kubernetes itself lets the caller read, asked as the caller."""
NOTHING = ([], {"items": [], "total_count": 0})


def filled_in(path, **names):
    return re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], "x"), path)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=str)
async def test_a_stranger_gets_nothing_of_a_tenant(demo, as_, method, path):
    """TENANT-1"""
    names = {"workspace": "demo-ws", "namespace": "demo-ns1", "member": "alice"}
    target = filled_in(path, **{key: demo.name(short) for key, short in names.items()})
    body = {"metadata": {"name": demo.name("intruder")}} if method in ("POST", "PUT", "PATCH") else None
    answer = await as_(demo, "bob").request(method, target, body=body)
    if path.partition("v1alpha2/")[2] in OPEN_TO_PEOPLE:
        assert answer.status == 400, answer.text
    elif answer.status == 200:
        assert method == "GET"
        assert answer.json in NOTHING
    else:
        component_is_missing = answer.status == 503 and NOT_CONFIGURED in answer.message
        assert answer.status == 403 or component_is_missing, answer.text
        assert not any(demo.name(short) in answer.text for short in names.values())


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=str)
async def test_nobody_is_served_who_did_not_sign_in(demo, as_, method, path):
    answer = await as_(demo, "admin").at("192.0.2.1").request(method, filled_in(path), body={})
    assert answer.status == 401


@pytest.mark.parametrize("odd", ["..%2f..", "a%2Fb", "%00", "%ff", "a%20b", "a" * 300, "%25", "*"])
@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if "{" in route[1]], ids=str)
async def test_odd_names_are_a_mistake_of_the_client(demo, as_, method, path, odd):
    target = re.sub(r"\{\w+\}", lambda _: odd, path)
    answer = await as_(demo, "admin").request(method, target, body={"metadata": {"name": "Not A Name"}})
    component_is_missing = answer.status == 503 and NOT_CONFIGURED in answer.message
    others_own = answer.status == 403 and "/users/" in path
    assert answer.status in (200, 400, 404, 422) or component_is_missing or others_own, answer.text
    assert answer.status != 200 or answer.json == [] or path.endswith("/rules")
