"""The file of tokens, a line each of name, scope and SHA-256 (the token is kept nowhere); and the pages' sessions."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from viral.base.errors import DataError, UsageError, nearest
from viral.base.files import atomic_write

SCOPES = ("read", "admin")  # what each allows is allowed to the later ones too
PREFIX = "viral_"
COOKIE = "viral_session"  # names a token's line and is signed by this server; nothing is kept of it here
SECONDS = 12 * 3600  # of a session
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HASH = re.compile(r"[0-9a-f]{64}")
_HINT = "a line is: NAME read|admin SHA256; `viral token NAME --scope read --tokens FILE` adds one"


@dataclass(frozen=True, slots=True)
class Token:
    """One line of the file."""

    name: str
    scope: str
    sha256: str

    def allows(self, scope: str) -> bool:
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def digest(token: str) -> str:
    """What is kept of a token; it has 256 bits of its own, so that no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_tokens(file: Path) -> tuple[Token, ...]:
    """The tokens of a file; ``DataError`` where it cannot be read, has none, or a line is not one."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the tokens cannot be read ({error})", where=str(file), hint=_HINT) from None
    found: dict[str, Token] = {}
    for row, line in enumerate(lines, start=1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(words) != 3 or not _NAME.fullmatch(words[0]) or words[1] not in SCOPES or not _HASH.fullmatch(words[2]):
            raise DataError("not a token's line", where=f"{file}, row {row}", hint=_HINT)
        if words[0] in found:
            raise DataError(f"the name {words[0]!r} occurs twice", where=f"{file}, row {row}", hint="rename one")
        found[words[0]] = Token(*words)
    if not found:
        raise DataError("no token in the file", where=str(file), hint=_HINT)
    return tuple(found.values())


def new_token(name: str, scope: str) -> tuple[str, str]:
    """A fresh token and its line for the file."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a token", hint="up to 64 of A-Z a-z 0-9 . _ -")
    if scope not in SCOPES:
        raise UsageError(f"unknown scope {scope!r}", hint=nearest(scope, SCOPES))
    token = PREFIX + secrets.token_urlsafe(32)
    return token, f"{name} {scope} {digest(token)}"


def add_token(file: Path, name: str, scope: str) -> str:
    """A fresh token, whose line is added to the file; a new file is its owner's alone to read."""
    token, line = new_token(name, scope)
    known = read_tokens(file) if file.exists() else ()
    if any(one.name == name for one in known):
        raise UsageError(f"there is a token {name!r} already", where=str(file), hint="choose another name")
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    with atomic_write(file) as temporary:
        temporary.write_text(before + ("" if before.endswith("\n") or not before else "\n") + line + "\n")
        temporary.chmod(0o600)
    return token


def find(tokens: Sequence[Token], presented: str) -> Token | None:
    """The token that was presented; every line is compared, each in constant time."""
    found, hashed = None, digest(presented)
    for token in tokens:
        if hmac.compare_digest(token.sha256, hashed):
            found = token
    return found


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
