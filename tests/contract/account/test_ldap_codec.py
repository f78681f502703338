"""LDAP as bytes: what is sent is what ldap3 would send, and what ldap3 would read is read as ldap3 does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3 import DEREF_ALWAYS, SIMPLE, SUBTREE
from ldap3.operation.bind import bind_operation
from ldap3.operation.search import search_operation
from ldap3.protocol import rfc4511
from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pyasn1.type.univ import OctetString

from ks_account.clients import ldap_codec
from ks_account.clients.ldap_codec import Kind, LdapProtocolError, Message, all_of, any_of, equal
from ks_account.clients.ldap_wire import LdapConnectionError, LdapWire
from ks_account.clients.ldap_wire_pool import LdapWirePool
from servicekit.errors import Unavailable

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9-]{0,20}", fullmatch=True)
VALUES = st.binary(max_size=300)
NUMBERS = st.integers(1, 2**31 - 1)
LIMITS = st.integers(0, 2**31 - 1)


def as_ldap3(number: int, name: str, operation: Any) -> bytes:
    """A message as ldap3 encodes it."""
    message = rfc4511.LDAPMessage()
    message["messageID"] = rfc4511.MessageID(number)
    message["protocolOp"] = rfc4511.ProtocolOp().setComponentByName(name, operation)
    return bytes(encoder.encode(message))


@given(
    number=NUMBERS, base=TEXTS, text=TEXTS, names=st.lists(NAMES, max_size=5), limit=st.integers(0, 2**31 - 1)
)
def test_a_search_is_the_one_of_ldap3(
    number: int, base: str, text: str, names: list[str], limit: int
) -> None:
    same = "".join(f"\\{byte:02x}" for byte in text.encode())  # as ldap3 trims what is not escaped
    condition = f"(&(objectClass=inetOrgPerson)(|(uid={same})(mail={same})))"
    theirs = search_operation(
        base, condition, SUBTREE, DEREF_ALWAYS, names, limit, 0, False, auto_escape=False, auto_encode=False
    )
    person = equal("objectClass", "inetOrgPerson")
    ours = ldap_codec.search(
        base, all_of(person, any_of(equal("uid", text), equal("mail", text))), names, limit
    )
    assert ldap_codec.message(number, ours) == as_ldap3(number, "searchRequest", theirs)


@given(number=NUMBERS, dn=TEXTS.filter(bool), password=TEXTS.filter(bool))
def test_a_bind_is_the_one_of_ldap3(number: int, dn: str, password: str) -> None:
    theirs = bind_operation(3, SIMPLE, dn, password.encode())
    assert ldap_codec.message(number, ldap_codec.simple_bind(dn, password)) == as_ldap3(
        number, "bindRequest", theirs
    )


@pytest.mark.parametrize(("dn", "password"), [("uid=admin", ""), ("", "password")])
def test_a_bind_that_servers_take_for_nobodys_is_not_made(dn: str, password: str) -> None:
    with pytest.raises(ValueError, match="needs a password"):
        ldap_codec.simple_bind(dn, password)


def test_half_a_surrogate_pair_is_sent_as_what_is_no_text() -> None:
    assert b"\xed\xa0\x80" in equal("uid", "\ud800")


def entry(number: int, dn: str, attributes: dict[str, list[bytes]]) -> bytes:
    """An entry as ldap3's types encode it."""
    listed = rfc4511.PartialAttributeList()
    for position, (name, values) in enumerate(attributes.items()):
        held = rfc4511.Vals()
        for index, value in enumerate(values):
            held.setComponentByPosition(index, OctetString(value))
        partial = rfc4511.PartialAttribute()
        partial["type"] = rfc4511.AttributeDescription(name)
        partial["vals"] = held
        listed.setComponentByPosition(position, partial)
    found = rfc4511.SearchResultEntry()
    found["object"] = rfc4511.LDAPDN(dn)
    found["attributes"] = listed
    return as_ldap3(number, "searchResEntry", found)


def result(number: int, kind: str, code: int, text: str) -> bytes:
    """A result as ldap3's types encode it."""
    made = {"bindResponse": rfc4511.BindResponse, "searchResDone": rfc4511.SearchResultDone}[kind]()
    made["resultCode"] = rfc4511.ResultCode(code)
    made["matchedDN"] = rfc4511.LDAPDN("dc=x")
    made["diagnosticMessage"] = rfc4511.LDAPString(text)
    return as_ldap3(number, kind, made)


@given(
    number=NUMBERS,
    dn=TEXTS,
    attributes=st.dictionaries(NAMES, st.lists(VALUES, max_size=4, unique=True), max_size=6),
)
def test_an_entry_is_read_as_it_was_written(number: int, dn: str, attributes: dict[str, list[bytes]]) -> None:
    data = entry(number, dn, attributes)
    found, end = ldap_codec.read(data)
    assert found is not None
    assert (found.id, found.kind, found.dn, end) == (number, Kind.ENTRY, dn, len(data))
    assert {name: sorted(values) for name, values in found.attributes.items()} == {
        name: sorted(values) for name, values in attributes.items()
    }


@given(
    number=NUMBERS,
    kind=st.sampled_from(["bindResponse", "searchResDone"]),
    code=st.sampled_from([0, 1, 4, 32, 34, 49, 51, 53, 80]),
    text=TEXTS,
)
def test_a_result_is_read_as_it_was_written(number: int, kind: str, code: int, text: str) -> None:
    found, _ = ldap_codec.read(result(number, kind, code, text))
    expected = Kind.BIND_RESPONSE if kind == "bindResponse" else Kind.SEARCH_DONE
    assert found == Message(number, expected, code=code, text=text)


@given(cut=st.integers(0, 10_000), values=st.lists(VALUES, max_size=3, unique=True))
def test_a_message_that_is_not_whole_is_waited_for(cut: int, values: list[bytes]) -> None:
    data = entry(7, "uid=a", {"uid": values})
    assert ldap_codec.read(data[: cut % len(data)]) == (None, 0)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind_are_read_or_refused(data: bytes) -> None:
    try:
        found, end = ldap_codec.read(data)
    except LdapProtocolError:
        return
    assert end <= len(data)
    assert found is not None or end == 0


@given(at=st.integers(0, 10_000), value=st.integers(0, 255), values=st.lists(VALUES, max_size=3, unique=True))
def test_a_damaged_message_is_read_within_its_bounds_or_refused(
    at: int, value: int, values: list[bytes]
) -> None:
    """What both read of it is the same; ldap3 refuses more."""
    data = bytearray(entry(7, "uid=someone", {"uid": values, "mail": [b"a@x.io"]}))
    data[at % len(data)] = value
    try:
        found, _ = ldap_codec.read(data)
    except LdapProtocolError:
        return
    if found is None or found.kind is not Kind.ENTRY:
        return
    try:
        theirs, _ = decoder.decode(bytes(data), asn1Spec=rfc4511.LDAPMessage())
    except PyAsn1Error:
        return
    assert int(theirs["messageID"]) == found.id
    assert bytes(theirs["protocolOp"].getComponent()["object"]).decode("utf-8", "replace") == found.dn


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server_of(handler: Handler) -> AsyncIterator[LdapWirePool]:
    """A pool of connections to a server that does what `handler` does."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def dial() -> LdapWire:
        _, wire = await asyncio.get_running_loop().create_connection(lambda: LdapWire(0.5), "127.0.0.1", port)
        return wire

    pool = LdapWirePool(dial, size=1, wait=1, server="the server")
    yield pool
    await pool.close()
    server.close()


SEARCH = ldap_codec.search("dc=x", equal("uid", "a"), ["uid"], 2)


async def test_answers_that_arrive_byte_by_byte_are_put_together() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(ldap_codec.message(1, SEARCH)))
        for byte in entry(1, "uid=a", {"uid": [b"a"]}) + result(1, "searchResDone", 0, "fine"):
            writer.write(bytes((byte,)))
            await writer.drain()

    async with server_of(handler) as pool:
        [answer] = await pool.ask(SEARCH)
    assert (answer.code, answer.text, [each.dn for each in answer.entries]) == (0, "fine", ["uid=a"])


async def test_what_was_asked_together_is_answered_in_any_order() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2 * len(ldap_codec.message(1, SEARCH)))
        writer.write(entry(2, "uid=second", {}) + entry(1, "uid=first", {}))
        writer.write(result(2, "searchResDone", 0, "second") + result(1, "searchResDone", 0, "first"))

    async with server_of(handler) as pool:
        answers = await pool.ask(SEARCH, SEARCH)
    assert [each.text for each in answers] == ["first", "second"]
    assert [each.entries[0].dn for each in answers] == ["uid=first", "uid=second"]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no LDAP"),
        (result(2, "searchResDone", 0, ""), "nobody asked"),
        (result(0, "searchResDone", 52, "going down"), "going down"),
        (b"", "closed"),
    ],
    ids=["another protocol", "another message", "a notice of disconnection", "nothing"],
)
async def test_a_server_that_answers_something_else_is_not_available(sent: bytes, why: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(sent)
        writer.close()

    async with server_of(handler) as pool:
        with pytest.raises(Unavailable, match=why):
            await pool.ask(SEARCH)


async def test_a_silent_server_is_given_up_and_asked_on_a_new_connection() -> None:
    """A late answer never passes for that of the next request."""
    connections = 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readexactly(len(ldap_codec.message(1, SEARCH)))
        if connections > 1:
            writer.write(result(1, "searchResDone", 0, ""))

    async with server_of(handler) as pool:
        with pytest.raises(Unavailable, match="no answer within"):
            await pool.ask(SEARCH)
        assert (await pool.ask(SEARCH))[0].code == 0
    assert connections == 2


async def test_a_request_that_is_cancelled_takes_its_connection_along() -> None:
    asked = asyncio.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(ldap_codec.message(1, SEARCH)))
        if not asked.is_set():
            asked.set()
            return
        writer.write(result(1, "searchResDone", 0, "of the second"))

    async with server_of(handler) as pool:
        task = asyncio.create_task(pool.ask(SEARCH))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await pool.ask(SEARCH))[0].text == "of the second"


async def test_what_comes_along_with_the_consent_to_start_tls_is_not_believed() -> None:
    """Text that somebody in between puts before the encryption begins."""
    import ssl

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        consent = bytes.fromhex("300c02010178070a010004000400")
        writer.write(consent + result(2, "searchResDone", 0, "")[:5])

    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    _, wire = await asyncio.get_running_loop().create_connection(lambda: LdapWire(2), "127.0.0.1", port)
    with pytest.raises(LdapConnectionError, match="does not start TLS"):
        await wire.start_tls(ssl.create_default_context(), "localhost")
    server.close()
