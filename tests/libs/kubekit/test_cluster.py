"""Reaching a cluster, being refused by one, and being told what is wrong when neither works."""

import asyncio
import secrets
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.fake_api_server import FakeApiServer
from harness.kubernetes import KubernetesServer
from kubekit.cluster import Cluster, ClusterConfig, Impersonation
from kubekit.errors import (
    AlreadyExists,
    Conflict,
    Forbidden,
    InvalidName,
    KubeconfigError,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from kubekit.events import EventRecorder
from kubekit.finalizers import add_finalizer, remove_finalizer
from kubekit.resource import CONFIG_MAPS, EVENTS, NAMESPACES, PODS, Object

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: c, context: {cluster: c, user: u}}]
"""


def written(directory: Path, text: str) -> str:
    path = directory / "kubeconfig"
    path.write_text(textwrap.dedent(text))
    return str(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "not a kubeconfig"),
        ("{", "not YAML"),
        ("- a list", "not a kubeconfig"),
        ("clusters: {}", "clusters must be a list"),
        ("clusters: [{cluster: {}}]", r"clusters\[0\] must be a mapping with name and cluster"),
        ("users: [{name: u, user: text}]", r"users\[0\] must be a mapping"),
        (KUBECONFIG.replace("current-context: c", ""), "current-context"),
        (KUBECONFIG.replace("current-context: c", "current-context: x"), "name x"),
        (KUBECONFIG.replace("cluster: c, user", "cluster: x, user"), "name x"),
        (KUBECONFIG.replace("cluster: c, user: u", "cluster: c, user: x"), "user x"),
        (KUBECONFIG.replace("http://127.0.0.1:1", "ftp://x"), "no http or https URL"),
        (KUBECONFIG.replace('server: "http://127.0.0.1:1"', ""), "server"),
        (
            KUBECONFIG.replace("http:", "https:").replace('1:1"', '1:1", certificate-authority: /no/such'),
            "/no/such",
        ),
        (
            KUBECONFIG.replace("http:", "https:").replace(
                '1:1"', '1:1", certificate-authority-data: bm9uc2Vuc2U='
            ),
            "certificate",
        ),
        (KUBECONFIG.replace("token: t", "tokenFile: /no/such"), "/no/such"),
    ],
)
async def test_a_kubeconfig_that_cannot_be_used_is_named_with_what_is_wrong(
    tmp_path: Path, text: str, told: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(KubeconfigError, match=told) as raised:
        await Cluster(ClusterConfig(kubeconfig=path)).open()
    assert path in str(raised.value)


async def test_a_kubeconfig_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(KubeconfigError, match="no such file"):
        await Cluster(ClusterConfig(kubeconfig=str(tmp_path / "none"))).open()


async def test_a_cluster_without_a_user_opens(tmp_path: Path) -> None:
    text = KUBECONFIG.replace("http:", "https:").replace(", user: u", "").replace("users:", "others:")
    async with Cluster(ClusterConfig(kubeconfig=written(tmp_path, text))) as cluster:
        assert cluster.authorization() == {}


async def test_an_unreachable_cluster_opens_and_says_why(tmp_path: Path) -> None:
    async with Cluster(ClusterConfig(kubeconfig=written(tmp_path, KUBECONFIG))) as cluster:
        cache = cluster.cache(PODS)
        with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1"):
            await cluster.check()
        with pytest.raises(Unreachable):
            await cluster.get(NAMESPACES, "default")
        with pytest.raises(Unreachable):
            await cache.synced(0.1)


async def test_a_closed_cluster_says_so(tmp_path: Path) -> None:
    cluster = Cluster(ClusterConfig(kubeconfig=written(tmp_path, KUBECONFIG)))
    for _ in range(2):
        with pytest.raises(Unreachable, match="not open"):
            await cluster.get(NAMESPACES, "default")
        await cluster.open()
        await cluster.close()


async def test_a_cluster_that_could_not_be_opened_says_why_to_everybody_who_asks(tmp_path: Path) -> None:
    cluster = Cluster(ClusterConfig(kubeconfig=written(tmp_path, "clusters: 7")))
    with pytest.raises(KubeconfigError):
        await cluster.open()
    with pytest.raises(Unreachable, match="clusters must be a list"):
        await cluster.get(NAMESPACES, "default")


async def test_a_rotated_token_file_is_read_again(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    text = KUBECONFIG.replace("token: t", "tokenFile: token")  # relative to the file that names it
    cluster = Cluster(ClusterConfig(kubeconfig=written(tmp_path, text)))
    async with cluster:
        assert cluster.authorization() == {"Authorization": "Bearer first"}
        token.write_text("second\n")
        await cluster.renew()
        assert cluster.authorization() == {"Authorization": "Bearer second"}


async def test_refused_credentials_are_read_again_and_the_request_sent_again(
    fake: FakeApiServer, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    config = yaml.safe_load((tmp_path / "fake-kubeconfig").read_text())
    config["users"][0]["user"] = {"tokenFile": "token"}
    async with Cluster(ClusterConfig(kubeconfig=written(tmp_path, yaml.safe_dump(config)))) as cluster:
        token.write_text("second")
        fake.token = "second"
        await cluster.list(PODS)
        fake.token = "third"
        with pytest.raises(Unauthorized):
            await cluster.list(PODS)


async def test_a_plugin_that_gives_the_token_is_asked(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    plugin.write_text(
        "#!/bin/sh\n"
        """echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","""
        """"status":{"token":"from-plugin"}}'\n"""
    )
    plugin.chmod(0o755)
    user = f"exec: {{apiVersion: client.authentication.k8s.io/v1, command: {plugin}, interactiveMode: Never}}"
    text = KUBECONFIG.replace("token: t", user)
    async with Cluster(ClusterConfig(kubeconfig=written(tmp_path, text))) as cluster:
        assert cluster.authorization() == {"Authorization": "Bearer from-plugin"}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../secrets/x", "a%2fb"])
async def test_names_that_would_change_the_path_are_refused(fake_cluster: Cluster, name: str) -> None:
    with pytest.raises(InvalidName):
        await fake_cluster.get(PODS, name, "demo")
    with pytest.raises(InvalidName):
        await fake_cluster.get(PODS, "x", name)


@pytest.mark.parametrize(
    "path", ["api/v1", "/api/../x", "/api//v1", "/api?x=1", "/api#x", "http://x/", "/a b"]
)
async def test_paths_that_are_not_plain_are_refused(fake_cluster: Cluster, path: str) -> None:
    with pytest.raises(InvalidName):
        await fake_cluster.request("GET", path)


@pytest.mark.parametrize("user", ["", " admin", "admin\r\nX: y", "admin\n"])
def test_users_that_the_server_would_read_as_others_are_refused(user: str) -> None:
    with pytest.raises(InvalidName):
        Impersonation(user)
    with pytest.raises(InvalidName):
        Impersonation("alice", (user,))


async def test_what_the_server_asks_to_wait_for_is_sent_again(
    fake: FakeApiServer, fake_cluster: Cluster
) -> None:
    fake.failing = [429, 503]
    fake.retry_after = "0"
    assert (await fake_cluster.list(PODS)).items == []
    fake.failing = [429]
    fake.retry_after = "3600"
    with pytest.raises(TooManyRequests) as raised:
        await fake_cluster.list(PODS)
    assert raised.value.retry_after == 3600


async def test_the_own_rate_limit_refuses_what_would_wait_too_long(
    fake: FakeApiServer, tmp_path: Path
) -> None:
    config = ClusterConfig(kubeconfig=str(tmp_path / "fake-kubeconfig"), qps=0.01, burst=2, timeout=1)
    async with Cluster(config) as cluster:
        await asyncio.gather(cluster.list(PODS), cluster.list(PODS))
        with pytest.raises(TooManyRequests, match="raise qps"):
            await cluster.list(PODS)
        await cluster.check()


async def test_an_answer_too_large_is_cut_off(fake: FakeApiServer, tmp_path: Path) -> None:
    fake.put({"metadata": {"name": "large"}, "data": "x" * 100_000})
    config = ClusterConfig(kubeconfig=str(tmp_path / "fake-kubeconfig"), max_body=10_000)
    async with Cluster(config) as cluster:
        with pytest.raises(Exception, match="larger than 10000 bytes"):
            await cluster.list(PODS)


def config_map(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


@pytest.mark.kubernetes
class TestOnKubernetes:
    async def test_objects_are_made_changed_and_removed(self, cluster: Cluster, namespace: str) -> None:
        created = await cluster.create(CONFIG_MAPS, config_map("one", a="1"), namespace)
        with pytest.raises(AlreadyExists):
            await cluster.create(CONFIG_MAPS, config_map("one"), namespace)
        changed = await cluster.update(CONFIG_MAPS, {**created, "data": {"a": "2"}})
        with pytest.raises(Conflict):
            await cluster.update(CONFIG_MAPS, {**created, "data": {"a": "3"}})
        assert (await cluster.get(CONFIG_MAPS, "one", namespace))["data"] == {"a": "2"}
        merged = await cluster.patch(CONFIG_MAPS, "one", {"data": {"b": "1"}}, namespace)
        assert merged["data"] == {"a": "2", "b": "1"}
        operations = [{"op": "remove", "path": "/data/a"}]
        patched = await cluster.patch(CONFIG_MAPS, "one", operations, namespace, patch_type="json")
        assert patched["data"] == {"b": "1"}
        with pytest.raises(Conflict):
            await cluster.delete(CONFIG_MAPS, "one", namespace, uid="another")
        await cluster.delete(CONFIG_MAPS, "one", namespace, uid=changed["metadata"]["uid"])
        with pytest.raises(NotFound):
            await cluster.get(CONFIG_MAPS, "one", namespace)

    async def test_applying_makes_and_changes_and_dry_runs_do_not(
        self, cluster: Cluster, namespace: str
    ) -> None:
        wanted = config_map("applied", a="1")
        wanted["metadata"]["namespace"] = namespace
        await cluster.apply(CONFIG_MAPS, wanted, field_manager="tests", dry_run=True)
        with pytest.raises(NotFound):
            await cluster.get(CONFIG_MAPS, "applied", namespace)
        await cluster.apply(CONFIG_MAPS, wanted, field_manager="tests")
        wanted["data"] = {"a": "2"}
        with pytest.raises(Conflict):
            await cluster.apply(CONFIG_MAPS, wanted, field_manager="others", force=False)
        assert (await cluster.apply(CONFIG_MAPS, wanted, field_manager="others"))["data"] == {"a": "2"}

    async def test_lists_come_in_pages(self, cluster: Cluster, namespace: str) -> None:
        for number in range(5):
            body = config_map(f"m{number}")
            body["metadata"]["labels"] = {"page": "yes"}
            await cluster.create(CONFIG_MAPS, body, namespace)
        names: list[str] = []
        token: str | None = None
        while token != "":
            page = await cluster.list(
                CONFIG_MAPS, namespace, label_selector="page=yes", limit=2, continue_=token
            )
            assert len(page.items) <= 2
            names += [item["metadata"]["name"] for item in page.items]
            token = page.continue_
        assert names == [f"m{number}" for number in range(5)]

    async def test_acting_as_a_user_is_up_to_the_cluster(self, cluster: Cluster, namespace: str) -> None:
        alice = Impersonation("alice", ("developers",))
        with pytest.raises(Forbidden, match="alice"):
            await cluster.create(CONFIG_MAPS, config_map("hers"), namespace, as_user=alice)
        admin = Impersonation("alice", ("system:masters",))
        await cluster.create(CONFIG_MAPS, config_map("hers"), namespace, as_user=admin)

    async def test_a_wrong_token_is_unauthorized_also_for_check(
        self, kubernetes: KubernetesServer, tmp_path: Path
    ) -> None:
        config: dict[str, Any] = yaml.safe_load(kubernetes.kubeconfig.read_text())
        for user in config["users"]:
            user["user"] = {"token": secrets.token_hex(8)}
        path = written(tmp_path, yaml.safe_dump(config))
        async with Cluster(ClusterConfig(kubeconfig=path)) as stranger:
            with pytest.raises(Unauthorized):
                await stranger.check()

    async def test_a_client_certificate_speaks_for_its_user(self, kubernetes: KubernetesServer) -> None:
        path = await kubernetes.user_kubeconfig("carol", ["developers"])
        async with Cluster(ClusterConfig(kubeconfig=str(path))) as carol:
            assert carol.authorization() == {}
            with pytest.raises(Forbidden, match="carol"):
                await carol.get(NAMESPACES, "default")

    async def test_finalizers_of_others_survive_ours(self, cluster: Cluster, namespace: str) -> None:
        body = config_map("final")
        body["metadata"]["finalizers"] = ["example.org/theirs"]
        stale = await cluster.create(CONFIG_MAPS, body, namespace)
        await cluster.patch(CONFIG_MAPS, "final", {"data": {"a": "1"}}, namespace)
        with_ours = await add_finalizer(cluster, CONFIG_MAPS, stale, "example.org/ours")
        assert with_ours["metadata"]["finalizers"] == ["example.org/theirs", "example.org/ours"]
        await remove_finalizer(
            cluster, CONFIG_MAPS, stale | {"metadata": with_ours["metadata"]}, "example.org/theirs"
        )
        left = await cluster.get(CONFIG_MAPS, "final", namespace)
        assert left["metadata"]["finalizers"] == ["example.org/ours"]
        await remove_finalizer(cluster, CONFIG_MAPS, left, "example.org/ours")
        await cluster.delete(CONFIG_MAPS, "final", namespace)
        await remove_finalizer(cluster, CONFIG_MAPS, left, "example.org/ours")

    async def test_events_are_counted_rather_than_repeated(self, cluster: Cluster, namespace: str) -> None:
        obj = await cluster.create(CONFIG_MAPS, config_map("eventful"), namespace)
        recorder = EventRecorder(cluster, "tests")
        for _ in range(3):
            await recorder.warning(obj, "Failed", "it did not work")
        await recorder.normal(obj, "Worked", "it did")
        events = (await cluster.list(EVENTS, namespace)).items
        assert sorted((event["type"], event["reason"], event["count"]) for event in events) == [
            ("Normal", "Worked", 1),
            ("Warning", "Failed", 3),
        ]


@pytest.mark.parametrize(("excepted", "reached"), [("", True), ("cluster.test", False)])
async def test_a_proxy_that_the_environment_names_is_used_unless_it_excepts_the_cluster(
    fake: FakeApiServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    excepted: str,
    reached: bool,
) -> None:
    proxy = yaml.safe_load((tmp_path / "fake-kubeconfig").read_text())["clusters"][0]["cluster"]["server"]
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", excepted)
    path = written(tmp_path, KUBECONFIG.replace("127.0.0.1:1", "cluster.test"))
    async with Cluster(ClusterConfig(kubeconfig=path)) as cluster:
        if reached:
            assert await cluster.request("GET", "/version")
            return
        with pytest.raises(Unreachable, match=r"cluster\.test"):
            await cluster.request("GET", "/version")
