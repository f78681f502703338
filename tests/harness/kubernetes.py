"""The Kubernetes that tests run against: the one that KS_TEST_KUBECONFIG names, else localkube's."""

import asyncio
import base64
import itertools
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes import client, config

from harness.waiting import eventually
from localkube.cluster import Localkube
from localkube.progress import progress_for

_API_SERVER = "kube-apiserver"
_SIGNER = "kubernetes.io/kube-apiserver-client"


class KubernetesServer:
    """A cluster; `kubeconfig` is of a cluster administrator."""

    def __init__(self, kubeconfig: Path, directory: Path) -> None:
        self.kubeconfig = kubeconfig
        self._directory = directory
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        """Of the API server."""
        return self._cluster_entry()["server"]

    @property
    def kubectl(self) -> str:
        """The one that KS_TEST_KUBECTL names, or that of PATH. Skips the test where there is none."""
        found = shutil.which(os.environ.get("KS_TEST_KUBECTL", "kubectl"))
        if found is None:
            pytest.skip("there is no kubectl: set KS_TEST_KUBECTL to one, or install it")
        return found

    async def stop_apiserver(self, hard: bool = False) -> None:
        """Stops the API server, by SIGKILL when `hard`. Skips the test where others use the cluster."""
        pytest.skip("KS_TEST_KUBECONFIG names a cluster that others use: its API server is not stopped")

    async def start_apiserver(self) -> None:
        """Starts it again and waits until it serves."""
        pytest.skip("KS_TEST_KUBECONFIG names a cluster that others use: its API server is not started")

    async def user_kubeconfig(self, user: str, groups: Iterable[str] = ()) -> Path:
        """A kubeconfig whose client certificate, signed by the cluster, says `user` in `groups`."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = await self._signed(_request(key, user, groups))
        path = self._directory / f"kubeconfig-{next(self._numbers)}"
        path.write_text(yaml.safe_dump(self._kubeconfig(user, certificate, _pem(key))))
        path.chmod(0o600)
        return path

    def _cluster_entry(self) -> dict[str, str]:
        loaded = yaml.safe_load(self.kubeconfig.read_text())
        names = {entry["name"]: entry["context"]["cluster"] for entry in loaded["contexts"]}
        wanted = names[loaded["current-context"]]
        return next(entry["cluster"] for entry in loaded["clusters"] if entry["name"] == wanted)

    async def _signed(self, request: bytes) -> bytes:
        api = client.CertificatesV1Api(config.new_client_from_config(str(self.kubeconfig)))
        name = f"tests-{secrets.token_hex(6)}"
        wanted = client.V1CertificateSigningRequest(
            metadata=client.V1ObjectMeta(name=name),
            spec=client.V1CertificateSigningRequestSpec(
                request=base64.b64encode(request).decode(), signer_name=_SIGNER, usages=["client auth"]
            ),
        )
        await asyncio.to_thread(api.create_certificate_signing_request, wanted)
        approved = {"type": "Approved", "status": "True", "reason": "Tests"}

        async def certificate() -> bytes:
            read = await asyncio.to_thread(api.read_certificate_signing_request, name)
            status = read.to_dict()["status"]
            assert status.get("certificate"), f"no controller of the cluster signed {name}: {status}"
            return base64.b64decode(status["certificate"])

        try:
            await asyncio.to_thread(
                api.patch_certificate_signing_request_approval, name, {"status": {"conditions": [approved]}}
            )
            return await eventually(certificate, timeout=30)
        finally:
            await asyncio.to_thread(api.delete_certificate_signing_request, name)

    def _kubeconfig(self, user: str, certificate: bytes, key: bytes) -> dict[str, object]:
        credentials = {
            "client-certificate-data": base64.b64encode(certificate).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        }
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "tests",
            "clusters": [{"name": "tests", "cluster": self._cluster_entry()}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": user}}],
        }


class LocalKubernetes(KubernetesServer):
    """A cluster of the tests' own, which may lose its API server."""

    def __init__(self, cluster: Localkube, directory: Path) -> None:
        super().__init__(cluster.kubeconfig, directory)
        self.cluster = cluster

    @property
    def kubectl(self) -> str:
        return str(self.cluster.kubectl)

    async def stop_apiserver(self, hard: bool = False) -> None:
        await asyncio.to_thread(self.cluster.stop_component, _API_SERVER, hard)

    async def start_apiserver(self) -> None:
        await asyncio.to_thread(self.cluster.start_component, _API_SERVER)

    async def user_kubeconfig(self, user: str, groups: Iterable[str] = ()) -> Path:
        return await asyncio.to_thread(self.cluster.user_kubeconfig, user, groups)


@asynccontextmanager
async def running_kubernetes(directory: Path, *, node: bool = False) -> AsyncIterator[KubernetesServer]:
    """The cluster that KS_TEST_KUBECONFIG names, else a local one under `directory`, gone at the end.

    KUBE_VERSION chooses the version of a local one. A machine runs one node at a time.
    """
    given = _given_kubeconfig()
    if given is not None:
        yield KubernetesServer(given, directory)
        return
    cluster = Localkube(
        "tests-node" if node else "tests",
        directory / "kubernetes",
        control_plane_only=not node,
        progress=progress_for(),
    )
    try:
        await asyncio.to_thread(cluster.up)
        yield LocalKubernetes(cluster, directory)
    finally:
        await asyncio.to_thread(cluster.down, delete=True)


def _request(key: ec.EllipticCurvePrivateKey, user: str, groups: Iterable[str]) -> bytes:
    """A certificate signing request: to Kubernetes the common name is the user, organisations are groups."""
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, user)])
    built = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return built.public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _given_kubeconfig() -> Path | None:
    """The file that KS_TEST_KUBECONFIG names."""
    named = os.environ.get("KS_TEST_KUBECONFIG")
    return Path(named).resolve() if named else None
