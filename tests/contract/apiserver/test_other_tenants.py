"""Two tenants on one cluster: nobody sees, names or counts what is the other's, by whatever route.

mallory is admin of other-ws and of a namespace there, so that nothing is refused to her for being a stranger.
Each route has a case here: a new route without one fails.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from harness.services import RunningService
from harness.waiting import eventually
from ks_apiserver.app import build
from ks_apiserver.config import ApiserverConfig
from ks_apiserver.tenant.components import NOT_CONFIGURED
from kubekit.resource import CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS

pytestmark = pytest.mark.kubernetes

ROUTES = {(route.method, route.path) for group in build(ApiserverConfig()).groups for route in group.routes}
RESOURCES = "/kapis/resources.kubesphere.io/v1alpha2"
TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"
OPERATIONS = "/kapis/operations.kubesphere.io/v1alpha2"
TERMINAL = "/kapis/terminal.kubesphere.io/v1alpha2"
MARK = "victim-of-a-test"
"""In the name of everything that erin's namespace holds."""


@dataclass(frozen=True)
class Aimed:
    """A request at what is erin's: it is refused, in words that name nothing of hers, or nothing but what the
    request itself `says`.
    """

    names: dict[str, str]
    body: Any = None
    query: str = ""
    statuses: tuple[int, ...] = (403,)
    says: bool = False


@dataclass(frozen=True)
class Own:
    """A request that anybody may make: what is erin's is not in the answer, nor counted."""

    query: str = ""
    body: Any = None
    names: dict[str, str] | None = None
    statuses: tuple[int, ...] = (200,)


NAMESPACE = {"namespace": "victims", "resources": "configmaps"}
POD = {"namespace": "victims", "pod": MARK}
WORKSPACE = {"workspace": "demo-ws", "namespace": "victims", "member": "erin", "devops": "x"}
SECRET = {"namespace": "victims", "name": MARK}
NODE = {"node": "x", "user": "erin", "storageclass": "x", "component": "ks-account"}
DEVOPS = (403, 503)
"""Refused, or said to be not configured."""

MANIFEST = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": MARK, "namespace": "{victims}"},
    "data": {"a": "other"},
}
IMAGE = f"?namespace={{victims}}&secret={MARK}&image=registry.example.org/{{other}}:1"

CASES: dict[tuple[str, str], Aimed | Own] = {
    ("GET", "/kapis/v1alpha1/configz"): Own(),
    ("GET", f"{RESOURCES}/components"): Aimed({}),
    ("GET", f"{RESOURCES}/components/{{component}}"): Aimed(NODE),
    ("GET", f"{RESOURCES}/componenthealth"): Aimed({}),
    ("GET", f"{RESOURCES}/quotas"): Aimed({}),
    ("GET", f"{RESOURCES}/namespaces/{{namespace}}/quotas"): Aimed(NAMESPACE),
    ("GET", f"{RESOURCES}/abnormalworkloads"): Aimed({}),
    ("GET", f"{RESOURCES}/namespaces/{{namespace}}/abnormalworkloads"): Aimed(NAMESPACE),
    **{
        (
            "GET",
            f"{RESOURCES}/namespaces/{{namespace}}/{kind}s/{{{kind}}}/revisions/{{revision}}",
        ): Aimed({**NAMESPACE, kind: MARK, "revision": "1"})
        for kind in ("deployment", "daemonset", "statefulset")
    },
    ("GET", f"{RESOURCES}/{{resources}}"): Aimed({"resources": "configmaps"}),
    ("GET", f"{RESOURCES}/namespaces/{{namespace}}/{{resources}}"): Aimed(NAMESPACE),
    ("GET", f"{RESOURCES}/search"): Own(f"?q={MARK}"),
    ("GET", f"{RESOURCES}/watch"): Own(statuses=(400,)),
    ("POST", f"{RESOURCES}/dryrun"): Aimed({}, MANIFEST, statuses=(200,), says=True),
    ("GET", f"{RESOURCES}/namespaces/{{namespace}}/pods/{{pod}}/explain"): Aimed(POD),
    ("POST", f"{RESOURCES}/registry/verify"): Own(
        body={"username": "u", "password": "p", "serverhost": ""}, statuses=(400,)
    ),
    ("GET", f"{RESOURCES}/registry/blob"): Aimed({}, query=IMAGE, says=True),
    ("POST", f"{RESOURCES}/git/verify"): Aimed(
        {},
        {"remoteUrl": "https://git.example.org/x", "secretRef": {"namespace": "{victims}", "name": MARK}},
        says=True,
    ),
    ("GET", f"{RESOURCES}/routers"): Aimed({}),
    **{
        (method, f"{RESOURCES}/namespaces/{{namespace}}/router"): Aimed(NAMESPACE, body)
        for method, body in (
            ("GET", None),
            ("POST", {"type": "NodePort"}),
            ("PUT", {"type": "NodePort"}),
            ("DELETE", None),
        )
    },
    ("GET", f"{RESOURCES}/users/{{user}}/kubeconfig"): Aimed(NODE),
    ("GET", f"{RESOURCES}/users/{{user}}/kubectl"): Aimed(NODE),
    ("PATCH", f"{RESOURCES}/storageclasses/{{storageclass}}"): Aimed(
        NODE, {"default": True}, statuses=(403, 400)
    ),
    **{
        (method, f"{prefix}/nodes/{{node}}/drainage"): Aimed(NODE)
        for prefix in (RESOURCES, OPERATIONS)
        for method in ("GET", "POST")
    },
    **{
        ("POST", f"{prefix}/namespaces/{{namespace}}/jobs/{{job}}"): Aimed(
            {**NAMESPACE, "job": MARK}, query="?action=rerun&resourceVersion=1"
        )
        for prefix in (RESOURCES, OPERATIONS)
    },
    ("GET", f"{TERMINAL}/namespaces/{{namespace}}/pods/{{pod}}"): Aimed(POD),
    ("GET", f"{TERMINAL}/namespaces/{{namespace}}/pods/{{pod}}/log"): Aimed(POD),
    ("GET", f"{TENANT}/workspaces"): Own("?paging=limit=-1,page=1"),
    ("GET", f"{TENANT}/namespaces"): Own("?paging=limit=-1,page=1"),
    ("GET", f"{TENANT}/workspaces/{{workspace}}"): Aimed(WORKSPACE),
    ("GET", f"{TENANT}/workspaces/{{workspace}}/namespaces"): Aimed(WORKSPACE),
    ("GET", f"{TENANT}/workspaces/{{workspace}}/members/{{member}}/namespaces"): Aimed(WORKSPACE),
    ("POST", f"{TENANT}/workspaces/{{workspace}}/namespaces"): Aimed(
        WORKSPACE, {"metadata": {"name": "intruder"}}
    ),
    ("DELETE", f"{TENANT}/workspaces/{{workspace}}/namespaces/{{namespace}}"): Aimed(WORKSPACE),
    ("GET", f"{TENANT}/workspaces/{{workspace}}/rules"): Own(names=WORKSPACE),
    ("GET", f"{TENANT}/namespaces/{{namespace}}/rules"): Own(names=WORKSPACE),
    ("GET", f"{TENANT}/devopscount"): Own(statuses=(503,)),
    ("GET", f"{TENANT}/devops/{{devops}}/rules"): Own(names=WORKSPACE, statuses=(503,)),
    ("GET", f"{TENANT}/workspaces/{{workspace}}/devops"): Aimed(WORKSPACE),
    ("GET", f"{TENANT}/workspaces/{{workspace}}/members/{{member}}/devops"): Aimed(WORKSPACE),
    ("POST", f"{TENANT}/workspaces/{{workspace}}/devops"): Aimed(WORKSPACE, {}),
    ("DELETE", f"{TENANT}/workspaces/{{workspace}}/devops/{{devops}}"): Aimed(WORKSPACE),
    ("GET", f"{TENANT}/logs"): Own(statuses=(503,)),
}


def test_every_route_has_a_case():
    assert set(CASES) == ROUTES


@pytest_asyncio.fixture(scope="module")
async def two(tenants, cluster, settle):
    """Erin's namespace `victims`, with objects that carry MARK, and mallory's, with none."""
    victims = await tenants.namespace("victims", tenants.name("demo-ws"), admin=["erin"])
    own = await tenants.namespace("own", tenants.name("other-ws"), admin=["mallory"])
    spec = {"containers": [{"name": "c", "image": "x"}], "automountServiceAccountToken": False}
    for namespace in (victims, own):
        account = {"metadata": {"name": "default", "namespace": namespace}}
        await cluster.apply(SERVICE_ACCOUNTS, account, field_manager="tests")
        name = MARK if namespace == victims else "mine"
        await cluster.create(CONFIG_MAPS, {"metadata": {"name": name}, "data": {"a": "1"}}, namespace)
        await cluster.create(SECRETS, {"metadata": {"name": name}}, namespace)
        await cluster.create(PODS, {"metadata": {"name": name}, "spec": spec}, namespace)
    await settle(tenants)
    return tenants


def filled_in(text: str, tenants: Any, names: dict[str, str]) -> str:
    """`text` with its {names}, of which those of the tenancy stand for what it made."""

    def name(match: re.Match[str]) -> str:
        short = names.get(match[1], match[1])
        return tenants.name(short) if short in ("victims", "demo-ws", "erin", "other") else short

    return re.sub(r"\{(\w+)\}", name, text)


def asked(case: Aimed | Own, tenants: Any, path: str) -> tuple[str, Any]:
    names = case.names or {}
    body = json.loads(filled_in(json.dumps(case.body), tenants, names)) if case.body is not None else None
    return filled_in(path + case.query, tenants, names), body


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES), ids=str)
async def test_another_tenant_sees_names_and_counts_nothing(two, as_, method, path):
    """TENANT-1"""
    case = CASES[method, path]
    target, body = asked(case, two, path)
    answer = await as_(two, "mallory").request(method, target, body=body)
    missing = answer.status == 503 and NOT_CONFIGURED in answer.message
    assert answer.status in case.statuses or (missing and "devops" in path), answer.text
    hidden = [MARK, two.name("victims"), two.name("demo-ws")]
    if isinstance(case, Aimed) and "/users/" not in path:
        hidden.append(two.name("erin"))
    if isinstance(case, Aimed) and case.says:
        said = target + json.dumps(body)
        hidden = [each for each in hidden if each not in said]
    assert not [each for each in hidden if each in answer.text], answer.text
    if "total_count" in answer.text:
        items = answer.json["items"]
        assert answer.json["total_count"] == len(items)
        theirs = [json.dumps(item) for item in items]
        assert all(two.suffix in item for item in theirs), theirs


@pytest.mark.parametrize(
    ("method", "path"),
    sorted(route for route, case in CASES.items() if isinstance(case, Aimed) and route[0] == "GET"),
    ids=str,
)
async def test_what_is_refused_sounds_the_same_for_what_is_not_there(two, as_, method, path):
    """TENANT-1"""
    case = CASES[method, path]
    target, body = asked(case, two, path)
    mallory = as_(two, "mallory")
    there = await mallory.request(method, target, body=body)
    message = there.message
    for name in (two.name("victims"), two.name("demo-ws"), MARK):
        target, message = (text.replace(name, f"no-{len(name)}") for text in (target, message))
    absent = await mallory.request(method, target, body=body)
    assert (there.status, message) == (absent.status, absent.message)


async def test_a_dry_run_of_what_is_another_tenants_is_refused(two, as_):
    target, body = asked(CASES["POST", f"{RESOURCES}/dryrun"], two, f"{RESOURCES}/dryrun")
    answer = await as_(two, "mallory").request("POST", target, body=body)
    (item,) = answer.json["items"]
    assert item["error"]["reason"] == "Forbidden"
    assert "diff" not in item


async def test_a_dry_run_sounds_the_same_for_what_is_not_there(two, as_):
    """TENANT-1"""
    mallory = as_(two, "mallory")

    async def told(name: str) -> str:
        manifest = {**MANIFEST, "metadata": {"name": name, "namespace": two.name("victims")}}
        answer = await mallory.request("POST", f"{RESOURCES}/dryrun", body=manifest)
        (item,) = answer.json["items"]
        assert item["error"]["reason"] == "Forbidden"
        return json.dumps(item).replace(name, "it")

    assert await told(MARK) == await told("nosuch")


async def test_a_watch_tells_nothing_of_another_tenant(two, apiserver: RunningService, as_):
    mallory = as_(two, "mallory")
    pages = {"of-all": "", "of-the-other": two.name("victims"), "of-nobody": "nosuch", "own": two.name("own")}
    async with (
        aiohttp.ClientSession(headers=mallory.signed_headers()) as session,
        session.ws_connect(f"{apiserver.url}{RESOURCES}/watch") as socket,
    ):
        for name, namespace in pages.items():
            await socket.send_json(
                {"id": name, "resource": "pods", "namespace": namespace, "query": "paging=limit=10,page=1"}
            )
        told = dict[str, Any]()
        async with asyncio.timeout(60):
            while told.keys() != pages.keys():
                message = json.loads(await socket.receive_str())
                told[message["id"]] = message
    refusals = [told[name]["error"] for name in ("of-all", "of-the-other", "of-nobody")]
    assert {refusal["status"] for refusal in refusals} == {403}
    assert refusals[1] == refusals[2]
    assert told["own"]["total_count"] == 1
    assert MARK not in json.dumps(told)


async def test_who_may_finds_what_was_hidden(two, as_):
    """Or else the test above would hold for a service that finds nothing at all."""
    erin = as_(two, "erin")

    async def found() -> None:
        answer = await erin.get(f"{RESOURCES}/search?q={MARK}")
        kinds = {item["resource"] for item in answer.json["items"]}
        assert kinds == {"configmaps", "pods"}

    await eventually(found, timeout=60)
