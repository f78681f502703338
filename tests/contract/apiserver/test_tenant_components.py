"""DevOps projects and logs of tenants while their components are not configured, as v2.1.1 was asked."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.kubernetes

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2"
DATA = Path(__file__).with_name("data")
RECORDED = [json.loads(line) for line in (DATA / "recorded-components.jsonl").read_text().splitlines()]


IDS = [f"{record['user']} {record['method']} {record['path']}" for record in RECORDED]


@pytest.mark.parametrize("record", RECORDED, ids=IDS)
async def test_what_needs_a_component_that_is_not_configured_names_it(demo, as_, record):
    """TENANT-9"""
    path = TENANT + record["path"]
    for name in ("demo-ws", "alice"):
        path = path.replace(name, demo.name(name))
    answer = await as_(demo, record["user"]).request(record["method"], path, body=record["request_body"])
    if record["response"]["status"] == 200:
        assert (answer.status, answer.json) == (200, record["response"]["body"])
        return
    assert answer.status == 503, answer.text
    component = "logging" if path.endswith("/logs") else "devops"
    assert answer.message == f"{component} is not available: it is not configured"
    if "Code" in record["response"]["body"]:
        assert (answer.json["Code"], answer.json["Message"]) == (503, answer.message)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/devops"),
        ("POST", "/devops"),
        ("DELETE", "/devops/x"),
        ("GET", "/members/alice/devops"),
    ],
)
async def test_a_stranger_does_not_learn_of_a_workspace_from_its_devops_projects(demo, as_, method, path):
    """TENANT-1"""
    for workspace in (demo.name("demo-ws"), "nosuch"):
        answer = await as_(demo, "bob").request(method, f"{TENANT}/workspaces/{workspace}{path}", body={})
        assert answer.status == 403
        assert workspace not in answer.text


async def test_a_viewer_of_a_workspace_creates_no_devops_project(demo, as_):
    """TENANT-1"""
    path = f"{TENANT}/workspaces/{demo.name('demo-ws')}/devops"
    assert (await as_(demo, "dave").post(path, {"name": "p"})).status == 403
