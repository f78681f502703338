"""Kubeconfig files that stand alone: certificate and key are inside."""

import base64
from collections.abc import Iterable
from pathlib import Path

import yaml

from localkube.pki import Authority, Leaf, write_private
from localkube.settings import Settings

ADMINISTRATORS = "system:masters"


def write_kubeconfig(
    path: Path, settings: Settings, authority: Authority, user: str, groups: Iterable[str] = ()
) -> Path:
    """Write a kubeconfig that makes its holder `user` in `groups`, by a new client certificate; mode 0600."""
    certificate, key = authority.sign(Leaf(user, tuple(groups)))
    write_private(path, _document(settings, authority.files.certificate.read_bytes(), user, certificate, key))
    return path


def _document(settings: Settings, ca: bytes, user: str, certificate: bytes, key: bytes) -> bytes:
    cluster = f"localkube-{settings.name}"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": cluster, "cluster": {"server": settings.url, "certificate-authority-data": _base64(ca)}}
        ],
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)},
            }
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
    }
    return yaml.safe_dump(document, sort_keys=False).encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
