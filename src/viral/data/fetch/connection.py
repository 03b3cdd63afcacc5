"""One connection: to an address that was checked, and over at a deadline whatever the other side does."""

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from viral.data.fetch.addresses import Resolver, allowed_addresses
from viral.data.fetch.base import FetchConfig, FetchError

_TRIED = 4  # addresses of a host


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


class Guard(httpcore.NetworkBackend):
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
