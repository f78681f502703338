"""ks-config.yaml: what a user wants of an installation, with the keys of v2.1.1 and a few more.

The keys are those of the ConfigMap `ks-installer` in
https://github.com/kubesphere/ks-installer/blob/v2.1.1/kubesphere-minimal.yaml. A key that is not known is an
error here, as a misspelt one would otherwise silently do nothing.
"""

from __future__ import annotations

import difflib
from ipaddress import ip_address
from typing import Annotated, Any, get_args

import yaml
from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from ks_installer.errors import UsageError
from ks_installer.quantities import amount


class _Section(BaseModel):
    # `frozen` and `extra` hold for every section; keys are what the file says, not Python's names.
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _quantity(text: str) -> str:
    amount(text)
    return text


def _addresses(text: str) -> str:
    for part in filter(None, text.split(",")):
        ip_address(part.strip())
    return text


def _registry(text: str) -> str:
    if "://" in text or text.endswith("/") or " " in text:
        raise ValueError("give it as host[:port][/path], without a scheme and without a slash at its end")
    return text


Quantity = Annotated[str, AfterValidator(_quantity)]
Port = Annotated[int, Field(ge=1, le=65535)]
NodePort = Annotated[int, Field(ge=1, le=32767)]
Replicas = Annotated[int, Field(ge=1, le=100)]
Addresses = Annotated[str, AfterValidator(_addresses)]
"""One or more, with commas between them."""


class Persistence(_Section):
    storageClass: str = ""
    """Empty: the default class of the cluster."""


class Etcd(_Section):
    monitoring: bool = False
    endpointIps: Addresses = ""
    port: Port = 2379
    tlsEnable: bool = True


class Common(_Section):
    mysqlVolumeSize: Quantity = "20Gi"
    minioVolumeSize: Quantity = "20Gi"
    etcdVolumeSize: Quantity = "20Gi"
    openldapVolumeSize: Quantity = "2Gi"
    # v2.1.1 has it without the "e"; both are understood.
    redisVolumSize: Quantity = Field(
        default="2Gi", validation_alias=AliasChoices("redisVolumSize", "redisVolumeSize")
    )
    mysqlEnabled: bool = False
    minioEnabled: bool = False


class Switch(_Section):
    enabled: bool = False


class Console(_Section):
    enableMultiLogin: bool = False
    port: NodePort = 30880


class Gateway(_Section):
    nodePort: Annotated[int, Field(ge=0, le=32767)] = 0
    """Where nodes serve the gateway itself; 0: nowhere, the console passes requests on."""
    tlsSecret: str = ""
    """A Secret of type kubernetes.io/tls in kubesphere-system; with it the gateway serves TLS too."""
    tlsNodePort: Annotated[int, Field(ge=0, le=32767)] = 0
    """Where nodes serve it with TLS; 0: nowhere, but in the cluster at port 443 of its Service."""


class Scheduler(_Section):
    endpointIps: Addresses = ""
    """Empty: where pods say that they are it, as kubeadm's do."""
    port: Port = 10259


class ControllerManager(_Section):
    endpointIps: Addresses = ""
    """Empty: where pods say that they are it, as kubeadm's do."""
    port: Port = 10257


class Monitoring(_Section):
    prometheusReplicas: Replicas = Field(
        default=1, validation_alias=AliasChoices("prometheusReplicas", "prometheusReplica")
    )
    prometheusMemoryRequest: Quantity = "400Mi"
    prometheusVolumeSize: Quantity = "20Gi"
    grafana: Switch = Switch()
    scheduler: Scheduler = Scheduler()
    controllerManager: ControllerManager = ControllerManager()


class Logging(Switch):
    elasticsearchMasterReplicas: Replicas = 1
    elasticsearchDataReplicas: Replicas = 1
    logsidecarReplicas: Replicas = 2
    elasticsearchMasterVolumeSize: Quantity = "4Gi"
    elasticsearchDataVolumeSize: Quantity = "20Gi"
    logMaxAge: Annotated[int, Field(ge=1)] = 7
    elkPrefix: str = "logstash"
    containersLogMountedPath: str = ""
    kibana: Switch = Switch()


class Sonarqube(Switch):
    postgresqlVolumeSize: Quantity = "8Gi"


class Devops(Switch):
    jenkinsMemoryLim: Quantity = "2Gi"
    jenkinsMemoryReq: Quantity = "1500Mi"
    jenkinsVolumeSize: Quantity = "8Gi"
    jenkinsJavaOpts_Xms: str = "512m"
    jenkinsJavaOpts_Xmx: str = "512m"
    jenkinsJavaOpts_MaxRAM: str = "2g"
    sonarqube: Sonarqube = Sonarqube()


class Settings(_Section):
    """ks-config.yaml as a whole; what is left out has the default of v2.1.1."""

    persistence: Persistence = Persistence()
    etcd: Etcd = Etcd()
    common: Common = Common()
    metrics_server: Switch = Switch()
    console: Console = Console()
    gateway: Gateway = Gateway()
    monitoring: Monitoring = Monitoring()
    logging: Logging = Logging()
    openpitrix: Switch = Switch()
    devops: Devops = Devops()
    servicemesh: Switch = Switch()
    notification: Switch = Switch()
    alerting: Switch = Switch()
    local_registry: Annotated[str, AfterValidator(_registry)] = ""
    """A registry that holds every image, as host[:port][/path]; empty: each from where it comes from."""

    def value(self, key: str) -> Any:
        """What `section.key` is set to.  Raises AttributeError on a key that there is not."""
        found: Any = self
        for part in key.split("."):
            found = getattr(found, part)
        return found


def parsed(text: str, source: str) -> Settings:
    """The settings in `text`, a YAML document; `source` says where it came from.

    Raises UsageError that names every key that is wrong, each on a line of its own.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{source}: {error}") from error
    if document is not None and not isinstance(document, dict):
        raise UsageError(f"{source}: expected sections such as `console:`, found {type(document).__name__}")
    # A section without any key under it is null in YAML; v2.1.1 takes its defaults then.
    given = {key: {} if value is None else value for key, value in (document or {}).items()}
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        lines = "\n  ".join(_told(problem) for problem in error.errors())
        raise UsageError(f"{source} is not understood:\n  {lines}") from error
    if settings.etcd.monitoring and not settings.etcd.endpointIps:
        raise UsageError(f"{source} is not understood:\n  etcd.endpointIps: etcd.monitoring needs addresses")
    if settings.gateway.tlsNodePort and not settings.gateway.tlsSecret:
        raise UsageError(f"{source} is not understood:\n  gateway.tlsNodePort: needs gateway.tlsSecret")
    return settings


def _told(problem: ErrorDetails) -> str:
    key = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return f"{key}: there is no such key{_meant(problem['loc'])}"
    return f"{key}: {problem['msg'].removeprefix('Value error, ')} (it is {problem['input']!r})"


def _meant(where: tuple[int | str, ...]) -> str:
    section: Any = Settings
    for part in where[:-1]:
        annotation = section.model_fields[part].annotation
        section = next((one for one in get_args(annotation) if isinstance(one, type)), annotation)
    near = difflib.get_close_matches(str(where[-1]), section.model_fields, 1)
    return f"; did you mean {near[0]}?" if near else ""
