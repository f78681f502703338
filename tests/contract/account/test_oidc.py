"""Signing in at a provider of OpenID Connect (ACCOUNT-33): a real one, and one that lies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import pytest_asyncio
import redis.asyncio as redis

from devstack.ports import free_port
from harness.account import IAM, PASSWORD, SECRET, ready, unique
from harness.lying_provider import LyingProvider
from harness.oidc import OAUTH, Browser, running_provider
from harness.services import running_service
from harness.signed import Reply, SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.resource import CLUSTER_ROLE_BINDINGS

NewPerson = Callable[..., Awaitable[SignedClient]]


@pytest_asyncio.fixture(scope="module")
async def provider(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The issuer of a real provider."""
    async with running_provider(tmp_path_factory.mktemp("oidc")) as issuer:
        yield issuer


@pytest_asyncio.fixture(scope="module")
async def liar() -> AsyncIterator[LyingProvider]:
    async with LyingProvider("ks") as lying:
        yield lying


@pytest_asyncio.fixture(scope="module")
async def service(
    config: dict[str, Any], provider: str, liar: LyingProvider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SignedClient]:
    """A service that knows them, and one that is down."""
    base = {"clientID": "ks", "clientSecret": "secret"}
    known = {
        "first": {
            "issuer": provider,
            "title": "The first",
            "groupsClaim": "groups",
            "groupsPrefix": "first:",
        },
        "trusted": {"issuer": provider, "trustEmail": True},
        "closed": {"issuer": provider, "createUsers": False},
        "liar": {"issuer": liar.url},
        "down": {"issuer": f"http://127.0.0.1:{free_port()}"},
    }
    oidc = [
        {"name": name, "redirectURL": f"http://127.0.0.1{OAUTH}/{name}/callback", **base, **values}
        for name, values in known.items()
    ]
    account = {**config["account"], "oidc": oidc}
    directory: Path = tmp_path_factory.mktemp("account-oidc")
    async with running_service("ks-account", {**config, "account": account}, directory) as running:
        client = await ready(running)
        yield client
        await client.close()


@pytest.fixture
def browser(service: SignedClient, provider: str) -> Browser:
    return Browser(service, provider)


@pytest_asyncio.fixture
async def newcomer(admin: SignedClient) -> AsyncIterator[dict[str, Any]]:
    """What a provider says of somebody who is not known yet; gone after the test."""
    name = unique("newcomer")
    yield {"preferred_username": name, "email": f"{name}@x.io", "email_verified": True}
    await admin.delete(f"{IAM}/users/{name}")


def _claims(answer: Reply) -> dict[str, Any]:
    assert answer.status == 200, answer.text
    return jwt.decode(answer.json["access_token"], SECRET, ["HS256"])


async def test_the_providers_are_listed_with_the_address_to_begin_at(service: SignedClient) -> None:
    listed = (await service.get(f"{OAUTH}/providers")).json
    assert listed[0] == {"name": "first", "title": "The first", "login_url": f"{OAUTH}/first/authorize"}
    assert [each["title"] for each in listed[1:]] == ["trusted", "closed", "liar", "down"]


async def test_a_login_uses_pkce_state_and_nonce(browser: Browser) -> None:
    asked = parse_qs(urlsplit(await browser.begin("first")).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    again = parse_qs(urlsplit(await browser.begin("first")).query)
    for secret in ("state", "nonce", "code_challenge"):
        assert asked[secret] != again[secret]


async def test_who_comes_for_the_first_time_becomes_a_user_without_rights_and_stays_the_same_one(
    browser: Browser, admin: SignedClient, store: redis.Redis, newcomer: dict[str, Any]
) -> None:
    sub, name = unique("sub"), newcomer["preferred_username"]
    answer = await browser.log_in("first", sub, **newcomer, groups=["dev", "ops"])
    claims = _claims(answer)
    assert claims["username"] == name
    assert claims["groups"] == ["first:dev", "first:ops"]
    assert await store.exists(f"kubesphere:users:{name}:token:{answer.json['access_token']}")
    shown = (await admin.get(f"{IAM}/users/{name}")).json
    assert (shown["email"], shown["cluster_role"]) == (f"{name}@x.io", "")
    # The provider renames them: who they are here stays.
    renamed = {**newcomer, "preferred_username": "admin", "email": "admin@kubesphere.io"}
    assert _claims(await browser.log_in("first", sub, **renamed))["username"] == name


async def test_a_browser_goes_on_where_it_began_with_the_session_in_a_cookie(
    browser: Browser, newcomer: dict[str, Any]
) -> None:
    back = await browser.sign_in(await browser.begin("first", "/workspaces/demo"), unique("sub"), **newcomer)
    answer = await browser.finish(back, accept="text/html")
    assert (answer.status, answer.headers["Location"]) == (302, "/workspaces/demo")
    session = answer.headers["Set-Cookie"]
    assert session.startswith("token=")
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session


@pytest.mark.parametrize("next_", ["https://evil.example", "//evil.example", "/%5Cevil.example", "x", ""])
async def test_no_login_leads_to_another_site(service: SignedClient, next_: str) -> None:
    answer = await service.request("GET", f"{OAUTH}/first/authorize?next={next_}", follow=False)
    assert answer.status == 400, answer.text


async def test_no_local_account_is_taken_over_by_name_or_e_mail(
    browser: Browser, admin: SignedClient, new_person: NewPerson
) -> None:
    person = (await new_person()).identity.user
    for claims in (
        {"preferred_username": person, "email": f"{unique('other')}@x.io", "email_verified": True},
        {"preferred_username": unique("other"), "email": f"{person}@x.io", "email_verified": True},
        {"preferred_username": person, "email": f"{person}@x.io", "email_verified": True},
    ):
        assert (await browser.log_in("first", unique("sub"), **claims)).status == 409, claims


async def test_a_verified_e_mail_of_a_trusted_provider_ties_the_account_and_no_other_does(
    browser: Browser, new_person: NewPerson, newcomer: dict[str, Any]
) -> None:
    person, sub = (await new_person()).identity.user, unique("sub")
    claims = {"preferred_username": unique("other"), "email": f"{person}@x.io"}
    assert (await browser.log_in("trusted", sub, **claims)).status == 409
    assert (await browser.log_in("trusted", sub, **claims, email_verified="true")).status == 409
    assert _claims(await browser.log_in("trusted", sub, **claims, email_verified=True))["username"] == person
    assert _claims(await browser.log_in("first", sub))["username"] == person, "the tie is to the issuer"
    # Whose account came from a provider is not taken over by somebody with the same e-mail at another.
    _claims(await browser.log_in("first", unique("sub"), **newcomer))
    again = {**newcomer, "preferred_username": unique("other")}
    assert (await browser.log_in("trusted", unique("sub"), **again)).status == 409


async def test_nobody_becomes_a_user_where_that_is_not_wanted_or_with_a_name_that_has_rights(
    service: SignedClient, browser: Browser, cluster: Cluster, newcomer: dict[str, Any]
) -> None:
    assert (await browser.log_in("closed", unique("sub"), **newcomer)).status == 403
    unverified = {**newcomer, "email_verified": False}
    assert (await browser.log_in("first", unique("sub"), **unverified)).status == 403
    odd = {**newcomer, "preferred_username": "system:admin"}
    assert (await browser.log_in("first", unique("sub"), **odd)).status == 400
    bound = unique("bound")
    binding = {
        "metadata": {"name": bound},
        "roleRef": {"apiGroup": CLUSTER_ROLE_BINDINGS.group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "apiGroup": CLUSTER_ROLE_BINDINGS.group, "name": bound}],
    }
    await cluster.create(CLUSTER_ROLE_BINDINGS, binding)
    try:

        async def is_known() -> None:
            assert (await service.acting_as(bound).get(f"{IAM}/users")).status == 200

        await eventually(is_known, timeout=30)
        claims = {**newcomer, "preferred_username": bound}
        answer = await browser.log_in("first", unique("sub"), **claims)
        assert answer.status == 409, answer.text
    finally:
        await cluster.delete(CLUSTER_ROLE_BINDINGS, bound)


async def test_a_locked_user_stays_out(
    browser: Browser, admin: SignedClient, newcomer: dict[str, Any]
) -> None:
    sub = unique("sub")
    _claims(await browser.log_in("first", sub, **newcomer))
    await admin.request("PUT", f"{IAM}/users/{newcomer['preferred_username']}/lock")
    answer = await browser.log_in("first", sub, **newcomer)
    assert (answer.status, answer.json["reason"]) == (403, "AccountLocked")


async def test_an_answer_counts_only_in_the_browser_that_asked_and_once(
    service: SignedClient, provider: str, browser: Browser, newcomer: dict[str, Any]
) -> None:
    back = await browser.sign_in(await browser.begin("first"), unique("sub"), **newcomer)
    stranger = Browser(service, provider)
    assert (await stranger.finish(back)).status == 400
    await stranger.begin("first")
    assert (await stranger.finish(back)).status == 400
    assert (await browser.finish(back.replace("/first/", "/trusted/"))).status == 400
    assert (await browser.finish(back)).status == 200
    assert (await browser.finish(back)).status == 401, "the code is used up"
    await browser.begin("first")
    assert (await browser.finish(f"{OAUTH}/first/callback?error=access_denied")).status == 400
    assert (await browser.finish(f"{OAUTH}/none/callback?code=x&state=y")).status == 404


async def test_a_provider_that_is_down_is_down_for_its_users_alone(service: SignedClient) -> None:
    answer = await service.request("GET", f"{OAUTH}/down/authorize", follow=False)
    assert answer.status == 503
    assert "the provider down" in answer.message
    assert (await service.get("/readyz")).status == 200
    # An address that no other test guesses from.
    login = await service.at("198.51.100.72").post(
        f"{IAM}/login", {"username": "admin", "password": PASSWORD}
    )
    assert login.status == 200, login.text


@pytest.mark.parametrize(
    "lie",
    [
        "nonce", "audience", "issuer", "expired", "key", "none", "hmac", "subject", "azp", "nothing",
    ],
)  # fmt: skip
async def test_an_id_token_that_does_not_hold_signs_nobody_in(
    service: SignedClient, liar: LyingProvider, lie: str
) -> None:
    browser = Browser(service, liar.url)
    asked = parse_qs(urlsplit(await browser.begin("liar")).query)
    liar.answer_with(lie, nonce=asked["nonce"][0])
    answer = await browser.finish(f"{OAUTH}/liar/callback?code=any&state={asked['state'][0]}")
    assert answer.status == 401, answer.text


async def test_the_same_provider_telling_the_truth_signs_in(
    service: SignedClient, liar: LyingProvider, admin: SignedClient
) -> None:
    browser = Browser(service, liar.url)
    asked = parse_qs(urlsplit(await browser.begin("liar")).query)
    liar.answer_with("", nonce=asked["nonce"][0])
    answer = await browser.finish(f"{OAUTH}/liar/callback?code=any&state={asked['state'][0]}")
    assert _claims(answer)["username"] == "lied-to"
    await admin.delete(f"{IAM}/users/lied-to")
