"""The tables of a ledger, and what ledgers of older versions lack."""

from viral.enrich.entries import KEY_COLUMNS

VERSION = 3  # kept in PRAGMA user_version
_CLAIMS = "CREATE TABLE IF NOT EXISTS claims (request BLOB PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL)"
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY,      -- digest of {", ".join(KEY_COLUMNS)}
    request BLOB NOT NULL,     -- digest of the same without the item's id
    item_id TEXT NOT NULL,
    image_sha256 TEXT NOT NULL,
    rendered_sha256 TEXT NOT NULL,
    describer TEXT NOT NULL,
    revision TEXT NOT NULL,
    prompt TEXT NOT NULL,
    prompt_sha256 TEXT NOT NULL,
    parameters TEXT NOT NULL,
    status TEXT NOT NULL,
    text TEXT NOT NULL,
    error TEXT NOT NULL,
    attempts INTEGER NOT NULL, -- how often a describer was asked
    seconds REAL NOT NULL,     -- of the last attempt
    created TEXT NOT NULL,     -- of the last attempt, UTC
    tokens_in INTEGER NOT NULL DEFAULT 0,  -- of all attempts, as the cost is
    tokens_out INTEGER NOT NULL DEFAULT 0,
    cost REAL NOT NULL DEFAULT 0,          -- in the currency of the describer's prices
    sum BLOB                   -- checksum of the text; NULL in rows of before version 3
);
CREATE INDEX IF NOT EXISTS entries_request ON entries (request, status);
CREATE INDEX IF NOT EXISTS entries_describer ON entries (describer, prompt, item_id);
{_CLAIMS};
"""
# What a ledger of an older version lacks, by that version.
MIGRATIONS = {
    1: (
        "ALTER TABLE entries ADD COLUMN tokens_in INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entries ADD COLUMN tokens_out INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE entries ADD COLUMN cost REAL NOT NULL DEFAULT 0",
    ),
    2: (_CLAIMS, "ALTER TABLE entries ADD COLUMN sum BLOB"),
}
