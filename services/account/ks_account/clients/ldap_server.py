"""How an LDAP server is reached: its address, TLS, and connections that are ready for use."""

import re
import ssl
from dataclasses import dataclass
from math import ceil

from ldap3 import NONE, SYNC, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException

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
            raise LDAPException(
                f"the server refused to let {self.setting}.managerDN {dn!r} sign in "
                f"({connection.result['description']}); check {self.setting}.managerDN and "
                f"{self.setting}.managerPassword"
            )
        return connection

    def _server(self) -> Server:
        scheme, separator, address = self.host.rpartition("://")
        encrypted = scheme == "ldaps"
        if separator and scheme not in ("ldap", "ldaps"):
            raise ValueError(f"it must begin with ldap:// or ldaps://, not {scheme}://")
        has_port = re.fullmatch(r".+:\d+|\[.+\]:\d+", address) and not address.endswith("]")
        host, port = split_address(address if has_port else f"{address}:{636 if encrypted else 389}")
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=self.ca_file)
        return Server(
            host,
            port=port,
            use_ssl=encrypted,
            tls=tls if encrypted or self.start_tls else None,
            connect_timeout=self.timeout,
            get_info=NONE,
        )
