"""The answers that v2.1.1 gave about users and roles, asked of this service again.

The directory, the logs of logins and the roles are those of the recording, times included. Where the answer
is meant to differ, the difference has an identifier, which docs/compatibility/account.md explains. The
account sonarqube, which v2.1.1 always made (ACCOUNT-19), is left out of the recording.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import ldap3
import pytest
import pytest_asyncio
import redis.asyncio as redis

from harness.account import IAM, config_of, ready
from harness.recorded_api_server import running_recorded_api_server
from harness.servers import RunningServer, running_openldap, running_redis
from harness.services import running_service
from harness.signed import SignedClient
from kubekit.resource import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    WORKSPACES,
)

RECORDED = json.loads(Path(__file__).with_name("recorded-iam.json").read_text())
OBJECTS = {
    "/".join(filter(None, (plural, each["metadata"].get("namespace"), each["metadata"]["name"]))): each
    for plural, objects in RECORDED["objects"].items()
    for each in objects
}
VOLATILE = {"uid", "resourceVersion", "apiVersion", "kind", "requestId", "reason"}


class Difference(NamedTuple):
    """An accepted one, by its identifier, and what is answered instead."""

    id: str
    status: int
    answer: Any


def answer_to(question: str) -> Any:
    """What v2.1.1 answered the administrator."""
    return next(
        RECORDED["answers"][number]
        for user, path, _, number in RECORDED["asked"]
        if (user, path) == ("admin", question)
    )


DIFFERENCES = {
    "/clusterroles/nosuch/rules": Difference(
        "ACCOUNT-21", 404, {"message": 'clusterrole.rbac.authorization.k8s.io "nosuch" not found'}
    ),
    "/namespaces/demo-ns1/roles/nosuch/rules": Difference(
        "ACCOUNT-21", 404, {"message": 'role.rbac.authorization.k8s.io "nosuch" not found'}
    ),
    "/workspaces/demo-ws/roles/nosuch": Difference("ACCOUNT-21", 404, {"message": '"nosuch" not found'}),
    "/namespaces/nosuch/users": Difference("ACCOUNT-21", 404, {"message": "not found"}),
    "/workspaces/nosuch/members": Difference("ACCOUNT-15", 404, {"message": '"nosuch" not found'}),
    "/workspaces/nosuch/roles": Difference("ACCOUNT-15", 404, {"message": '"nosuch" not found'}),
    "/users?conditions=username~ali": Difference(
        "ACCOUNT-9", 200, answer_to("/users?conditions=email%3Dalice@x.io")
    ),
    "/users?check=true&check=alice": Difference("ACCOUNT-9", 200, {"exist": True}),
}
RESOURCES = (CLUSTER_ROLES, CLUSTER_ROLE_BINDINGS, ROLES, ROLE_BINDINGS, NAMESPACES, WORKSPACES)
RELAX_RULES = ("1.3.6.1.4.1.4203.666.5.12", True, None)
"""The control by which OpenLDAP lets a client say when an entry was made (draft-zeilenga-ldap-relax)."""


def add_people(openldap: RunningServer[Any]) -> None:
    """The users of the recording, with the times of their creation."""
    server = ldap3.Server(openldap.host, openldap.port, get_info=ldap3.NONE)
    manager = openldap.definition.manager_dn, openldap.definition.manager_password
    with ldap3.Connection(server, *manager, raise_exceptions=True, check_names=False) as connection:
        for unit in ("Users", "Groups"):
            connection.add(f"ou={unit},dc=kubesphere,dc=io", "organizationalUnit")
        for number, person in enumerate(RECORDED["people"]):
            name = person["username"]
            values = {
                "cn": name,
                "sn": " ",
                "gidNumber": "500",
                "uidNumber": str(1001 + number),
                "homeDirectory": f"/home/{name}",
                "mail": person["email"],
                "description": person["description"],
                "preferredLanguage": person["lang"],
                "createTimestamp": "".join(c for c in person["create_time"] if c not in "-:T"),
            }
            given = {attribute: value for attribute, value in values.items() if value}
            classes = ["inetOrgPerson", "posixAccount", "top"]
            connection.add(f"uid={name},ou=Users,dc=kubesphere,dc=io", classes, given, controls=[RELAX_RULES])


async def add_logins(redis_server: RunningServer[Any]) -> None:
    store = redis.Redis(host=redis_server.host, port=redis_server.port)
    for person in RECORDED["people"]:
        if person["logins"]:
            await store.rpush(f"kubesphere:users:{person['username']}:login-log", *person["logins"])
    await store.aclose()


@pytest_asyncio.fixture(scope="module")
async def recorded_service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SignedClient]:
    """The service on what v2.1.1 had."""
    directory = tmp_path_factory.mktemp("recorded")
    objects = {resource: RECORDED["objects"][resource.plural] for resource in RESOURCES}
    async with (
        running_openldap(directory) as openldap,
        running_redis(directory) as redis_server,
        running_recorded_api_server(directory, objects) as kubeconfig,
    ):
        add_people(openldap)
        await add_logins(redis_server)
        config = config_of(openldap, redis_server, kubernetes={"kubeconfig": str(kubeconfig)})
        async with running_service("ks-account", config, directory) as service:
            client = await ready(service)
            yield client
            await client.close()


@pytest.mark.parametrize("asked", RECORDED["asked"], ids=lambda asked: f"{asked[0]} {asked[1]}")
async def test_questions_are_answered_as_v2_1_1_did(recorded_service: SignedClient, asked: list[Any]) -> None:
    """ACCOUNT-2, ACCOUNT-9, ACCOUNT-15, ACCOUNT-21, ACCOUNT-26: where it is meant to differ."""
    user, path, status, number = asked
    answer = await recorded_service.acting_as(user).get(f"{IAM}{path}")
    expected = DIFFERENCES.get(path) if status != 403 else None
    assert answer.status == (expected.status if expected else status), answer.text
    recorded = expected.answer if expected else RECORDED["answers"][number]
    if answer.status == 200:
        assert in_order(path, comparable(answer.json)) == in_order(path, comparable(recorded))
    elif isinstance(recorded, dict):
        assert recorded["message"] in answer.message


def comparable(value: Any) -> Any:
    """An answer without what differs each time an object is made, whose recorded objects are written out."""
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "of" in value:
        return comparable(OBJECTS[value["of"]])
    return {key: comparable(item) for key, item in value.items() if key not in VOLATILE}


def in_order(path: str, answer: Any) -> Any:
    """An answer in one order, with one choice, where v2.1.1 had none and answers differently each time."""
    if path.startswith("/users/") and path.endswith("/roles"):
        return {key: sorted(roles, key=as_text) for key, roles in answer.items()}
    if "orderBy=createTime" in path:
        times = [user["create_time"] for user in answer["items"] if "create_time" in user]
        return times, sorted(answer["items"], key=as_text)
    if path.startswith("/namespaces/demo-ns1/users"):
        return [{**user, "role_binding": user["role_binding"].removeprefix("admin-")} for user in answer]
    return answer


def as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
