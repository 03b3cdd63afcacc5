"""``python -m bench.visits RUN DATASET``: how much of what a user chooses next is found when a session is known.

A session is what validation holds of a user, and what comes next is what test holds; the log's split should be one in
time. Prints Recall@20 over the users with both: by the user alone, by the session alone, and by both with the session
counted so many times (:mod:`viral.run.retrieval.fold_in`) as one JSON document. The user's history and the session are
never ranked.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from viral.data.dataset import Dataset
from viral.data.interactions import Interactions
from viral.models.scorers import UserProfile
from viral.run.pipeline import load_split
from viral.run.retrieval import Retriever
from viral.run.retrieval.fold_in import in_session, session_repeats

K = 20
TIMES: dict[str, Callable[[int, int], int]] = {
    "once": lambda history, session: 1,
    "root": session_repeats,
    "as the history": lambda history, session: max(1, round(history / session)),
}


def items_of(part: Interactions) -> dict[int, list[int]]:
    """The items of each user of a part."""
    found: dict[int, list[int]] = defaultdict(list)
    for user, item in zip(part.users.tolist(), part.items.tolist(), strict=True):
        found[user].append(item)
    return found


def recall(profile: UserProfile, hidden: Tensor, wanted: list[int]) -> float:
    """The share of the wanted items among the best ``K``."""
    scores = profile.scores()
    scores[hidden] = -torch.inf
    return len({*scores.topk(min(K, len(scores))).indices.tolist()} & {*wanted}) / len(wanted)


def measured(retriever: Retriever, dataset: Dataset) -> dict[str, float]:
    """Mean recall by what is known of a user."""
    split, bundle = load_split(dataset), retriever.bundle
    shown, wanted = items_of(split.valid), items_of(split.test)
    sums: dict[str, list[float]] = defaultdict(list)
    for user in sorted(set(shown) & set(wanted)):
        known = retriever.profile(split.users.ids[user])
        visit = bundle.items.indices([split.items.ids[item] for item in shown[user]])
        next_ = bundle.items.indices([split.items.ids[item] for item in wanted[user]]).tolist()
        hidden = torch.cat([known.seen, visit])
        sums["user alone"].append(recall(known, hidden, next_))
        alone = retriever.new_user([bundle.items.ids[item] for item in visit.tolist()])
        sums["visit alone"].append(recall(alone, hidden, next_))
        for name, times in TIMES.items():
            both = in_session(bundle.scorer, known, visit, retriever.fold_in, times)
            sums[name].append(recall(both, hidden, next_))
    return {name: sum(values) / len(values) for name, values in sums.items()} | {"users": len(sums["user alone"])}


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.visits", description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("dataset", type=Path)
    arguments = parser.parse_args()
    found = measured(Retriever.load(arguments.run), Dataset.open(arguments.dataset))
    print(json.dumps({f"recall@{K}": found}, indent=2))


if __name__ == "__main__":
    main()
