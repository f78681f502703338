"""Requests made up from the OpenAPI document of the service, by an administrator who may do everything."""

from __future__ import annotations

import os

import pytest
from schemathesis import Case

from harness.schemas import check_answers, document_of

EXAMPLES = int(os.environ.get("KS_TEST_EXAMPLES", "3"))
"""Requests of each kind to each operation."""

pytestmark = pytest.mark.kubernetes

COMPONENTS = ("devops", "devopscount", "logs")
"""The last parts of paths of components that are not configured: they are 503, and say so."""


def leave_out(case: Case) -> bool:
    """Whether a request would end what other tests use, or is of a component that is not there."""
    ends_something = case.method == "DELETE" and case.path.endswith("/namespaces/{namespace}")
    return ends_something or any(part in COMPONENTS for part in case.path.split("/"))


@pytest.mark.timeout(900)
async def test_no_request_makes_the_service_fail(demo, as_, apiserver, server_directory) -> None:
    document = await document_of("ks-apiserver", server_directory / "apiserver/ks-apiserver.yaml")
    admin = as_(demo, "admin")
    sent = await check_answers(
        document, apiserver.url, admin.signed_headers, examples=EXAMPLES, leave_out=leave_out
    )
    assert sent > 40 * EXAMPLES


async def test_a_list_says_in_the_document_that_it_is_one(server_directory, apiserver) -> None:
    document = await document_of("ks-apiserver", server_directory / "apiserver/ks-apiserver.yaml")
    for path, operations in document["paths"].items():
        operation = operations.get("get", {})
        if any(each["name"] == "paging" for each in operation.get("parameters", ())):
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            shape = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            assert shape["required"] == ["items", "total_count"], path
            assert "304" in operation["responses"], path
