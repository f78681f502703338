"""Routes of API tokens."""

from datetime import UTC, datetime

from typing_extensions import TypedDict

from ks_account.access.authorize import GuardedGroup, oneself
from ks_account.clients.api_tokens import ApiToken
from ks_account.tokens.issuing import Issuing
from ks_account.tokens.models import NewToken
from servicekit.errors import Forbidden
from servicekit.identity import Identity
from servicekit.paging import Page


class TokenRecord(TypedDict):
    """What is kept of an API token. Times are of RFC 3339; the last is None until the token is used."""

    id: str
    name: str
    verbs: list[str]
    workspaces: list[str]
    create_time: str
    expire_time: str
    last_used_time: str | None


class IssuedToken(TokenRecord):
    """A new API token."""

    token: str


def add_routes(group: GuardedGroup, issuing: Issuing) -> None:
    """Add the routes to the group iam.kubesphere.io."""

    @group.guarded("GET", "/users/{user}/apitokens", permit=oneself)
    async def list_api_tokens(user: str) -> Page[TokenRecord]:
        """The API tokens of a user that are in force, without the tokens themselves."""
        shown = [_shown(token) for token in await issuing.list(user)]
        return Page(shown, len(shown))

    @group.guarded("POST", "/users/{user}/apitokens", permit=oneself)
    async def create_api_token(caller: Identity, user: str, body: NewToken) -> IssuedToken:
        """Make an API token of one's own. `token` is shown here, and never again."""
        if caller.user != user:
            raise Forbidden("API tokens are made by their owner alone")
        record, token = await issuing.create(user, body)
        return {**_shown(record), "token": token}

    @group.guarded("DELETE", "/users/{user}/apitokens/{token}", permit=oneself)
    async def revoke_api_token(user: str, token: str) -> None:
        """Revoke the API token with this identifier; it is refused at once."""
        await issuing.revoke(user, token)


def _shown(token: ApiToken) -> TokenRecord:
    return {
        "id": token.id,
        "name": token.name,
        "verbs": list(token.verbs),
        "workspaces": list(token.workspaces),
        "create_time": _rfc3339(token.created),
        "expire_time": _rfc3339(token.expires),
        "last_used_time": _rfc3339(token.used) if token.used else None,
    }


def _rfc3339(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
