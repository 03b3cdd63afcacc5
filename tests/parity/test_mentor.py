"""MENTOR against plain tensor operations written from its description; noise and masks are drawn again, in order."""

from itertools import combinations

import pytest
import torch
from torch import Tensor

from plain_branches import compare, encoded, features_of, layer_sum, ranking_bits, similar_items, unit_rows
from plain_content import BOTH, make, world_with_gaps
from plain_viral import contrast, normalised
from viral.base.errors import UsageError
from viral.models import EmbeddingRecommender
from viral.models.baselines.mentor import MENTORConfig
from worlds import World, dense, first_batch

SIZES = {"reg_weight": 0.3, "contrast_weight": 0.2, "temperature": 0.4, "noise": 0.3}
VARIANTS = {
    **BOTH,
    "views of their own": {"separate_views": True},
    "views of their own, text alone": {"separate_views": True, "visual": None},
    "as the published code": {"separate_views": True, "mask_weight": 0.0},
    "contrast of a few": {"contrast_nodes": 4},
    "other sizes": {"num_layers": 1, "visual_weight": 0.6, "num_neighbors": 2, "dropout": 0.2, "align_weight": 3.0},
    "one layer of tasks": {"align_weight": 0.0, "contrast_weight": 0.0},
    "no tasks": {"align_weight": 0.0, "contrast_weight": 0.0, "mask_weight": 0.0, "separate_views": True},
}


@pytest.fixture(scope="module")
def world() -> World:
    return world_with_gaps()


class Plain:
    """The method once more, dense, one branch after the other."""

    def __init__(self, model: EmbeddingRecommender, world: World) -> None:
        self.config, self.features = model.config, features_of(model, world)
        self.a_hat = normalised(dense(world.split.train))
        self.s = similar_items(self.features, self.config.num_neighbors, self.config.visual_weight)

    def starts(self, w, prefix: str, features: dict[str, Tensor]) -> list[Tensor]:
        tables = w[f"{prefix}.preferences"]
        return [
            unit_rows(torch.cat([tables[:, p], encoded(w, prefix, name, x)]))
            for p, (name, x) in enumerate(features.items())
        ]

    def fuse(self, w, branches: list[Tensor]) -> tuple[Tensor, Tensor]:
        users = torch.cat([w["branch_weights.values"][:, p, None] * x[:25] for p, x in enumerate(branches)], dim=1)
        items = torch.cat([x[25:] for x in branches], dim=1)
        return users, items + self.s @ items

    def embed(self, w) -> tuple[Tensor, Tensor]:
        sums = [layer_sum(self.a_hat, x, self.config.num_layers) for x in self.starts(w, "branches", self.features)]
        return self.fuse(w, sums)

    def align(self, w, fused: Tensor) -> Tensor:
        branches = [layer_sum(self.a_hat, x, self.config.num_layers) for x in self.starts(w, "branches", self.features)]
        ids = self.starts(w, "id_branch.branch", {"id": w["id_branch.items.weight"]})[0]
        alone = [layer_sum(self.a_hat, ids, self.config.num_layers)] + (branches if len(branches) > 1 else [])
        tables = [fused, *(torch.cat(self.fuse(w, [x] * len(branches))) for x in alone)]
        total = torch.zeros((), dtype=torch.float64)
        for a, b in combinations(tables, 2):
            var_a, var_b = (((x - x.mean()) ** 2).sum() / (x.numel() - 1) for x in (a, b))
            total = total + (var_a - var_b).abs() + (a.mean() - b.mean()).abs()
        return total

    def noisy(self, w, prefix: str) -> tuple[Tensor, Tensor]:
        layers = totals = self.starts(w, prefix, self.features)
        for _ in range(self.config.num_layers):
            draws = torch.rand(45, 5 * len(layers), dtype=torch.float64).split(5, dim=1)
            layers = [self.a_hat @ x for x in layers]
            layers = [x + self.config.noise * torch.sign(x) * unit_rows(d) for x, d in zip(layers, draws, strict=True)]
            totals = [t + x for t, x in zip(totals, layers, strict=True)]
        return self.fuse(w, totals)

    def terms(self, w, users: Tensor, items: Tensor, batch) -> dict[str, Tensor]:
        config, tables = self.config, w["branches.preferences"][batch.users]
        squares = sum((tables[:, p] ** 2).mean() for p in range(tables.shape[1]))
        squares = squares + (w["branch_weights.values"] ** 2).mean()
        terms = {"bpr": ranking_bits(users, items, batch), "reg": config.reg_weight * squares}
        torch.manual_seed(6)
        if config.align_weight:
            terms["align"] = config.align_weight * self.align(w, torch.cat([users, items]))
        if config.contrast_weight:
            prefixes = ["views.0", "views.1"] if config.separate_views else ["branches"] * 2
            (u1, i1), (u2, i2) = (self.noisy(w, prefix) for prefix in prefixes)
            us, its = range(25), range(20)
            if config.contrast_nodes:
                n = config.contrast_nodes
                us = sorted({*batch.users[:n].tolist()})
                its = sorted({*batch.positives[:n].tolist(), *batch.negatives[:n].tolist()})
            us, its = torch.tensor(us), torch.tensor(its)
            both = contrast(u1[us], u2[us], config.temperature) + contrast(i1[its], i2[its], config.temperature)
            terms["contrast"] = config.contrast_weight * both
        if config.mask_weight:
            turned = [1 - cosines(x, mask(x, config.dropout)) for x in (users, items)]
            terms["mask"] = config.mask_weight * sum(t.mean() for t in turned)
        return terms


def mask(x: Tensor, p: float) -> Tensor:
    """Each entry is 0 with probability p: a draw as torch's dropout makes it."""
    return x * torch.nn.functional.dropout(torch.ones_like(x), p)


def cosines(x: Tensor, y: Tensor) -> Tensor:
    """Row by row; 0 for a row of zeros, which a mask may leave."""
    return torch.stack([a @ b / (a.norm() * b.norm()) if b.any() else a @ b for a, b in zip(x, y, strict=True)])


def check(model: EmbeddingRecommender, world: World) -> None:
    plain = Plain(model, world)
    loss = model.loss

    def seeded(batch):
        torch.manual_seed(6)
        return loss(batch)

    model.loss = seeded
    compare(model, world, plain.embed, plain.terms, first_batch(world, 16))


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=list(VARIANTS))
def test_forward_losses_and_gradients(variant, world):
    check(make("mentor", world, **(SIZES | variant)), world)


def test_every_term_is_there(world):
    terms = make("mentor", world).loss(first_batch(world, 16))
    assert list(terms) == ["bpr", "reg", "align", "contrast", "mask"]


def test_the_published_code_learns_no_representation_from_noise_or_masks(world):
    model = make("mentor", world, separate_views=True, mask_weight=0.0)
    model.loss(first_batch(world, 16))["contrast"].backward()
    assert taught(model) == {"views", "branch_weights"}
    live = make("mentor", world)
    terms = live.loss(first_batch(world, 16))
    (terms["contrast"] + terms["mask"]).backward()
    assert taught(live) == {"branches", "branch_weights"}


def taught(model: EmbeddingRecommender) -> set[str]:
    """The parts with a gradient other than 0."""
    grads = {name.split(".")[0]: p.grad for name, p in model.named_parameters()}
    return {name for name, grad in grads.items() if grad is not None and grad.abs().max() > 0}


def test_a_mask_of_everything_is_refused():
    with pytest.raises(UsageError, match="dropout = 1"):
        MENTORConfig(dropout=1.0)
