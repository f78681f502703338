"""The text of a kubeconfig, with the names of v2.1.1: the cluster `local`, the context `USER@local`.

Nothing here asks anybody.
"""

import base64
from dataclasses import dataclass
from typing import Any

import yaml
from cryptography import x509

CLUSTER = "local"
NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves who one is: the `user` of a kubeconfig, to be renewed at `renewal` (Unix time)."""

    user: dict[str, str]
    renewal: float


def of_certificate(certificate: bytes, key: bytes) -> Credential:
    """The credential of a client certificate and its key, both PEM."""
    return Credential(
        {
            "client-certificate-data": base64.b64encode(certificate).decode(),
            "client-key-data": base64.b64encode(key).decode(),
        },
        renewal_of(certificate),
    )


def renewal_of(certificate: bytes) -> float:
    """When a certificate (PEM) is to be renewed, as Unix time. Raises ValueError for what is none."""
    read = x509.load_pem_x509_certificate(certificate)
    return renewal(read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp())


def renewal(begin: float, end: float) -> float:
    """When something that is good from `begin` to `end` is to be renewed: when a third is left."""
    return end - (end - begin) / 3


def text(username: str, credential: Credential, *, server: str, authority: str) -> str:
    """A kubeconfig for a user. `authority` is the PEM of who signed the API server's certificate."""
    context = f"{username}@{CLUSTER}"
    authority_data = base64.b64encode(authority.encode()).decode()
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "preferences": {},
            "clusters": [
                {
                    "name": CLUSTER,
                    "cluster": {"server": server, "certificate-authority-data": authority_data},
                }
            ],
            "users": [{"name": username, "user": credential.user}],
            "contexts": [
                {
                    "name": context,
                    "context": {"cluster": CLUSTER, "user": username, "namespace": NAMESPACE},
                }
            ],
            "current-context": context,
        }
    )


def server_in(kubeconfig: str) -> str:
    """The API server that a kubeconfig names, "" for a text that is no kubeconfig."""
    return _part(kubeconfig, "clusters", "cluster").get("server") or ""


def from_outside(kubeconfig: str, server: str) -> str:
    """A kubeconfig for those who reach the API server at another address; a text that is none, as it is."""
    if not server_in(kubeconfig):
        return kubeconfig
    document = yaml.safe_load(kubeconfig)
    document["clusters"][0]["cluster"]["server"] = server
    return yaml.safe_dump(document)


def certificate_in(kubeconfig: str) -> bytes:
    """The client certificate (PEM) in a kubeconfig, empty where there is none."""
    data = _part(kubeconfig, "users", "user").get("client-certificate-data") or ""
    try:
        return base64.b64decode(data)
    except ValueError:
        return b""


def _part(kubeconfig: str, section: str, part: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(kubeconfig)[section][0][part]
    except (yaml.YAMLError, LookupError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
