"""The identity that the gateway signs: who may come in, and how forgeries fail."""

import base64
import hmac
import json
import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.small_service import BOB, SECRET, SIGNER, demo_group, error_of, signed
from servicekit.config import Config, ConfigError
from servicekit.errors import Unauthorized
from servicekit.identity import (
    IDENTITY_HEADER,
    REMEMBERED,
    Identity,
    IdentitySigner,
    IdentityVerifier,
    anonymous,
)

VERIFIER = IdentityVerifier(SECRET)
KEY = hmac.digest(SECRET, b"ks-identity/v1", "sha256")

group = demo_group()


@group.get("/who")
async def who(caller: Identity) -> dict[str, object]:
    return {"user": caller.user, "groups": caller.groups, "address": caller.address}


@group.get("/public", public=True)
async def public(caller: Identity) -> dict[str, object]:
    return {"user": caller.user, "address": caller.address}


def claims(**changed):
    now = int(time.time())
    whole = {
        "iss": "ks-apigateway",
        "aud": "ks-services",
        "sub": "bob",
        "groups": ["developers"],
        "addr": "203.0.113.7",
        "iat": now,
        "exp": now + 60,
    }
    return {key: value for key, value in {**whole, **changed}.items() if value is not None}


def forge(payload, key=KEY, algorithm="HS256", header=None):
    return jwt.encode(payload, key, algorithm=algorithm, headers=header)


@given(
    st.text(min_size=1, max_size=40),
    st.lists(st.text(max_size=20), max_size=5),
    st.text(max_size=40),
)
def test_what_is_signed_is_what_is_verified(user, groups, address):
    identity = Identity(user, tuple(groups), address)
    try:
        header = SIGNER.sign(identity)
    except TypeError:
        return  # a lone surrogate: it has no UTF-8
    assert VERIFIER.verify(header) == identity


def test_the_token_is_a_jwt_that_other_libraries_read():
    found = jwt.decode(
        SIGNER.sign(BOB), KEY, algorithms=["HS256"], audience="ks-services", issuer="ks-apigateway"
    )
    assert (found["sub"], found["groups"], found["addr"]) == (BOB.user, list(BOB.groups), BOB.address)
    assert found["exp"] - found["iat"] == 60
    assert VERIFIER.verify(forge(claims())) == BOB


def b64(data):
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


GENUINE = SIGNER.sign(BOB)
HEADER, PAYLOAD, SIGNATURE = GENUINE.split(".")
FORGED = {
    "nothing": "",
    "no token": "bob",
    "no signature": f"{HEADER}.{PAYLOAD}.",
    "two parts": f"{HEADER}.{PAYLOAD}",
    "four parts": f"{GENUINE}.x",
    "alg none": f"{b64({'alg': 'none', 'typ': 'JWT'})}.{b64(claims(sub='admin'))}.",
    "alg none, signed": f"{b64({'alg': 'none', 'typ': 'JWT'})}.{PAYLOAD}.{SIGNATURE}",
    "alg HS512": forge(claims(), key=KEY * 2, algorithm="HS512"),
    "another kid": forge(claims(), header={"kid": "x"}),
    "another user": f"{HEADER}.{b64(claims(sub='admin'))}.{SIGNATURE}",
    "signed with the secret itself, as login tokens are": forge(claims(), key=SECRET),
    "signed with another secret": IdentitySigner(b"guess").sign(BOB),
    "signed for another back end": IdentitySigner(SECRET, "upstream/jenkins").sign(BOB),
    "expired": SIGNER.sign(BOB, now=time.time() - 91),
    "from the future": SIGNER.sign(BOB, now=time.time() + 600),
    "another issuer": forge(claims(iss="somebody")),
    "another audience": forge(claims(aud="gateway")),
    "a list of audiences": forge(claims(aud=["ks-services", "x"])),
    "no expiry": forge(claims(exp=None)),
    "expiry as text": f"{HEADER}.{b64(claims(exp='never'))}.{SIGNATURE}",
    "expiry as a fraction": forge(claims(exp=time.time() + 1e9)),
    "no user": forge(claims(sub=None)),
    "empty user": forge(claims(sub="")),
    "groups as text": forge(claims(groups="system:masters")),
    "groups of numbers": forge(claims(groups=[1])),
    "no address": forge(claims(addr=None)),
    "padded": GENUINE + "=",
    "bits beyond the signature": GENUINE[:-1] + ("B" if GENUINE[-1] != "B" else "C"),
    "payload is a list": f"{HEADER}.{b64([])}.{SIGNATURE}",
    "too long": GENUINE + "A" * 20_000,
}


@pytest.mark.parametrize("header", FORGED.values(), ids=FORGED.keys())
def test_a_forged_identity_is_refused(header):
    with pytest.raises(Unauthorized):
        VERIFIER.verify(header)


@given(st.integers(0, len(GENUINE) - 1), st.characters(min_codepoint=33, max_codepoint=126))
def test_no_changed_character_goes_unnoticed(position, character):
    if GENUINE[position] == character:
        return
    with pytest.raises(Unauthorized):
        VERIFIER.verify(GENUINE[:position] + character + GENUINE[position + 1 :])


def test_clocks_may_differ_a_little():
    now = time.time()
    assert VERIFIER.verify(SIGNER.sign(BOB, now=now + 25)) == BOB
    assert VERIFIER.verify(SIGNER.sign(BOB, now=now - 85)) == BOB


def test_an_empty_secret_signs_nothing():
    with pytest.raises(ValueError, match="empty"):
        IdentitySigner(b"")


async def test_the_caller_is_who_the_gateway_says(serve):
    client = await serve(group)
    assert await (await client.get("/who")).json() == {
        "user": "bob",
        "groups": ["developers"],
        "address": "203.0.113.7",
    }


async def test_a_stranger_comes_only_where_it_is_public_and_only_through_the_gateway(serve):
    client = await serve(group)
    stranger = signed(anonymous("203.0.113.9"))
    assert (await client.get("/who", headers=stranger)).status == 401
    answer = await client.get("/public", headers=stranger)
    assert await answer.json() == {"user": "system:anonymous", "address": "203.0.113.9"}


@pytest.mark.parametrize("path", ["/who", "/public"])
async def test_without_a_signature_nobody_comes_in(serve, path):
    client = await serve(group)
    for headers in ({}, {IDENTITY_HEADER: "bob"}, {"X-Token-Username": "admin"}, {"X_KS_Identity": GENUINE}):
        answer = await client.session.get(client.base + path, headers=headers)
        assert answer.status == 401
        await error_of(answer)


async def test_two_identities_are_none(serve):
    client = await serve(group)
    headers = [(IDENTITY_HEADER, SIGNER.sign(BOB)), (IDENTITY_HEADER, SIGNER.sign(Identity("admin")))]
    answer = await client.session.get(client.base + "/who", headers=headers)
    assert answer.status == 401


async def test_health_needs_no_identity(serve):
    client = await serve(group)
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await client.session.get(client.base + path)).status == 200


async def test_without_a_secret_the_service_does_not_start(serve):
    with pytest.raises(ConfigError, match=r"authentication\.jwtSecret"):
        await serve(group, config=Config())


async def test_what_stands_before_the_gateway_needs_no_identity(serve):
    outside = demo_group(identified=False)

    @outside.get("/open")
    async def open_() -> None: ...

    client = await serve(outside, config=Config())
    assert (await client.session.get(client.base + "/open")).status == 200


def test_a_back_end_with_an_audience_of_its_own_accepts_what_was_made_for_it_alone():
    reports = IdentityVerifier(SECRET, "upstream/reports")
    assert reports.verify(IdentitySigner(SECRET, "upstream/reports").sign(BOB)) == BOB
    for audience in ("ks-services", "upstream/jenkins"):
        with pytest.raises(Unauthorized):
            reports.verify(IdentitySigner(SECRET, audience).sign(BOB))


def test_what_was_good_once_is_refused_when_its_time_is_over():
    verifier = IdentityVerifier(SECRET)
    header = SIGNER.sign(BOB, now=1000)
    assert [verifier.verify(header, now=now) for now in (1000, 1030)] == [BOB, BOB]
    for now in (900, 1100):
        with pytest.raises(Unauthorized):
            verifier.verify(header, now=now)


def test_no_more_is_remembered_than_there_is_room_for():
    verifier = IdentityVerifier(SECRET)
    for number in range(REMEMBERED + 10):
        verifier.verify(SIGNER.sign(Identity(f"user-{number}")))
    assert len(verifier._verified) == REMEMBERED
