"""Dependencies of routes: the key that asks, its scope, and its rate."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from viral.apps.serve.problems import Problem, is_for_people
from viral.apps.serve.security.rate_limit import Buckets
from viral.apps.serve.security.tokens import COOKIE, Token, find, holder

BEARER = HTTPBearer(auto_error=False, description="A token of `viral token`; not needed where the server has none.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
FAILED_RATE, FAILED_BURST = 0.5, 20.0  # wrong tokens a second and address


@dataclass(frozen=True, slots=True)
class Key:
    """Who asks: a token's name, or an address where there are no tokens."""

    name: str
    scope: str


class Gate:
    """Tokens, sessions and rates of one application."""

    def __init__(self, tokens: tuple[Token, ...] | None, secret: str, rate: float) -> None:
        self.tokens, self.secret = tokens, secret
        self.buckets = Buckets(rate, 2 * rate)
        self.failures = Buckets(FAILED_RATE, FAILED_BURST)

    def present(self, token: str, address: str) -> Token:
        """The token's line; 401 for an unknown one, 429 after too many of these."""
        found = find(self.tokens or (), token)
        if found is not None:
            return found
        wait = self.failures.take(address)
        if wait:
            raise too_many(wait)
        raise Problem(401, "the token is not known", headers={"WWW-Authenticate": "Bearer"})

    def key(self, request: Request, bearer: HTTPAuthorizationCredentials | None, scope: str) -> Key:
        """Who asks, if that is allowed to."""
        if self.tokens is None:
            return Key(_address(request), "admin")
        token = self.token(request, None if bearer is None else bearer.credentials)
        if not token.allows(scope):
            raise Problem(403, f"the token {token.name!r} has scope {token.scope}, this needs {scope}")
        return Key(token.name, token.scope)

    def token(self, request: Request, bearer: str | None) -> Token:
        """The token that a request comes with, or that its session is of; 401 where it has neither."""
        return self._of_session(request) if bearer is None else self.present(bearer, _address(request))

    def _of_session(self, request: Request) -> Token:
        found = holder(request.cookies.get(COOKIE, ""), self.tokens or (), self.secret)
        if found is not None:
            return found
        if is_for_people(request):
            raise Problem(303, "log in first", headers={"Location": f"/login?next={_here(request)}"})
        raise Problem(401, "a token is needed", headers={"WWW-Authenticate": "Bearer"})


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _here(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(quote(request.url.path) + query, safe="")


def too_many(wait: float) -> Problem:
    """429 with the seconds to wait."""
    seconds = str(max(1, math.ceil(wait)))
    return Problem(429, "too many requests", hint=f"again in {seconds} s", headers={"Retry-After": seconds})


def charge(request: Request, key: Key, cost: float = 1.0) -> None:
    """Take from the key's bucket; 429 where it is empty."""
    wait = _gate(request).buckets.take(key.name, cost)
    if wait:
        raise too_many(wait)


def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def _allowed(scope: str, cost: float = 0.0) -> Callable[[Request, HTTPAuthorizationCredentials | None], Awaitable[Key]]:
    """The dependency of a route that is for keys of a scope, and takes so much from their rate."""

    async def allowed(request: Request, bearer: Bearer) -> Key:
        key = _gate(request).key(request, bearer, scope)
        if cost:
            charge(request, key, cost)
        return key

    return allowed


require_read = _allowed("read")
asks = _allowed("read", 1.0)
asks_much = _allowed("read", 20.0)  # of what is costly: describing, encoding
changes = _allowed("admin", 1.0)
Reader = Annotated[Key, Depends(require_read)]
Asker = Annotated[Key, Depends(asks)]
