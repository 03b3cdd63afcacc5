"""One request and the bytes of its answer, within a time and a size; every fault has a name that says what it ends."""

import time
import weakref

import httpx

from viral.enrich.openai.config import OpenAIConfig
from viral.enrich.openai.faults import Again, fault_of

_MAX_ANSWER = 4_000_000  # bytes
_CONNECT = 10.0  # seconds at most


class Client:
    """Connections to one server, kept open; thread-safe.

    Proxies of the environment are used, except for a server on this machine. Redirects are not followed.
    """

    def __init__(self, config: OpenAIConfig) -> None:
        self._config, self._key = config, config.api_key()
        self._http = _http(config, self._key)
        weakref.finalize(self, self._http.close)  # whoever forgets to close a describer leaves no socket open

    def post(self, body: bytes) -> bytes:
        """The body of a good answer; raises ``Again``, ``BadRequest``, ``Refused`` or ``ViralError``."""
        deadline = time.monotonic() + self._config.timeout
        try:
            with self._http.stream("POST", self._config.endpoint, content=body) as response:
                data = self._read(response, deadline)
        except httpx.TimeoutException as error:
            reached = not isinstance(error, httpx.ConnectTimeout)
            raise Again(f"no answer within {self._config.timeout:g} s", reached=reached) from None
        except httpx.ConnectError as error:
            raise Again(str(error) or "no connection", reached=False) from None
        except httpx.TransportError as error:
            raise Again(f"the connection was cut ({type(error).__name__})") from None
        if response.status_code != 200:
            raise fault_of(self._config, response.status_code, response.headers, data, self._key)
        return data

    def close(self) -> None:
        self._http.close()

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        data = bytearray()
        for chunk in response.iter_raw():
            data += chunk
            if len(data) > _MAX_ANSWER:
                raise Again(f"an answer of more than {_MAX_ANSWER:,} bytes")
            if time.monotonic() > deadline:
                raise Again(f"no answer within {self._config.timeout:g} s")
        return bytes(data)


def _http(config: OpenAIConfig, key: str) -> httpx.Client:
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "viral"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return httpx.Client(
        headers=headers,
        timeout=httpx.Timeout(config.timeout, connect=min(_CONNECT, config.timeout), pool=None),
        limits=httpx.Limits(max_connections=config.concurrency, max_keepalive_connections=config.concurrency),
        follow_redirects=False,
        trust_env=not config.is_local,
    )
