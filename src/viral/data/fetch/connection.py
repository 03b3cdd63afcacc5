"""One connection: to an address that was checked, and over at a deadline whatever the other side does."""

import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore

from viral.data.fetch.limits import FetchConfig, FetchError

_TRIED = 4  # addresses of a host
Resolver = Callable[[str, int], Sequence[str]]
"""A host's name and a port to addresses, as text; raises ``OSError`` where the name has none."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)\.?", re.IGNORECASE)
# Only 2000::/3 is in public use. 2002::/16 wraps an IPv4 address, which a gateway would go to.
_PUBLIC_6 = ipaddress.ip_network("2000::/3")
_WRAPPED = ipaddress.ip_network("2002::/16")


class Deadline:
    """The moment at which a fetch is over."""

    def __init__(self, seconds: float, url: str) -> None:
        self._end, self._url, self._seconds = time.monotonic() + seconds, url, seconds

    @property
    def left(self) -> float:
        """Seconds that are left; ``FetchError`` where there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.missed()
        return left

    def missed(self) -> FetchError:
        return FetchError("too slow", self._url, f" (not there after {self._seconds:g} s)")


class GuardedBackend(httpcore.NetworkBackend):
    """What makes the connections of a fetch: the name is looked up here, checked, and connected to by its address.

    There is no other way from a URL to a socket, so a name that answers differently the second time gains nothing.
    TLS still checks the certificate against the name.
    """

    def __init__(
        self,
        backend: httpcore.NetworkBackend,
        config: FetchConfig,
        resolver: Resolver,
        url: str,
        deadline: Deadline,
    ) -> None:
        self._backend, self._config, self._resolver = backend, config, resolver
        self._url, self._deadline = url, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = allowed_addresses(host, port, self._config, self._resolver, self._url)[:_TRIED]
        for tried, address in enumerate(addresses, start=1):
            share = self._deadline.left / (len(addresses) - tried + 1)
            try:
                stream = self._backend.connect_tcp(address, port, share, local_address, socket_options)
                return _Stream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if tried == len(addresses):
                    raise
        raise AssertionError("unreachable: a host without addresses is refused")


class _Stream(httpcore.NetworkStream):
    """A stream whose every step ends at the deadline: a limit between bytes alone lets a slow sender go on for ever."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


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
