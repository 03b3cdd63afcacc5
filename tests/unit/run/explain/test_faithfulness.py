"""The evidence that is named is what the score rests on: without it the score falls more than without other history.

Through the model itself: the interactions are taken out of the log, the graphs are built anew with the trained
parameters, and users and items are embedded again.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from encoders import BagOfWords
from viral.base.recipe import TrainConfig, build
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.splitting import Split
from viral.encode import encode_dataset
from viral.evaluation import paired_test
from viral.lab.shop import ShopConfig, make_shop
from viral.models import EmbeddingRecommender
from viral.run.bundle import Bundle
from viral.run.explain import explain
from viral.run.pipeline import load_split
from viral.run.retrieval import Retriever
from viral.training import build_model, fit
from worlds import class_of

SIZES = {"crossmodal_dim": 16, "embedding_dim": 16, "hidden_dim": 32}
CONFIG = {"viral": {**SIZES}, "viral-light": {**SIZES, "variant": "light", "visual": "title"}, "lightgcn": {}}
REMOVED = 3


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Split, ModelInputs]:
    config = ShopConfig(users=120, items=100, interactions_per_user=12, pictures=False, popularity=0.1)
    dataset = make_shop(tmp_path_factory.mktemp("faithful") / "shop", config)
    tables = encode_dataset(dataset, encoder=BagOfWords(), modalities=["text", "title"])
    parts = load_split(dataset)
    return parts, ModelInputs.of(parts, tables.values())


@pytest.mark.parametrize("name", CONFIG)
def test_removing_the_named_evidence_costs_more_than_removing_other_history(
    name: str, shop: tuple[Split, ModelInputs]
) -> None:
    parts, inputs = shop
    model = build_model(class_of(name), inputs, build(class_of(name).Config, CONFIG[name], where=name), 0)
    fit(model, parts, TrainConfig(learning_rate=5e-3, batch_size=512, max_epochs=12))
    titles = ("",) * len(parts.items)
    bundle = Bundle(model.scorer(), parts.users, parts.items, titles, parts.train, {})
    retriever, rng = Retriever(bundle), np.random.default_rng(0)
    named, random = [], []
    for user, user_id in enumerate(parts.users.ids[:50]):
        item_id = retriever.recommend(user_id, 1)[0].item_id
        found = explain(bundle, user_id, item_id, fold_in=retriever.fold_in)
        history = [parts.items.index(taken) for taken, _ in retriever.history(user_id)]
        evidence = [parts.items.index(e.item_id) for e in found.evidence[:REMOVED]]
        if len(history) < 2 * REMOVED or len(evidence) < REMOVED:
            continue
        assert set(evidence) <= set(history)
        others = rng.permutation(sorted(set(history) - set(evidence)))[:REMOVED].tolist()
        item = parts.items.index(item_id)
        named.append(found.score - score_without(model, inputs, user, item, evidence))
        random.append(found.score - score_without(model, inputs, user, item, others))
    test = paired_test(np.array(named), np.array(random))
    assert len(named) > 25 and test.low > 0 and test.p_value < 0.01, test


def score_without(model: EmbeddingRecommender, inputs: ModelInputs, user: int, item: int, removed: list[int]) -> float:
    """The score by the same parameters, on graphs from a log without these items of the user."""
    log = inputs.train
    kept = ~((log.users == user) & torch.isin(log.items, torch.tensor(removed)))
    assert int((~kept).sum()) == len(removed)
    thinner = Interactions(log.users[kept], log.items[kept], log.num_users, log.num_items)
    rebuilt = type(model)(replace(inputs, train=thinner), model.config)
    rebuilt.load_state_dict(model.state_dict())
    scorer = rebuilt.scorer()
    return sum(scorer.split(user, item).values())
