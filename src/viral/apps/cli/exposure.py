"""How popular what a run recommends is, in a line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viral.apps.cli.common import show
from viral.base.safe_text import shown

MUCH = 0.25  # of the users see one item,
UNEVEN = 3  # times as many as if all items were seen alike:
A_BEGINNING = 0.3  # then this penalty is named


def show_exposure(summary: Mapping[str, Any], run: Path) -> None:
    """Say it, where it was measured, and what to do where many see the same."""
    from viral.evaluation.exposure import in_words

    told = summary.get("exposure")
    if told is None:
        return
    title, item_id = shown(told["most_title"], 60), shown(told["most_item"], 60)
    show(f"recommended: {in_words(told, f'“{title}” ({item_id})' if title else item_id)}")
    uneven = told["most"] >= max(MUCH, UNEVEN * told["k"] / told["items"])
    if uneven and not summary.get("less_popular"):
        show(
            f"  → for more variety: viral recommend {run} --user ID --less-popular {A_BEGINNING}; what it costs: "
            f"viral evaluate {run} --less-popular {A_BEGINNING}"
        )
