"""The part of kubesphere.yaml that is the controller manager's own."""

from __future__ import annotations

from pydantic import Field, model_validator

from servicekit.config import Config
from servicekit.quantities import Seconds
from servicekit.section import Section
from servicekit.sections import KubernetesConfig, ServerConfig


class LeaderElectionConfig(Section):
    """One of several processes works, agreed on by a Lease."""

    enabled: bool = True
    namespace: str = "kubesphere-system"
    name: str = "ks-controller-manager-leader-election"
    duration: Seconds = Field(default=12, gt=0)
    """How long a leader that is not heard of keeps its place."""
    renew: Seconds = Field(default=8, gt=0)
    """How long a leader tries to be heard of before it stops working."""
    retry: Seconds = Field(default=2, gt=0)
    """Between two attempts."""

    @model_validator(mode="after")
    def _ordered(self) -> LeaderElectionConfig:
        if not self.retry < self.renew < self.duration:
            raise ValueError("needs retry < renew < duration")
        return self


class ControllersConfig(Section):
    """Which controllers run, and how many objects each works on at once."""

    enabled: tuple[str, ...] = ("*",)
    """Names, `*` for all, `-name` for all but that one; the last that matches counts."""
    workers: int = Field(default=8, ge=1, le=64)
    """Of each controller."""
    workers_of: dict[str, int] = Field(default_factory=dict)
    """Of single controllers, by name, instead."""


class VolumeExpansionConfig(Section):
    """Volumes that grow only while nothing mounts them."""

    provisioners: tuple[str, ...] = ("disk.csi.qingcloud.com", "csi-qingcloud")
    """Of which this holds, unless a StorageClass says otherwise."""
    deadline: Seconds = Field(default=3600, gt=0)
    """How long a workload is stopped at most."""
    poll: Seconds = Field(default=5, gt=0)
    """Between two looks at what one waits for."""


class S2iConfig(Section):
    """The files of S2iBinaries in the object store, which the section `s3` names."""

    give_up: Seconds = Field(default=3600, gt=0)
    """How long an S2iBinary waits for its file to be deleted before it goes without."""
    retry: Seconds = Field(default=30, gt=0)
    """Between two attempts."""


class ManagerKubernetesConfig(KubernetesConfig):
    """Many small writes at once are its trade; the API server's own fairness protects the cluster."""

    qps: float = Field(default=1000, gt=0)
    burst: int = Field(default=2000, ge=1)


class ManagerServerConfig(ServerConfig):
    """Where its health and metrics are asked for."""

    listen: str = "0.0.0.0:9093"


class ControllerManagerConfig(Config):
    """kubesphere.yaml as the controller manager reads it."""

    # Sections are frozen, so a narrower type in place of a wider one is sound.
    kubernetes: ManagerKubernetesConfig = ManagerKubernetesConfig()  # pyright: ignore[reportIncompatibleVariableOverride]
    server: ManagerServerConfig = ManagerServerConfig()  # pyright: ignore[reportIncompatibleVariableOverride]
    leader_election: LeaderElectionConfig = LeaderElectionConfig()
    controllers: ControllersConfig = ControllersConfig()
    volume_expansion: VolumeExpansionConfig = VolumeExpansionConfig()
    s2i: S2iConfig = S2iConfig()
