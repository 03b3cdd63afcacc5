"""A rule from features to vectors: what it foretells, how it is chosen, and how often a new item is shown."""

import weakref

import pytest
import torch

from viral.base.errors import DataError
from viral.data.interactions import Interactions
from viral.data.vocabulary import Vocabulary
from viral.models import EmbeddingScorer, HistoryScorer
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.retrieval.feature_prediction import PLACES, VectorPredictor, _ridge, predictor_of
from viral.run.retrieval.new_items import ENOUGH_ITEMS, embed, trained_ways_of, way_of, ways_of

USERS, ITEMS, WIDTH = 150, 200, 6


def bundle_of(*, noise: float = 0.0, items: int = ITEMS, weights: bool = False) -> Bundle:
    """Vectors are the features, turned, plus noise; users take what they like best. The last item nobody took."""
    rng = torch.Generator().manual_seed(0)
    features = {
        "text": torch.nn.functional.normalize(torch.randn(items, WIDTH, generator=rng), dim=-1),
        "image": torch.randn(items, 3, generator=rng),
    }
    turn = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=rng))[0]
    vectors = features["text"] @ turn + noise * torch.randn(items, WIDTH, generator=rng)
    users = torch.randn(USERS, WIDTH, generator=rng)
    liked = (users @ vectors[:-1].T + 0.5 * torch.randn(USERS, items - 1, generator=rng)).topk(8).indices
    seen = Interactions(torch.arange(USERS).repeat_interleave(8), liked.flatten(), USERS, items)
    scorer: EmbeddingScorer | HistoryScorer = EmbeddingScorer(users, vectors)
    if weights:
        offsets, taken = seen.rows()
        scorer = HistoryScorer(offsets, taken, vectors @ vectors.T)
    ids = (Vocabulary([f"{kind}{n}" for n in range(size)], kind) for kind, size in (("u", USERS), ("i", items)))
    present = {name: torch.ones(items, dtype=torch.bool) for name in features}
    return Bundle(scorer, *ids, ("",) * items, seen, {}, Material(features=features, present=present))


def of_last(bundle: Bundle, *names: str) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    features = {name: bundle.material.features[name][-1:] for name in names}
    return features, {name: torch.ones(1, dtype=torch.bool) for name in names}


def test_what_features_tell_is_foretold() -> None:
    bundle = bundle_of()
    assert ways_of(bundle) == ("foretold", "neighbors") and trained_ways_of(bundle) == ("neighbors",)
    found = embed(bundle, *of_last(bundle, "text", "image"))[0]
    true = bundle.scorer.items[-1]
    assert torch.cosine_similarity(found, true, dim=0) > 0.99
    near = embed(bundle, *of_last(bundle, "text", "image"), "neighbors")[0]
    assert torch.cosine_similarity(near, true, dim=0) < torch.cosine_similarity(found, true, dim=0)


def test_a_modality_that_is_absent_says_nothing() -> None:
    bundle = bundle_of()
    features, present = of_last(bundle, "text", "image")
    present["image"] = torch.zeros(1, dtype=torch.bool)
    wild = features | {"image": torch.full((1, 3), 1e6)}
    assert torch.equal(embed(bundle, features, present), embed(bundle, wild, present))
    assert torch.equal(embed(bundle, features, present), embed(bundle, *of_last(bundle, "text")))
    with pytest.raises(DataError, match="no features that the bundle's items have"):
        embed(bundle, features, {name: torch.zeros(1, dtype=torch.bool) for name in features})
    two = {name: values.expand(2, -1) for name, values in features.items()}
    with pytest.raises(DataError, match="no features that the bundle's items have"):  # of the second of them
        embed(bundle, two, {name: torch.tensor([True, False]) for name in two})


def test_left_out_means_learnt_without_it() -> None:
    rng = torch.Generator().manual_seed(1)
    x, target = (torch.randn(12, width, generator=rng, dtype=torch.float64) for width in (3, 2))
    degrees = torch.randint(1, 9, (12,), generator=rng).double()
    weights, left_out = _ridge(x, target, degrees)
    fitted = x @ x.T @ weights
    # The strength that was chosen: K a + λ W⁻¹ a = target gives λ from any row.
    strength = ((target - fitted) * (degrees / degrees.mean())[:, None] / weights).mean()
    for row in range(12):
        others = torch.arange(12) != row
        kernel = x[others] @ x[others].T + torch.diag(strength * degrees.mean() / degrees[others])
        again = x[row] @ x[others].T @ torch.linalg.solve(kernel, target[others])
        assert torch.allclose(again, left_out[row], atol=1e-8)


@pytest.mark.parametrize("weights", [False, True])
def test_new_items_are_shown_as_often_as_known_ones(weights: bool) -> None:
    """Features say little, so foretold vectors are short; without the factor nobody would be shown a new item."""
    bundle = bundle_of(noise=1.0, weights=weights)
    rule = VectorPredictor(bundle, ("text", "image"))
    taken = torch.zeros(USERS, ITEMS, dtype=torch.bool)
    taken[bundle.seen.users, bundle.seen.items] = True
    scores = bundle.scorer(torch.arange(USERS)).masked_fill(taken, -torch.inf)
    least = scores.topk(PLACES).values[:, -1:]
    vectors = bundle.scorer.weights.T if weights else bundle.scorer.items
    people = taken.float() if weights else bundle.scorer.users
    target = vectors[rule.known].double() - rule.mean
    _, left_out = _ridge(rule.features, target, bundle.seen.item_degrees()[rule.known].double())
    open_ = ~taken[:, rule.known]

    def shown(factor: float) -> float:
        made = people @ (factor * (left_out + rule.mean)).float().T
        return float((made >= least)[open_].double().mean())

    known = float((scores[:, rule.known] >= least)[open_].double().mean())
    assert shown(rule.factor) == pytest.approx(known, abs=2e-4) and rule.factor > 1
    assert shown(1.0) < 0.8 * known
    ranked = people @ rule.vectors(*of_last(bundle, "text", "image")).T
    assert torch.isfinite(ranked).all() and ranked.shape == (USERS, 1)


def test_few_items_are_too_few_to_learn_from() -> None:
    few = bundle_of(items=ENOUGH_ITEMS // 2)
    assert way_of(few) == "neighbors" == ways_of(few)[0]


def test_the_rule_is_learnt_once() -> None:
    bundle = bundle_of()
    kinds = [("text",), ("image",), ("text", "image")]  # what a title, a picture and both ask for, in turns
    rules = [predictor_of(bundle, names) for names in kinds]
    assert [predictor_of(bundle, names) for names in kinds] == rules and len(set(rules)) == 3


def test_a_rule_goes_with_its_bundle() -> None:
    bundle = bundle_of()
    rule, kept = weakref.ref(predictor_of(bundle, ("text",))), weakref.ref(bundle)
    del bundle
    assert (rule(), kept()) == (None, None)
