"""Which hosts and addresses may be reached for a caller: pure, and asked with what the name resolved to.

Without a word in the configuration only addresses of the public internet are: neither loopback nor link-local
ones, where clouds serve credentials, nor private ranges, where the cluster and the company are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_TRANSLATED = tuple(ip_network(each) for each in ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96"))
"""IPv6 addresses whose last four bytes are an IPv4 address that is reached instead (RFC 6052, RFC 4291)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A host by name (`suffix` for all below it) or by address, at one port or any."""

    name: str = ""
    suffix: bool = False
    network: Network | None = None
    port: int | None = None

    @classmethod
    def of(cls, text: str) -> "Rule":
        """Reads `host`, `*.host`, an address or a network, each perhaps with `:port`. Raises ValueError."""
        host, port = _split_port(text.strip().lower())
        network = _network(host)
        if network is not None:
            return cls(network=network, port=port)
        suffix = host.startswith("*.")
        name = host.removeprefix("*.")
        if not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-._"):
            raise ValueError(f"{text!r} is neither a host, nor an address, nor a network")
        return cls(name=name, suffix=suffix, port=port)

    def names(self, host: str, port: int) -> bool:
        """Whether it names this host by its name."""
        if self.network is not None or self.port not in (None, port):
            return False
        return host.endswith(f".{self.name}") if self.suffix else host == self.name

    def holds(self, address: Address, port: int) -> bool:
        """Whether the address is one of those that it names."""
        return self.network is not None and self.port in (None, port) and address in self.network


@dataclass(frozen=True, slots=True)
class Rules:
    """All of them."""

    allowed: tuple[Rule, ...] = ()
    only_allowed: bool = False

    @classmethod
    def of(cls, allowed: Iterable[str], only_allowed: bool = False) -> "Rules":
        """Raises ValueError, naming what is no rule."""
        return cls(tuple(Rule.of(each) for each in allowed), only_allowed)

    def allow(self, host: str, address: str, port: int) -> bool:
        """Whether `host` may be reached at `address`, one of those that its name resolved to.

        A rule by name allows private addresses, but none of this machine or link: whoever serves the name
        could otherwise point it at them.
        """
        try:
            plain = _plain(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if any(rule.holds(plain, port) for rule in self.allowed):
            return True
        if any(rule.names(host.lower().rstrip("."), port) for rule in self.allowed):
            return (plain.is_global or plain.is_private) and not _is_of_this_machine(plain)
        return not self.only_allowed and plain.is_global and not plain.is_multicast


def _is_of_this_machine(address: Address) -> bool:
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address.is_reserved
        or address in ip_network("0.0.0.0/8" if address.version == 4 else "::/128")
    )


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it stands for one."""
    if isinstance(address, IPv4Address):
        return address
    embedded = address.ipv4_mapped or address.sixtofour
    if embedded is None and any(address in network for network in _TRANSLATED) and int(address) > 1:
        embedded = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo is not None:
        return IPv6Address("::1")  # of an IPv4 host behind a relay: nobody's registry
    return address if embedded is None else embedded


def _network(text: str) -> Network | None:
    try:
        return ip_network(text.strip("[]"))
    except ValueError:
        return None


def _split_port(text: str) -> tuple[str, int | None]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.endswith("]")):
        return text, None
    if not 0 < int(port) < 65536:
        raise ValueError(f"{text!r}: there is no such port")
    return host, int(port)
