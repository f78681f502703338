"""The answers that v2.1.1 gave, asked of this service again.

The same people ask the same things of the same workspaces and namespaces. Where the answer is meant to
differ, the difference has an identifier, which docs/compatibility/apiserver.md explains.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.signed import SignedClient
from harness.tenancy import Tenancy
from kubekit.resource import NAMESPACES

pytestmark = pytest.mark.kubernetes

As = Callable[[Tenancy, str], SignedClient]

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"
LINES = Path(__file__).with_name("recorded-tenant.jsonl").read_text().splitlines()
RECORDED = [json.loads(line) for line in LINES]
NAMES = [
    "demo-ws",
    "system-workspace",
    "demo-ns1",
    "demo-ns2",
    "orphan-ns",
    "bob-intruder",
    "victim",
    "noann",
]
MANAGERS = ("admin", "carol")
"""Who may read any workspace, also one that does not exist."""
NOT_COMPARED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "namespace_cpu_usage",
    "namespace_memory_usage_wo_cache",
    "namespace_pod_count",
)
"""Annotations that come from kubectl, and from a Prometheus that is not there."""


class Difference(NamedTuple):
    """An accepted one, by its identifier, and the status that is answered instead."""

    id: str
    status: int


STRANGERS = {
    ("bob", "/workspaces/demo-ws"),
    ("alice", "/workspaces/system-workspace"),
    ("erin", "/workspaces/system-workspace"),
    ("alice", "/workspaces/demo-ws/members/nosuch/namespaces"),
    ("bob", "/workspaces/demo-ws/members/nosuch/namespaces"),
}
"""Who was answered although nothing binds them to what they asked about."""

WRITES = {
    "create namespace without annotations: panic": Difference("COMMON-3", 200),
    "create namespace in a non-existing workspace": Difference("TENANT-3", 404),
    "invalid name": Difference("COMMON-3", 422),
    "SECURITY: bob (no member) creates a namespace in the workspace": Difference("TENANT-1", 403),
    "SECURITY: bob deletes another tenant's namespace": Difference("TENANT-1", 403),
}


def difference(record: dict[str, Any]) -> Difference | None:
    """The accepted difference that a record falls under."""
    user, path = record["user"], record["path"]
    if record["note"] in WRITES:
        return WRITES[record["note"]]
    if "limit%3D-1" in (record["query"] or ""):
        return Difference("TENANT-4", 200)
    if path == "/workspaces/nosuch/namespaces" and user in MANAGERS:
        return Difference("TENANT-3", 404)
    if path.endswith("/rules"):
        return None
    if (user, path) in STRANGERS or (path.startswith("/workspaces/nosuch") and user not in MANAGERS):
        return Difference("TENANT-1", 403)
    return None


async def check(record: dict[str, Any], made: Tenancy, as_: As) -> None:
    """Asks again what the record asked, and compares the answers."""
    query = here(record["query"] or "", made)
    if record["path"] == "/workspaces" and "conditions" not in query:
        # Others may use the cluster too: ask for the workspaces of the record only.
        query += f"&conditions=name%3D{made.name('demo-ws')}%7C{made.name('system-workspace')}"
    body = json.loads(here(json.dumps(record["request_body"]), made))
    path = f"{TENANT}{here(record['path'], made)}?{query}"
    answer = await as_(made, record["user"]).request(record["method"], path, body=body)
    accepted = difference(record)
    status = accepted.status if accepted else record["response"]["status"]
    assert answer.status == status, f"{accepted}: {answer.text}"
    if not accepted:
        ordered = "orderBy" in (record["query"] or "")
        check_body(there(answer.json, made), record["response"]["body"], ordered)


def here(text: str, made: Tenancy) -> str:
    """`text` of a record with the names that its objects have here."""
    for name in NAMES:
        text = text.replace(name, made.name(name))
    return text.replace("/members/alice/", f"/members/{made.name('alice')}/")


def there(value: Any, made: Tenancy) -> Any:
    """An answer with the names of the records."""
    return json.loads(json.dumps(value).replace(f"-{made.suffix}", ""))


def check_body(ours: Any, theirs: Any, ordered: bool) -> None:
    if isinstance(theirs, list):
        assert permissions(ours) == permissions(theirs)
    elif "items" in theirs:
        items = [item for item in ours["items"] if item["metadata"]["name"] in NAMES]
        names, recorded = ([item["metadata"]["name"] for item in part] for part in (items, theirs["items"]))
        assert names == recorded if ordered else sorted(names) == sorted(recorded)
        assert ours["total_count"] >= theirs["total_count"]
        by_name = {item["metadata"]["name"]: item for item in items}
        for item in theirs["items"]:
            check_object(by_name[item["metadata"]["name"]], item)
    elif "metadata" in theirs:
        check_object(ours, theirs)
    elif "ErrStatus" in theirs:
        assert theirs["ErrStatus"]["message"] == ours["message"]
    else:
        assert theirs["message"] in ours["message"]


def permissions(rules: Any) -> dict[str, set[str]]:
    return {rule["name"]: set(rule["actions"]) for rule in rules}


def check_object(ours: Any, theirs: Any) -> None:
    """Every value that v2.1.1 answered is there, but for those that change from time to time."""
    expected = {
        k: v for k, v in (theirs["metadata"].get("annotations") or {}).items() if k not in NOT_COMPARED
    }
    if theirs["metadata"]["name"] == "system-workspace":
        expected.pop("kubesphere.io/namespace-count", None)  # it counts the namespaces of the whole cluster
    assert expected.items() <= ours["metadata"]["annotations"].items()
    assert (theirs["metadata"].get("labels") or {}).items() <= ours["metadata"].get("labels", {}).items()
    assert theirs["spec"] == ours["spec"]
    assert theirs["status"].items() <= ours.get("status", {}).items()


@pytest.mark.parametrize(
    "record",
    [record for record in RECORDED if record["group"] == "tenant"],
    ids=lambda record: f"{record['user']} {record['path']}?{record['query'] or ''}",
)
async def test_reading_answers_as_v2_1_1_did(record, demo, as_):
    await check(record, demo, as_)


async def test_creating_and_deleting_namespaces_answers_as_v2_1_1_did(fresh, as_):
    records = [record for record in RECORDED if record["group"] == "flow"]
    assert len(records) == 11
    for record in records:
        if record["request_body"]:
            fresh.remove_later(NAMESPACES, here(record["request_body"]["metadata"]["name"], fresh))
        await check(record, fresh, as_)
