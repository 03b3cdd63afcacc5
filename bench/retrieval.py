"""``python -m bench.retrieval``: how long one user's recommendations take among many items, as ratios in one run.

The bare work is the product of the user's vector with all items and the k best of the result; a request adds the mask
of what was seen, filters, ids, titles and parts. Generated vectors: time does not depend on their values. Prints one
JSON document: milliseconds (median, p99) and the ratio of medians to the bare work.
"""

import argparse
import json
import time
from collections.abc import Callable

import torch

from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.graph import SparseMatrix
from viral.models import EmbeddingScorer, SparseHistoryScorer
from viral.models.scorers import MemoryScorer, product, scales_of
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.retrieval import Filters, Retriever

USERS, TAKEN, K = 1_000, 20, 20


def world(items: int, dim: int, seed: int = 0, *, falling: float = 0.0, memory: int = 0) -> Bundle:
    """Users and items in clusters, as learnt vectors are, and what each user took.

    The n-th direction counts n^-falling: learnt vectors, too, lie mostly in few directions. With ``memory`` each item
    says something for that many others, beside the vectors and as much as they.
    """
    rng = torch.Generator().manual_seed(seed)
    centres = torch.randn(64, dim, generator=rng)
    vectors = centres[torch.randint(64, (items,), generator=rng)] + 0.7 * torch.randn(items, dim, generator=rng)
    people = centres[torch.randint(64, (USERS,), generator=rng)] + 0.7 * torch.randn(USERS, dim, generator=rng)
    turn = torch.linalg.qr(torch.randn(dim, dim, generator=rng)).Q * torch.arange(1, dim + 1)[:, None] ** -falling
    vectors, people = (vectors @ turn, people @ turn) if falling else (vectors, people)
    taken = torch.randint(items, (USERS * TAKEN,), generator=rng)
    seen = Interactions(torch.arange(USERS).repeat_interleave(TAKEN), taken, USERS, items)
    ids = Vocabulary([f"i{n}" for n in range(items)], "item")
    users = Vocabulary([f"u{n}" for n in range(USERS)], "user")
    material = Material({"category": [f"c{n % 20}" for n in range(items)]})
    alone = EmbeddingScorer(people, vectors)
    scorer = remembering(alone, seen, memory, rng) if memory else alone
    return Bundle(scorer, users, ids, ids.ids, seen, {}, material)


def remembering(vectors: EmbeddingScorer, seen: Interactions, count: int, rng: torch.Generator) -> MemoryScorer:
    """The vectors with a memory of ``count`` weights an item, a fifth of them negative."""
    items = vectors.num_items
    offsets = torch.arange(items + 1) * count
    columns = torch.randint(items, (items * count,), generator=rng)
    values = torch.rand(items * count, generator=rng) - 0.2
    history = SparseHistoryScorer(*seen.rows(), SparseMatrix(offsets, columns, values, items))
    some = torch.arange(0, USERS, 50)
    weight = float(vectors(some).std(dim=1).mean())
    scales = torch.cat([scales_of(history(users), weight) for users in torch.arange(USERS).split(50)])
    return MemoryScorer(vectors, history, scales, weight)


def timed(requests: dict[str, Callable[[int], object]], repeats: int) -> dict[str, list[float]]:
    """Milliseconds of every request; they take turns, so that a busy machine touches all alike."""
    spent: dict[str, list[float]] = {name: [] for name in requests}
    for turn in range(repeats + 10):
        for name, request in requests.items():
            started = time.perf_counter()
            request(turn % USERS)
            if turn >= 10:  # the first ones warm up
                spent[name].append((time.perf_counter() - started) * 1000)
    return spent


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.retrieval", description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument(
        "--falling", type=float, default=0.0, help="the n-th direction of the vectors counts n^-falling"
    )
    parser.add_argument("--memory", type=int, default=0, help="item-item weights an item, beside the vectors")
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--no-faiss", action="store_true")
    arguments = parser.parse_args()
    bundle = world(arguments.items, arguments.dim, falling=arguments.falling, memory=arguments.memory)
    exact, scorer = Retriever(bundle), bundle.scorer.vectors
    assert scorer is not None
    stock = Filters(in_stock=set(bundle.items.ids[::2]))
    requests: dict[str, Callable[[int], object]] = {
        "bare": lambda user: product(scorer.items, scorer.users[user]).topk(K),
        "recommend": lambda user: exact.recommend(f"u{user}", K),
        "diverse": lambda user: exact.recommend(f"u{user}", K, diversity=0.3),
        "half in stock": lambda user: exact.recommend(f"u{user}", K, filters=stock),
        "newcomer": lambda user: exact.recommend_for([f"i{user}", f"i{user + 7}"], K),
    }
    shape = {"items": arguments.items, "dim": arguments.dim, "falling": arguments.falling, "memory": arguments.memory}
    found: dict[str, object] = shape | {"threads": torch.get_num_threads()}
    if not arguments.no_faiss:
        started = time.perf_counter()
        approximate = Retriever(bundle, approximate_above=0)
        found |= {"faiss recall@20": approximate.recall, "faiss build seconds": time.perf_counter() - started}
        requests["faiss"] = lambda user: approximate.recommend(f"u{user}", K)
    spent = {name: torch.tensor(values) for name, values in timed(requests, arguments.repeats).items()}
    bare = spent["bare"].median()
    found["requests"] = {
        name: {
            "median_ms": values.median().item(),
            "p99_ms": values.quantile(0.99).item(),
            "ratio": (values.median() / bare).item(),
        }
        for name, values in spent.items()
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
