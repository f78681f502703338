"""Routes for signing in and out, and for asking what a token is worth."""

from typing import Annotated, NotRequired
from urllib.parse import parse_qsl

import orjson
from aiohttp import web
from pydantic import BaseModel, ValidationError
from typing_extensions import TypedDict

from ks_account.clients.directory import Directory
from ks_account.clients.sessions import Sessions
from ks_account.login.grants import Grants, Pair
from ks_account.login.signin import SignedIn, SignIn, incorrect
from ks_account.login.tokens import BadToken, Tokens
from ks_account.users.models import Credentials, Text
from servicekit.binding import Header
from servicekit.errors import BadRequest, Forbidden, Unauthorized
from servicekit.group import Group
from servicekit.identity import Identity

FORM = "application/x-www-form-urlencoded"


class TokenRequest(Credentials):
    """A request of RFC 6749, sections 4.3.2 and 6."""

    grant_type: Text = ""
    refresh_token: Text = ""


class TokenReviewSpec(BaseModel):
    """The token in question."""

    token: Text = ""


class TokenReview(BaseModel):
    """A TokenReview of authentication.k8s.io, as webhook token authentication sends it."""

    apiVersion: Text = ""
    kind: Text = ""
    spec: TokenReviewSpec | None = None


class ReviewedUser(TypedDict):
    """Whose a token is."""

    username: str
    uid: str
    groups: list[str]


class TokenReviewStatus(TypedDict):
    """What became of a TokenReview; `user` is there when the token is in force."""

    authenticated: bool
    user: NotRequired[ReviewedUser]


class ReviewedToken(TypedDict):
    """The answer to a TokenReview."""

    apiVersion: str
    kind: str
    status: TokenReviewStatus


class SessionToken(TypedDict):
    """A session that was begun; the second key is only there when it is true."""

    access_token: str
    password_change_required: NotRequired[bool]


def add_routes(group: Group, sign_in: SignIn, tokens: Tokens, sessions: Sessions) -> None:
    """Add signing in and out to the group iam.kubesphere.io."""

    @group.post("/login", public=True)
    async def login(caller: Identity, body: bytes) -> SessionToken:
        """A token for a user name or e-mail and its password. One message for whatever is wrong with them.

        `password_change_required` says that the token serves for nothing but setting another password.
        """
        try:
            given = Credentials.model_validate(orjson.loads(body))
        except (orjson.JSONDecodeError, ValidationError):
            raise incorrect() from None
        return session_of(await sign_in.sign_in(given.username, given.password, caller.address))

    @group.delete("/token")
    async def sign_out(caller: Identity, request: web.Request) -> None:
        """End the session whose token is in `Authorization: Bearer` or in the cookie `token`.

        What was granted along with it ends too.
        """
        token = _bearer(request)
        try:
            claims = tokens.read(token)
        except BadToken as error:
            raise BadRequest(str(error)) from error
        if claims.username != caller.user:
            raise Forbidden("the token is somebody else's")
        await sessions.end(caller.user, token, claims.family)


def session_of(signed_in: SignedIn) -> SessionToken:
    """A session as an answer shows it."""
    shown: SessionToken = {"access_token": signed_in.token}
    if signed_in.must_change:
        shown["password_change_required"] = True
    return shown


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token if scheme == "Bearer" else request.cookies.get("token", "")
    if not token:
        raise BadRequest("send the token whose session is to end as Authorization: Bearer <token>")
    return token


def add_grants(group: Group, grants: Grants) -> None:
    """Add OAuth 2 to the group iam.kubesphere.io, whose bodies are JSON, as in v2.1.1, or forms."""

    @group.post("/token", public=True)
    async def token(
        caller: Identity, body: bytes, content_type: Annotated[str, Header("Content-Type")] = ""
    ) -> Pair:
        """An access and a refresh token, for a password (`password`) or a refresh token (`refresh_token`)."""
        given = _read_request(body, is_form=content_type.startswith(FORM))
        if given.grant_type == "password":
            return await grants.by_password(given.username, given.password, caller.address)
        if given.grant_type == "refresh_token":
            return await grants.by_refresh_token(given.refresh_token)
        why = "grant_type is not supported"
        raise Unauthorized(why, reason="UnsupportedGrantType", headers={"WWW-Authenticate": why})


def _read_request(body: bytes, *, is_form: bool) -> TokenRequest:
    try:
        values = dict(parse_qsl(body.decode(), max_num_fields=20)) if is_form else orjson.loads(body)
        return TokenRequest.model_validate(values)
    except ValueError as error:
        raise BadRequest("body: is neither JSON nor a form with grant_type") from error


def add_review(group: Group, tokens: Tokens, sessions: Sessions, directory: Directory) -> None:
    """Add TokenReview, which v2.1.1 also serves in the group account.kubesphere.io."""

    async def owner(token: str) -> str | None:
        try:
            claims = tokens.read(token)
        except BadToken:
            return None
        if (
            claims.kind != "access"
            or claims.must_change
            or not await sessions.is_live(claims.username, token)
        ):
            return None
        return claims.username if await directory.user(claims.username) else None

    @group.post("/authenticate", public=True)
    async def authenticate(body: TokenReview) -> ReviewedToken:
        """Whether a token is in force, and whose it is: TokenReview for Jenkins and for webhooks."""
        if body.spec is None:
            raise BadRequest("token must not be null")
        user = await owner(body.spec.token)
        status: TokenReviewStatus = {"authenticated": user is not None}
        if user is not None:
            status["user"] = {"username": user, "uid": user, "groups": await directory.groups_of(user)}
        return {"apiVersion": body.apiVersion, "kind": "TokenReview", "status": status}
