"""User accounts: what v2.1.1 did with them, and what it should not have."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import ldap3
import pytest
import redis.asyncio as redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.account import IAM, PASSWORD, unique
from harness.servers import RunningServer
from harness.signed import SignedClient
from harness.waiting import eventually
from kubekit.cluster import Cluster
from kubekit.errors import NotFound
from kubekit.resource import CLUSTER_ROLE_BINDINGS, NAMESPACES, ROLE_BINDINGS, WORKSPACES

USERS = f"{IAM}/users"
NewPerson = Callable[..., Awaitable[SignedClient]]
NewRole = Callable[..., Awaitable[str]]
HARMLESS = {"verbs": ["get"], "apiGroups": ["storage.k8s.io"], "resources": ["storageclasses"]}
MANAGE_USERS = {"verbs": ["*"], "apiGroups": ["iam.kubesphere.io"], "resources": ["users"]}
BIND_ROLES = {
    "verbs": ["create", "delete"],
    "apiGroups": ["rbac.authorization.k8s.io"],
    "resources": ["clusterrolebindings"],
}


def new_user(name: str, **values: Any) -> dict[str, Any]:
    return {"username": name, "email": f"{name}@x.io", "password": PASSWORD, **values}


def entry_of(openldap: RunningServer[Any], name: str) -> dict[str, list[str]]:
    """The entry of a user in the directory."""
    server = ldap3.Server(openldap.host, openldap.port, get_info=ldap3.NONE)
    with ldap3.Connection(
        server, openldap.definition.manager_dn, openldap.definition.manager_password, raise_exceptions=True
    ) as connection:
        connection.search(
            f"uid={name},ou=Users,dc=kubesphere,dc=io", "(objectClass=*)", ldap3.BASE, attributes=["*"]
        )
        [entry] = connection.response or []
        raw = entry["raw_attributes"]
        return {key: [value.decode() for value in values] for key, values in raw.items()}


async def rules_are_known(client: SignedClient, path: str) -> None:
    """Waits until the service has seen a role that was granted just now."""

    async def allowed() -> None:
        assert (await client.get(path)).status != 403

    await eventually(allowed)


async def test_a_user_is_written_as_v2_1_1_wrote_it_but_for_the_password(
    admin: SignedClient, openldap: RunningServer[Any], new_person: NewPerson
) -> None:
    """ACCOUNT-3."""
    person = await new_person(lang="en", description=" Some body ")
    name = person.identity.user
    entry = entry_of(openldap, name)
    password, number = entry.pop("userPassword"), entry.pop("uidNumber")
    assert entry == {
        "objectClass": ["inetOrgPerson", "posixAccount", "top"],
        "cn": [name],
        "sn": [" "],
        "gidNumber": ["500"],
        "homeDirectory": [f"/home/{name}"],
        "uid": [name],
        "mail": [f"{name}@x.io"],
        "preferredLanguage": ["en"],
        "description": ["Some body"],
    }
    assert password[0].startswith("{CRYPT}$6$")
    assert int(number[0]) > 1000


async def test_the_answer_to_a_creation_has_the_fields_of_v2_1_1(admin: SignedClient) -> None:
    name = unique("person")
    answer = await admin.post(USERS, new_user(name, lang="en", description="d"))
    assert answer.status == 200
    shown = answer.json
    assert shown.pop("create_time").endswith("Z")
    assert shown == {
        "avatar_url": "",
        "cluster_role": "",
        "description": "d",
        "email": f"{name}@x.io",
        "lang": "en",
        "last_login_time": "",
        "status": 0,
        "username": name,
    }
    assert (await admin.delete(f"{USERS}/{name}")).json == {"message": "success"}


@pytest.mark.parametrize(
    ("values", "status", "message"),
    [
        ({"username": ""}, 400, "invalid username"),
        ({"username": "Bad Name"}, 400, "invalid username"),
        ({"username": "x6,ou=evil"}, 400, "invalid username"),
        ({"username": "system:kube-scheduler"}, 400, "invalid username"),
        ({"username": "-x"}, 400, "invalid username"),
        ({"username": "a..b"}, 400, "invalid username"),
        ({"username": "x" * 64}, 400, "invalid username"),
        ({"username": "../admin"}, 400, "invalid username"),
        ({"username": "аdmin"}, 400, "invalid username"),
        ({"email": "notmail"}, 400, "invalid email: notmail"),
        ({"email": ""}, 400, "invalid email: "),
        ({"email": "a@b@c"}, 400, "invalid email"),
        ({"email": "a\n@b.io"}, 400, "invalid email"),
        ({"email": "ä@b.io"}, 400, "invalid email"),
        ({"password": "123"}, 400, "invalid password"),
        ({"password": "x" * 257}, 400, "invalid password"),
        ({"password": "abcdef\0"}, 400, "invalid password"),
        ({"lang": "not a language"}, 400, "invalid lang"),
        ({"description": "x" * 3000}, 400, "invalid description"),
        ({"description": "\0"}, 400, "invalid description"),
        ({"cluster_role": "nosuch"}, 404, 'clusterroles.rbac.authorization.k8s.io "nosuch" not found'),
        ({"cluster_role": "../x"}, 400, ""),
    ],
)
async def test_what_is_not_allowed_makes_no_user(
    admin: SignedClient, values: dict[str, str], status: int, message: str
) -> None:
    """ACCOUNT-7: v2.1.1 answered 500, and made the user in some of these cases."""
    name = unique("bad")
    body = {**new_user(name), **values}
    answer = await admin.post(USERS, body)
    assert answer.status == status, answer.text
    assert message in answer.message
    assert (await admin.get(f"{USERS}/{name}")).status == 404


@pytest.mark.parametrize("body", [b"[]", b"", b"{", b"null", b'{"username": 5}', b'{"username": {"a": 1}}'])
async def test_what_is_no_user_is_refused(admin: SignedClient, body: bytes) -> None:
    answer = await admin.request("POST", USERS, raw=body, headers={"Content-Type": "application/json"})
    assert answer.status == 400, answer.text


async def test_a_name_and_an_email_are_had_by_one(admin: SignedClient, new_person: NewPerson) -> None:
    name = (await new_person()).identity.user
    other = unique("person")
    for body in (new_user(name, email=f"{other}@x.io"), new_user(other, email=f"{name}@X.io")):
        answer = await admin.post(USERS, body)
        assert answer.status == 409, answer.text
        assert "already exists" in answer.message


async def test_the_same_user_made_twice_at_once_is_made_once(admin: SignedClient) -> None:
    name = unique("twin")
    answers = await asyncio.gather(*(admin.post(USERS, new_user(name)) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert (await admin.delete(f"{USERS}/{name}")).status == 200


async def test_one_email_for_two_users_at_once_is_had_by_one(admin: SignedClient) -> None:
    names = [unique("rival") for _ in range(6)]
    shared = f"{names[0]}@shared.io"
    answers = await asyncio.gather(*(admin.post(USERS, new_user(name, email=shared)) for name in names))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 5
    await asyncio.gather(*(admin.delete(f"{USERS}/{name}") for name in names))


async def test_users_made_at_once_get_numbers_of_their_own(
    admin: SignedClient, openldap: RunningServer[Any]
) -> None:
    """ACCOUNT-8: two creations at once took the same uidNumber."""
    names = [unique("many") for _ in range(12)]
    answers = await asyncio.gather(*(admin.post(USERS, new_user(name)) for name in names))
    assert [answer.status for answer in answers] == [200] * 12
    numbers = {entry_of(openldap, name)["uidNumber"][0] for name in names}
    assert len(numbers) == 12
    await asyncio.gather(*(admin.delete(f"{USERS}/{name}") for name in names))


async def test_numbers_stay_their_own_when_redis_lost_count(
    admin: SignedClient, openldap: RunningServer[Any], store: redis.Redis, new_person: NewPerson
) -> None:
    first = (await new_person()).identity.user
    number = int(entry_of(openldap, first)["uidNumber"][0])
    await store.delete("kubesphere:uid-number")
    second = (await new_person()).identity.user
    await store.set("kubesphere:uid-number", number - 1)
    third = (await new_person()).identity.user
    numbers = {int(entry_of(openldap, name)["uidNumber"][0]) for name in (first, second, third)}
    assert len(numbers) == 3


async def test_a_list_is_paged_sorted_and_searched(admin: SignedClient, new_person: NewPerson) -> None:
    mark = unique("list")
    names = [
        (await new_person(username=f"{mark}-{letter}", description=f"about {mark}")).identity.user
        for letter in "bca"
    ]

    async def listed(query: str) -> list[str]:
        answer = await admin.get(f"{USERS}?{query}")
        assert answer.status == 200, answer.text
        assert answer.json["total_count"] >= len(answer.json["items"])
        return [item["username"] for item in answer.json["items"]]

    search = f"conditions=keyword={mark}"
    a, b, c = sorted(names)
    assert sorted(await listed(search)) == [a, b, c]
    assert await listed(f"{search}&orderBy=username") == [a, b, c]
    assert await listed(f"{search}&orderBy=username&reverse=true") == [c, b, a]
    assert await listed(f"{search}&orderBy=username&paging=limit=2,page=2") == [c]
    assert await listed(f"{search}&orderBy=username&paging=limit=-1,page=1") == [a, b, c]
    assert await listed(f"conditions=username={a}%7C{c}&orderBy=username") == [a, c]
    assert await listed(f"conditions=username~{mark}&orderBy=username") == [a, b, c]
    assert await listed(f"conditions=email={b}@x.io") == [b]
    assert await listed(f"conditions=keyword={mark}x") == []
    first = (await admin.get(f"{USERS}?{search}&orderBy=username&paging=limit=1,page=1")).json
    assert (len(first["items"]), first["total_count"]) == (1, 3)
    assert (await admin.get(f"{USERS}?conditions=foo")).status == 400


@pytest.mark.parametrize("text", ["*", "x)(uid*", "**", "\\2a", ")(|(uid", "(uid*)"])
async def test_a_search_is_no_filter(admin: SignedClient, text: str) -> None:
    """ACCOUNT-2."""
    for key in ("keyword", "username", "email"):
        answer = await admin.get(f"{USERS}?conditions={key}={text.replace('|', '%7C')}")
        assert answer.status == 200, answer.text
        assert answer.json == {"items": [], "total_count": 0}


@given(text=st.text(min_size=1, max_size=40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_text_makes_the_list_or_a_user_fail(admin: SignedClient, text: str) -> None:
    answer = await admin.get(f"{USERS}?conditions=keyword={quote(text, safe='')}")
    assert answer.status in (200, 400), answer.text
    answer = await admin.get(f"{USERS}/{quote(text, safe='')}")
    assert answer.status in (400, 404) or text in ("admin",), (text, answer.text)


async def test_whether_a_name_is_taken_can_be_asked(admin: SignedClient, new_person: NewPerson) -> None:
    """ACCOUNT-9: v2.1.1 always answered for the name `true`."""
    name = (await new_person()).identity.user
    for taken, check in ((True, name), (True, f"{name}@x.io"), (False, unique("free"))):
        assert (await admin.get(f"{USERS}?check=true&check={check}")).json == {"exist": taken}


async def test_a_user_shows_cluster_role_and_permissions(
    admin: SignedClient, new_person: NewPerson, cluster_role: NewRole
) -> None:
    role = await cluster_role(
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["workspaces", "workspaces/*"]},
        {"verbs": ["list"], "apiGroups": ["iam.kubesphere.io"], "resources": ["users"]},
    )
    person = await new_person(role)
    path = f"{USERS}/{person.identity.user}"

    async def shown() -> None:
        answer = await person.get(path)
        assert answer.status == 200, answer.text
        assert answer.json["cluster_role"] == role
        assert answer.json["cluster_rules"] == [{"name": "workspaces", "actions": ["manage"]}]

    await eventually(shown)
    everything = (await admin.get(f"{USERS}/admin")).json["cluster_rules"]
    assert {"name": "accounts", "actions": ["view", "create", "edit", "delete"]} in everything


async def test_one_changes_ones_own_profile_but_not_ones_role(
    new_person: NewPerson, cluster_role: NewRole
) -> None:
    person = await new_person(await cluster_role(HARMLESS))
    name = person.identity.user
    body = {"username": name, "email": f"{name}@y.io", "description": "changed", "lang": "zh-CN"}
    answer = await person.put(f"{USERS}/{name}", {**body, "cluster_role": "cluster-admin"})
    assert answer.status == 200, answer.text
    assert (answer.json["email"], answer.json["description"], answer.json["lang"]) == (
        f"{name}@y.io",
        "changed",
        "zh-CN",
    )
    assert (await person.get(f"{USERS}/{name}")).json["cluster_role"] != "cluster-admin"


async def test_a_change_that_is_not_allowed_changes_nothing(new_person: NewPerson) -> None:
    person, other = await new_person(), await new_person()
    name = person.identity.user
    email = {"email": f"{name}@x.io"}
    for body, status, message in (
        (
            {"username": "bob", **email},
            400,
            f"the name of user (bob) does not match the name on the URL ({name})",
        ),
        ({"username": name}, 400, "invalid email: "),
        ({"username": name, "email": f"{other.identity.user}@x.io"}, 409, "email is duplicated"),
        ({"username": name, **email, "password": "12"}, 400, "invalid password"),
        ({"username": name, **email, "password": "New1Passw"}, 400, "incorrect current password"),
        (
            {"username": name, **email, "password": "New1Passw", "current_password": "wrong1"},
            400,
            "incorrect current password",
        ),
    ):
        answer = await person.put(f"{USERS}/{name}", body)
        assert answer.status == status, answer.text
        assert message in answer.message


async def test_a_new_password_ends_the_sessions(
    account: SignedClient, admin: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    """ACCOUNT-10: one's own change did so in v2.1.1, a reset by somebody else did not."""
    person = await new_person()
    name = person.identity.user
    body = {"username": name, "email": f"{name}@x.io"}

    async def sign_in(password: str) -> str:
        answer = await account.post(f"{IAM}/login", {"username": name, "password": password})
        assert answer.status == 200, answer.text
        return f"kubesphere:users:{name}:token:{answer.json['access_token']}"

    key = await sign_in(PASSWORD)
    own = {**body, "password": "New1Passw", "current_password": PASSWORD}
    assert (await person.put(f"{USERS}/{name}", own)).status == 200
    assert not await store.exists(key)
    key = await sign_in("New1Passw")
    assert (await admin.put(f"{USERS}/{name}", {**body, "password": "Reset-1111"})).status == 200
    assert not await store.exists(key)
    await sign_in("Reset-1111")


async def test_nobody_grants_what_they_do_not_hold(
    account: SignedClient, new_person: NewPerson, cluster_role: NewRole
) -> None:
    """ACCOUNT-11: creating and changing users was a way to any role."""
    held = await cluster_role(MANAGE_USERS, BIND_ROLES, HARMLESS)
    harmless = await cluster_role(HARMLESS)
    manager = await new_person(held)
    await rules_are_known(manager, USERS)
    name = unique("made")
    refused = await manager.post(USERS, new_user(name, cluster_role="cluster-admin"))
    assert refused.status == 403, refused.text
    assert (await manager.get(f"{USERS}/{name}")).status == 404, "a refusal makes no user"
    assert (await manager.post(USERS, new_user(name, cluster_role=harmless))).status == 200
    change = {"username": name, "email": f"{name}@x.io", "cluster_role": "cluster-admin"}
    assert (await manager.put(f"{USERS}/{name}", change)).status == 403

    async def still_harmless() -> None:
        assert (await manager.get(f"{USERS}/{name}")).json["cluster_role"] == harmless

    await eventually(still_harmless)
    assert (await manager.delete(f"{USERS}/{name}")).status == 200


async def test_nobody_takes_over_an_account_that_may_do_more(
    admin: SignedClient, new_person: NewPerson, cluster_role: NewRole
) -> None:
    """ACCOUNT-12: whoever could update users could set the administrator's password."""
    manager = await new_person(await cluster_role(MANAGE_USERS, BIND_ROLES))
    await rules_are_known(manager, USERS)
    for change in ({"password": "Taken-0ver"}, {"email": "mine@x.io"}):
        body = {"username": "admin", "email": "admin@kubesphere.io", **change}
        assert (await manager.put(f"{USERS}/admin", body)).status == 403
    assert (await manager.delete(f"{USERS}/admin")).status in (403, 409)
    equal = (await new_person()).identity.user
    body = {"username": equal, "email": f"{equal}@x.io", "password": "Help-desk1"}
    assert (await manager.put(f"{USERS}/{equal}", body)).status == 200


async def test_a_role_is_changed_and_shown(
    admin: SignedClient, new_person: NewPerson, cluster_role: NewRole, cluster: Cluster
) -> None:
    first, second = await cluster_role(HARMLESS), await cluster_role(MANAGE_USERS)
    name = (await new_person(first)).identity.user
    for role in (second, first, first):
        body = {"username": name, "email": f"{name}@x.io", "cluster_role": role}
        assert (await admin.put(f"{USERS}/{name}", body)).status == 200
        binding = await cluster.get(CLUSTER_ROLE_BINDINGS, name)
        assert binding["roleRef"]["name"] == role
        assert binding["subjects"] == [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}
        ]
    body = {"username": name, "email": f"{name}@x.io", "cluster_role": "nosuch"}
    assert (await admin.put(f"{USERS}/{name}", body)).status == 404


async def test_a_binding_that_happens_to_have_the_name_is_left_alone(
    admin: SignedClient, cluster: Cluster, cluster_role: NewRole
) -> None:
    """ACCOUNT-13: v2.1.1 deleted the ClusterRoleBinding `cluster-admin` for a user of that name."""
    name, role = unique("taken"), await cluster_role(HARMLESS)
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    group = [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "tests"}]
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": group}
    await cluster.create(CLUSTER_ROLE_BINDINGS, binding)
    answer = await admin.post(USERS, new_user(name, cluster_role="cluster-admin"))
    assert answer.status == 409, answer.text
    assert (await cluster.get(CLUSTER_ROLE_BINDINGS, name))["subjects"] == group
    assert (await admin.get(f"{USERS}/{name}")).status == 404
    await cluster.delete(CLUSTER_ROLE_BINDINGS, name)


async def test_a_deleted_user_leaves_nothing(
    account: SignedClient,
    admin: SignedClient,
    new_person: NewPerson,
    cluster_role: NewRole,
    cluster: Cluster,
    store: redis.Redis,
) -> None:
    """ACCOUNT-14: in v2.1.1 the token went on working, and bindings without subjects went too."""
    role = await cluster_role(HARMLESS)
    colleague = await new_person(role)
    name, other = (await new_person(role)).identity.user, colleague.identity.user
    token = (await account.post(f"{IAM}/login", {"username": name, "password": PASSWORD})).json[
        "access_token"
    ]
    namespace = unique("removal")
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subject = {"kind": "User", "apiGroup": "rbac.authorization.k8s.io"}
    await cluster.create(NAMESPACES, {"metadata": {"name": namespace}})
    bindings = {
        "alone": [{**subject, "name": name}],
        "shared": [{**subject, "name": name}, {**subject, "name": other}],
        "empty": [],
    }
    for binding, subjects in bindings.items():
        body = {"metadata": {"name": binding}, "roleRef": reference, "subjects": subjects}
        await cluster.create(ROLE_BINDINGS, body, namespace)

    async def seen_by_the_service() -> None:
        assert (await colleague.get(f"{USERS}/{other}/roles")).json["roles"], "it follows them by a watch"

    await eventually(seen_by_the_service)
    assert (await admin.delete(f"{USERS}/{name}")).json == {"message": "success"}
    left = {b["metadata"]["name"]: b for b in (await cluster.list(ROLE_BINDINGS, namespace)).items}
    assert left.keys() == {"shared", "empty"}
    assert [s["name"] for s in left["shared"]["subjects"]] == [other]
    with pytest.raises(NotFound):
        await cluster.get(CLUSTER_ROLE_BINDINGS, name)
    assert not await store.exists(
        f"kubesphere:users:{name}:token:{token}",
        f"kubesphere:users:{name}:login-log",
        f"kubesphere:users:{name}:sessions",
    )
    assert (await admin.get(f"{USERS}/{name}")).status == 404
    assert (await admin.delete(f"{USERS}/{name}")).status == 404
    await cluster.delete(NAMESPACES, namespace)


async def test_who_gets_the_name_of_a_deleted_user_inherits_nothing(
    admin: SignedClient, new_person: NewPerson, workspace: str, cluster: Cluster
) -> None:
    """ACCOUNT-23: the controllers make the manager and the creator administrators, over and over."""
    name = (await new_person()).identity.user
    namespaces = {unique("made"): name, unique("kept"): "admin"}
    for namespace, creator in namespaces.items():
        metadata = {"name": namespace, "annotations": {"kubesphere.io/creator": creator, "kept": "x"}}
        await cluster.create(NAMESPACES, {"metadata": metadata})
    await cluster.patch(WORKSPACES, workspace, {"spec": {"manager": name}})
    assert (await admin.delete(f"{USERS}/{name}")).status == 200
    assert "manager" not in (await cluster.get(WORKSPACES, workspace))["spec"]
    for namespace, creator in namespaces.items():
        annotations = (await cluster.get(NAMESPACES, namespace))["metadata"]["annotations"]
        assert annotations.get("kubesphere.io/creator") == (creator if creator == "admin" else None)
        assert annotations["kept"] == "x"
        await cluster.delete(NAMESPACES, namespace)


async def test_nobody_deletes_themselves_and_the_last_administrator_stays(
    admin: SignedClient, account: SignedClient
) -> None:
    answer = await admin.delete(f"{USERS}/admin")
    assert answer.status == 403
    assert answer.message == "cannot delete yourself"
    outsider = account.acting_as("kubernetes-admin", "system:masters")
    answer = await outsider.delete(f"{USERS}/admin")
    assert answer.status == 409, answer.text
    assert answer.json["reason"] == "LastAdministrator"
    demotion = {"username": "admin", "email": "admin@kubesphere.io", "cluster_role": "view"}
    assert (await outsider.put(f"{USERS}/admin", demotion)).status == 409


async def test_all_sessions_of_a_user_are_ended_on_request(
    account: SignedClient, new_person: NewPerson, store: redis.Redis
) -> None:
    person, other = await new_person(), await new_person()
    name = person.identity.user
    token = (await account.post(f"{IAM}/login", {"username": name, "password": PASSWORD})).json[
        "access_token"
    ]
    assert (await other.delete(f"{USERS}/{name}/sessions")).status == 403
    assert (await person.delete(f"{USERS}/{name}/sessions")).json == {"message": "success"}
    assert not await store.exists(f"kubesphere:users:{name}:token:{token}")
