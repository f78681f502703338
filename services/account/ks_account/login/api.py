"""Routes for signing in and out, and for asking what a token is worth."""

from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from ks_account.clients.directory import Directory
from ks_account.clients.sessions import Sessions
from ks_account.login.signin import SignIn, incorrect
from ks_account.login.tokens import BadToken, Tokens
from ks_account.users.models import Credentials
from servicekit.errors import BadRequest
from servicekit.group import Group
from servicekit.identity import Identity


class TokenReviewSpec(BaseModel):
    """The token in question."""

    token: str = ""


class TokenReview(BaseModel):
    """A TokenReview of authentication.k8s.io, as webhook token authentication sends it."""

    apiVersion: str = ""
    kind: str = ""
    spec: TokenReviewSpec | None = None


def add_routes(
    group: Group, sign_in: SignIn, tokens: Tokens, sessions: Sessions, directory: Directory
) -> None:
    """Add the routes to the group iam.kubesphere.io."""

    @group.post("/login", public=True)
    async def login(caller: Identity, body: bytes) -> dict[str, str]:
        """A token for a user name or e-mail and its password. One message for whatever is wrong with them."""
        try:
            given = Credentials.model_validate(orjson.loads(body))
        except (orjson.JSONDecodeError, ValidationError):
            raise incorrect() from None
        return {"access_token": await sign_in.sign_in(given.username, given.password, caller.address)}

    add_review(group, tokens, sessions, directory)


def add_review(group: Group, tokens: Tokens, sessions: Sessions, directory: Directory) -> None:
    """Add TokenReview alone, which v2.1.1 also serves in the group account.kubesphere.io."""

    async def owner(token: str) -> str | None:
        try:
            claims = tokens.read(token)
        except BadToken:
            return None
        if claims.kind != "access" or not await sessions.is_live(claims.username, token):
            return None
        return claims.username if await directory.user(claims.username) else None

    @group.post("/authenticate", public=True)
    async def authenticate(body: TokenReview) -> dict[str, Any]:
        """Whether a token is in force, and whose it is: TokenReview for Jenkins and for webhooks."""
        if body.spec is None:
            raise BadRequest("token must not be null")
        user = await owner(body.spec.token)
        status: dict[str, Any] = {"authenticated": user is not None}
        if user is not None:
            status["user"] = {"username": user, "uid": user, "groups": await directory.groups_of(user)}
        return {"apiVersion": body.apiVersion, "kind": "TokenReview", "status": status}
