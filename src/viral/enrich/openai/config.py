"""Which server is asked, how, and how much it may cost."""

import math
import os
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from viral.base.errors import UsageError
from viral.base.recipe import check_least

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class OpenAIConfig:
    """Everything about the server and the requests; the API key is in the environment and nowhere else.

    ``model``, ``temperature``, ``detail`` and ``json_schema`` decide the text, and are in the ledger's key; the rest
    may be changed between runs without a picture being described again.
    """

    url: str  # "http://localhost:8000/v1"; without a path, /v1 is meant
    model: str
    temperature: float | None = 0.0  # none: the field is left out, for models that refuse it
    detail: Literal["", "low", "high", "auto"] = ""  # how finely a picture is looked at, where the server offers it
    json_schema: bool = False  # have the server hold answers to a prompt's schema (``attributes`` has one)
    max_tokens: int = 500  # of an answer; one that is cut off there is a failure, so this never decides a text
    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    concurrency: int = 8  # requests under way
    requests_per_minute: int = 0  # 0: no limit; the requests are spaced evenly
    timeout: float = 60.0  # seconds for one whole answer
    max_attempts: int = 5  # per picture and run
    backoff: float = 1.0  # seconds before the second attempt; doubles with each further one; half of it is random
    max_wait: float = 60.0  # seconds that a wait may last, whatever the server asks for
    give_up_after: int = 20  # pictures in a row that fail: then it is the server
    budget_tokens: int = 0  # of a run, read and written together; 0: no limit
    budget_money: float = 0.0  # of a run, in the currency of the prices; 0: no limit
    price_in: float = 0.0  # per million tokens that the model reads, picture included
    price_out: float = 0.0  # per million tokens that it writes
    api_key_env: str = "VIRAL_API_KEY"  # the environment variable that holds the key

    def __post_init__(self) -> None:
        check_least(self, concurrency=1, requests_per_minute=0, max_attempts=1, give_up_after=1, max_tokens=1)
        check_least(self, timeout=0.01, backoff=0, max_wait=0, temperature=0)
        check_least(self, budget_tokens=0, budget_money=0, price_in=0, price_out=0)
        if not self.model.strip():
            raise UsageError("no model", where="model", hint="name a model that the server offers")
        if self.budget_money and not (self.price_in or self.price_out):
            raise UsageError("a budget in money needs prices", where="budget_money", hint="set price_in and price_out")
        if not _VARIABLE.fullmatch(self.api_key_env):  # not shown: it may be the key itself
            hint = "give the variable's name, and put the key into that variable"
            raise UsageError("not the name of an environment variable", where="api_key_env", hint=hint)
        if any(not math.isfinite(value) for value in (self.timeout, self.backoff, self.max_wait)):
            raise UsageError("not a finite number of seconds", where="timeout, backoff or max_wait")
        _ = self.endpoint

    @property
    def endpoint(self) -> str:
        """The URL that requests are posted to; raises ``UsageError``."""
        try:
            parts = urlsplit(self.url.strip())
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable:
            raise UsageError(
                "not the address of a server", where="url", hint="for example url=http://localhost:8000/v1"
            )
        if parts.username is not None or parts.query or parts.fragment:  # not shown: it may be a secret
            hint = f"put the API key into the environment variable {self.api_key_env}"
            raise UsageError("a user, a query or a fragment in the address", where="url", hint=hint)
        path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
        return parts._replace(path=f"{path}/chat/completions").geturl()

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, where no proxy lies between."""
        return urlsplit(self.endpoint).hostname in ("localhost", "127.0.0.1", "::1")

    def api_key(self) -> str:
        """The key, or nothing; raises ``UsageError`` for what no header can carry."""
        key = os.environ.get(self.api_key_env, "").strip()
        if not (key.isascii() and (key.isprintable() or not key)):
            hint = "put the key there and nothing else"
            raise UsageError("not an API key: it has characters that no key has", where=self.api_key_env, hint=hint)
        return key
