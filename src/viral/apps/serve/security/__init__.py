"""Who may ask, for what, and how often."""

from viral.apps.serve.security.access import Key, asks, asks_much, changes, require_admin, require_read
from viral.apps.serve.security.tokens import SCOPES, Token, new_token, read_tokens

__all__ = [
    "SCOPES",
    "Key",
    "Token",
    "asks",
    "asks_much",
    "changes",
    "new_token",
    "read_tokens",
    "require_admin",
    "require_read",
]
