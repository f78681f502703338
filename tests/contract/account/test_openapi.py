"""Requests made up from the OpenAPI document of the service."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from schemathesis import Case

from harness.schemas import check_answers, document_of
from harness.signed import SignedClient

EXAMPLES = int(os.environ.get("KS_TEST_EXAMPLES", "6"))
"""Requests of each kind to each operation."""


def concerns_admin(case: Case) -> bool:
    """Whether a request could change the account that the other tests use."""
    return case.method != "GET" and "admin" in case.formatted_path


@pytest.mark.timeout(600)
async def test_no_request_makes_the_service_fail(
    account: SignedClient, admin: SignedClient, server_directory: Path
) -> None:
    document = await document_of("ks-account", server_directory / "account/ks-account.yaml")
    sent = await check_answers(
        document, account.base_url, admin.signed_headers, examples=EXAMPLES, leave_out=concerns_admin
    )
    assert sent > 20 * EXAMPLES
