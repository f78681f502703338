"""Routes of user accounts."""

from typing import Annotated

from typing_extensions import TypedDict

from ks_account.access.authorize import GuardedGroup, oneself
from ks_account.clients.kubernetes import translated
from ks_account.clients.sessions import Sessions
from ks_account.users.accounts import Accounts
from ks_account.users.locking import Locking
from ks_account.users.models import ChangedUser, NewUser
from ks_account.users.profile import Description, Profile
from ks_account.users.removal import Removal
from kubekit.rbac import RequestInfo, effective_groups
from kubekit.rbac.index import RbacIndex
from servicekit.binding import Query
from servicekit.identity import Identity
from servicekit.paging import Page, PageQuery, parse_bool


class Existence(TypedDict):
    """Whether a name or an e-mail is taken."""

    exist: bool


class LoginRecord(TypedDict):
    """When somebody signed in (RFC 3339), and from where."""

    login_time: str
    login_ip: str


def add_routes(
    group: GuardedGroup,
    accounts: Accounts,
    removal: Removal,
    sessions: Sessions,
    rbac: RbacIndex,
) -> None:
    """Add the routes to the group iam.kubesphere.io."""

    @group.guarded("GET", "/users")
    async def list_users(
        query: PageQuery,
        check: Annotated[list[str], Query("check")] = [],  # noqa: B006
    ) -> Page[Profile] | Existence:
        """A page of the users. With `check=true&check=NAME`: whether that name or e-mail is taken."""
        if check and parse_bool(check[0]):
            return {"exist": await accounts.exists(check[-1])}
        return await accounts.page(query)

    @group.guarded("POST", "/users")
    async def create_user(caller: Identity, body: NewUser) -> Profile:
        """Make a user, with a cluster role that the caller may grant."""
        return await accounts.create(body, caller)

    @group.guarded("GET", "/users/{user}", permit=oneself)
    async def describe_user(user: str) -> Description:
        """A user with groups, cluster role and permissions."""
        return await accounts.describe(user)

    @group.guarded("PUT", "/users/{user}", permit=oneself)
    async def update_user(caller: Identity, user: str, body: ChangedUser) -> Profile:
        """Change a user: everybody their own account, but not their role; who may update users, all."""
        return await accounts.update(user, body, caller, manager=_manages(caller, user))

    @group.guarded("DELETE", "/users/{user}")
    async def delete_user(caller: Identity, user: str) -> None:
        """Delete a user with role bindings, sessions and login log."""
        await removal.remove(user, caller)

    @group.guarded("GET", "/users/{user}/logs", permit=oneself)
    async def login_log(user: str) -> list[LoginRecord]:
        """The last ten logins of a user."""
        lines = [line.partition(",") for line in await sessions.login_log(user)]
        return [{"login_time": time, "login_ip": address} for time, _, address in lines]

    @group.guarded("DELETE", "/users/{user}/sessions", permit=oneself)
    async def end_sessions(user: str) -> None:
        """End all sessions of a user."""
        await sessions.end_all(user)

    def _manages(caller: Identity, user: str) -> bool:
        path = f"{group.prefix}/users/any"
        asked = RequestInfo.of("PUT", path)._replace(name=user)
        with translated():
            return rbac.allows(caller.user, effective_groups(caller.user, caller.groups), asked).allowed


def add_locking(group: GuardedGroup, locking: Locking) -> None:
    """Add the routes that lock users out to the group iam.kubesphere.io."""

    @group.guarded("PUT", "/users/{user}/lock")
    async def lock_user(caller: Identity, user: str) -> None:
        """Lock a user out: nobody can sign in as them, and their sessions and API tokens end at once."""
        await locking.lock(user, caller)

    @group.guarded("DELETE", "/users/{user}/lock")
    async def unlock_user(caller: Identity, user: str) -> None:
        """Let a user who was locked sign in again."""
        await locking.unlock(user, caller)
