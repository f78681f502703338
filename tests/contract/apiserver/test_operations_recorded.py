"""The answers that v2.1.1 gave about single objects, and to who does something with them, asked again.

Where the answer is meant to differ, the difference has an identifier, which docs/compatibility explains.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.resource import CONFIG_MAPS, JOBS, NAMESPACES, SECRETS, STORAGE_CLASSES

pytestmark = pytest.mark.kubernetes

RECORDED: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__)
    .with_name("data")
    .joinpath("recorded-operations.jsonl")
    .read_text()
    .splitlines()
]
CONTROLS = "kubesphere-controls-system"


class Difference(NamedTuple):
    """An accepted one, by its identifier, and the status that is answered instead."""

    id: str
    status: int


ACCEPTED = {
    "admin GET /users/alice/kubeconfig?": Difference("USERS-1", 403),
    "bob GET /registry/blob?image=127.0.0.1:1/x&namespace=demo-ns1&secret=s1": Difference("EGRESS-2", 403),
    "admin PATCH /storageclasses/nosuch?": Difference("STORAGE-1", 404),
    "admin POST /namespaces/demo-ns1/jobs/job1?action=rerun": Difference("OPERATIONS-1", 409),
    "admin POST /namespaces/demo-ns1/jobs/nosuch?action=rerun&resourceVersion=1": Difference(
        "OPERATIONS-1", 404
    ),
    "admin POST /nodes/nosuch/drainage?": Difference("OPERATIONS-1", 404),
}


def called(record: dict[str, Any]) -> str:
    """Who asked what, without the API group and version."""
    rest = record["path"].split("/", 3)[3]
    return f"{record['user']} {record['method']} /{rest}?{record['query']}"


@pytest.fixture(scope="module")
async def objects(cluster, demo):
    """What the requests are about: two jobs, a storage class, a secret that is no registry's."""
    namespace = demo.name("demo-ns1")
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]}}
    for name in ("job1", "job2"):
        await cluster.create(
            JOBS, {"metadata": {"name": name}, "spec": {"template": template, "suspend": True}}, namespace
        )
    await cluster.create(SECRETS, {"metadata": {"name": "s1"}, "type": "Opaque"}, namespace)
    slow = demo.remove_later(STORAGE_CLASSES, demo.name("slow"))
    await cluster.create(STORAGE_CLASSES, {"metadata": {"name": slow}, "provisioner": "example.org/none"})
    await cluster.apply(NAMESPACES, {"metadata": {"name": CONTROLS}}, field_manager="tests")
    admin = demo.name("admin")
    config = {"config": yaml.safe_dump(kubeconfig(admin))}
    stored = {"metadata": {"name": f"kubeconfig-{admin}"}, "data": config}
    await cluster.create(CONFIG_MAPS, stored, CONTROLS)
    yield namespace
    await cluster.delete(CONFIG_MAPS, stored["metadata"]["name"], CONTROLS)


def kubeconfig(user: str) -> dict[str, Any]:
    """The one that v2.1.1 wrote for admin, for another user."""
    (recorded,) = [each["answer"] for each in RECORDED if isinstance(each["answer"], str)][:1]
    return yaml.safe_load(recorded.replace("admin", user))


async def asked(record: dict[str, Any], client: SignedClient, namespace: str, demo: Any) -> Any:
    """Asks again, of the objects that are here."""
    path = record["path"].replace("demo-ns1", namespace).replace("/slow", f"/{demo.name('slow')}")
    for person in ("admin", "alice", "bob"):
        path = path.replace(f"/users/{person}/", f"/users/{demo.name(person)}/")
    query = record["query"].replace("demo-ns1", namespace)
    return await client.request(record["method"], f"/kapis{path}?{query}", body=record["body"])


async def with_version(record: dict[str, Any], cluster: Any, namespace: str) -> dict[str, Any]:
    """The record with the resourceVersion that its job has here, where it succeeded with the one of there."""
    if record["status"] != 200 or "/jobs/" not in record["path"]:
        return record
    seen: list[str] = []

    async def still() -> str:
        seen.append((await cluster.get(JOBS, "job1", namespace))["metadata"]["resourceVersion"])
        assert len(seen) > 3
        assert len(set(seen[-3:])) == 1
        return seen[-1]

    version = await eventually(still, timeout=60, interval=0.2)
    return {**record, "query": f"action=rerun&resourceVersion={version}"}


@pytest.mark.parametrize("record", RECORDED, ids=called)
async def test_v2_1_1_is_answered_alike(record, cluster, demo, objects, as_, apiserver):
    accepted = ACCEPTED.get(called(record))
    wanted = await with_version(record, cluster, objects)
    nobody = SignedClient(apiserver.url, "another secret than the platform's, as of no gateway")
    client = as_(demo, record["user"]) if record["user"] else nobody.acting_as("nobody")
    answer = await asked(wanted, client, objects, demo)
    await nobody.close()
    assert answer.status == (accepted.status if accepted else record["status"]), answer.text
    if accepted or answer.status >= 400:
        return
    if isinstance(record["answer"], str):
        assert yaml.safe_load(answer.text) == kubeconfig(demo.name("admin"))
    else:
        assert answer.json == json.loads(json.dumps(record["answer"]).replace("demo-ns1", objects))


def test_every_accepted_difference_is_explained_and_met() -> None:
    explained = "".join(
        page.read_text() for page in (Path(__file__).parents[3] / "docs/compatibility").glob("*.md")
    )
    assert all(f"| {each.id} |" in explained for each in ACCEPTED.values())
    assert set(ACCEPTED) <= {called(each) for each in RECORDED}
