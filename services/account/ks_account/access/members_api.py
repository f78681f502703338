"""Routes of the members of workspaces."""

from ks_account.access.authorize import GuardedGroup
from ks_account.access.members import Member, Members
from ks_account.users.models import Invitation
from servicekit.errors import BadRequest
from servicekit.identity import Identity
from servicekit.paging import Conditions, Page, PageQuery


def add_routes(group: GuardedGroup, members: Members) -> None:
    """Add the routes to the group iam.kubesphere.io."""

    @group.guarded("GET", "/workspaces/{workspace}/members")
    async def list_members(workspace: str, query: PageQuery) -> Page[Member]:
        """A page of the members of a workspace, by name."""
        profiles = [p for p in await members.profiles(workspace) if _matches(p, query.conditions)]
        return query.page(sorted(profiles, key=lambda p: p["username"], reverse=bool(query.reverse)))

    @group.guarded("POST", "/workspaces/{workspace}/members")
    async def invite_member(caller: Identity, workspace: str, body: Invitation) -> None:
        """Make a user a member of a workspace, or change a member's role."""
        if not body.username:
            raise BadRequest("username must not be empty")
        await members.invite(workspace, body.username, body.workspace_role, caller)

    @group.guarded("GET", "/workspaces/{workspace}/members/{member}")
    async def describe_member(workspace: str, member: str) -> Member:
        """A member of a workspace with the role there."""
        return await members.profile(workspace, member)

    @group.guarded("DELETE", "/workspaces/{workspace}/members/{member}")
    async def remove_member(caller: Identity, workspace: str, member: str) -> None:
        """End a membership."""
        await members.remove(workspace, member, caller)


def _matches(member: Member, conditions: Conditions) -> bool:
    """`keyword` is part of name, e-mail or description; `name` and `email` are among `a|b`; `role` is
    equal.
    """
    wanted = conditions.match
    shown = (member["username"], member["email"], member["description"])
    return (
        any(wanted.get("keyword", "") in text for text in shown)
        and ("name" not in wanted or member["username"] in wanted["name"].split("|"))
        and ("email" not in wanted or member["email"] in wanted["email"].split("|"))
        and ("role" not in wanted or member["workspace_role"] == wanted["role"])
    )
