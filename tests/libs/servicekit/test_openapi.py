"""The OpenAPI document: what the signatures say, in the words of the specification."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from servicekit.app import service
from servicekit.binding import Query
from servicekit.config import Config
from servicekit.group import Group
from servicekit.identity import Identity
from servicekit.openapi import document
from servicekit.paging import Page, PageQuery


class Role(BaseModel):
    name: str = Field(min_length=1)


class Member(BaseModel):
    name: str
    roles: list[Role] = []


group = Group("iam.kubesphere.io", "v1alpha2")


@group.get("/workspaces/{workspace}/members")
async def list_members(caller: Identity, workspace: str, query: PageQuery) -> Page[Member]:
    """Members of a workspace.

    Sorted by name.
    """
    raise AssertionError


@group.post("/workspaces/{workspace}/members", status=201)
async def invite(caller: Identity, workspace: str, body: Member, dry_run: bool = False) -> Member:
    raise AssertionError


@group.get("/search", public=True)
async def search(
    kind: Literal["user", "role"],
    selector: Annotated[str | None, Query("labelSelector")] = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 10,
) -> None:
    raise AssertionError


@pytest.fixture
def api():
    return document(service("ks-account", Config(), groups=[group]))


def parameters(operation):
    return {(parameter["in"], parameter["name"]): parameter for parameter in operation["parameters"]}


def test_paths_are_whole_and_described(api):
    operation = api["paths"]["/kapis/iam.kubesphere.io/v1alpha2/workspaces/{workspace}/members"]["get"]
    assert operation["summary"] == "Members of a workspace."
    assert operation["description"] == "Sorted by name."
    assert operation["tags"] == ["iam.kubesphere.io"]
    assert operation["security"] == [{"token": []}]
    found = parameters(operation)
    assert found["path", "workspace"]["required"]
    assert {"paging", "conditions", "orderBy", "reverse"} <= {name for _, name in found}
    page = operation["responses"]["200"]["content"]["application/json"]["schema"]
    shape = api["components"]["schemas"][page["$ref"].rpartition("/")[2]]
    assert set(shape["required"]) == {"items", "total_count"}
    assert shape["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Member"}


def test_bodies_are_described_by_their_models(api):
    operation = api["paths"]["/kapis/iam.kubesphere.io/v1alpha2/workspaces/{workspace}/members"]["post"]
    body = operation["requestBody"]
    assert body["required"]
    assert "$ref" in body["content"]["application/json"]["schema"]
    assert "201" in operation["responses"]
    assert parameters(operation)["query", "dry_run"]["schema"]["default"] is False


def test_parameters_carry_their_bounds(api):
    operation = api["paths"]["/kapis/iam.kubesphere.io/v1alpha2/search"]["get"]
    found = parameters(operation)
    assert "security" not in operation
    assert found["query", "kind"]["required"]
    assert found["query", "kind"]["schema"]["enum"] == ["user", "role"]
    assert found["query", "limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 10,
    }
    assert ("query", "labelSelector") in found


def test_every_reference_leads_somewhere(api):
    names = set(api["components"]["schemas"])

    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    found = set(references(api))
    assert found
    assert all(reference.removeprefix("#/components/schemas/") in names for reference in found)


def test_an_operation_that_two_groups_serve_has_an_identifier_in_each():
    older = Group("resources.kubesphere.io", "v1alpha2")
    older.get("/search")(search)
    paths = document(service("ks-account", Config(), groups=[group, older]))["paths"]
    found = {path["get"]["operationId"] for name, path in paths.items() if name.endswith("/search")}
    assert found == {"get_search", "get_search_resources"}
