"""Objects that are made: of the platform's manifests, of templates, with images of other registries."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from ks_installer import kustomization
from ks_installer.catalogue import Catalogue, images
from ks_installer.errors import UsageError
from ks_installer.objects import Ref
from ks_installer.podspecs import CONFIG_HASH, mirrored, template_of
from ks_installer.rendering import overridden
from ks_installer.settings import Settings, parsed
from localkube.cluster import Localkube

BASE = Path(__file__).parents[3] / "k8s" / "base"
SHIPPED = Catalogue.installed()
FULL = {
    "metrics_server": {"enabled": True},
    "common": {"mysqlEnabled": True, "minioEnabled": True},
    "etcd": {"monitoring": True, "endpointIps": "192.0.2.1, 192.0.2.2"},
    "gateway": {"nodePort": 30881},
    "persistence": {"storageClass": 'a "quoted" class'},
}


PARTS = {"kube-scheduler": ("scheduler", 10259), "kube-controller-manager": ("controllerManager", 10257)}


def by_ref(objects: Any) -> dict[Ref, Any]:
    return {Ref.of(obj): obj for obj in objects}


def scraped(objects: dict[Ref, Any]) -> dict[str, Any]:
    """What the system's Prometheus reads, by the name of the job."""
    config = objects[Ref("v1", "ConfigMap", "kubesphere-monitoring-system", "prometheus-k8s-system")]
    jobs = yaml.safe_load(config["data"]["prometheus.yml"])["scrape_configs"]
    return {job["job_name"]: job for job in jobs}


def of_control_plane(**sections: Any) -> dict[Ref, Any]:
    """What is made of etcd, the scheduler and the controller manager, and of monitoring."""
    chosen = SHIPPED.select("platform", Settings.model_validate(sections))
    return by_ref(obj for one in chosen if one.name in ("etcd", "monitoring") for obj in one.manifests)


@pytest.mark.kubernetes
@pytest.mark.parametrize("folder", ["services", "controls"])
async def test_manifests_are_built_as_kubectl_builds_them(folder: str, kubernetes_alone: Localkube) -> None:
    process = await asyncio.create_subprocess_exec(
        str(kubernetes_alone.kubectl), "kustomize", str(BASE / folder), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert by_ref(kustomization.built(BASE / folder)) == by_ref(yaml.safe_load_all(out))


def test_a_key_of_kustomize_that_is_not_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\nnamePrefix: x-\n")
    with pytest.raises(UsageError, match=r"kustomization.yaml: namePrefix is not understood"):
        kustomization.built(tmp_path)


def test_overrides_reach_into_lists_of_named_things() -> None:
    base = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "a", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]},
    }
    over = {
        **base,
        "spec": {
            "containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": "3"}]}]
        },
    }
    (merged,) = overridden([base], [over])
    assert merged["spec"]["containers"] == [
        {"name": "a", "env": [{"name": "X", "value": "3"}, {"name": "Y", "value": "2"}]},
        {"name": "b"},
    ]
    with pytest.raises(UsageError, match="an override of Pod q, which there is not"):
        overridden([base], [{**base, "metadata": {"name": "q"}}])


def test_everything_that_can_be_turned_on_is_made_and_keeps_what_was_given() -> None:
    components = {one.name: one for one in SHIPPED.select("platform", Settings.model_validate(FULL))}
    objects = by_ref(obj for one in components.values() for obj in one.manifests)
    claims = [obj for ref, obj in objects.items() if ref.kind == "PersistentVolumeClaim"]
    assert len(claims) == 3
    assert {claim["spec"]["storageClassName"] for claim in claims} == {'a "quoted" class'}
    assert {"apiserver", "etcd", "kubesphere"} <= scraped(objects).keys()
    gateway = objects[Ref("v1", "Service", "kubesphere-system", "ks-apigateway")]
    assert gateway["spec"]["ports"][0]["nodePort"] == 30881


@pytest.mark.parametrize("part", PARTS)
def test_the_control_plane_is_read_where_its_pods_are_unless_addresses_are_given(part: str) -> None:
    section, port = PARTS[part]
    service = Ref("v1", "Service", "kube-system", f"{part}-headless")
    addresses = Ref("discovery.k8s.io/v1", "EndpointSlice", "kube-system", f"{part}-headless")
    found = of_control_plane()
    assert found[service]["spec"]["selector"] == {"component": part}
    assert found[service]["spec"]["ports"][0]["port"] == port
    assert addresses not in found
    found = of_control_plane(monitoring={section: {"endpointIps": "192.0.2.1, 192.0.2.2", "port": 7}})
    assert "selector" not in found[service]["spec"]
    assert found[addresses]["metadata"]["labels"]["kubernetes.io/service-name"] == f"{part}-headless"
    assert [one["addresses"] for one in found[addresses]["endpoints"]] == [["192.0.2.1"], ["192.0.2.2"]]
    assert [one["port"] for one in found[addresses]["ports"]] == [7]


@pytest.mark.parametrize("part", PARTS)
def test_the_scheduler_and_the_controller_manager_are_told_who_reads_them(part: str) -> None:
    job = scraped(of_control_plane())[part]
    assert job["scheme"] == "https"
    assert "token" in job["authorization"]["credentials_file"]
    assert job["kubernetes_sd_configs"] == [
        {"role": "endpointslice", "namespaces": {"names": ["kube-system"]}}
    ]
    assert job["relabel_configs"][0]["regex"] == f"{part}-headless;https-metrics"


def test_etcd_is_read_at_its_addresses_with_the_certificate_that_it_wants() -> None:
    assert "etcd" not in scraped(of_control_plane())
    given = {"monitoring": True, "endpointIps": "192.0.2.1,192.0.2.2"}
    found = of_control_plane(etcd=given)
    addresses = found[Ref("discovery.k8s.io/v1", "EndpointSlice", "kube-system", "etcd")]
    assert [one["addresses"] for one in addresses["endpoints"]] == [["192.0.2.1"], ["192.0.2.2"]]
    assert scraped(found)["etcd"]["tls_config"]["cert_file"].endswith("/etcd-client.crt")
    plain = scraped(of_control_plane(etcd={**given, "tlsEnable": False}))["etcd"]
    assert "tls_config" not in plain
    assert "scheme" not in plain


@pytest.mark.parametrize(
    ("wanted", "kind", "ports"),
    [
        ({}, None, {"http": (80, None)}),
        ({"nodePort": 30881}, "NodePort", {"http": (80, 30881)}),
        ({"tlsSecret": "t"}, "ClusterIP", {"http": (80, None), "https": (443, None)}),
        (
            {"tlsSecret": "t", "tlsNodePort": 30882},
            "NodePort",
            {"http": (80, None), "https": (443, 30882)},
        ),
    ],
)
def test_the_gateway_is_served_where_and_as_it_is_said(
    wanted: dict[str, Any], kind: str | None, ports: dict[str, tuple[int, int | None]]
) -> None:
    core = SHIPPED.component("core", Settings.model_validate({"gateway": wanted}))
    objects = by_ref(core.manifests)
    service = objects[Ref("v1", "Service", "kubesphere-system", "ks-apigateway")]["spec"]
    assert service.get("type") == kind
    assert {one["name"]: (one["port"], one.get("nodePort")) for one in service["ports"]} == ports
    pod = objects[Ref("apps/v1", "Deployment", "kubesphere-system", "ks-apigateway")]["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    secrets = [one["secret"]["secretName"] for one in pod["spec"]["volumes"] if "secret" in one]
    assert ("t" in secrets) == ("https" in {one["name"] for one in container["ports"]}) == ("https" in ports)


def test_a_port_for_tls_without_a_certificate_is_refused() -> None:
    with pytest.raises(UsageError, match=r"gateway.tlsNodePort: needs gateway.tlsSecret"):
        parsed("gateway: {tlsNodePort: 30882}", "ks-config.yaml")


def test_pods_are_told_when_a_configmap_that_they_read_changes() -> None:
    def digests(**sections: Any) -> dict[str, str | None]:
        components = SHIPPED.select("platform", Settings.model_validate(sections))
        return {
            obj["metadata"]["name"]: (pod["metadata"].get("annotations") or {}).get(CONFIG_HASH)
            for one in components
            for obj in one.manifests
            if (pod := template_of(obj)) is not None
        }

    before, after = digests(), digests(etcd={"monitoring": True, "endpointIps": "192.0.2.1"})
    assert before["ks-console"] is not None
    assert [name for name in before if before[name] != after[name]] == ["prometheus-k8s-system"]


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ("redis:7", "reg:5000/m/library/redis:7"),
        ("prom/prometheus:v2", "reg:5000/m/prom/prometheus:v2"),
        ("docker.io/redis:7", "reg:5000/m/library/redis:7"),
        ("quay.io/a/b@sha256:00", "reg:5000/m/a/b@sha256:00"),
        ("localhost/x:1", "reg:5000/m/x:1"),
        ("reg:5000/m/a/b:1", "reg:5000/m/a/b:1"),
    ],
)
def test_a_private_registry_has_images_under_their_own_names(image: str, place: str) -> None:
    assert mirrored("reg:5000/m")(image) == place
    assert mirrored("")(image) == image


def test_images_are_listed_with_those_that_services_start_later() -> None:
    listed = images(SHIPPED.select("platform", Settings.model_validate({"local_registry": "reg"})))
    assert "reg/kubesphere/kubectl:advanced-1.0.0" in listed
    assert all(image.startswith("reg/") for image in listed)
