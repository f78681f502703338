"""API tokens as Redis keeps them: all about each of them but the token itself.

- `kubesphere:users:{user}:api-tokens`: a hash from identifier to name, scope and times.
- `kubesphere:users:{user}:token:{identifier}`: the session of one, which ends when it does.
- `kubesphere:api-tokens-used:{user}`: a hash from identifier to when it was used last; the gateway writes it.
"""

import time
from dataclasses import dataclass
from typing import Any

import orjson

from ks_account.clients import keyspace
from ks_account.clients.sessions import Sessions, available


@dataclass(frozen=True, slots=True)
class ApiToken:
    """`verbs` and `workspaces` are what it may be used for; `*` stands for all. Times are Unix times."""

    id: str
    name: str
    verbs: tuple[str, ...]
    workspaces: tuple[str, ...]
    created: int
    expires: int
    used: int | None = None

    @property
    def scope(self) -> dict[str, list[str]]:
        """The claim of the token that the gateway enforces."""
        return {"verbs": list(self.verbs), "workspaces": list(self.workspaces)}


class ApiTokens:
    """The API tokens that are in force. Every method raises Unavailable when Redis does not answer."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, user: str, token: ApiToken, *, most: int) -> str:
        """Bring a token into force. Gives "" when done, else "full" when the user has `most` already, "taken"
        when one has that name, "locked" when the user was locked just now.
        """
        record = {"name": token.name, "created": token.created, "expires": token.expires, **token.scope}
        left = int((token.expires - time.time()) * 1000)
        keys = [keyspace.api_tokens(user), keyspace.token(user, token.id), keyspace.locked(user)]
        arguments = [
            token.id,
            orjson.dumps(record).decode(),
            left,
            most,
            token.name,
            keyspace.token(user, ""),
        ]
        return str(await self._sessions.script("add_api_token", keys, arguments))

    async def of(self, user: str) -> list[ApiToken]:
        """Those of a user, the oldest first."""
        async with available(), self._sessions.redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keyspace.api_tokens(user))
            pipe.hgetall(keyspace.api_tokens_used(user))
            records, used = await pipe.execute()
        tokens = [_token(id_, orjson.loads(text), used.get(id_)) for id_, text in records.items()]
        now = time.time()
        return sorted((t for t in tokens if t.expires > now), key=lambda t: (t.created, t.id))

    async def end(self, user: str, id_: str) -> bool:
        """End one; gives whether it was there."""
        async with available(), self._sessions.redis.pipeline(transaction=True) as pipe:
            pipe.delete(keyspace.token(user, id_))
            pipe.hdel(keyspace.api_tokens(user), id_)
            pipe.hdel(keyspace.api_tokens_used(user), id_)
            return bool((await pipe.execute())[1])


def _token(id_: str, record: dict[str, Any], used: str | None) -> ApiToken:
    return ApiToken(
        id=id_,
        name=record["name"],
        verbs=tuple(record["verbs"]),
        workspaces=tuple(record["workspaces"]),
        created=record["created"],
        expires=record["expires"],
        used=int(used) if used else None,
    )
