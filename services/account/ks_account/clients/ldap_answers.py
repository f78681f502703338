"""What an LDAP server answered: results that are expected, and entries, all of them or the first few."""

from typing import Any

from ldap3 import SUBTREE, Connection
from ldap3.core.results import (
    RESULT_BUSY,
    RESULT_CODES,
    RESULT_INVALID_CREDENTIALS,
    RESULT_INVALID_DN_SYNTAX,
    RESULT_SUCCESS,
    RESULT_UNAVAILABLE,
    RESULT_UNWILLING_TO_PERFORM,
)

from ks_account.clients.ldap_wire import Answer
from servicekit.errors import Unavailable

_PAGE = 1000
_PAGED_RESULTS = "1.2.840.113556.1.4.319"
OVER_LIMIT = 4
"""The result of a search that found more than it was to give."""
REFUSED = (RESULT_INVALID_CREDENTIALS, RESULT_UNWILLING_TO_PERFORM, RESULT_INVALID_DN_SYNTAX)
"""The results of a bind with what is not the password, or not of an entry that has one."""


def expect(connection: Connection, *codes: int) -> int:
    """The result code of the last operation, which must be one of `codes`; else Unavailable says what it
    was.
    """
    result = connection.result
    return _require(result["result"], result["description"], result["message"], codes)


def expect_answer(answer: Answer, *codes: int) -> int:
    """The same for the answer to an operation on the wire."""
    return _require(answer.code, RESULT_CODES.get(answer.code, "other"), answer.text, codes)


def _require(code: int, description: str, message: str, codes: tuple[int, ...]) -> int:
    if code in codes:
        return code
    text = f"{description}: {message}" if message else description
    if code in (RESULT_BUSY, RESULT_UNAVAILABLE):
        raise Unavailable("ldap", f"the server cannot serve now ({text})")
    raise Unavailable("ldap", f"the server answered {code} {text}")


def accepts(connection: Connection, dn: str, password: str) -> bool:
    """Whether `password` is that of the entry `dn`, by binding as it."""
    connection.user, connection.password = dn, password.encode()
    try:
        connection.bind(read_server_info=False)
    finally:
        connection.user = connection.password = None
    return expect(connection, RESULT_SUCCESS, *REFUSED) == RESULT_SUCCESS


def some(connection: Connection, base: str, condition: str, attributes: list[str], limit: int) -> list[Any]:
    """At most `limit` entries below `base` that meet `condition`."""
    connection.search(base, condition, SUBTREE, attributes=attributes, size_limit=limit)
    expect(connection, RESULT_SUCCESS, OVER_LIMIT)
    return _entries(connection)


def every(connection: Connection, base: str, condition: str, attributes: list[str]) -> list[Any]:
    """All entries below `base` that meet `condition`, read in pages."""
    found: list[Any] = []
    cookie: bytes | None = None
    while True:
        connection.search(
            base, condition, SUBTREE, attributes=attributes, paged_size=_PAGE, paged_cookie=cookie
        )
        expect(connection, RESULT_SUCCESS)
        found += _entries(connection)
        cookie = connection.result["controls"][_PAGED_RESULTS]["value"]["cookie"]
        if not cookie:
            return found


def _entries(connection: Connection) -> list[Any]:
    return [entry for entry in connection.response or [] if entry["type"] == "searchResEntry"]
