"""The kubeconfig of each user: the ConfigMap `kubeconfig-USER`, key `config`, in kubesphere-controls-system.

Names and shape are those of v2.1.1, whose ConfigMaps are kept until their certificate is to be renewed.
"""

import logging
import time
from datetime import UTC, datetime

from ks_account.kubectl import kubeconfig
from ks_account.kubectl.certificates import Certificates, NotSigned
from ks_account.kubectl.config import KubectlSection
from ks_account.kubectl.kubeconfig import Credential
from ks_account.kubectl.tokens import Tokens
from kubekit.cluster import Cluster
from kubekit.errors import AlreadyExists, Conflict, NotFound
from kubekit.resource import CONFIG_MAPS, Object
from servicekit.errors import Unavailable

CONTROLS_NAMESPACE = "kubesphere-controls-system"
KEY = "config"
RENEWAL = "kubesphere.io/kubeconfig-renewal"
"""The annotation with the time when the credential is to be renewed."""
_AUTHORITY = "kube-root-ca.crt"
"""The ConfigMap in which the cluster publishes who signs the API server's certificate, in each namespace."""

log = logging.getLogger(__name__)


class Kubeconfigs:
    """Makes, renews and removes them. Every method may be repeated, and by several replicas at once."""

    def __init__(self, cluster: Cluster, config: KubectlSection) -> None:
        self._cluster = cluster
        self._config = config
        self._certificates = Certificates(cluster, lifetime=config.lifetime, timeout=config.sign_timeout)
        self._tokens = Tokens(cluster, CONTROLS_NAMESPACE, lifetime=config.lifetime)

    async def ensure(self, username: str) -> tuple[str, float]:
        """The user's kubeconfig, made or renewed where it has to be, and the seconds until it has to be
        again. Raises KubernetesError, and Unavailable where the cluster signs nothing.
        """
        found = await self._find(username)
        if found is None or _left(found) <= 0 or kubeconfig.server_in(found["data"][KEY]) != self._server:
            found = await self._write(username, found)
        return found["data"][KEY], _left(found)

    async def remove(self, username: str) -> int:
        """Remove the kubeconfig, and what its credentials need; gives how many objects that were."""
        removed = await self._certificates.withdraw(username) + await self._tokens.withdraw(username)
        try:
            await self._cluster.delete(CONFIG_MAPS, name_of(username), CONTROLS_NAMESPACE)
        except NotFound:
            return removed
        return removed + 1

    async def _find(self, username: str) -> Object | None:
        try:
            return await self._cluster.get(CONFIG_MAPS, name_of(username), CONTROLS_NAMESPACE)
        except NotFound:
            return None

    async def _write(self, username: str, found: Object | None) -> Object:
        authority = await self._cluster.get(CONFIG_MAPS, _AUTHORITY, CONTROLS_NAMESPACE)
        credential = await self._credential(username)
        text = kubeconfig.text(
            username, credential, server=self._server, authority=authority["data"]["ca.crt"]
        )
        renewal = {RENEWAL: f"{datetime.fromtimestamp(credential.renewal, UTC):%Y-%m-%dT%H:%M:%SZ}"}
        try:
            if found is None:
                metadata = {"name": name_of(username), "annotations": renewal}
                return await self._cluster.create(
                    CONFIG_MAPS, {"metadata": metadata, "data": {KEY: text}}, CONTROLS_NAMESPACE
                )
            annotations = {**(found["metadata"].get("annotations") or {}), **renewal}
            changed = {**found, "metadata": {**found["metadata"], "annotations": annotations}}
            return await self._cluster.update(CONFIG_MAPS, {**changed, "data": {KEY: text}})
        except (AlreadyExists, Conflict):  # another replica was faster, and what it wrote is as good
            return await self._cluster.get(CONFIG_MAPS, name_of(username), CONTROLS_NAMESPACE)

    async def _credential(self, username: str) -> Credential:
        if self._config.credential == "token":
            return await self._tokens.issue(username)
        try:
            return await self._certificates.issue(username)
        except NotSigned as error:
            if self._config.credential == "certificate":
                raise Unavailable("kubernetes", f"no certificate for {username}: {error}") from error
            log.info("%s gets a token instead of a certificate: %s", username, error)
            return await self._tokens.issue(username)

    @property
    def _server(self) -> str:
        return self._config.server or self._cluster.server


def name_of(username: str) -> str:
    """The ConfigMap of a user's kubeconfig."""
    return f"kubeconfig-{username}"


def _left(config_map: Object) -> float:
    """Seconds until a kubeconfig is to be renewed; none where that cannot be read."""
    at = (config_map["metadata"].get("annotations") or {}).get(RENEWAL)
    text = (config_map.get("data") or {}).get(KEY) or ""
    try:
        if at:
            return datetime.fromisoformat(at).timestamp() - time.time() if text else 0
        return kubeconfig.renewal_of(kubeconfig.certificate_in(text)) - time.time()
    except ValueError:
        return 0
