"""What a client claims to be does not reach anybody; what the gateway says does, signed."""

from typing import Any

import pytest

from harness.gateway import SECRET, GatewayUnderTest
from servicekit.errors import Unauthorized
from servicekit.identity import IdentityVerifier

TENANT = "/kapis/tenant.kubesphere.io/v1alpha2/workspaces"
PUBLIC = "/kapis/v1alpha1/configz"
CLAIMS = [
    "X-Token-Username",
    "x-token-username",
    "X-TOKEN-UID",
    "X-Token-Groups",
    "X-KS-Identity",
    "x-ks-identity",
    "X-Ks-Anything",
    "Impersonate-User",
    "impersonate-group",
    "Impersonate-Uid",
    "Impersonate-Extra-Scopes",
    "X-Remote-User",
    "X-Remote-Group",
    "X-Remote-Extra-Foo",
    "X-Forwarded-User",
    "X-Webauth-User",
]


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("path", [TENANT, PUBLIC])
async def test_a_claim_is_dropped_on_every_path(
    gateway: GatewayUnderTest, alice: str, path: str, name: str
) -> None:
    answer = await gateway.get(path, f"{name}: evil", f"{name}: evil too", token=alice)
    assert answer.status == 200
    assert "evil" not in answer.body.decode()


@pytest.mark.parametrize("name", [name.replace("-", "_") for name in CLAIMS])
@pytest.mark.parametrize("path", [TENANT, PUBLIC])
async def test_a_claim_with_underscores_is_refused(
    gateway: GatewayUnderTest, alice: str, path: str, name: str
) -> None:
    reached = len(gateway.upstream.received)
    answer = await gateway.get(path, f"{name}: evil", token=alice)
    assert answer.status == 400
    assert name in answer.json["message"]
    assert len(gateway.upstream.received) == reached


@pytest.mark.parametrize("name", ["Content_Length", "Transfer_Encoding", "X_Forwarded_For", "Keep_Alive"])
async def test_headers_that_the_gateway_reads_have_dashes(
    gateway: GatewayUnderTest, alice: str, name: str
) -> None:
    assert (await gateway.get(TENANT, f"{name}: 5", token=alice)).status == 400


async def test_other_headers_with_underscores_pass(gateway: GatewayUnderTest, alice: str) -> None:
    answer = await gateway.get(TENANT, "my_header: 1", token=alice)
    assert dict(answer.json["fields"])["my_header"] == "1"


async def test_the_service_learns_who_asks_from_the_gateway_alone(gateway: GatewayUnderTest) -> None:
    token = await gateway.sign_in("agw-grace", groups=["devs", "system:masters", "ops"])
    answer = await gateway.get(TENANT, token=token)
    identities = [value for name, value in answer.json["fields"] if name == "x-ks-identity"]
    assert len(identities) == 1
    identity = IdentityVerifier(SECRET.encode()).verify(identities[0])
    assert (identity.user, identity.groups, identity.address) == ("agw-grace", ("devs", "ops"), "127.0.0.1")


@pytest.mark.parametrize(
    "path", ["/kapis/jenkins.kubesphere.io/x", "/kapis/alerting.kubesphere.io/v1/metric"]
)
async def test_a_third_party_gets_no_identity_that_a_service_of_the_platform_accepts(
    gateway: GatewayUnderTest, alice: str, path: str
) -> None:
    """GATEWAY-25"""
    component = path.removeprefix("/kapis/").partition(".")[0]
    header = dict((await gateway.get(path, token=alice)).json["fields"])["x-ks-identity"]
    with pytest.raises(Unauthorized):
        IdentityVerifier(SECRET.encode()).verify(header)
    own = IdentityVerifier(SECRET.encode(), f"upstream/{component}").verify(header)
    assert own.user == "agw-alice"
    for other in ("jenkins", "alerting", "notification"):
        if other != component:
            with pytest.raises(Unauthorized):
                IdentityVerifier(SECRET.encode(), f"upstream/{other}").verify(header)


async def test_anonymous_paths_say_so_and_tell_the_address(gateway: GatewayUnderTest) -> None:
    answer = await gateway.get(PUBLIC)
    identity = IdentityVerifier(SECRET.encode()).verify(dict(answer.json["fields"])["x-ks-identity"])
    assert identity.is_anonymous
    assert identity.address == "127.0.0.1"


async def test_nobody_makes_up_where_they_come_from(gateway: GatewayUnderTest, alice: str) -> None:
    answer = await gateway.get(
        TENANT,
        "X-Forwarded-For: 203.0.113.9", "X-Real-IP: 203.0.113.9", "X-Client-Ip: 203.0.113.9",
        "Forwarded: for=203.0.113.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example",
        token=alice,
    )  # fmt: skip
    text = answer.body.decode()
    assert "203.0.113.9" not in text
    assert "evil.example" not in text
    fields = dict(answer.json["fields"])
    assert fields["x-forwarded-for"] == "127.0.0.1"
    assert fields["x-real-ip"] == "127.0.0.1"
    assert fields["x-forwarded-proto"] == "http"
    assert fields["x-forwarded-host"] == "gateway"
    assert fields["forwarded"] == 'for=127.0.0.1;host="gateway";proto=http'


async def test_a_trusted_proxy_is_believed_up_to_the_first_stranger(start_gateway: Any) -> None:
    async with start_gateway(trustedProxies=["127.0.0.0/8", "10.0.0.0/8"]) as gateway:
        answer = await gateway.get(
            PUBLIC, "X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.1.1.1", "X-Forwarded-Proto: https"
        )
        fields = dict(answer.json["fields"])
        identity = IdentityVerifier(SECRET.encode()).verify(fields["x-ks-identity"])
        assert identity.address == "203.0.113.9"
        assert fields["x-forwarded-proto"] == "https"
        assert fields["x-forwarded-for"] == "6.6.6.6, 203.0.113.9, 10.1.1.1, 127.0.0.1"


async def test_hop_by_hop_headers_end_here(gateway: GatewayUnderTest, alice: str) -> None:
    answer = await gateway.get(
        TENANT,
        "Connection: keep-alive, X-Private, close", "X-Private: 1", "Keep-Alive: timeout=5", "TE: trailers",
        "Proxy-Authorization: Basic x", "Proxy-Connection: keep-alive", "Upgrade: h2c", "X-Public: 1",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Via: 1.1 proxy",
        token=alice,
    )  # fmt: skip
    names = {name for name, _ in answer.json["fields"]}
    assert not names & {
        "connection", "keep-alive", "te", "proxy-authorization", "proxy-connection", "upgrade", "x-private",
    }  # fmt: skip
    fields = dict(answer.json["fields"])
    assert fields["x-public"] == "1"
    assert fields["traceparent"].startswith("00-0af765")
    assert fields["via"] == "1.1 proxy, 1.1 ks-apigateway"
    assert answer.headers["connection"] == "close"


async def test_a_request_id_that_is_none_is_replaced(gateway: GatewayUnderTest, alice: str) -> None:
    for bad in ("a b", "x" * 65, 'a"b', "é"):
        answer = await gateway.get(TENANT, f"X-Request-Id: {bad}", token=alice)
        assert answer.status == 200
        assert dict(answer.json["fields"])["x-request-id"] == answer.headers["x-request-id"] != bad
