"""The page's login: a cookie that names a token's line and is signed by this server. Nothing is kept of it here."""

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence

from viral.apps.serve.security.tokens import Token

COOKIE = "viral_session"
SECONDS = 12 * 3600


def issue(token: Token, secret: str, now: float | None = None) -> str:
    """A session for whoever presented the token."""
    ends = int((time.time() if now is None else now) + SECONDS)
    return f"{token.name}.{ends}.{_sign(token, ends, secret)}"


def holder(cookie: str, tokens: Sequence[Token], secret: str, now: float | None = None) -> Token | None:
    """Whose session it is; None where it has ended or was not issued here, or its token is no longer in the file."""
    rest, _, signature = cookie.rpartition(".")
    name, _, ends = rest.rpartition(".")  # a name may have dots of its own
    token = next((one for one in tokens if one.name == name), None)
    if token is None or not (ends.isascii() and ends.isdigit() and len(ends) < 12):
        return None
    if not hmac.compare_digest(_sign(token, int(ends), secret).encode(), signature.encode("utf-8", "replace")):
        return None
    return token if int(ends) > (time.time() if now is None else now) else None


def _sign(token: Token, ends: int, secret: str) -> str:
    message = f"{token.name}.{token.scope}.{token.sha256}.{ends}".encode()
    signed = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")
