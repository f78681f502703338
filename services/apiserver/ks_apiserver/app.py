"""ks-apiserver: what it does, and what it needs."""

from ks_apiserver.clients.kubernetes import cluster_config
from ks_apiserver.clients.secrets import Secrets
from ks_apiserver.config import ApiserverConfig
from ks_apiserver.configz import api as configz_api
from ks_apiserver.dryrun import api as dryrun_api
from ks_apiserver.dryrun.dryrun import DryRun
from ks_apiserver.egress.client import Egress
from ks_apiserver.explain import api as explain_api
from ks_apiserver.explain.explain import Explain
from ks_apiserver.finder import api as finder_api
from ks_apiserver.finder.finder import Finder
from ks_apiserver.git.remote import Remotes
from ks_apiserver.operations import api as operations_api
from ks_apiserver.operations.drains import Drains
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
from ks_apiserver.routers import api as routers_api
from ks_apiserver.routers.routers import Routers
from ks_apiserver.storage import api as storage_api
from ks_apiserver.tenant import api as tenant_api
from ks_apiserver.tenant.access import Access
from ks_apiserver.tenant.components import Components as TenantComponents
from ks_apiserver.tenant.namespaces import Namespaces
from ks_apiserver.tenant.rules import OwnRules
from ks_apiserver.tenant.workspaces import Workspaces
from ks_apiserver.terminal import api as terminal_api
from ks_apiserver.users import api as users_api
from ks_apiserver.users.own import Own
from ks_apiserver.watching import api as watching_api
from kubekit.cluster import Cluster
from kubekit.rbac import RbacIndex
from servicekit.app import Service, service

NAME = "ks-apiserver"


def build(config: ApiserverConfig) -> Service:
    """The service with its configuration."""
    streams = 2 * config.terminal.max_sessions
    cluster = Cluster(cluster_config(config.kubernetes, NAME, streams=streams))
    rbac = RbacIndex(cluster)

    access = Access(rbac)
    namespaces = Namespaces(cluster, access)
    workspaces = Workspaces(cluster, access, namespaces)
    tenant_components = TenantComponents(access, workspaces, config)

    resources_access = ResourcesAccess(rbac)
    objects = Objects(cluster)
    discovery = Discovery(cluster)
    search = Search(objects, resources_access, discovery)

    egress, secrets = Egress(config.egress), Secrets(cluster)
    own = Own(cluster, config.kubernetes.master)

    settings = config.operations
    drains = Drains(cluster, settings.max_drains, settings.drain_timeout, settings.drain_patience)

    return service(
        NAME,
        config,
        needs=[cluster, rbac, egress],
        groups=[
            configz_api.group(config),
            tenant_api.group(access, workspaces, namespaces, OwnRules(rbac), tenant_components),
            *operations_api.groups(cluster, drains),
            routers_api.group(Routers(cluster, resources_access, config.router.image)),
            users_api.group(own),
            storage_api.group(cluster),
            watching_api.group(search),
            finder_api.group(Finder(objects, resources_access)),
            dryrun_api.group(DryRun(cluster, discovery)),
            explain_api.group(Explain(cluster, resources_access)),
            registry_api.group(Images(egress, secrets), Remotes(egress, secrets)),
            resources_api.group(
                resources_access,
                search,
                Components(objects, resources_access),
                Quotas(objects, search, resources_access),
                Revisions(objects, resources_access),
            ),
            terminal_api.group(cluster, own, config.terminal),
        ],
        background=[drains.run],
    )
