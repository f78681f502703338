"""Kubeconfigs that lead through a proxy on the loopback."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


def address_in(kubeconfig: Path) -> tuple[str, int]:
    """Host and port of the API server."""
    server = urlsplit(_cluster_in(_read(kubeconfig))["server"])
    assert server.hostname is not None
    assert server.port is not None
    return server.hostname, server.port


def redirect(kubeconfig: Path, target: Path, port: int) -> None:
    """Write to `target` a kubeconfig like that one, whose API server is at this port."""
    content = _read(kubeconfig)
    entry = _cluster_in(content)
    entry["server"] = f"{urlsplit(entry['server']).scheme}://127.0.0.1:{port}"
    target.write_text(yaml.safe_dump(content))


def _read(kubeconfig: Path) -> dict[str, Any]:
    return yaml.safe_load(kubeconfig.read_text())


def _cluster_in(content: dict[str, Any]) -> dict[str, Any]:
    [entry] = content["clusters"]
    return entry["cluster"]
