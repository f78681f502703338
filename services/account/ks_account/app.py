"""ks-account: what it does, and what it needs."""

from ks_account.access import members_api, roles_api
from ks_account.access.authorize import GuardedGroup
from ks_account.access.bindings import Bindings
from ks_account.access.cluster_roles import ClusterRoles
from ks_account.access.members import Members
from ks_account.access.roles import Roles
from ks_account.clients.api_tokens import ApiTokens
from ks_account.clients.directory import Directory
from ks_account.clients.memberships import Memberships
from ks_account.clients.sessions import Sessions
from ks_account.config import AccountConfig
from ks_account.first_start import FirstStart
from ks_account.kubectl import api as kubectl_api
from ks_account.kubectl.kubeconfigs import Kubeconfigs
from ks_account.kubectl.provisioning import Provisioning
from ks_account.kubectl.terminals import Terminals
from ks_account.login import api as login_api
from ks_account.login.grants import Grants
from ks_account.login.signin import SignIn
from ks_account.login.tokens import Tokens
from ks_account.oidc import api as oidc_api
from ks_account.oidc.attempt import Attempts
from ks_account.oidc.login import OidcLogin
from ks_account.oidc.people import Newcomers
from ks_account.sources.people import Sources
from ks_account.tokens import api as tokens_api
from ks_account.tokens.issuing import Issuing
from ks_account.users import api as users_api
from ks_account.users.accounts import Accounts
from ks_account.users.locking import Locking
from ks_account.users.people import People
from ks_account.users.removal import Removal
from ks_account.users.roster import Roster
from kubekit.cluster import Cluster
from kubekit.config import ClusterConfig
from kubekit.rbac.index import RbacIndex
from servicekit.app import Service, service
from servicekit.group import Group
from servicekit.sections import KubernetesConfig
from storekit.database import Database


def build(config: AccountConfig) -> Service:
    """The service with its configuration."""
    cluster = Cluster(_cluster_config(config.kubernetes))
    rbac = RbacIndex(cluster)
    directory = Directory(config.ldap, config.account)
    sessions = Sessions(config.redis, config.account.pool_wait)
    database = Database(config.mysql)

    kubeconfigs, terminals = Kubeconfigs(cluster, config.kubectl), Terminals(cluster, config.kubectl)
    roles = ClusterRoles(cluster, rbac)
    provisioning = Provisioning(
        directory,
        kubeconfigs,
        terminals,
        enabled=config.kubectl.enabled,
        administrators=roles.administrators,
    )

    tokens = Tokens(config.authentication.jwt_secret.get_secret_value())
    sign_in = SignIn(directory, sessions, tokens, config, provisioning.due)
    grants = Grants(sign_in, tokens, sessions, config.authentication.token_idle_timeout)
    bindings = Bindings(cluster)
    roster = Roster(directory, sessions, config.account.list_kept)
    accounts = Accounts(
        directory, sessions, sign_in, roles, roster, config.account.password_rounds, provisioning.due
    )
    removal = Removal(
        directory, sessions, Memberships(database), roster, bindings, roles, provisioning, cluster
    )
    people = People(directory, sessions)
    members = Members(cluster, rbac, bindings, people, sessions)
    first_start = FirstStart(directory, sessions, accounts, roles, config)

    iam = GuardedGroup("iam.kubesphere.io", "v1alpha2", rbac)
    login_api.add_routes(iam, sign_in, tokens, sessions)
    login_api.add_review(iam, tokens, sessions, directory)
    users_api.add_routes(iam, accounts, removal, sessions, rbac)
    users_api.add_locking(iam, Locking(directory, sessions, roles, provisioning))
    tokens_api.add_routes(iam, Issuing(ApiTokens(sessions), tokens, directory, config.account))
    attempts = Attempts(config.authentication.jwt_secret.get_secret_value())
    newcomers = Newcomers(directory, accounts, roles)
    oidc = OidcLogin(config.account.oidc, attempts, newcomers, sign_in)
    sources = Sources(config.account.directories, config.account.pool_wait, newcomers)
    if config.account.directories:
        sign_in.elsewhere = sources
    oidc_api.add_routes(iam, oidc)
    members_api.add_routes(iam, members)
    roles_api.add_routes(iam, Roles(cluster, rbac, people))
    kubectl_api.add_routes(iam, provisioning, config.kubernetes.master)
    oauth = Group("iam.kubesphere.io", "v1alpha2", consumes=["application/json", login_api.FORM])
    login_api.add_grants(oauth, grants)
    review = Group("account.kubesphere.io", "v1alpha1", prefix="/apis/account.kubesphere.io/v1alpha1")
    login_api.add_review(review, tokens, sessions, directory)

    return service(
        "ks-account",
        config,
        needs=[cluster, rbac, directory, sessions, first_start, oidc, sources],
        # Nothing but the deletion of a user looks at it.
        wants=[database],
        groups=[iam, oauth, review],
        background=[first_start.run, provisioning.run],
    )


def _cluster_config(config: KubernetesConfig) -> ClusterConfig:
    return ClusterConfig(
        kubeconfig=config.kubeconfig,
        context=config.context,
        qps=config.qps,
        burst=config.burst,
        timeout=config.timeout,
        pool=config.pool,
        user_agent="ks-account",
    )
