"""Newcomers are served like the users whom they equal."""

import pytest
import torch

from viral.base.errors import UnknownIdError
from viral.base.recipe import TrainConfig
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingScorer
from viral.run.bundle import Bundle
from viral.run.retrieval import FoldIn, Retriever
from viral.training import fit
from worlds import ZOO, small_model, two_tastes


@pytest.fixture(scope="module")
def random_state() -> tuple[torch.Tensor, Interactions]:
    rng = torch.Generator().manual_seed(0)
    items = torch.randn(40, 6, generator=rng)
    taken = torch.rand(200, 40, generator=rng) < 0.2
    users, rows = taken.nonzero(as_tuple=True)
    return items, Interactions(users, rows, 200, 40)


def bundle_of(users: torch.Tensor, items: torch.Tensor, seen: Interactions) -> Bundle:
    names = Vocabulary([f"u{n}" for n in range(len(users))], "user"), Vocabulary([f"i{n}" for n in range(40)], "item")
    return Bundle(EmbeddingScorer(users, items), *names, ("",) * 40, seen, {})


@pytest.mark.parametrize("rule", ["propagation", "sum"])
def test_a_rule_of_either_form_is_found_out(random_state: tuple[torch.Tensor, Interactions], rule: str) -> None:
    """Users that are exactly a linear image of h, from whom those who are folded in were not learnt."""
    items, seen = random_state
    dense = torch.zeros(200, 40)
    dense[seen.users, seen.items] = 1
    weights = dense.sum(dim=0).rsqrt() if rule == "propagation" else torch.ones(40)
    map_ = torch.randn(6, 6, generator=torch.Generator().manual_seed(1))
    users = (dense * weights) @ items / dense.sum(dim=1, keepdim=True).clamp(min=1).sqrt() @ map_
    early = seen.users < 150
    log = Interactions(seen.users[early], seen.items[early], 200, 40)
    bundle = bundle_of(users, items, log)
    found = FoldIn.of(bundle)
    degrees_of_all = FoldIn(found.items, dense.sum(dim=0).clamp(min=1), found.matrix)
    for user in range(150, 200):
        taken = dense[user].nonzero().squeeze(1)
        vector = degrees_of_all.vector(taken)
        assert torch.cosine_similarity(vector, users[user], dim=0) > (0.98 if rule == "sum" else 0.95)


def test_shares_add_up(random_state: tuple[torch.Tensor, Interactions]) -> None:
    items, seen = random_state
    bundle = bundle_of(torch.randn(200, 6, generator=torch.Generator().manual_seed(3)), items, seen)
    rule, taken = FoldIn.of(bundle), torch.tensor([3, 5, 8, 13])
    assert rule.shares(taken, 21).sum() == pytest.approx(float(rule.vector(taken) @ items[21]), abs=1e-5)


def test_without_evidence_a_newcomer_gets_what_is_near() -> None:
    """Users of pure noise teach nothing: the rule must not be worse than the propagation step it falls back on."""
    rng = torch.Generator().manual_seed(0)
    items = torch.randn(40, 6, generator=rng)
    pairs = torch.arange(8)
    seen = Interactions(pairs, pairs, 8, 40)
    users = items[:8] + 0.01 * torch.randn(8, 6, generator=rng)
    bundle = bundle_of(users, items, seen)
    for taken in (20, 30):
        vector = FoldIn.of(bundle).vector(torch.tensor([taken]))
        assert torch.cosine_similarity(vector, items[taken], dim=0) > 0.9


@pytest.mark.parametrize("name", ["lightgcn", "viral", "viral-light", "itemknn"])
def test_a_known_history_is_recommended_what_its_user_is(name: str) -> None:
    """The rule is learnt from half of the users; the others come as newcomers."""
    world = two_tastes(40)
    model = small_model(name, world)
    fit(model, world.split, TrainConfig(learning_rate=0.01, batch_size=256, max_epochs=30))
    train, users, items = world.split.train, world.split.users, world.split.items
    even = train.users % 4 < 2
    known = Interactions(train.users[even], train.items[even], 40, 40)
    full = Retriever(Bundle(model.scorer(), users, items, ("",) * 40, train, {}))
    half = Retriever(Bundle(model.scorer(), users, items, ("",) * 40, known, {}))
    same = 0
    for user in range(2, 40, 4):
        history = [item for item, _ in full.history(f"u{user}")]
        folded = [r.item_id for r in half.recommend_for(history, 2)]
        # Of the items to their taste, just the two that were held out are new to them.
        assert set(folded) == {f"i{user}", f"i{(user + 2) % 40}"}
        same += len(set(folded) & {r.item_id for r in full.recommend(f"u{user}", 2)})
    assert same >= 18  # of 20


def test_the_parts_of_a_newcomers_recommendation_add_up() -> None:
    world = two_tastes(12)
    made = Bundle(
        small_model("viral-light", world).scorer(),
        world.split.users,
        world.split.items,
        ("",) * 12,
        world.split.train,
        {},
    )
    for found in Retriever(made).recommend_for(["i0", "i2"]):
        assert sum(found.parts.values()) == pytest.approx(found.score, abs=1e-5) and len(found.parts) == 3
    with pytest.raises(UnknownIdError, match="unknown item 'i99'"):
        Retriever(made).recommend_for(["i0", "i99"])


@pytest.mark.parametrize("name", ZOO)
def test_every_model_serves_newcomers(name: str) -> None:
    world = two_tastes(12, cold=True)
    made = Bundle(
        small_model(name, world).scorer(), world.split.users, world.split.items, ("",) * 13, world.split.train, {}
    )
    found = Retriever(made).recommend_for(["i1", "i12"], 3)
    assert len(found) == 3 and not {"i1", "i12"} & {r.item_id for r in found}
