"""What is done with objects of a project that are there: scaled, paused, rolled back, masked, deleted."""

from __future__ import annotations

import base64
from typing import Any

from playwright.async_api import expect

from harness.projects import Project
from harness.visitors import WAIT_MS
from harness.waiting import eventually

SECRET = "correct horse battery staple"


def workload(name: str, image: str = "example.org/web:1", **spec: Any) -> dict[str, Any]:
    """A workload whose image is nowhere: what is seen here needs no pod that runs."""
    labels = {"app": name}
    pod = {"containers": [{"name": "web", "image": image}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return {
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def job(name: str, image: str = "example.org/job:1", **spec: Any) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "job", "image": image}]}
    return {"metadata": {"name": name}, "spec": {"template": {"spec": pod}, **spec}}


async def patched(
    project: Project, kind: str, name: str, body: dict[str, Any], group: str = "apps/v1"
) -> None:
    headers = {"Content-Type": "application/strategic-merge-patch+json"}
    path = project.path(kind, name, group)
    answer = await project.client.request("PATCH", path, json=body, headers=headers)
    assert answer.status == 200, answer.text


def image_of(image: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}}


async def test_a_refused_change_keeps_its_dialog_and_says_why(project: Project) -> None:
    await project.put("deployments", workload("web"))
    await project.open("workloads/deployments/web")
    await project.act("web", "Scale")
    dialog = await project.dialog()
    await dialog.get_by_label("Replicas").fill("5")
    policy = {
        "metadata": {"name": project.name},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": project.name}},
                "resourceRules": [
                    {
                        "apiGroups": ["apps"],
                        "apiVersions": ["v1"],
                        "operations": ["UPDATE"],
                        "resources": ["deployments/scale"],
                    }
                ],
            },
            "validations": [{"expression": "object.spec.replicas < 4", "message": "at most three here"}],
        },
    }
    admission = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
    assert (await project.client.post(f"{admission}ies", policy)).status == 201
    binding = {
        "metadata": {"name": project.name},
        "spec": {"policyName": project.name, "validationActions": ["Deny"]},
    }
    assert (await project.client.post(f"{admission}ybindings", binding)).status == 201
    try:

        async def refused() -> None:
            path = project.path("deployments", "web/scale") + "?dryRun=All"
            headers = {"Content-Type": "application/merge-patch+json"}
            tried = {"spec": {"replicas": 5}}
            answer = await project.client.request("PATCH", path, json=tried, headers=headers)
            assert answer.status == 422, answer.text

        await eventually(refused, timeout=60)
        await dialog.get_by_role("button", name="Scale").click()
        await expect(dialog).to_contain_text("at most three here", timeout=WAIT_MS)
        await expect(dialog.get_by_label("Replicas")).to_have_value("5")
        await dialog.get_by_label("Replicas").fill("3")
        await dialog.get_by_role("button", name="Scale").click()
        await project.no_dialog()
    finally:
        await project.client.delete(f"{admission}ybindings/{project.name}")
        await project.client.delete(f"{admission}ies/{project.name}")
    assert (await project.stored("deployments", "web"))["spec"]["replicas"] == 3


async def test_updates_are_paused_resumed_and_restarted(project: Project) -> None:
    await project.put("deployments", workload("web"))
    await project.open("workloads/deployments/web")
    await project.act("web", "Pause updates")
    await project.maker.see_text("Paused")
    assert (await project.stored("deployments", "web"))["spec"]["paused"] is True
    await project.act("web", "Resume updates")
    await expect(project.maker.page.get_by_text("Paused", exact=True)).to_have_count(0, timeout=WAIT_MS)
    await project.act("web", "Restart")
    await project.maker.see_text("its pods start anew", exact=False)
    template = (await project.stored("deployments", "web"))["spec"]["template"]
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]


async def test_a_deployment_goes_back_to_a_revision_that_was_compared(project: Project) -> None:
    await project.put("deployments", workload("web", "example.org/web:1"))
    await project.open("workloads/deployments/web?tab=revisions")
    await project.maker.see_text("example.org/web:1")
    await patched(project, "deployments", "web", image_of("example.org/web:2"))
    await project.maker.see_text("example.org/web:2")
    await project.maker.click("button", "Compare with revision 1 and roll back")
    dialog = await project.dialog()
    await expect(dialog).to_contain_text("image: example.org/web:1", timeout=WAIT_MS)
    await expect(dialog).to_contain_text("image: example.org/web:2")
    assert await project.maker.violations() == []
    await dialog.get_by_role("button", name="Roll back to 1").click()
    await project.no_dialog()
    row = project.maker.page.get_by_role("row").filter(has_text="Current")
    await expect(row).to_contain_text("example.org/web:1", timeout=WAIT_MS)
    containers = (await project.stored("deployments", "web"))["spec"]["template"]["spec"]["containers"]
    assert [each["image"] for each in containers] == ["example.org/web:1"]


async def test_a_stateful_set_goes_back_too(project: Project) -> None:
    await project.put("statefulsets", workload("db", "example.org/db:1", serviceName="db"))
    await project.open("workloads/statefulsets/db?tab=revisions")
    await project.maker.see_text("example.org/db:1")
    await patched(project, "statefulsets", "db", image_of("example.org/db:2"))
    await project.maker.see_text("example.org/db:2")
    await project.maker.click("button", "Compare with revision 1 and roll back")
    await (await project.dialog()).get_by_role("button", name="Roll back to 1").click()
    await project.no_dialog()
    containers = (await project.stored("statefulsets", "db"))["spec"]["template"]["spec"]["containers"]
    assert [each["image"] for each in containers] == ["example.org/db:1"]


async def test_a_cron_job_is_suspended_and_a_job_runs_again(project: Project) -> None:
    nightly = {"schedule": "0 4 * * *", "jobTemplate": {"spec": job("")["spec"]}}
    await project.put("cronjobs", {"metadata": {"name": "nightly"}, "spec": nightly}, "batch/v1")
    await project.open("workloads/cronjobs/nightly")
    await project.act("nightly", "Suspend")
    await project.maker.see_text("Paused")
    assert (await project.stored("cronjobs", "nightly", "batch/v1"))["spec"]["suspend"] is True
    await project.act("nightly", "Resume")
    await expect(project.maker.page.get_by_text("Paused", exact=True)).to_have_count(0, timeout=WAIT_MS)

    await project.put("jobs", job("once"), "batch/v1")
    before = (await project.stored("jobs", "once", "batch/v1"))["metadata"]["uid"]
    await project.open("workloads/jobs/once")
    await project.act("once", "Run again")

    async def another() -> None:
        assert (await project.stored("jobs", "once", "batch/v1"))["metadata"]["uid"] != before

    await eventually(another, timeout=60)
    await project.maker.see("heading", "once")


async def test_a_secret_is_masked_until_it_is_asked_for_and_an_entry_is_changed(project: Project) -> None:
    page = project.maker.page
    kept = {"password": base64.b64encode(SECRET.encode()).decode()}
    await project.put("secrets", {"metadata": {"name": "login"}, "data": kept}, "v1")
    await project.open("config/secrets/login")
    await project.maker.click("tab", "Data")
    await project.maker.see_text("password")
    for place in ("Data", "YAML"):
        await project.maker.click("tab", place)
        await expect(page.locator("main")).not_to_contain_text(SECRET)
        await expect(page.locator("main")).not_to_contain_text(kept["password"])
    await project.maker.click("tab", "Data")
    await project.maker.click("button", "Show: password")
    await project.maker.see_text(SECRET)
    await project.maker.click("button", "Edit: password")
    await page.get_by_label("password", exact=True).fill("changed")
    await project.maker.click("button", "Save")
    await project.maker.see_text("changed")
    stored = (await project.stored("secrets", "login", "v1"))["data"]["password"]
    assert base64.b64decode(stored) == b"changed"
    assert await project.maker.violations() == []


async def test_deleting_tells_what_goes_along_and_what_is_left_without(project: Project) -> None:
    page = project.maker.page
    web = workload("web")
    web["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "settings"}}]
    await project.put("configmaps", {"metadata": {"name": "settings"}, "data": {"a": "1"}}, "v1")
    await project.put("deployments", web)

    async def pod_is_there() -> None:
        pods = (await project.client.get(project.path("pods", group="v1"))).json["items"]
        assert len(pods) == 1

    await eventually(pod_is_there, timeout=60)
    await project.open("config/configmaps/settings")
    await project.act("settings", "Delete")
    dialog = await project.dialog()
    await expect(dialog).to_contain_text("Pod web-", timeout=WAIT_MS)
    await expect(dialog.get_by_role("button", name="Delete", exact=True)).to_be_disabled()
    await dialog.get_by_role("button", name="Cancel").click()

    await project.open("workloads/deployments/web")
    await project.act("web", "Delete")
    dialog = await project.dialog()
    await expect(dialog).to_contain_text("Pod web-", timeout=WAIT_MS)
    await dialog.get_by_role("button", name="Try without effect").click()
    await expect(dialog).to_contain_text("nothing was deleted", timeout=WAIT_MS)
    assert await project.maker.violations() == []
    await project.stored("deployments", "web")
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await project.no_dialog()
    await project.maker.see("heading", "Deployments", exact=False)
    await expect(page.get_by_role("link", name="web", exact=True)).to_have_count(0, timeout=WAIT_MS)
    assert (await project.client.get(project.path("deployments", "web"))).status == 404


async def choose(project: Project, *names: str) -> None:
    for name in names:
        box = project.maker.page.get_by_role("checkbox", name=f"Select {name}", exact=True)
        await box.click(timeout=WAIT_MS)
        await expect(box).to_be_checked(timeout=WAIT_MS)


async def test_many_are_restarted_and_deleted_at_once_and_what_stays_is_named(project: Project) -> None:
    page = project.maker.page
    for name in ("one", "two", "three"):
        await project.put("deployments", workload(name, replicas=0))
    await project.open("workloads/deployments")
    await project.maker.see("link", "three")
    await choose(project, "one", "two")
    await project.maker.click("button", "Restart")

    async def restarted() -> None:
        for name in ("one", "two"):
            template = (await project.stored("deployments", name))["spec"]["template"]
            assert "kubectl.kubernetes.io/restartedAt" in template["metadata"].get("annotations", {})

    await eventually(restarted, timeout=60)
    untouched = (await project.stored("deployments", "three"))["spec"]["template"]["metadata"]
    assert "annotations" not in untouched

    await choose(project, "one", "two")
    await project.maker.click("button", "Delete")
    dialog = await project.dialog()
    await expect(dialog).to_contain_text("2 objects", timeout=WAIT_MS)
    # Somebody else is faster with one of the two.
    assert (await project.client.delete(project.path("deployments", "two"))).status == 200
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await expect(dialog).to_contain_text("two was not deleted", timeout=WAIT_MS)
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("link", name="one", exact=True)).to_have_count(0, timeout=WAIT_MS)
    await expect(page.get_by_role("link", name="two", exact=True)).to_have_count(0, timeout=WAIT_MS)
    await project.maker.see("link", "three")
