"""Who we are to the cluster: kubeconfig or service account, read by kubernetes.aio, checked before and
renewed after.

The library's loader reports most mistakes as a bare TypeError or KeyError, so what it will look up is
checked first, and every remaining failure is raised as KubeconfigError with the name of the file.
"""

import binascii
import logging
import os
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import (
    ConfigException,
    load_incluster_config,  # pyright: ignore[reportUnknownVariableType]
)
from kubernetes.aio.config.kube_config import ConfigNode, KubeConfigLoader, KubeConfigMerger

from kubekit.config import ClusterConfig
from kubekit.errors import KubeconfigError
from kubekit.resource import Object

T = TypeVar("T")

log = logging.getLogger(__name__)

SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")

RENEW_REFUSED = 10.0
"""Seconds between renewals after refusals, so that a wrong token runs no plugin at every try."""

_LOADER_ERRORS = (
    ConfigException,
    OSError,
    TypeError,
    KeyError,
    ValueError,
    AttributeError,
    binascii.Error,
    yaml.YAMLError,
)


class Credentials:
    """The server's address, the TLS context and the Authorization header of a cluster. Made by `load`."""

    def __init__(self, configuration: Configuration, loader: Any, source: str) -> None:
        self.source = source
        self._configuration: Any = configuration
        self._loader = loader
        self._refused_at = -RENEW_REFUSED
        self.server: str = str(self._configuration.host).rstrip("/")
        # Looked up here: aiohttp's own look at the environment costs every request two hops to a thread.
        self.proxy: str | None = self._configuration.proxy or _environment_proxy(self.server)
        self.tls_server_name: str | None = self._configuration.tls_server_name
        self.ssl_context: ssl.SSLContext | None = None
        if self.server.startswith("https:"):
            self.ssl_context = _reading(source, lambda: _tls(configuration))

    def headers(self) -> dict[str, str]:
        """The Authorization header as it is now; none with a client certificate, or without a user."""
        token = self._configuration.api_key.get("BearerToken")
        return {"Authorization": str(token).strip()} if token else {}

    async def renew_refused(self) -> None:
        """Renews because the server refused what it was sent; at most once in RENEW_REFUSED seconds."""
        if monotonic() - self._refused_at >= RENEW_REFUSED:
            self._refused_at = monotonic()
            await self.renew()

    async def renew(self) -> None:
        """Reads tokens again: rotated token files, expired exec plugins' and OIDC tokens. Logs what fails."""
        try:
            hook = self._configuration.refresh_api_key_hook
            if hook is not None:
                hook(self._configuration)
            elif self._loader is not None:
                await self._loader.load_and_set(self._configuration)
        except _LOADER_ERRORS as error:
            log.warning("credentials from %s could not be renewed: %s", self.source, _told(error))


async def load(config: ClusterConfig) -> Credentials:
    """Reads the credentials that `config` names. Raises KubeconfigError."""
    configuration = Configuration()
    loader: Any = None
    if config.kubeconfig is None and _in_cluster():
        source = "the pod's service account"
        _reading(source, lambda: load_incluster_config(client_configuration=configuration))
    else:
        source = config.kubeconfig or os.environ.get("KUBECONFIG") or str(Path.home() / ".kube/config")
        for path in _paths(source):
            _check_file(path)
        try:
            loader = _loader(source, config.context)
            await loader.load_and_set(configuration)
        except _LOADER_ERRORS as error:
            raise KubeconfigError(f"{source}: {_told(error)}") from error
    if config.master:
        configuration.host = config.master
    credentials = Credentials(configuration, loader, source)
    if not credentials.server.startswith(("https://", "http://")):
        raise KubeconfigError(f"{source}: server {credentials.server!r} is no http or https URL")
    return credentials


def _loader(source: str, context: str | None) -> Any:
    """The library's loader of the merged files. It needs a user where the context names none: one without
    secrets.
    """
    merged: Any = KubeConfigMerger(source).config
    name = context or merged["current-context"]
    chosen = merged["contexts"].get_with_name(name)["context"]
    user = chosen.safe_get("user")
    if not user:
        nobody: Object = {"name": "kubekit:nobody", "user": {}}
        chosen.value["user"] = nobody["name"]
        merged.value["users"].append(ConfigNode(nobody["name"], nobody, None))
    elif merged["users"].get_with_name(user, safe=True) is None:
        raise ConfigException(f"context {name} names user {user}, who is not among users")
    loader: Any = KubeConfigLoader
    return loader(config_dict=merged, active_context=name, config_base_path=None)


def _in_cluster() -> bool:
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and SERVICE_ACCOUNT_TOKEN.is_file()


def _paths(source: str) -> list[Path]:
    """$KUBECONFIG may list several files; as kubectl does, those that exist are merged, and one must."""
    paths = [Path(part).expanduser() for part in source.split(os.pathsep) if part]
    existing = [path for path in paths if path.exists()]
    if not existing:
        raise KubeconfigError(
            f"{source}: no such file; give the path of a kubeconfig, set KUBECONFIG, or run inside a cluster"
        )
    return existing


def _check_file(path: Path) -> None:
    try:
        content: Any = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise KubeconfigError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"{path}: not YAML: {_told(error)}") from error
    if not isinstance(content, dict):
        raise KubeconfigError(
            f"{path}: not a kubeconfig: expected a mapping with clusters, contexts and users"
        )
    for section, part in (("clusters", "cluster"), ("contexts", "context"), ("users", "user")):
        _check_section(path, cast("Mapping[str, Any]", content), section, part)


def _check_section(path: Path, content: Mapping[str, Any], section: str, part: str) -> None:
    entries: Any = content.get(section)
    if entries is None:
        return
    if not isinstance(entries, list):
        raise KubeconfigError(f"{path}: {section} must be a list")
    for number, entry in enumerate(cast("list[Any]", entries)):
        named = isinstance(entry, dict) and "name" in entry
        if not named or not isinstance(cast("dict[str, Any]", entry).get(part) or {}, dict):
            raise KubeconfigError(f"{path}: {section}[{number}] must be a mapping with name and {part}")


def _environment_proxy(server: str) -> str | None:
    """The proxy that HTTPS_PROXY or HTTP_PROXY names for `server`; None where NO_PROXY excepts it."""
    parts = urlsplit(server)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def _tls(configuration: Configuration) -> ssl.SSLContext:
    rest: Any = RESTClientObject(configuration)
    return rest.ssl_context


def _reading(source: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (*_LOADER_ERRORS, ssl.SSLError) as error:
        raise KubeconfigError(f"{source}: {_told(error)}") from error


def _told(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
