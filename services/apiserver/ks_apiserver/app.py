"""ks-apiserver: what it does, and what it needs."""

from ks_apiserver.clients.kubernetes import cluster_config
from ks_apiserver.clients.secrets import Secrets
from ks_apiserver.config import ApiserverConfig
from ks_apiserver.configz import api as configz_api
from ks_apiserver.egress.client import Egress
from ks_apiserver.git.remote import Remotes
from ks_apiserver.registry import api as registry_api
from ks_apiserver.registry.images import Images
from ks_apiserver.resources import api as resources_api
from ks_apiserver.resources.access import Access as ResourcesAccess
from ks_apiserver.resources.components import Components
from ks_apiserver.resources.discovery import Discovery
from ks_apiserver.resources.objects import Objects
from ks_apiserver.resources.quotas import Quotas
from ks_apiserver.resources.revisions import Revisions
from ks_apiserver.resources.search import Search
from ks_apiserver.tenant import api as tenant_api
from ks_apiserver.tenant.access import Access
from ks_apiserver.tenant.namespaces import Namespaces
from ks_apiserver.tenant.rules import OwnRules
from ks_apiserver.tenant.workspaces import Workspaces
from kubekit.cluster import Cluster
from kubekit.rbac import RbacIndex
from servicekit.app import Service, service

NAME = "ks-apiserver"


def build(config: ApiserverConfig) -> Service:
    """The service with its configuration."""
    cluster = Cluster(cluster_config(config.kubernetes, NAME))
    rbac = RbacIndex(cluster)

    access = Access(rbac)
    namespaces = Namespaces(cluster, access)
    workspaces = Workspaces(cluster, access, namespaces)

    resources_access = ResourcesAccess(rbac)
    objects = Objects(cluster)
    search = Search(objects, resources_access, Discovery(cluster))

    egress, secrets = Egress(config.egress), Secrets(cluster)

    return service(
        NAME,
        config,
        needs=[cluster, rbac, egress],
        groups=[
            configz_api.group(config),
            tenant_api.group(access, workspaces, namespaces, OwnRules(rbac)),
            registry_api.group(Images(egress, secrets), Remotes(egress, secrets)),
            resources_api.group(
                resources_access,
                search,
                Components(objects, resources_access),
                Quotas(objects, search, resources_access),
                Revisions(objects, resources_access),
            ),
        ],
    )
