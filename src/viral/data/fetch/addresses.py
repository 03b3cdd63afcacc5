"""Which addresses a picture may come from: a name is looked up once, and every address it has must be allowed."""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence

from viral.data.fetch.base import FetchConfig, FetchError

Resolver = Callable[[str, int], Sequence[str]]
"""A host's name and a port to addresses, as text; raises ``OSError`` where the name has none."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)\.?", re.IGNORECASE)
# Only 2000::/3 is in public use. 2002::/16 wraps an IPv4 address, which a gateway would go to.
_PUBLIC_6 = ipaddress.ip_network("2000::/3")
_WRAPPED = ipaddress.ip_network("2002::/16")


def look_up(host: str, port: int) -> list[str]:
    """The operating system's answer; a literal address is its own."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed_addresses(host: str, port: int, config: FetchConfig, resolver: Resolver, url: str) -> list[str]:
    """The addresses of ``host``, each of which may be connected to; else ``FetchError``.

    One forbidden address among them forbids the host: which one a connection would get is chance, or an attack.
    """
    if config.hosts and not any(host == known or host.endswith(f".{known}") for known in config.hosts):
        raise FetchError("at a forbidden address", url, f" ({host} is not among the hosts that are allowed)")
    if _is_odd_number(host):
        raise FetchError("at a forbidden address", url, f" ({host} is a number, not a name)")
    try:
        found = [ipaddress.ip_address(text) for text in resolver(host, port)]
    except (OSError, UnicodeError):
        raise FetchError("behind a dead link", url, f" (no such host as {host})") from None
    if not found:
        raise FetchError("behind a dead link", url, f" (no such host as {host})")
    for address in found:
        if not _may_connect(address, config.allow_private):
            raise FetchError("at a forbidden address", url, f" ({host} is {address})")
    return [str(address) for address in found]


def _is_odd_number(host: str) -> bool:
    """Whether the host is a spelling of an address that only some readers take for one: 0x7f.1, 2130706433."""
    if not _NUMBER.fullmatch(host.removesuffix(".").rpartition(".")[2]):
        return False
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return True
    return False


def _may_connect(address: _Address, allow_private: bool) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_multicast or address.is_link_local or address.is_unspecified:
        return False
    if allow_private and (address.is_private or address.is_loopback):
        return True
    if isinstance(address, ipaddress.IPv6Address) and (address not in _PUBLIC_6 or address in _WRAPPED):
        return False
    return address.is_global
