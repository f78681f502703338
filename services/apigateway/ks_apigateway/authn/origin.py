"""Whether a page may open a WebSocket in the name of its user.

A browser sends the user's cookie with a WebSocket that any page opens, and no other rule of browsers
stops it: the server must look at `Origin` (RFC 6455, 10.2).
"""

from collections.abc import Collection

from ks_apigateway.authn.credential import Source
from ks_apigateway.proxy.request import Request
from servicekit.errors import Forbidden


def check(request: Request, source: Source, allowed: Collection[str]) -> None:
    """Raises Forbidden for an upgrade by cookie from a page of neither this host nor an `allowed` origin."""
    if not request.upgrade or source is not Source.COOKIE:
        return
    origins = request.all(b"origin")
    if not origins:
        return
    own = {f"{scheme}://".encode() + request.authority.lower() for scheme in ("http", "https")}
    if len(origins) == 1:
        origin = origins[0].lower()
        if origin in own or origin.decode("latin-1") in {each.lower().rstrip("/") for each in allowed}:
            return
    reason = "a page of this origin must not open a connection with the user's cookie"
    raise Forbidden(reason, headers={"WWW-Authenticate": f"Forbidden,{reason}"})
