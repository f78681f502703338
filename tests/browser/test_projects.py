"""What people do in a project, on a node where its pods run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from harness.platform import IAM, Client
from harness.projects import Project
from harness.visitors import PASSWORD, WAIT_MS, Person, Visit
from harness.waiting import eventually

MANIFEST = """
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: keeper
spec:
  serviceName: keeper
  selector: {{matchLabels: {{app: keeper}}}}
  template:
    metadata: {{labels: {{app: keeper}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: keeper
          image: {image}
          imagePullPolicy: IfNotPresent
          command: [sh, -c, "echo as written; sleep 3600"]
"""
NewPerson = Callable[..., Awaitable[Person]]


async def test_a_deployment_is_made_by_the_form_and_its_log_and_terminal_are_live(project: Project) -> None:
    maker = project.maker
    await project.deploy("web")
    await maker.see_text("Running")
    await maker.click("tab", "Pods")
    await maker.click("link", "web-", exact=False)
    await maker.see("heading", "web-", exact=False)

    await maker.click("tab", "Logs")
    log = maker.page.get_by_role("log")
    await expect(log).to_contain_text("Load average", timeout=WAIT_MS)
    await maker.page.get_by_label("Find in the log").fill("average")
    await expect(log.locator("mark").first).to_have_text("average", timeout=WAIT_MS)

    await maker.click("tab", "Terminal")
    shell = maker.page.locator(".ks-terminal-host")
    await expect(shell).to_contain_text("#", timeout=WAIT_MS)
    await shell.click()
    await maker.page.keyboard.type("echo wor''king\n")
    await expect(shell).to_contain_text("working", timeout=WAIT_MS)
    assert await maker.violations() == []


async def test_a_workload_written_as_yaml_runs(project: Project) -> None:
    await project.open("create/statefulsets")
    await project.write("The same as YAML", MANIFEST.format(image=project.image))
    await project.create("keeper")
    await project.maker.see_text("Running")
    await project.maker.click("tab", "Pods")
    await project.maker.click("link", "keeper-0")
    await project.maker.click("tab", "Logs")
    await expect(project.maker.page.get_by_role("log")).to_contain_text("as written", timeout=WAIT_MS)


async def test_what_the_cluster_does_shows_without_a_reload(project: Project, root: Client) -> None:
    maker = project.maker
    await project.deploy("web")
    await project.act("web", "Scale")
    await maker.page.get_by_role("dialog").get_by_label("Replicas").fill("2")
    await maker.click("button", "Scale")
    await maker.click("tab", "Pods")
    rows = maker.page.get_by_role("row").filter(has_text="Running")
    await expect(rows).to_have_count(2, timeout=WAIT_MS)
    path = f"/apis/apps/v1/namespaces/{project.name}/deployments/web"
    assert (await root.delete(path)).status == 200
    await expect(rows).to_have_count(0, timeout=WAIT_MS)


async def test_yaml_is_tried_and_compared_before_it_is_saved(project: Project, root: Client) -> None:
    maker = project.maker
    path = f"/api/v1/namespaces/{project.name}/configmaps"
    made = await root.post(path, {"metadata": {"name": "settings"}, "data": {"colour": "red"}})
    assert made.status == 201, made.text
    await project.open("config/configmaps/settings?tab=yaml")
    await maker.click("button", "Edit")
    editor = maker.page.get_by_label("settings as YAML")
    text = await editor.inner_text()
    for wrong, sent in ((False, text.replace("red", "blue")), (True, text.replace("red", "[1]"))):
        await editor.click()
        await maker.page.keyboard.press("Control+a")
        await maker.page.keyboard.insert_text(sent)
        await maker.click("button", "Review changes")
        if wrong:
            await maker.see_text("The server refuses this", exact=False)
            continue
        dialog = maker.page.get_by_role("dialog")
        await expect(dialog).to_contain_text("blue", timeout=WAIT_MS)
        await dialog.get_by_role("button", name="Save").click()
        await expect(dialog).to_have_count(0, timeout=WAIT_MS)
        await maker.click("button", "Edit")
    assert (await root.get(f"{path}/settings")).json["data"] == {"colour": "blue"}


async def test_why_a_pod_does_not_run_is_told(project: Project) -> None:
    await project.deploy("broken", Image="registry.example/none:1")
    await project.maker.see_text("cannot be had", exact=False)
    assert await project.maker.violations() == []


async def test_who_may_only_look_is_refused_and_reads_why(
    project: Project, visit: Visit, root: Client, new_person: NewPerson, workspace: str, unique: str
) -> None:
    await project.deploy("web")
    person = await new_person(f"looker-{unique}")
    members = f"{IAM}/workspaces/{workspace}/members"
    body = {"username": person.name, "workspace_role": "workspace-viewer"}
    assert (await root.post(members, body)).status == 200

    looker = await visit()
    await looker.sign_in(person.name, PASSWORD)

    async def let_in() -> None:
        await looker.go(f"{project.base}/workloads/deployments/web")
        await looker.page.get_by_role("heading", name="web", exact=True).wait_for(timeout=5000)

    await eventually(let_in, timeout=90)
    await looker.see_text("You may not change or delete here", exact=False)
    await looker.click("button", "Why?")
    dialog = looker.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("patch deployments.apps", timeout=WAIT_MS)
    await expect(dialog).to_contain_text("Who can grant it", timeout=WAIT_MS)
    assert await looker.violations() == []
    await dialog.get_by_role("button", name="Close").first.click()
    assert await looker.page.get_by_role("button", name="Actions for web").count() == 0
    assert await looker.violations() == []
