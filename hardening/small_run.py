"""A run that was never trained, for what only reads one: random vectors of 12 users and 30 items."""

from pathlib import Path

USERS, ITEMS, WIDTH = 12, 30, 6


def small_run(folder: Path) -> Path:
    """Write the run; returns its folder."""
    import torch

    from viral.data.interactions import Interactions
    from viral.data.vocabulary import Vocabulary
    from viral.models.scorers import EmbeddingScorer
    from viral.run.bundle import Bundle
    from viral.run.bundle_extras import Material

    rng = torch.Generator().manual_seed(0)
    users, items = (torch.randn(count, WIDTH, generator=rng) for count in (USERS, ITEMS))
    chosen = (torch.arange(USERS)[:, None] + torch.arange(3)).flatten()
    seen = Interactions(torch.arange(USERS).repeat_interleave(3), chosen, USERS, ITEMS)
    names = Vocabulary([f"u{n}" for n in range(USERS)], "user"), Vocabulary([f"i{n}" for n in range(ITEMS)], "item")
    material = Material({"text": [""] * ITEMS, "category": ["mug" if n % 2 else "lamp" for n in range(ITEMS)]})
    titles = tuple(f"thing {n}" for n in range(ITEMS))
    scorer = EmbeddingScorer(users, items, {"text": (0, WIDTH)})
    Bundle(scorer, *names, titles, seen, {"model": "test"}, material).save(folder / "bundle")
    return folder
