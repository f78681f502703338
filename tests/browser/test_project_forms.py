"""Everything that a project holds, made with the console: by form, by YAML, and by both at once."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import expect

from harness.projects import TAKEN, Project
from harness.visitors import WAIT_MS

YAML = "The same as YAML"


@dataclass(frozen=True)
class Made:
    """What is typed into a form, where its list is, and what the API server then has."""

    kind: str
    place: str
    types: dict[str, str]
    chooses: dict[str, str] = field(default_factory=dict)
    entries: tuple[str, ...] = ()
    """The key of a pair and its value, one after the other, as their labels say."""
    group: str = "v1"
    holds: dict[str, Any] = field(default_factory=dict)
    """Paths with dots, and what is there."""


MADE = [
    Made(
        "statefulsets",
        "workloads/statefulsets",
        {"Image": "example.org/db:1", "Replicas": "2", "Port": "5432"},
        group="apps/v1",
        holds={"spec.replicas": 2, "spec.template.spec.containers.0.image": "example.org/db:1"},
    ),
    Made(
        "daemonsets",
        "workloads/daemonsets",
        {"Image": "example.org/agent:1", "Memory at most": "64Mi"},
        group="apps/v1",
        holds={"spec.template.spec.containers.0.resources.limits.memory": "64Mi"},
    ),
    Made(
        "jobs",
        "workloads/jobs",
        {"Image": "example.org/job:1", "Arguments": "run --once"},
        group="batch/v1",
        holds={"spec.template.spec.containers.0.args": ["run", "--once"]},
    ),
    Made(
        "cronjobs",
        "workloads/cronjobs",
        {"Image": "example.org/job:1", "Schedule": "30 2 * * 1"},
        group="batch/v1",
        holds={"spec.schedule": "30 2 * * 1"},
    ),
    Made(
        "services",
        "services",
        {"Port of the service": "8080", "Port of the pods": "9090"},
        {"Type": "NodePort"},
        entries=("Label 1", "app", "Value 1", "web"),
        holds={
            "spec.type": "NodePort",
            "spec.selector.app": "web",
            "spec.ports.0.port": 8080,
            "spec.ports.0.targetPort": 9090,
        },
    ),
    Made(
        "persistentvolumeclaims",
        "volumes",
        {"Size": "2Gi"},
        {"Access": "ReadWriteMany"},
        holds={"spec.resources.requests.storage": "2Gi", "spec.accessModes": ["ReadWriteMany"]},
    ),
    Made(
        "configmaps",
        "config/configmaps",
        {},
        entries=("Key 1", "colour", "Value 1", "blue"),
        holds={"data": {"colour": "blue"}},
    ),
    Made(
        "secrets",
        "config/secrets",
        {},
        entries=("Key 1", "token", "Value 1", "s3cret"),
        holds={"type": "Opaque", "data": {"token": base64.b64encode(b"s3cret").decode()}},
    ),
]


def at(found: Any, path: str) -> Any:
    """What is at a path with dots."""
    for part in path.split("."):
        found = found[int(part) if part.isdigit() else part]
    return found


@pytest.mark.parametrize("made", MADE, ids=lambda made: made.kind)
async def test_every_kind_is_made_by_its_form(project: Project, made: Made) -> None:
    page = project.maker.page
    await project.open(f"create/{made.kind}")
    await project.maker.fill("Name", "mine")
    for label, text in made.types.items():
        await project.maker.fill(label, text)
    for label, option in made.chooses.items():
        await page.get_by_label(label, exact=True).select_option(option, timeout=WAIT_MS)
    for label, text in zip(made.entries[::2], made.entries[1::2], strict=True):
        await page.get_by_label(label, exact=True).fill(text, timeout=WAIT_MS)
    assert await project.maker.violations() == []
    await project.create("mine")
    stored = await project.stored(made.kind, "mine", made.group)
    assert {path: at(stored, path) for path in made.holds} == made.holds, json.dumps(stored)
    assert await project.maker.violations() == []

    await project.open(made.place)
    await project.maker.see("link", "mine")
    assert await project.maker.violations() == []


async def test_a_route_leads_to_a_service_of_the_project(project: Project) -> None:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 8080}]}
    await project.put("services", {"metadata": {"name": "web"}, "spec": spec}, "v1")
    page = project.maker.page
    await project.open("create/ingresses")
    await project.maker.fill("Name", "mine")
    await project.maker.fill("Host", "web.example.org")
    choice = page.get_by_label("Service", exact=True)
    await expect(choice.get_by_role("option", name="web", exact=True)).to_have_count(1, timeout=WAIT_MS)
    await choice.select_option("web")
    await expect(page.get_by_label("Port of the service")).to_have_value("8080")
    assert await project.maker.violations() == []
    await project.create("mine")
    rule = (await project.stored("ingresses", "mine", "networking.k8s.io/v1"))["spec"]["rules"][0]
    assert (rule["host"], rule["http"]["paths"][0]["backend"]) == (
        "web.example.org",
        {"service": {"name": "web", "port": {"number": 8080}}},
    )
    await project.maker.click("link", "web:8080")
    await project.maker.see("heading", "web")


async def test_a_service_account_is_written_as_yaml(project: Project) -> None:
    await project.open("create/serviceaccounts")
    await project.write(
        YAML,
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: robot\nimagePullSecrets:\n- name: pull\n",
    )
    await project.create("robot")
    assert (await project.stored("serviceaccounts", "robot", "v1"))["imagePullSecrets"] == [{"name": "pull"}]
    await project.open("config/serviceaccounts")
    await project.maker.see("link", "robot")
    assert await project.maker.violations() == []


async def test_the_form_follows_the_yaml_and_the_yaml_the_form_and_no_comment_is_lost(
    project: Project,
) -> None:
    page = project.maker.page
    await project.open("create/deployments")
    await project.maker.fill("Name", "web")
    editor = page.get_by_label(YAML, exact=True)
    await expect(editor).to_contain_text("name: web", timeout=WAIT_MS)
    text = (await editor.inner_text()).replace("replicas: 1", "replicas: 3 # as many as there are zones")
    await project.write(YAML, text)
    await expect(page.get_by_label("Replicas", exact=True)).to_have_value("3", timeout=WAIT_MS)
    await page.get_by_label("Replicas", exact=True).fill("4")
    await expect(editor).to_contain_text("replicas: 4 # as many as there are zones", timeout=WAIT_MS)
    await project.write(YAML, "kind: [")
    await project.maker.see_text("mend it there to go on with the form", exact=False)
    await project.write(YAML, text)
    await expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("web", timeout=WAIT_MS)


async def test_what_is_wrong_is_said_before_anything_is_made(project: Project) -> None:
    page = project.maker.page
    await project.open("create/deployments")
    await project.maker.fill("Name", "Not a name")
    await project.maker.see_text("Only small letters, digits and hyphens", exact=False)
    await project.maker.fill("CPU at most", "much")
    await project.maker.see_text("An amount is a number and a unit", exact=False)
    await project.maker.fill("CPU at most", "")
    await project.maker.fill("Image", "example.org/web:1")
    await project.maker.click("button", "Review")
    await project.maker.see_text("The server refuses this", exact=False)
    await project.maker.see_text("metadata.name", exact=False)
    # The form goes on from there,
    await project.maker.fill("Name", "web")
    await expect(page.get_by_text("The server refuses this", exact=False)).to_have_count(0)
    await project.maker.click("button", "Review")
    await project.maker.see_text(TAKEN, exact=False)
    # and what happens between the trial and the making is told as well.
    gone = await project.client.delete(f"/apis/apps/v1/namespaces/{project.name}/deployments/web")
    assert gone.status == 404
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"count/deployments.apps": "0"}}}
    await project.put("resourcequotas", quota, "v1")
    await page.wait_for_timeout(1000)
    await project.maker.click("button", "Create")
    await project.maker.see_text("It was not created", exact=False)
    await project.maker.see_text("exceeded quota", exact=False)
    await expect(page.get_by_role("textbox", name="Name", exact=True)).to_have_value("web")


async def test_one_review_makes_a_workload_and_its_service(project: Project) -> None:
    page = project.maker.page
    await project.open("create/deployments")
    await project.maker.fill("Name", "web")
    await project.maker.fill("Image", "example.org/web:1")
    await page.get_by_label("Port", exact=True).fill("8080", timeout=WAIT_MS)
    await page.get_by_label("Make a service for it").check()
    await project.maker.click("button", "Add")
    await page.get_by_label("Name 1", exact=True).fill("COLOUR")
    await page.get_by_label("Value 1", exact=True).fill("red")
    await project.create("web")
    service = await project.stored("services", "web", "v1")
    assert (service["spec"]["selector"], service["spec"]["ports"][0]["targetPort"]) == ({"app": "web"}, 8080)
    await project.maker.click("tab", "Environment")
    await project.maker.see_text("COLOUR")
    await project.maker.see_text("red")
