"""The section `kubectl`: how users reach the cluster themselves."""

from typing import Literal

from pydantic import Field

from servicekit.quantities import Seconds
from servicekit.section import Section

_DAY = 24 * 60 * 60


class KubectlSection(Section):
    """Kubeconfigs and the pods with kubectl."""

    enabled: bool = True
    """Whether users get a kubeconfig, and administrators a pod, when they are made and when they sign
    in."""
    server: str = ""
    """The API server as pods reach it; by default as this service does. Other addresses, for kubeconfigs that
    leave the cluster, are `kubernetes.master`."""
    credential: Literal["auto", "certificate", "token"] = "auto"
    """A client certificate signed by the cluster, or a token. `auto` takes a token where none is signed."""
    lifetime: Seconds = Field(default=30 * _DAY, ge=600, le=365 * _DAY)
    """Of a credential; it is renewed when a third is left. A certificate cannot be withdrawn before."""
    sign_timeout: Seconds = Field(default=10, gt=0, le=60)
    """How long the cluster may take to sign a certificate."""
    image: str = "kubesphere/kubectl:advanced-1.0.0"
    """Of the pod: it needs sh and kubectl, and runs as any user."""
