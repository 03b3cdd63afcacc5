"""Judging again what was stored under older rules: ``viral enrich --recheck``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from viral.data.dataset import Dataset
from viral.data.descriptions import Description, all_descriptions, save_descriptions
from viral.enrich.answers import judge
from viral.enrich.describe_batch import ERROR_LIMIT
from viral.enrich.ledger import Ledger
from viral.enrich.ledger_rows import Entry
from viral.enrich.prompts import known_prompt


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What the rules of today say of what is stored."""

    looked_at: int  # rows of the ledger with a description
    mended: int  # of which something was taken off: control tokens, reasoning, a fence
    refused: Mapping[str, int]  # by reason: no descriptions any more


def recheck(dataset: Dataset, ledger: Ledger) -> Rechecked:
    """Judge every description in the ledger and in ``descriptions/`` by the rules of today.

    What is no description becomes "failed" or "refused", as if it had just been answered; the next ``viral enrich``
    asks again for what failed. Texts that a human wrote are not touched.
    """
    looked_at, mended, refused = 0, 0, dict[str, int]()

    def again(entry: Entry) -> Entry | None:
        nonlocal looked_at, mended
        looked_at += 1
        verdict = judge(entry.text, known_prompt(entry.key.prompt, entry.key.prompt_sha256))
        if (verdict.status, verdict.text) == ("done", entry.text):
            return None
        if verdict.status == "done":
            mended += 1
        else:
            refused[verdict.reason] = refused.get(verdict.reason, 0) + 1
        return replace(entry, status=verdict.status, text=verdict.text, error=verdict.error[:ERROR_LIMIT])

    ledger.rejudge(again)
    for one in all_descriptions(dataset):
        rows = tuple(map(_row_again, one.rows))
        if rows != one.rows:
            save_descriptions(replace(one, rows=rows), dataset.path)
    return Rechecked(looked_at, mended, refused)


def _row_again(row: Description) -> Description:
    """The row as it would be written now; of JSON the text that was made of it is judged."""
    if row.status != "done" or row.edited:
        return row
    verdict = judge(row.text, replace(known_prompt(row.prompt), schema=None))
    return replace(row, status=verdict.status, text=verdict.text, error=verdict.error[:ERROR_LIMIT])
