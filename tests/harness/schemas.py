"""Requests made up from the OpenAPI document of a service (schemathesis): allowed ones, and others.

    document = await document_of("ks-account", config_file)
    await check_answers(document, service.url, lambda: client.signed_headers(), examples=10)

The document is the service's own, so that a route is covered as soon as it is declared.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import response_schema_conformance

Headers = Callable[[], Mapping[str, str]]
"""Gives the headers of the next request: a signed identity is good for a minute."""

_SECONDS = 60
_TIMES_OUT = 503
_UNCHECKED = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
_SKIPPED = ("head", "options", "trace")


async def document_of(name: str, config: Path) -> dict[str, Any]:
    """The OpenAPI document that the service `name` prints."""
    command = (sys.executable, "-m", name.replace("-", "_"), "openapi", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert process.returncode == 0, f"{name} openapi ended with {process.returncode}"
    return json.loads(printed)


async def check_answers(
    document: Mapping[str, Any],
    url: str,
    headers: Headers,
    *,
    examples: int,
    leave_out: Callable[[Case], bool] = lambda case: False,
) -> int:
    """Send `examples` requests of each kind, allowed and not, to each operation; gives how many were sent.

    Raises AssertionError that names every operation which answered otherwise than with success, as the
    document says it, or with an error of the client's, in the shape of an error: above all with 5xx. What
    has to be waited for may be 503 with Retry-After. `leave_out` says which requests are not sent, such as
    those that end the stage.
    """
    schema = schemathesis.openapi.from_dict(dict(document))
    sent, wrong = 0, list[str]()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), f"the document says no operation: {found}"
        operation = found.ok()
        if operation.method in _SKIPPED:
            continue
        for mode in _modes(operation.definition.raw):
            attack = _Attack(url, headers, leave_out)
            try:
                await asyncio.to_thread(attack.run, operation.as_strategy(generation_mode=mode), examples)
            except AssertionError as error:
                wrong.append(f"{operation.method.upper()} {operation.path}: {error}")
            except Unsatisfiable:  # nothing that this operation takes can be wrong
                pass
            sent += attack.sent
    assert not wrong, "\n".join(wrong)
    return sent


def _modes(operation: Mapping[str, Any]) -> tuple[GenerationMode, ...]:
    """Where the document allows any body, none that is not allowed can be made up."""
    media: Mapping[str, Any] = (operation.get("requestBody") or {}).get("content") or {}
    if any(not content.get("schema") for content in media.values()):
        return (GenerationMode.POSITIVE,)
    return GenerationMode.POSITIVE, GenerationMode.NEGATIVE


class _Attack:
    """Requests to one operation over one connection."""

    def __init__(self, url: str, headers: Headers, leave_out: Callable[[Case], bool]) -> None:
        self.sent = 0
        self._url = url
        self._headers = headers
        self._leave_out = leave_out

    def run(self, cases: Any, examples: int) -> None:
        """Raises AssertionError for the first answer that is wrong, with the request in its shortest form."""
        with requests.Session() as session:

            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=_UNCHECKED,
                phases=(Phase.generate, Phase.shrink),
            )
            @given(case=cases)
            def attack(case: Case) -> None:
                if not self._leave_out(case):
                    self._send(case, session)

            attack()

    def _send(self, case: Case, session: requests.Session) -> None:
        given = {**dict(case.headers or {}), **self._headers()}
        try:
            answer = case.call(self._url, session, headers=given, timeout=_SECONDS)
        except (requests.exceptions.InvalidHeader, UnicodeError):  # no client could send this
            return
        self.sent += 1
        _check(answer.status_code, answer.headers, answer.content, case)
        if answer.status_code < 300:
            _check_schema(answer, case)


def _check(status: int, headers: Mapping[str, Any], body: bytes, case: Case) -> None:
    request = f"{case.method} {case.formatted_path} {case.query} {case.body!r:.300}"
    answer = f"{status} {body[:300]!r}"
    waits = status == _TIMES_OUT and "retry-after" in headers
    assert status < 500 or waits, f"{request} gives {answer}"
    if status >= 400:
        try:
            message = json.loads(body)["message"]
        except (ValueError, LookupError, TypeError):
            message = None
        assert isinstance(message, str), f"{request} gives an error of another shape: {answer}"


def _check_schema(answer: Response, case: Case) -> None:
    try:
        case.validate_response(answer, checks=[response_schema_conformance])
    except FailureGroup as group:
        why = "; ".join(str(each) for each in group.exceptions)
        raise AssertionError(
            f"{case.method} {case.formatted_path} gives {answer.text[:300]}: {why}"
        ) from None
