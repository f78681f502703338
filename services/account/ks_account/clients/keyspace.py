"""Where things are in Redis.

Keys that KubeSphere v2.1.1 has too:

- `kubesphere:users:{user}:token:{jwt}`: the token, for as long as it may be idle. The gateway asks for this
  key with every request, and prolongs it.
- `kubesphere:users:{user}:login-log`: a list of the last ten `time,address`.

Keys of our own:

- `kubesphere:users:{user}:sessions`: the user's tokens by the time of their issue, so that all of them can
  be found without going through the key space. It outlives them; what has expired is dropped with the next
  login.
- `kubesphere:users:{user}:grants`: a hash of the families of refresh tokens, each with the one that is
  good.
- `kubesphere:users:{user}:locked`: set for a while when the user is locked, so that no login which was under
  way goes on; that the user is locked stands in the directory.
- `kubesphere:users:{user}:creating`: set while the user is being made, so that a creation that was cut off is
  begun anew when it is asked for again.
- `kubesphere:authfailed:{user}`: a hash from address to failed attempts, and their sum in `total`.
- `kubesphere:authfailed-address:{address}`: failed attempts from there, of all users.
- `kubesphere:uid-number`: the last number given to a user.
- `kubesphere:sessions-adopted`: set once the sessions of v2.1.1 are among `sessions`.
- `kubesphere:users-changed`: the names of users whose entries changed, the latest first, and
  `kubesphere:users-change`, the number of such changes so far.
- `kubesphere:claims:{what}`: a name that somebody is about to take.
"""

from urllib.parse import quote

USERS = "kubesphere:users"
ADOPTED = "kubesphere:sessions-adopted"
CHANGE = "kubesphere:users-change"
CHANGED = "kubesphere:users-changed"
UID_NUMBER = "kubesphere:uid-number"


def token(user: str, token: str) -> str:
    """Where a session is; of an API token it goes by the identifier, else by the token."""
    return f"{USERS}:{user}:token:{token}"


def api_tokens(user: str) -> str:
    """Where the records of a user's API tokens are."""
    return f"{USERS}:{user}:api-tokens"


def api_tokens_used(user: str) -> str:
    """Where the gateway notes when they were used last."""
    return f"kubesphere:api-tokens-used:{user}"


def locked(user: str) -> str:
    """What says that the user was locked a moment ago."""
    return f"{USERS}:{user}:locked"


def sessions(user: str) -> str:
    """The user's tokens by the time of their issue."""
    return f"{USERS}:{user}:sessions"


def grants(user: str) -> str:
    """The families of refresh tokens."""
    return f"{USERS}:{user}:grants"


def creating(user: str) -> str:
    """What says that the user is being made."""
    return f"{USERS}:{user}:creating"


def login_log(user: str) -> str:
    """The last logins."""
    return f"{USERS}:{user}:login-log"


def failures(user: str) -> str:
    """Failed attempts to be the user."""
    return f"kubesphere:authfailed:{quote(user, safe='')}"


def failures_from(origin: str) -> str:
    """Failed attempts from an address or network, to be whoever."""
    return f"kubesphere:authfailed-address:{origin}"


def claim(what: str) -> str:
    """Who holds a name."""
    return f"kubesphere:claims:{quote(what, safe='@:')}"
