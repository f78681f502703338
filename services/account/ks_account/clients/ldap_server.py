"""How an LDAP server is reached: its address, TLS, and connections that are ready for use."""

import asyncio
import re
import ssl
from dataclasses import dataclass
from math import ceil

from ldap3 import NONE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException
from ldap3.core.results import RESULT_CODES

from ks_account.clients import ldap_codec
from ks_account.clients.ldap_wire import LdapConnectionError, LdapWire
from servicekit.config import ConfigError
from servicekit.sections import split_address


@dataclass(frozen=True, slots=True)
class LdapServer:
    """The server at `host`: `host`, `host:port`, or one of them after `ldap://` or `ldaps://`.

    `setting` is how errors call the section of the configuration that it comes from; `timeout` is in
    seconds.
    """

    setting: str
    host: str
    timeout: float
    start_tls: bool = False
    ca_file: str | None = None
    """The authorities that its certificate must come from; by default the system's."""

    def check(self) -> None:
        """Raise ConfigError for an address or a file that cannot be used."""
        try:
            if self.host:
                self._server()
        except (ValueError, LDAPException) as error:
            raise ConfigError(f"{self.setting}.host: {self.host!r} cannot be used: {error}") from error

    def connect(self) -> Connection:
        """A connection on which nobody has signed in. Raises LDAPException."""
        if not self.host:
            raise LDAPException(f"{self.setting}.host is not set")
        # A Server remembers for minutes that an address did not answer, so each connection gets its own.
        connection = Connection(
            self._server(),
            client_strategy=SYNC,
            receive_timeout=ceil(self.timeout),
            check_names=False,
            auto_referrals=False,
            return_empty_attributes=False,
        )
        connection.open(read_server_info=False)
        if self.start_tls:
            connection.start_tls(read_server_info=False)
        connection.authentication = "SIMPLE"
        return connection

    def connect_as(self, dn: str, password: str) -> Connection:
        """A connection on which `dn`, named `managerDN` in the configuration, has signed in. Raises
        LDAPException.
        """
        connection = self.connect()
        connection.user = dn
        connection.password = password.encode()
        if not connection.bind(read_server_info=False):
            raise LDAPException(self._refused(dn, connection.result["description"]))
        return connection

    async def dial(self) -> LdapWire:
        """A connection for asyncio on which nobody has signed in. Raises LdapConnectionError and OSError."""
        if not self.host:
            raise LdapConnectionError(f"{self.setting}.host is not set")
        host, port, encrypted = self._address()
        context = await self._context() if encrypted or self.start_tls else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.timeout):
                _, wire = await loop.create_connection(
                    lambda: LdapWire(self.timeout), host, port, ssl=context if encrypted else None
                )
                if context is not None and not encrypted:
                    await wire.start_tls(context, host)
        except TimeoutError:
            raise LdapConnectionError(f"no connection within {self.timeout:g} s") from None
        return wire

    async def dial_as(self, dn: str, password: str) -> LdapWire:
        """A connection for asyncio on which `dn` has signed in, as `connect_as` does it. Raises
        LdapConnectionError and OSError.
        """
        if not password:
            raise LdapConnectionError(f"{self.setting}.managerPassword is not set")
        wire = await self.dial()
        [answer] = await wire.ask(ldap_codec.simple_bind(dn, password))
        if answer.code:
            wire.close()
            raise LdapConnectionError(self._refused(dn, RESULT_CODES.get(answer.code, str(answer.code))))
        return wire

    def _refused(self, dn: str, description: str) -> str:
        return (
            f"the server refused to let {self.setting}.managerDN {dn!r} sign in ({description}); "
            f"check {self.setting}.managerDN and {self.setting}.managerPassword"
        )

    async def _context(self) -> ssl.SSLContext:
        return await asyncio.to_thread(ssl.create_default_context, cafile=self.ca_file)

    def _address(self) -> tuple[str, int, bool]:
        """Host, port, and whether TLS is there from the start. Raises ValueError."""
        scheme, separator, address = self.host.rpartition("://")
        encrypted = scheme == "ldaps"
        if separator and scheme not in ("ldap", "ldaps"):
            raise ValueError(f"it must begin with ldap:// or ldaps://, not {scheme}://")
        has_port = re.fullmatch(r".+:\d+|\[.+\]:\d+", address) and not address.endswith("]")
        host, port = split_address(address if has_port else f"{address}:{636 if encrypted else 389}")
        return host, port, encrypted

    def _server(self) -> Server:
        host, port, encrypted = self._address()
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=self.ca_file)
        return Server(
            host,
            port=port,
            use_ssl=encrypted,
            tls=tls if encrypted or self.start_tls else None,
            connect_timeout=self.timeout,
            get_info=NONE,
        )
