"""A user's own way to the cluster: the kubeconfig, and the pod with kubectl, which have the user's rights."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from harness.account import IAM, PASSWORD, config_of, ready, unique
from harness.kubernetes import KubernetesServer
from harness.servers import RunningServer
from harness.services import running_service
from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster, ClusterConfig, Impersonation
from kubekit.errors import Forbidden, NotFound, Unauthorized
from kubekit.resource import (
    CLUSTER_ROLES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    Object,
    Resource,
)

OUTSIDE = "https://kubernetes.example.org:6443"
CONTROLS = "kubesphere-controls-system"
USERS = f"{IAM}/users"
REQUESTS = Resource(
    "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", False
)
READ_NAMESPACES = {"verbs": ["list"], "apiGroups": [""], "resources": ["namespaces"]}
RENEWAL = "kubesphere.io/kubeconfig-renewal"
PATIENCE = 60
NewPerson = Callable[..., Awaitable[SignedClient]]
NewRole = Callable[..., Awaitable[str]]


async def config_map_of(cluster: Cluster, name: str) -> Object:
    """The ConfigMap of a user's kubeconfig, once it is there."""

    async def read() -> Object:
        try:
            return await cluster.get(CONFIG_MAPS, f"kubeconfig-{name}", CONTROLS)
        except NotFound as error:
            raise AssertionError(str(error)) from error

    return await eventually(read, timeout=PATIENCE)


def certificate_in(kubeconfig: str) -> x509.Certificate:
    data = yaml.safe_load(kubeconfig)["users"][0]["user"]["client-certificate-data"]
    return x509.load_pem_x509_certificate(base64.b64decode(data))


async def check_rights(kubeconfig: str, directory: Path) -> None:
    """The holder may list namespaces, by a role of the user, and nothing beside that.

    The client here takes no notice of `as`, by which kubectl acts as somebody else, so it is told.
    """
    user = yaml.safe_load(kubeconfig)["users"][0]["user"]
    who = Impersonation(user["as"]) if "as" in user else None
    file = directory / "kubeconfig"
    file.write_text(kubeconfig)

    async def listed() -> None:
        async with Cluster(ClusterConfig(kubeconfig=str(file))) as own:
            try:
                assert (await own.list(NAMESPACES, as_user=who)).items
            except Forbidden as error:
                raise AssertionError(str(error)) from error
            for resource in (CONFIG_MAPS, PODS):
                try:
                    await own.list(resource, CONTROLS, as_user=who)
                except Forbidden:
                    continue
                raise RuntimeError(f"the user may list {resource}")

    await eventually(listed, timeout=PATIENCE)


async def check_refused(kubeconfig: str, directory: Path) -> None:
    """The token in it is no longer good."""
    user = yaml.safe_load(kubeconfig)["users"][0]["user"]
    file = directory / "kubeconfig"
    file.write_text(kubeconfig)

    async def refused() -> None:
        async with Cluster(ClusterConfig(kubeconfig=str(file))) as own:
            try:
                await own.list(NAMESPACES, as_user=Impersonation(user["as"]))
            except (Forbidden, Unauthorized):
                return
            raise AssertionError("it is still taken")

    await eventually(refused, timeout=PATIENCE)


async def test_a_new_user_gets_a_kubeconfig_with_own_rights(
    new_person: NewPerson, cluster: Cluster, cluster_role: NewRole, tmp_path: Path
) -> None:
    """ACCOUNT-25: the ConfigMap has the names and the shape that v2.1.1 gave it."""
    name = (await new_person(await cluster_role(READ_NAMESPACES))).identity.user
    text = (await config_map_of(cluster, name))["data"]["config"]
    written = yaml.safe_load(text)
    assert written["current-context"] == f"{name}@local"
    assert written["contexts"][0] == {
        "name": f"{name}@local",
        "context": {"cluster": "local", "namespace": "default", "user": name},
    }
    assert [each["name"] for each in (*written["clusters"], *written["users"])] == ["local", name]
    subject = certificate_in(text).subject
    assert [a.value for a in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == [name]
    assert not subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    await check_rights(text, tmp_path)
    requests = await cluster.list(REQUESTS, label_selector=f"kubesphere.io/username={name}")
    assert requests.items == [], "a request is deleted once it is signed"


async def test_an_administrator_gets_a_terminal_without_asking_for_it(
    new_person: NewPerson, cluster: Cluster
) -> None:
    """ACCOUNT-24: such as `kubectl-admin`, with the first start."""
    name = (await new_person("cluster-admin")).identity.user

    async def made() -> None:
        for administrator in (name, "admin"):
            try:
                await cluster.get(DEPLOYMENTS, f"kubectl-{administrator}", CONTROLS)
            except NotFound as error:
                raise AssertionError(str(error)) from error

    await eventually(made, timeout=PATIENCE)


async def test_a_login_makes_up_for_a_kubeconfig_that_is_lost(
    admin: SignedClient, account: SignedClient, new_person: NewPerson, cluster: Cluster
) -> None:
    person = await new_person()
    name = person.identity.user
    await config_map_of(cluster, name)
    await cluster.delete(CONFIG_MAPS, f"kubeconfig-{name}", CONTROLS)
    answer = await person.get(f"{USERS}/{name}/kubeconfig")
    assert answer.status == 200, answer.text
    assert (await config_map_of(cluster, name))["data"]["config"] == answer.text


async def test_a_kubeconfig_is_renewed_before_it_ends_and_left_alone_until_then(
    new_person: NewPerson, cluster: Cluster
) -> None:
    person = await new_person()
    name = person.identity.user
    found = await config_map_of(cluster, name)
    first = certificate_in(found["data"]["config"])
    due = datetime.fromisoformat(found["metadata"]["annotations"][RENEWAL]).timestamp()
    begin, end = first.not_valid_before_utc.timestamp(), first.not_valid_after_utc.timestamp()
    assert begin < due < end
    assert end - begin > 20 * 24 * 3600
    path = f"{USERS}/{name}/kubeconfig"
    assert (await person.get(path)).text == found["data"]["config"]
    annotations = {"metadata": {"annotations": {RENEWAL: "2020-01-01T00:00:00Z"}}}
    await cluster.patch(CONFIG_MAPS, f"kubeconfig-{name}", annotations, CONTROLS)
    renewed = (await person.get(path)).text
    assert certificate_in(renewed).serial_number != first.serial_number
    after = await config_map_of(cluster, name)
    assert datetime.fromisoformat(after["metadata"]["annotations"][RENEWAL]).timestamp() > time.time()


async def test_asking_many_times_at_once_makes_one_kubeconfig(
    new_person: NewPerson, cluster: Cluster
) -> None:
    person = await new_person()
    name = person.identity.user
    answers = await asyncio.gather(*(person.get(f"{USERS}/{name}/kubeconfig") for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    kept = (await config_map_of(cluster, name))["data"]["config"]
    assert {answer.text for answer in answers} == {kept}


async def test_a_kubeconfig_is_for_its_owner_alone(new_person: NewPerson, cluster: Cluster) -> None:
    owner, other = await new_person(), await new_person()
    for what in ("kubeconfig", "kubectl"):
        assert (await other.get(f"{USERS}/{owner.identity.user}/{what}")).status == 403


async def test_a_terminal_is_made_when_asked_for_and_has_the_users_kubeconfig_alone(
    new_person: NewPerson, cluster: Cluster
) -> None:
    """ACCOUNT-24: in v2.1.1 the pod ran as a service account that may do everything."""
    person = await new_person()
    name = person.identity.user
    await config_map_of(cluster, name)
    try:
        await cluster.get(DEPLOYMENTS, f"kubectl-{name}", CONTROLS)
        raise RuntimeError("nobody asked for it")
    except NotFound:
        pass
    answer = await person.get(f"{USERS}/{name}/kubectl")
    assert answer.status == 503, "no pod runs without a node"
    assert answer.headers["Retry-After"]
    made = await cluster.get(DEPLOYMENTS, f"kubectl-{name}", CONTROLS)
    check_restricted(made, name)
    assert (await person.get(f"{USERS}/{name}/kubectl")).status == 503
    assert (await cluster.get(DEPLOYMENTS, f"kubectl-{name}", CONTROLS))["metadata"]["generation"] == 1


def check_restricted(deployment: Object, name: str) -> None:
    assert deployment["spec"]["selector"]["matchLabels"] == {"username": name}
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["name"] == "kubectl"
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "default"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert volumes["kubeconfig"]["configMap"]["name"] == f"kubeconfig-{name}"
    assert not any("hostPath" in volume or "secret" in volume for volume in volumes.values())


async def test_a_terminal_that_v2_1_1_left_loses_its_powerful_account(
    new_person: NewPerson, cluster: Cluster
) -> None:
    """ACCOUNT-24."""
    person = await new_person()
    name = person.identity.user
    labels = {"username": name}
    spec = {
        "containers": [{"name": "kubectl", "image": "kubesphere/kubectl:advanced-1.0.0"}],
        "serviceAccountName": "kubesphere-cluster-admin",
    }
    template = {"metadata": {"labels": labels}, "spec": spec}
    left = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    await cluster.create(DEPLOYMENTS, {"metadata": {"name": f"kubectl-{name}"}, "spec": left}, CONTROLS)
    await person.get(f"{USERS}/{name}/kubectl")
    check_restricted(await cluster.get(DEPLOYMENTS, f"kubectl-{name}", CONTROLS), name)


async def test_a_deleted_user_leaves_neither_kubeconfig_nor_terminal(
    admin: SignedClient, new_person: NewPerson, cluster: Cluster
) -> None:
    person = await new_person()
    name = person.identity.user
    await person.get(f"{USERS}/{name}/kubectl")
    assert (await admin.delete(f"{USERS}/{name}")).status == 200
    for resource, prefix in ((CONFIG_MAPS, "kubeconfig"), (DEPLOYMENTS, "kubectl")):
        try:
            await cluster.get(resource, f"{prefix}-{name}", CONTROLS)
        except NotFound:
            continue
        raise AssertionError(f"{prefix}-{name} is left")
    assert (await admin.get(f"{USERS}/{name}/kubeconfig")).status == 404


async def test_a_lock_takes_kubeconfig_and_terminal_away_and_none_is_made_until_it_ends(
    admin: SignedClient, account: SignedClient, new_person: NewPerson, cluster: Cluster
) -> None:
    """ACCOUNT-30."""
    person = await new_person()
    name = person.identity.user
    await config_map_of(cluster, name)
    await person.get(f"{USERS}/{name}/kubectl")
    assert (await admin.request("PUT", f"{USERS}/{name}/lock")).status == 200
    for resource, prefix in ((CONFIG_MAPS, "kubeconfig"), (DEPLOYMENTS, "kubectl")):
        with pytest.raises(NotFound):
            await cluster.get(resource, f"{prefix}-{name}", CONTROLS)
    assert (await person.get(f"{USERS}/{name}/kubeconfig")).status == 404
    assert (await admin.delete(f"{USERS}/{name}/lock")).status == 200
    body = {"username": name, "password": PASSWORD}
    assert (await account.at("203.0.113.78").post(f"{IAM}/login", body)).status == 200
    await config_map_of(cluster, name)


@pytest_asyncio.fixture
async def unsigned(
    openldap: RunningServer[Any], redis_server: RunningServer[Any], restricted: Path, tmp_path: Path
) -> AsyncIterator[SignedClient]:
    """The service on a cluster that is taken to sign no certificates."""
    config = config_of(
        openldap,
        redis_server,
        kubernetes={"kubeconfig": str(restricted), "master": OUTSIDE},
        kubectl={"credential": "token", "lifetime": "1h"},
    )
    async with running_service("ks-account", config, tmp_path) as service:
        client = await ready(service)
        yield client
        await client.close()


async def test_where_no_certificate_is_signed_a_token_acts_as_the_user(
    account: SignedClient, unsigned: SignedClient, cluster: Cluster, cluster_role: NewRole, tmp_path: Path
) -> None:
    admin, name = unsigned.acting_as("admin"), unique("token")
    body = {"username": name, "email": f"{name}@x.io", "password": PASSWORD}
    role = await cluster_role(READ_NAMESPACES)
    assert (await admin.post(USERS, {**body, "cluster_role": role})).status == 200
    text = (await config_map_of(cluster, name))["data"]["config"]
    user = yaml.safe_load(text)["users"][0]["user"]
    assert user["as"] == name
    assert set(user) == {"as", "token"}
    await check_rights(text, tmp_path)
    taken_along = await unsigned.acting_as(name).get(f"{USERS}/{name}/kubeconfig")
    inside, outside = yaml.safe_load(text), yaml.safe_load(taken_along.text)
    inside["clusters"][0]["cluster"]["server"] = OUTSIDE
    assert outside == inside, "the same but for where the cluster is reached from outside"
    assert (await admin.request("PUT", f"{USERS}/{name}/lock")).status == 200
    await check_refused(text, tmp_path)
    assert (await admin.delete(f"{USERS}/{name}")).status == 200
    for resource, left, namespace in (
        (SERVICE_ACCOUNTS, f"kubeconfig-{name}", CONTROLS),
        (CLUSTER_ROLES, f"kubesphere:act-as:{name}", None),
    ):
        try:
            await cluster.get(resource, left, namespace)
        except NotFound:
            continue
        raise AssertionError(f"{left} is left")


async def test_the_pod_of_a_user_runs_and_is_found(
    kubernetes: KubernetesServer, new_person: NewPerson, cluster: Cluster
) -> None:
    """Where no node runs pods, the test says of a pod that it is ready, as a kubelet would."""
    person = await new_person()
    name = person.identity.user
    path = f"{USERS}/{name}/kubectl"

    async def made() -> Object:
        await person.get(path)
        pods = (await cluster.list(PODS, CONTROLS, label_selector=f"username={name}")).items
        assert pods, "the controllers make the pod"
        return pods[0]

    pod = await eventually(made, timeout=PATIENCE)
    ready_now = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
    await cluster.patch(PODS, pod["metadata"]["name"], {"status": ready_now}, CONTROLS, subresource="status")
    answer = await person.get(path)
    assert answer.status == 200, answer.text
    assert answer.json == {
        "namespace": CONTROLS,
        "pod": pod["metadata"]["name"],
        "container": "kubectl",
    }
