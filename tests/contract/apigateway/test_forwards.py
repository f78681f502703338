"""What is remembered of how a request goes on serves no other request."""

from typing import Any, cast

import pytest

from harness.gateway import SECRET
from ks_apigateway import forwards, identity
from ks_apigateway.authn.credential import Credential, Source
from ks_apigateway.authn.token import Claims
from ks_apigateway.forwards import Forwards
from ks_apigateway.identity import Identities
from ks_apigateway.proxy import target
from ks_apigateway.proxy.head import Head
from ks_apigateway.proxy.outcome import Forward
from ks_apigateway.proxy.request import Request
from ks_apigateway.routes import Route
from servicekit.identity import IDENTITY_HEADER, IdentityVerifier

ALICE, BOB = Claims("alice", (), None, None), Claims("bob", (), None, None)
ROUTE = Route(path="/kapis", upstream="apiserver")
FOUND = Credential("token", Source.HEADER)


class Pools:
    """Stands for the pools: their names are enough."""

    def pool(self, name: str) -> Any:
        return name


@pytest.fixture
def made() -> Forwards:
    return Forwards(cast(Any, Pools()), Identities(SECRET.encode()), cast(Any, None))


def head(*fields: tuple[bytes, bytes], address: str = "10.0.0.1", size: int = 100) -> Head:
    return Head("1.1", [(b"host", b"g"), *fields], address=address, size=size)


def request(of: Head, path: str = "/kapis/a", method: bytes = b"GET") -> Request:
    return Request(method, target.read(path.encode()), of)


def forward(made: Forwards, of: Request, claims: Claims = ALICE, route: Route = ROUTE) -> Forward:
    return made.of(of, route, claims, FOUND, of.query)


def user_of(found: Forward) -> str:
    """Whom the upstream is told of."""
    line = next(each for each in found.lines.split(b"\r\n") if each.startswith(IDENTITY_HEADER.encode()))
    return IdentityVerifier(SECRET.encode()).verify(line.partition(b": ")[2].decode()).user


def test_the_same_request_goes_the_same_way(made: Forwards) -> None:
    same = head()
    first = forward(made, request(same))
    assert forward(made, request(same)) is first
    assert user_of(first) == "alice"


def test_another_line_other_headers_or_another_user_go_their_own(made: Forwards) -> None:
    same = head()
    first = forward(made, request(same))
    for other in (
        request(same, "/kapis/b"),
        request(same, "/kapis/a?x=1"),
        request(same, method=b"DELETE"),
        request(head()),
        request(head((b"cookie", b"a=b"))),
    ):
        assert forward(made, other) is not first
    assert forward(made, request(same, "/kapis/a?x=1")).query == b"x=1"
    assert user_of(forward(made, request(same), BOB)) == "bob"
    assert user_of(forward(made, request(same))) == "alice"


def test_a_route_that_is_new_counts_at_once(made: Forwards) -> None:
    same = head()
    assert forward(made, request(same)).pool == cast(Any, "apiserver")
    moved = Route(path="/kapis", upstream="account", rewrite="/x")
    found = forward(made, request(same), route=moved)
    assert (found.pool, found.path) == ("account", b"/x/a")
    made.forget()
    assert made._remembered == {}


def test_an_identity_is_signed_anew_before_it_ends(made: Forwards, monkeypatch: pytest.MonkeyPatch) -> None:
    same, now = head(), 1000.0
    monkeypatch.setattr(forwards, "monotonic", lambda: now)
    monkeypatch.setattr(identity, "monotonic", lambda: now)
    first = forward(made, request(same))
    now += identity.REUSED / 2
    assert forward(made, request(same)) is first
    other = forward(made, request(head()))
    assert other.lines == first.lines, "one signature serves both"
    now += identity.REUSED / 2
    assert forward(made, request(same)) is not first
    renewed = made._remembered[same, "GET", target.read(b"/kapis/a")]
    assert renewed.until == now + identity.REUSED


def test_only_so_much_is_remembered_and_nothing_long(made: Forwards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwards, "CAPACITY", 2)
    for _ in range(5):
        forward(made, request(head()))
    assert len(made._remembered) <= 2
    made.forget()
    for size in (0, 5000):
        forward(made, request(head(size=size)))
    assert made._remembered == {}
