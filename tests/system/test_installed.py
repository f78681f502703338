"""The platform as the installer brings it to a real node: every pod runs, and users can work with it.

One installation serves all tests, in their order: it is made of the manifests of before, used, changed,
broken and mended, upgraded under load, and taken away.
"""

import os
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import ClientSession

from harness import overview, policies
from harness.asking import load
from harness.installed import (
    CONSOLE_PORT,
    GATEWAY_PORT,
    GATEWAY_TLS_PORT,
    MONITORED,
    OPEN_REDIS,
    Installation,
    installation,
    missing,
)
from harness.platform import IAM, TENANT, WORKSPACES
from harness.site import KUBECTL_IMAGE, everything
from harness.waiting import eventually
from kubekit.errors import KubernetesError
from kubekit.resource import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    NODES,
    PODS,
    RESOURCE_QUOTAS,
    SERVICES,
    STORAGE_CLASSES,
)
from localkube.pki import Authority, Leaf

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

SYSTEM = "kubesphere-system"
MONITORING = "kubesphere-monitoring-system"
CONTROLS = "kubesphere-controls-system"
OTHER_CONSOLE_PORT = 30890
SERVICES_OF_OURS = ("ks-account", "ks-apigateway", "ks-apiserver", "ks-console")
KILLS = int(os.environ.get("KS_INSTALLER_KILLS", "10"))
"""How often the installer is killed before it is let finish."""
METERED = not missing("metrics_server")
WITH_MYSQL: dict[str, Any] = {"common": {"mysqlEnabled": True, "mysqlVolumeSize": "1Gi"}}
WITH_MORE: dict[str, Any] = {
    "common": {
        **WITH_MYSQL["common"],
        "minioEnabled": not missing("common", "minio"),
        "minioVolumeSize": "1Gi",
    },
    "metrics_server": {"enabled": METERED},
    "console": {"port": CONSOLE_PORT, "enableMultiLogin": True},
}


@pytest_asyncio.fixture(scope="module")
async def installed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """The minimal set, on a node of its own."""
    async with installation(tmp_path_factory.mktemp("installed")) as one:
        yield one


async def test_every_pod_of_the_minimal_set_is_ready(installed: Installation) -> None:
    status = await installed.installer("status")
    assert status.code == 0, status.out
    for namespace in (SYSTEM, MONITORING) if MONITORED else (SYSTEM,):
        pods = (await installed.cluster.list(PODS, namespace)).items
        assert pods
        for pod in pods:
            ready = {one["type"]: one["status"] for one in pod["status"]["conditions"]}["Ready"]
            assert ready == "True", pod["metadata"]["name"]


async def test_what_is_there_is_what_an_installation_of_v2_1_1_has(installed: Installation) -> None:
    async def complete() -> None:
        there = await everything(installed.cluster)
        assert overview.lacking(there) == []
        assert overview.beyond(there.keys() - installed.before.keys()) == []

    await eventually(complete, 90, 1)  # the pod with kubectl comes when ks-account has seen the administrator
    asked = ("get", "apiservices", "-o", "jsonpath={.items[*].spec.service.name}")
    assert await installed.site.kubectl(*asked) == "", "nobody but Kubernetes itself serves an API"


def small_deployment(name: str) -> dict[str, Any]:
    """One pod that sleeps, of the image that every local node has."""
    container = {
        "name": "c",
        "image": "localkube/busybox:1",
        "command": ["sleep", "600"],
        "imagePullPolicy": "IfNotPresent",
    }
    pod = {"containers": [container], "terminationGracePeriodSeconds": 0}
    template = {"metadata": {"labels": {"app": name}}, "spec": pod}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


async def test_a_workload_runs_in_a_project_of_a_workspace(installed: Installation) -> None:
    """Made through the gateway's NodePort, by the administrator, who had to choose a password first."""
    async with installed.admin() as admin:
        kind = {"apiVersion": "tenant.kubesphere.io/v1alpha1", "kind": "Workspace"}
        workspace = {**kind, "metadata": {"name": "demo"}, "spec": {"manager": "admin"}}
        made = await admin.post(WORKSPACES, workspace)
        assert made.status == 201, made.text

        async def project() -> None:
            body = {"metadata": {"name": "demo-project", "labels": {"kubesphere.io/workspace": "demo"}}}
            answer = await admin.post(f"{TENANT}/workspaces/demo/namespaces", body)
            assert answer.status in (200, 201), answer.text

        await eventually(project, 60, 1)
        place = "/apis/apps/v1/namespaces/demo-project/deployments"
        made = await admin.post(place, small_deployment("demo"))
        assert made.status == 201, made.text

        async def runs() -> None:
            answer = await admin.get(f"{place}/demo")
            assert answer.json["status"].get("availableReplicas") == 1, answer.text

        await eventually(runs, 90, 1)


async def test_the_pod_with_kubectl_reaches_the_cluster(installed: Installation) -> None:
    pods: dict[str, Any] = {}

    async def running() -> None:
        for pod in (await installed.cluster.list(PODS, CONTROLS)).items:
            if pod["metadata"]["name"].startswith("kubectl-admin"):
                pods[pod["metadata"]["name"]] = pod
        assert any(pod["status"].get("phase") == "Running" for pod in pods.values()), list(pods)

    await eventually(running, 90, 1)
    (name,) = pods
    assert pods[name]["spec"]["containers"][0]["image"] == KUBECTL_IMAGE
    asked = ("exec", name, "--", "kubectl", "get", "namespaces", "-o", "name")
    assert f"namespace/{SYSTEM}" in await installed.site.kubectl("-n", CONTROLS, *asked)


@pytest.mark.skipif(bool(policies.missing()), reason=policies.missing())
async def test_only_who_needs_a_service_reaches_it_where_policies_are_enforced(
    installed: Installation,
) -> None:
    people = (policies.A_STRANGER, "ks-console", "ks-apigateway", "ks-account")
    assert all(
        [await policies.reached(installed.site, who, name) for who in people for name in policies.BEHIND]
    )
    (node,) = (await installed.cluster.list(NODES)).items
    kubeconfig = installed.site.kubernetes.kubeconfig
    async with policies.enforced(kubeconfig, node["metadata"]["name"], installed.site.directory):

        async def shut_out() -> None:
            assert not await policies.reached(installed.site, policies.A_STRANGER, "ks-account")

        await eventually(shut_out, 60, 1)
        # A pod and itself are no network's business.
        asked = {who: policies.BEHIND.keys() - {who} for who in people}
        found = {
            who: {name for name in names if await policies.reached(installed.site, who, name)}
            for who, names in asked.items()
        }
        assert found == {
            policies.A_STRANGER: set(),
            "ks-console": set(),
            "ks-apigateway": {"ks-account", "ks-apiserver", "redis"},
            "ks-account": {"redis", "openldap"},
        }
        # Everything works as before: requests through the gateway, the console, and what the kubelet probes.
        async with installed.admin() as admin, ClientSession() as somebody:
            assert (await admin.get(f"{TENANT}/workspaces")).status == 200
            assert (await admin.get("/kapis/resources.kubesphere.io/v1alpha2/deployments")).status == 200
            console = f"http://{installed.address}:{CONSOLE_PORT}/login"
            async with somebody.get(console, headers={"Accept": "text/html"}) as page:
                assert page.status == 200
        for pod in (await installed.cluster.list(PODS, SYSTEM)).items:
            assert all(one["ready"] for one in pod["status"]["containerStatuses"]), pod["metadata"]["name"]
    assert await policies.reached(installed.site, policies.A_STRANGER, "ks-account")


async def test_kubectl_speaks_to_the_gateway_once_it_has_a_certificate(installed: Installation) -> None:
    """A value that is changed: gateway.tlsSecret. kubectl sends a token to nobody without TLS."""
    authority = Authority("authority", installed.site.directory / "tls")
    made = authority.issue(Leaf("gateway", addresses=(installed.address,), client=False), "gateway")
    files = ("--cert", str(made.certificate), "--key", str(made.key))
    await installed.site.kubectl("-n", SYSTEM, "create", "secret", "tls", "gateway-tls", *files)
    outcome = await installed.apply(
        gateway={"nodePort": GATEWAY_PORT, "tlsSecret": "gateway-tls", "tlsNodePort": GATEWAY_TLS_PORT}
    )
    assert outcome.code == 0, outcome.err
    at = (f"https://{installed.address}:{GATEWAY_TLS_PORT}", authority.files.certificate)
    async with installed.admin() as admin:
        listed = await installed.site.kubectl_through(
            *at, admin.token, "get", "deployments", "-A", "-o", "name"
        )
        assert "deployment.apps/demo" in listed.split()
        pod = ("-n", "demo-project", "deployment/demo", "--", "echo", "from the pod")
        assert "from the pod" in await installed.site.kubectl_through(*at, admin.token, "exec", *pod)
    with pytest.raises(AssertionError, match="must be logged in"):
        await installed.site.kubectl_through(*at, "no-token", "get", "pods")
    await installed.site.kubectl("-n", SYSTEM, "delete", "secret", "gateway-tls")
    outcome = await installed.apply()
    assert outcome.code == 0, outcome.err


async def test_an_image_that_does_not_come_is_named_and_what_ran_goes_on(installed: Installation) -> None:
    tag = ("ks-console, newTag: 0.1.0", "ks-console, newTag: 9.9.9")
    broken = installed.sources("broken", {"k8s/base/services/kustomization.yaml": tag})
    alone = ("--only", "console", "--timeout", "10")
    outcome = await installed.site.installer("apply", "--config", installed.config(), *alone, sources=broken)
    assert outcome.code == 5
    assert f"console is not ready: Deployment {SYSTEM}/ks-console: pod ks-console-" in outcome.err
    assert "Pull" in outcome.err
    assert "ks-console:9.9.9" in outcome.err
    async with installed.admin() as admin, ClientSession() as stranger:
        assert (await admin.get(f"{TENANT}/workspaces")).status == 200
        async with stranger.get(f"http://{installed.address}:{CONSOLE_PORT}/healthz") as answer:
            assert answer.status == 200
    assert (await installed.apply("--only", "console")).code == 0


async def test_a_cluster_without_a_storage_class_is_told_so(installed: Installation) -> None:
    outcome = await installed.apply(persistence={"storageClass": "none-such"})
    assert outcome.code == 6
    assert "storage class: persistence.storageClass: 'none-such' is not there; there are: " in outcome.err
    (standard,) = (await installed.cluster.list(STORAGE_CLASSES)).items
    default = "storageclass.kubernetes.io/is-default-class"
    await installed.site.kubectl(
        "annotate", "storageclass", standard["metadata"]["name"], f"{default}-", "--overwrite"
    )
    try:
        outcome = await installed.apply(**WITH_MYSQL)
        assert outcome.code == 6
        assert "storage class: the cluster has no default storage class" in outcome.err
        hurried = ("--skip-preflight", "--only", "common", "--timeout", "10")
        outcome = await installed.apply(*hurried, **WITH_MYSQL)
        assert outcome.code == 5
        assert f"PersistentVolumeClaim {SYSTEM}/mysql-pvc: FailedBinding: " in outcome.err
        assert outcome.err.count("no storage class is set") == 2, (
            "of the claim, and of the pod that waits for it"
        )
    finally:
        annotate = ("annotate", "storageclass", standard["metadata"]["name"])
        await installed.site.kubectl(*annotate, f"{default}=true", "--overwrite")
    assert (await installed.apply()).code == 0


async def test_a_quota_that_is_used_up_is_named_and_raising_it_mends_it(installed: Installation) -> None:
    quota = {"metadata": {"name": "tight", "namespace": SYSTEM}, "spec": {"hard": {"pods": "1"}}}
    await installed.cluster.create(RESOURCE_QUOTAS, quota)

    async def counted() -> None:
        found = await installed.cluster.get(RESOURCE_QUOTAS, "tight", SYSTEM)
        assert int(found["status"]["used"]["pods"]) > 1

    await eventually(counted, 60)
    try:
        outcome = await installed.apply("--only", "common", "--timeout", "10", **WITH_MYSQL)
    finally:
        await installed.cluster.delete(RESOURCE_QUOTAS, "tight", SYSTEM)
    assert outcome.code == 5
    assert f"Deployment {SYSTEM}/mysql: " in outcome.err
    assert "exceeded quota: tight" in outcome.err
    outcome = await installed.apply("--only", "common", **WITH_MYSQL)
    assert outcome.code == 0, outcome.err


@pytest.mark.skipif(not MONITORED, reason=missing("monitoring"))
@pytest.mark.parametrize(
    ("instance", "jobs"),
    [
        ("k8s", {"kube-state-metrics", "node-exporter", "kubelet", "prometheus-system"}),
        ("k8s-system", {"apiserver", "coredns", "prometheus", "kubesphere"}),
    ],
)
async def test_each_prometheus_reads_what_is_its_own(
    installed: Installation, instance: str, jobs: set[str]
) -> None:
    await eventually(partial(all_up, installed, instance, jobs), 150, 2)


async def all_up(installed: Installation, instance: str, jobs: set[str]) -> None:
    """Every target of these jobs of a Prometheus, and there are some of each."""
    pod = f"/api/v1/namespaces/{MONITORING}/pods/prometheus-{instance}-0:9090/proxy"
    try:
        told = orjson.loads(await installed.cluster.request("GET", f"{pod}/api/v1/targets"))
    except KubernetesError as error:  # the pod starts anew
        raise AssertionError(str(error)) from error
    targets = [one for one in told["data"]["activeTargets"] if one["labels"]["job"] in jobs]
    assert {target["labels"]["job"] for target in targets} == jobs
    assert {(one["labels"]["job"], one["lastError"]) for one in targets if one["health"] != "up"} == set()


@pytest.mark.skipif(not MONITORED, reason=missing("monitoring"))
async def test_the_control_plane_is_read_where_ks_config_says_that_it_is(installed: Installation) -> None:
    """It runs outside of pods here, as in many clusters, and etcd wants a certificate."""
    kubernetes = installed.site.kubernetes
    pki, ports = kubernetes.layout.pki, kubernetes.settings.ports
    files = {
        "etcd-client-ca.crt": pki / "etcd-ca.crt",
        "etcd-client.crt": pki / "apiserver-etcd-client.crt",
        "etcd-client.key": pki / "apiserver-etcd-client.key",
    }
    secret = ("secret", "generic", "kube-etcd-client-certs")
    given = (f"--from-file={name}={path}" for name, path in files.items())
    await installed.site.kubectl("-n", MONITORING, "create", *secret, *given)
    here = {"endpointIps": installed.address}
    outcome = await installed.apply(
        etcd={**here, "monitoring": True, "port": ports["etcd"]},
        monitoring={
            "scheduler": {**here, "port": ports["kube-scheduler"]},
            "controllerManager": {**here, "port": ports["kube-controller-manager"]},
        },
    )
    assert outcome.code == 0, outcome.err
    jobs = {"etcd", "kube-scheduler", "kube-controller-manager"}
    await eventually(partial(all_up, installed, "k8s-system", jobs), 150, 2)
    outcome = await installed.apply()
    assert outcome.code == 0, outcome.err
    await installed.site.kubectl("-n", MONITORING, "delete", "secret", "kube-etcd-client-certs")


async def test_killed_at_any_moment_it_goes_on_where_it_was(installed: Installation) -> None:
    """Turning components on and a setting over, of which every killed run does some more."""
    wanted = installed.config(**WITH_MORE)
    await installed.killed("apply", "--config", wanted, times=KILLS, within=4)
    ended = await installed.installer("apply", "--config", wanted)
    assert ended.code == 0, ended.err
    plan = await installed.installer("plan", "--config", wanted, "--output", "text")
    assert plan.out.splitlines()[-1].startswith("0 of ")
    status = await installed.installer("status")
    assert status.code == 0, status.out


ASKED_MYSQL = 'mariadb -h 127.0.0.1 -u kubesphere -p"$MARIADB_PASSWORD" -e "$0" kubesphere'
MYSQL = ("-n", SYSTEM, "exec", "deployment/mysql", "--", "sh", "-c", ASKED_MYSQL)


async def test_ks_account_keeps_in_mysql_what_outlives_its_pod(installed: Installation) -> None:
    """Memberships in DevOps projects, which end with the user."""
    count = "select count(*) from project_membership where username = 'maria'"
    made = "insert into project_membership values ('maria', 'project-1', 'owner', 'active', 'admin')"

    async def migrated() -> None:
        assert (await installed.site.kubectl(*MYSQL, count)).split()[-1] == "0"

    await eventually(migrated, 60, 1)
    await installed.site.kubectl(*MYSQL, made)
    await installed.site.kubectl("-n", SYSTEM, "rollout", "restart", "deployment/ks-account")
    await installed.site.kubectl("-n", SYSTEM, "rollout", "status", "deployment/ks-account", "--timeout=60s")
    assert (await installed.site.kubectl(*MYSQL, count)).split()[-1] == "1"
    user = {"username": "maria", "email": "maria@example.org", "password": "Corr3ct-horse"}
    async with installed.admin() as admin:
        made_user = await admin.post(f"{IAM}/users", {**user, "cluster_role": "cluster-regular"})
        assert made_user.status == 200, made_user.text
        gone = await admin.request("DELETE", f"{IAM}/users/maria")
        assert gone.status == 200, gone.text
    assert (await installed.site.kubectl(*MYSQL, count)).split()[-1] == "0"


async def test_ks_account_reaches_its_own_database_alone_and_lives_without_it(
    installed: Installation,
) -> None:
    client = MYSQL

    async def migrated() -> None:
        tables = await installed.site.kubectl(*client, "show tables in kubesphere")
        assert "project_membership" in tables.split()

    await eventually(migrated, 60, 1)
    assert "mysql" not in (await installed.site.kubectl(*client, "show databases")).split()
    await installed.site.kubectl("-n", SYSTEM, "scale", "deployment/mysql", "--replicas=0")
    await installed.site.kubectl(
        "-n", SYSTEM, "wait", "--for=delete", "pod", "-l", "tier=db", "--timeout=60s"
    )
    async with installed.admin() as admin:
        assert (await admin.get(f"{TENANT}/workspaces")).status == 200
        for pod in (await installed.cluster.list(PODS, SYSTEM, label_selector="app=ks-account")).items:
            assert pod["status"]["containerStatuses"][0]["ready"]
    await installed.site.kubectl("-n", SYSTEM, "scale", "deployment/mysql", "--replicas=1")
    await installed.site.kubectl("-n", SYSTEM, "rollout", "status", "deployment/mysql", "--timeout=120s")
    await eventually(migrated, 60, 1)


async def test_redis_answers_nobody_without_its_password_and_an_upgrade_gives_it_one(
    installed: Installation,
) -> None:
    """An installation of before has a Redis that asks nobody, and services that know of no password."""
    asked = (
        "-n",
        SYSTEM,
        "exec",
        "deployment/redis",
        "--",
        "env",
        "-u",
        "REDISCLI_AUTH",
        "redis-cli",
        "ping",
    )
    assert "NOAUTH" in await installed.site.kubectl(*asked)
    release, installed.release = installed.release, installed.sources("open", OPEN_REDIS)
    outcome = await installed.apply(**WITH_MORE)
    assert outcome.code == 0, outcome.err
    assert "PONG" in await installed.site.kubectl(*asked)
    installed.release = release
    outcome = await installed.apply(**WITH_MORE)
    assert outcome.code == 0, outcome.err
    assert "NOAUTH" in await installed.site.kubectl(*asked)

    async def served() -> None:
        async with installed.admin() as admin:
            assert (await admin.get(f"{TENANT}/workspaces")).status == 200

    await eventually(served, 30, 1)  # pods of before that know no password still drain


async def test_what_was_turned_on_serves_and_what_is_turned_off_goes(installed: Installation) -> None:
    """Volumes stay."""
    assert (await installed.cluster.get(DEPLOYMENTS, "mysql", SYSTEM))["status"]["readyReplicas"] == 1
    if METERED:
        await eventually(partial(measured, installed), 90, 1)
    outcome = await installed.apply()
    assert outcome.code == 0, outcome.err
    there = await everything(installed.cluster)
    gone = {
        f"Deployment {SYSTEM}/mysql",
        f"Deployment {SYSTEM}/minio",
        "Deployment kube-system/metrics-server",
    }
    assert sorted(gone & there.keys()) == []
    assert f"PersistentVolumeClaim {SYSTEM}/mysql-pvc" in there


async def measured(installed: Installation) -> None:
    try:
        answer = await installed.cluster.request("GET", "/apis/metrics.k8s.io/v1beta1/nodes")
    except KubernetesError as error:
        raise AssertionError(str(error)) from error
    assert orjson.loads(answer)["items"][0]["usage"]["memory"]


async def test_an_upgrade_under_load_fails_no_request(installed: Installation) -> None:
    installed.release = installed.sources("today")
    report = await installed.installer("upgrade", "--check", "--config", installed.config())
    told = " ".join(event["message"] for event in report.events if event["check"] == "new pods")
    assert [name for name in SERVICES_OF_OURS if name not in told] == []
    async with (
        installed.admin() as admin,
        load(installed.gateway, f"{TENANT}/workspaces", admin.token) as found,
    ):
        outcome = await installed.installer("upgrade", "--config", installed.config())
    took = outcome.events[-1]["text"]
    installed.figures["upgrade under load"] = f"{found.served} requests, {len(found.failed)} failed; {took}"
    assert outcome.code == 0, outcome.err
    assert found.served > 100
    assert found.failed == []
    config = await installed.cluster.get(CONFIG_MAPS, "kubesphere-config", SYSTEM)
    assert "debug" not in config["data"]["kubesphere.yaml"]


@pytest.mark.skipif(not MONITORED, reason=missing("monitoring"))
async def test_in_the_cluster_it_follows_its_configmap(installed: Installation) -> None:
    """As the Deployment that is shipped, with the rights of its own account."""
    manifests = installed.deployable(console={"port": OTHER_CONSOLE_PORT})
    await installed.site.kubectl("apply", "--server-side", "--force-conflicts", "-k", str(manifests))

    async def followed() -> None:
        service = await installed.cluster.get(SERVICES, "ks-console", SYSTEM)
        assert service["spec"]["ports"][0]["nodePort"] == OTHER_CONSOLE_PORT
        about = "involvedObject.kind=ConfigMap,involvedObject.name=ks-installer"
        events = (await installed.cluster.list(EVENTS, SYSTEM, field_selector=about)).items
        assert "Installed" in {event["reason"] for event in events}

    await eventually(followed, 120, 1)
    deployment = ("-n", SYSTEM, "delete", "deployment", "ks-installer", "--wait=true", "--cascade=foreground")
    began = time.monotonic()
    await installed.site.kubectl(*deployment)
    installed.figures["end of ks-installer's pod"] = f"{time.monotonic() - began:.1f} s"
    await installed.site.kubectl("delete", "-f", str(manifests / "rbac.yaml"))


async def test_uninstalling_leaves_the_cluster_as_it_was(installed: Installation) -> None:
    """But for projects and what runs in them, which are not the installer's to delete."""
    began = time.monotonic()
    outcome = await installed.installer("uninstall", "--purge")
    assert outcome.code == 0, outcome.err
    installed.figures["uninstallation"] = f"{time.monotonic() - began:.1f} s"
    await installed.site.kubectl("wait", "--for=condition=Available", "-n", "demo-project", "deployment/demo")
    await installed.site.kubectl("delete", "namespace", "demo-project")
    await eventually(installed.is_as_before, 120, 1)


async def test_a_first_installation_and_its_end_may_be_killed_too(
    installed: Installation, record_property: Callable[[str, str], None]
) -> None:
    """As often as KS_INSTALLER_KILLS says; where it says nothing, there is nothing to do any more."""
    if "KS_INSTALLER_KILLS" in os.environ:
        wanted = installed.config()
        await installed.killed("apply", "--config", wanted, times=KILLS, within=10)
        ended = await installed.installer("apply", "--config", wanted)
        assert ended.code == 0, ended.err
        status = await installed.installer("status")
        assert status.code == 0, status.out
        await installed.killed("uninstall", "--purge", times=KILLS, within=10)
    ended = await installed.installer("uninstall", "--purge")
    assert ended.code == 0, ended.err
    await eventually(installed.is_as_before, 120, 1)
    for name, figure in installed.figures.items():
        record_property(name, figure)
