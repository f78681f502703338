"""Where ks-config.yaml comes from: a file, or the ConfigMap `ks-installer` that v2.1.1 reads too."""

from __future__ import annotations

from pathlib import Path

from ks_installer.errors import UsageError
from ks_installer.objects import FIELD_MANAGER
from ks_installer.settings import Settings, parsed
from ks_installer.state import NAMESPACE
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CONFIG_MAPS, Object

NAME = "ks-installer"
KEY = "ks-config.yaml"


def from_file(path: Path) -> Settings:
    """The settings in a file: ks-config.yaml itself.  Raises UsageError."""
    return parsed(_read(path), str(path))


async def from_cluster(cluster: Cluster) -> Settings:
    """The settings in the ConfigMap.  Raises UsageError where it is missing or wrong."""
    try:
        found = await cluster.get(CONFIG_MAPS, NAME, NAMESPACE)
    except NotFound as error:
        raise UsageError(
            f"there is no ConfigMap {NAMESPACE}/{NAME}: give --config FILE, or create it with the key {KEY}"
        ) from error
    return from_config_map(found)


def from_config_map(found: Object) -> Settings:
    """The settings in a ConfigMap that was read.  Raises UsageError where they are missing or wrong."""
    source = f"ConfigMap {NAMESPACE}/{NAME}"
    text = (found.get("data") or {}).get(KEY)
    if text is None:
        raise UsageError(f"{source} has no key {KEY}")
    return parsed(text, f"{source}, {KEY}")


async def remember(cluster: Cluster, path: Path) -> None:
    """Writes the file into the ConfigMap, so that later commands and the installer in the cluster follow it.

    Where the namespace is not there yet nothing is written.
    """
    body: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": NAMESPACE},
        "data": {KEY: _read(path)},
    }
    try:
        await cluster.apply(CONFIG_MAPS, body, field_manager=FIELD_MANAGER)
    except NotFound:
        return


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
