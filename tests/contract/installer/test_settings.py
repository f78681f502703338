"""ks-config.yaml: what v2.1.1 wrote is understood, and what is wrong is named."""

import pytest

from ks_installer.errors import UsageError
from ks_installer.settings import Settings, parsed

# The file of v2.1.1's kubesphere-minimal.yaml.
ORIGINAL = """
---
persistence:
  storageClass: ""
etcd:
  monitoring: False
  endpointIps: 192.168.0.7,192.168.0.8,192.168.0.9
  port: 2379
  tlsEnable: True
common:
  mysqlVolumeSize: 20Gi
  minioVolumeSize: 20Gi
  etcdVolumeSize: 20Gi
  openldapVolumeSize: 2Gi
  redisVolumSize: 2Gi
metrics_server:
  enabled: False
console:
  enableMultiLogin: False  # enable/disable multi login
  port: 30880
monitoring:
  prometheusReplicas: 1
  prometheusMemoryRequest: 400Mi
  prometheusVolumeSize: 20Gi
  grafana:
    enabled: False
logging:
  enabled: False
  elasticsearchMasterReplicas: 1
  elasticsearchDataReplicas: 1
  logsidecarReplicas: 2
  elasticsearchMasterVolumeSize: 4Gi
  elasticsearchDataVolumeSize: 20Gi
  logMaxAge: 7
  elkPrefix: logstash
  containersLogMountedPath: ""
  kibana:
    enabled: False
openpitrix:
  enabled: False
devops:
  enabled: False
  jenkinsMemoryLim: 2Gi
  jenkinsMemoryReq: 1500Mi
  jenkinsVolumeSize: 8Gi
  jenkinsJavaOpts_Xms: 512m
  jenkinsJavaOpts_Xmx: 512m
  jenkinsJavaOpts_MaxRAM: 2g
  sonarqube:
    enabled: False
    postgresqlVolumeSize: 8Gi
servicemesh:
  enabled: False
notification:
  enabled: False
alerting:
  enabled: False
"""


def test_the_file_of_v2_1_1_is_understood_and_has_its_defaults() -> None:
    addresses = "192.168.0.7,192.168.0.8,192.168.0.9"
    assert parsed(ORIGINAL, "x") == Settings.model_validate({"etcd": {"endpointIps": addresses}})


@pytest.mark.parametrize("text", ["", "---\n", "common:\nconsole:\n"])
def test_what_is_left_out_has_its_default(text: str) -> None:
    assert parsed(text, "x") == Settings()


def test_every_wrong_key_is_named_at_once() -> None:
    """INSTALLER-1."""
    text = """
    metrics_server: {enable: true}
    monitoring: {prometheusVolumeSize: 20GB, prometheusReplicas: 0}
    console: {port: 99999}
    etcd: {endpointIps: "192.0.2.1,nowhere"}
    local_registry: https://registry.example/
    foo: 1
    """
    with pytest.raises(UsageError) as raised:
        parsed(text, "the file")
    lines = str(raised.value).splitlines()
    assert lines[0] == "the file is not understood:"
    for expected in (
        "metrics_server.enable: there is no such key; did you mean enabled?",
        "monitoring.prometheusVolumeSize: a quantity is a number with a unit",
        "monitoring.prometheusReplicas: Input should be greater than or equal to 1",
        "console.port: Input should be less than or equal to 32767",
        "etcd.endpointIps: 'nowhere' does not appear to be an IPv4 or IPv6 address",
        "local_registry: give it as host[:port][/path]",
        "foo: there is no such key",
    ):
        assert any(line.strip().startswith(expected) for line in lines), (expected, lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b", "expected sections such as `console:`, found list"),
        ("console: {port: ", "while parsing a flow node"),
        ("etcd: {monitoring: true}", "etcd.endpointIps: etcd.monitoring needs addresses"),
    ],
)
def test_what_is_no_configuration_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parsed(text, "x")


def test_both_spellings_of_a_key_are_understood() -> None:
    assert parsed("common: {redisVolumeSize: 3Gi}", "x").common.redisVolumSize == "3Gi"
    assert parsed("monitoring: {prometheusReplica: 2}", "x").monitoring.prometheusReplicas == 2
