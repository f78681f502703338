"""Client certificates that the cluster signs for users, by `certificates.k8s.io/v1`.

A request is approved by us and deleted once it is signed, as in v2.1.1. The signer refuses certificates of
groups that rule the cluster
(https://kubernetes.io/docs/reference/access-authn-authz/certificate-signing-requests/#kubernetes-signers).
"""

import asyncio
import base64
import secrets
import time
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ks_account.kubectl.kubeconfig import Credential, of_certificate
from kubekit.cluster import Cluster
from kubekit.errors import Forbidden, NotFound
from kubekit.resource import Object, Resource

REQUESTS = Resource(
    "certificates.k8s.io", "v1", "certificatesigningrequests", "CertificateSigningRequest", False
)
SIGNER = "kubernetes.io/kube-apiserver-client"
OF_USER = "kubesphere.io/username"
"""The label of a request that says whose it is."""
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


class NotSigned(Exception):
    """The cluster does not sign client certificates; the message says how it shows."""


class Certificates:
    """Has client certificates signed."""

    def __init__(self, cluster: Cluster, *, lifetime: float, timeout: float) -> None:
        """`lifetime` of certificates, and how long signing one may take, in seconds."""
        self._cluster = cluster
        self._lifetime = int(lifetime)
        self._timeout = timeout

    async def issue(self, username: str) -> Credential:
        """A new key and certificate of a user. Raises NotSigned, and KubernetesError."""
        key = ec.generate_private_key(ec.SECP256R1())
        wanted = _request(username, _signing_request(username, key), self._lifetime)
        name = wanted["metadata"]["name"]
        try:
            made = await self._cluster.create(REQUESTS, wanted)
            try:
                await self._approve(made)
                return of_certificate(await self._signed(name), _pem(key))
            finally:
                await self._delete(name)
        except Forbidden as error:
            raise NotSigned(error.message) from error

    async def withdraw(self, username: str) -> int:
        """Delete what was left of requests for a user; gives how many there were."""
        selector = f"{OF_USER}={username}"
        found = (await self._cluster.list(REQUESTS, label_selector=selector)).items
        for request in found:
            await self._delete(request["metadata"]["name"])
        return len(found)

    async def _approve(self, request: Object) -> None:
        condition = {
            "type": "Approved",
            "status": "True",
            "reason": "KubeSphereApprove",
            "message": "Approved by the platform for the user's own kubeconfig.",
        }
        approved = {**request, "status": {"conditions": [condition]}}
        await self._cluster.update(REQUESTS, approved, subresource="approval")

    async def _signed(self, name: str) -> bytes:
        until = time.monotonic() + self._timeout
        pause = _FIRST_PAUSE
        while True:
            status = (await self._cluster.get(REQUESTS, name)).get("status") or {}
            if status.get("certificate"):
                return base64.b64decode(status["certificate"])
            _raise_for(status.get("conditions") or [])
            if time.monotonic() >= until:
                raise NotSigned(f"no certificate within {self._timeout:g} s from the signer {SIGNER}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _delete(self, name: str) -> None:
        try:
            await self._cluster.delete(REQUESTS, name)
        except NotFound:
            pass


def _raise_for(conditions: list[dict[str, Any]]) -> None:
    for condition in conditions:
        if condition["type"] in ("Failed", "Denied"):
            raise NotSigned(f"the signer {SIGNER}: {condition.get('message') or condition['type']}")


def _request(username: str, signing_request: bytes, lifetime: int) -> Object:
    return {
        "apiVersion": REQUESTS.api_version,
        "kind": REQUESTS.kind,
        "metadata": {
            "name": f"{username}-csr-{secrets.token_hex(5)}",
            "labels": {OF_USER: username},
        },
        "spec": {
            "request": base64.b64encode(signing_request).decode(),
            "signerName": SIGNER,
            "expirationSeconds": lifetime,
            "usages": ["digital signature", "client auth"],
        },
    }


def _signing_request(username: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """To Kubernetes the common name is the user; without an organisation the user is in no group."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, username)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
