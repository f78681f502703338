"""The answers that v2.1.1 gave to searches, asked again of the objects that it had.

Where the answer is meant to differ, the difference has an identifier, which docs/compatibility/apiserver.md
explains.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from yarl import URL

from harness.recorded_cluster import RecordedCluster
from ks_apiserver.resources.abnormal import abnormal_workloads
from ks_apiserver.resources.access import Access
from ks_apiserver.resources.components import Components
from ks_apiserver.resources.discovery import Discovery
from ks_apiserver.resources.objects import Objects
from ks_apiserver.resources.quotas import Quotas
from ks_apiserver.resources.revisions import Revisions
from ks_apiserver.resources.search import Search
from kubekit.cluster import Cluster
from kubekit.rbac import RbacIndex
from servicekit.errors import ServiceError
from servicekit.identity import Identity
from servicekit.paging import parse_page_query

DATA = Path(__file__).with_name("data")
LINES = (DATA / "recorded-resources.jsonl").read_text().splitlines()
RECORDED: list[dict[str, Any]] = [json.loads(line) for line in LINES]
INJECTED = ("kubesphere.io/in-use", "kubesphere.io/pvc-count")


class Difference(NamedTuple):
    """An accepted one, by its identifier, with the status and the total that are answered instead."""

    id: str
    status: int = 200
    total: int | None = None


WORKLOADS: list[dict[str, Any]] = [
    json.loads(line) for line in (DATA / "recorded-workloads.jsonl").read_text().splitlines()
]


def difference(record: dict[str, Any]) -> Difference | None:
    """The accepted difference that a record falls under."""
    if record["status"] == 500:
        return Difference("RESOURCES-1", 404)
    return FOUND.get((record["path"], str(URL(f"?{record['query']}").query.get("conditions"))))


FOUND = {
    ("/namespaces/demo-ns1/deployments", "label~front"): Difference("RESOURCES-2", total=2),
    ("/namespaces/demo-ns1/deployments", "annotation~Alias"): Difference("RESOURCES-2", total=4),
    ("/namespaces/demo-ns1/deployments", "keyword=Alias"): Difference("RESOURCES-2", total=4),
}
"""Searches that found nothing in v2.1.1, whatever there was."""


class Answer(NamedTuple):
    status: int
    body: dict[str, Any]


@pytest.fixture(scope="module")
def recorded() -> RecordedCluster:
    objects = json.loads((DATA / "resources-v2.1.1.json").read_text())
    roles = objects["clusterroles"] + objects["authorizing"]
    return RecordedCluster({**objects, "clusterroles": roles})


class Service(NamedTuple):
    """What answers, on the recorded objects."""

    access: Access
    search: Search
    components: Components
    quotas: Quotas
    revisions: Revisions


@pytest.fixture(scope="module")
async def service(recorded: RecordedCluster) -> Service:
    cluster = cast("Cluster", recorded)
    rbac = RbacIndex(cluster)
    await rbac.open()
    access, objects = Access(rbac), Objects(cluster)
    search = Search(objects, access, Discovery(cluster))
    components, revisions = Components(objects, access), Revisions(objects, access)
    return Service(access, search, components, Quotas(objects, search, access), revisions)


@pytest.fixture(scope="module")
def search(service: Service) -> Search:
    return service.search


async def ask(search: Search, record: dict[str, Any]) -> Answer:
    resource = record["path"].rpartition("/")[2]
    within = re.fullmatch(r"/namespaces/([^/]+)/[^/]+", record["path"])
    caller = Identity(record["user"], (), "192.0.2.1")
    try:
        query = parse_page_query(URL(f"?{record['query']}", encoded=True).query)
        found = (await search.page(caller, resource, query, within[1] if within else None)).value
    except ServiceError as error:
        return Answer(error.status, {"message": str(error)})
    return Answer(200, {"total": found.total, "items": [json.loads(item) for item in found.items]})


@pytest.mark.parametrize(
    "record", RECORDED, ids=lambda record: f"{record['user']} {record['path']}?{record['query']}"
)
async def test_searches_answer_as_v2_1_1_did(record: dict[str, Any], search: Search) -> None:
    answer = await ask(search, record)
    accepted = difference(record)
    assert answer.status == (accepted.status if accepted else record["status"]), answer.body
    if answer.status != 200:
        assert answer.status == 403 or record["message"] in answer.body["message"]
    elif accepted:
        assert answer.body["total"] == accepted.total
    else:
        check_page(record, answer.body)


def check_page(record: dict[str, Any], body: dict[str, Any]) -> None:
    assert body["total"] == record["total"]
    keys = [(item["metadata"].get("namespace", ""), item["metadata"]["name"]) for item in body["items"]]
    names, expected = [name for _, name in keys], [name for _, name in record["items"]]
    if "lastScheduleTime" in record["query"]:  # none was scheduled yet, so any order was right
        names, expected = sorted(names), sorted(expected)
    assert names == expected
    if len(keys) == record["total"]:
        assert sorted(keys) == sorted((namespace, name) for namespace, name in record["items"])
    if "annotations" in record:
        annotations = [item["metadata"].get("annotations", {}) for item in body["items"]]
        injected = [{key: value for key, value in each.items() if key in INJECTED} for each in annotations]
        assert injected == record["annotations"]


async def ask_of_workloads(service: Service, caller: Identity, path: str) -> Any:
    match path.strip("/").split("/"):
        case ["components"]:
            return await service.components.all(caller)
        case ["components", name]:
            return await service.components.one(caller, name)
        case ["componenthealth"]:
            return await service.components.health(caller)
        case ["quotas"]:
            return await service.quotas.of_cluster(caller)
        case ["namespaces", namespace, "quotas"]:
            return await service.quotas.of_namespace(caller, namespace)
        case ["abnormalworkloads"]:
            return await abnormal_workloads(service.search, service.access, caller)
        case ["namespaces", namespace, "abnormalworkloads"]:
            return await abnormal_workloads(service.search, service.access, caller, namespace)
        case ["namespaces", namespace, "deployments", name, "revisions", revision]:
            return await service.revisions.of_deployment(caller, namespace, name, revision)
        case ["namespaces", namespace, resource, name, "revisions", revision]:
            return await service.revisions.of_controller(caller, resource, namespace, name, revision)
    raise AssertionError(path)


@pytest.mark.parametrize("record", WORKLOADS, ids=lambda record: f"{record['user']} {record['path']}")
async def test_workloads_and_quotas_answer_as_in_v2_1_1(record: dict[str, Any], service: Service) -> None:
    caller = Identity(record["user"], (), "192.0.2.1")
    accepted = difference({"query": "", **record})
    expected = accepted.status if accepted else record["status"]
    if expected == 200:
        answer = await ask_of_workloads(service, caller, record["path"])
        assert answer == answer | record["body"]
        return
    with pytest.raises(ServiceError) as refused:
        await ask_of_workloads(service, caller, record["path"])
    assert refused.value.status == expected
    assert expected == 403 or str(refused.value) == record["body"]["message"]
