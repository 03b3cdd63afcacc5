"""Synergy of two modalities: by attention of each to the other, or as an interaction less its linear parts.

Shapes: I items, d the cross-modal width, F features of a modality, q directions.
"""

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor, nn

from viral.graph.functions.infonce import info_nce
from viral.models.families.layers import linear
from viral.models.viral.fusion.tokens import TokenEncoder


class CrossModal(NamedTuple):
    """A part that both modalities enter, and the pairs of representations that its loss makes agree."""

    value: Tensor  # (I, d)
    pairs: tuple[tuple[Tensor, Tensor], ...]

    def alignment(self, rows: Tensor | slice, temperature: float) -> Tensor:
        """Σ over the pairs of symmetric InfoNCE over some items."""
        return torch.stack([info_nce(a[rows], b[rows], temperature) for a, b in self.pairs]).sum()


MakeEncoder = Callable[[int], TokenEncoder]


class Synergy(nn.Module):
    """s = ½ (h_{t←v} + h_{v←t}): each modality asks the other, then itself.

    The encoders of either modality see an item as one token, or as its neighbours in that modality
    (:class:`~viral.models.viral.fusion.tokens.NeighborEncoder`).
    """

    def __init__(self, dim: int, of_text: MakeEncoder = TokenEncoder, of_visual: MakeEncoder = TokenEncoder) -> None:
        super().__init__()
        self.cross_text, self.cross_visual, self.self_text, self.self_visual = (
            make(dim) for make in (of_text, of_visual, of_text, of_visual)
        )

    def forward(self, text: Tensor, visual: Tensor) -> CrossModal:
        """(I, d), (I, d) -> s (I, d) and the pair (h_{t←v}, h_{v←t})."""
        a = self.cross_text(text, visual)
        a = self.self_text(a, a)
        b = self.cross_visual(visual, text)
        b = self.self_visual(b, b)
        return CrossModal((a + b) / 2, ((a, b),))


class Interaction(nn.Module):
    """s = z - Q Qᵀ z with z = A t ⊙ B v: a bilinear interaction less its linear fit from either modality.

    The synergy of the paper pulls its two directions together, and what two views can agree on is what both know:
    redundancy. Synergy is information that only both hold, an exclusive-or being the pure case: x₁ ⊕ x₂ is
    uncorrelated with every function of one, and it is the product of the two once both are centred. Hence a product of
    learnt projections; and as a product of things that are not independent may still follow one of them, its
    least-squares fit from [1, t, v] over the whole catalogue is taken out (Q, see :func:`span`, is fixed). Nothing is
    aligned, so there are no pairs. What stays may still be a *curved* function of one modality alone: the part is free
    of linear leakage, not of all leakage. Every column is scaled to a spread of 1.
    """

    basis: Tensor  # (I, q), orthonormal

    def __init__(self, text: Tensor, visual: Tensor, dim: int) -> None:
        super().__init__()
        self.from_text = linear(text.shape[1], dim, bias=False)  # a bias would only add what is taken out again
        self.from_visual = linear(visual.shape[1], dim, bias=False)
        self.register_buffer("basis", span(text, visual), persistent=False)

    def forward(self, text: Tensor, visual: Tensor) -> CrossModal:
        """(I, F_t), (I, F_v) -> s (I, d), and no pair to align."""
        a, b = self.standard(text, visual)
        product = self.from_text(a) * self.from_visual(b)
        rest = product - self.basis @ (self.basis.T @ product)
        return CrossModal(rest / (rest.square().mean(dim=0) + 1e-8).sqrt(), ())

    def standard(self, text: Tensor, visual: Tensor) -> tuple[Tensor, Tensor]:
        """Both with columns of mean zero and an entry's mean square of 1."""
        return _standard(text), _standard(visual)


class FixedInteraction(Interaction):
    """The interaction of sources that every step brings again: they are standardised but once."""

    text: Tensor  # (I, F_t), standardised
    visual: Tensor  # (I, F_v)

    def __init__(self, text: Tensor, visual: Tensor, dim: int) -> None:
        super().__init__(text, visual, dim)
        self.register_buffer("text", _standard(text), persistent=False)
        self.register_buffer("visual", _standard(visual), persistent=False)

    def standard(self, text: Tensor, visual: Tensor) -> tuple[Tensor, Tensor]:
        return self.text, self.visual


class NoSynergy(nn.Module):
    """In the place of a synergy that is off: a part without columns."""

    def forward(self, anchor: Tensor, *others: Tensor) -> CrossModal:
        """(I, d) … -> (I, 0), and no pairs."""
        return CrossModal(anchor[:, :0], ())


ITEMS_PER_DIRECTION = 10  # with fewer items to a fitted number, the fit would explain by chance


def span(*sources: Tensor) -> Tensor:
    """An orthonormal basis of the constant and the leading directions of each source: (I, F) … -> (I, q).

    A source gives at most I / 10 directions, so that a small catalogue with wide features is not explained by chance;
    in one with more than 10 F items nothing of a source is left out.
    """
    num_items = len(sources[0])
    leading = [_orthonormal(_standard(values.double()), max(1, num_items // ITEMS_PER_DIRECTION)) for values in sources]
    constant = torch.full_like(leading[0][:, :1], num_items**-0.5)
    return _orthonormal(torch.cat([constant, *leading], dim=1)).to(sources[0])


def _standard(values: Tensor) -> Tensor:
    """Columns of mean zero, all divided by one number so that an entry's mean square is 1."""
    centred = values - values.mean(dim=0)
    return centred / (centred.square().mean() + 1e-12).sqrt()


def _orthonormal(columns: Tensor, most: int | None = None) -> Tensor:
    """The directions of largest spread of what the columns span, at most ``most``: (I, n) -> (I, ≤ n)."""
    sizes, mixes = torch.linalg.eigh(columns.T @ columns)  # ascending
    kept = slice(max(int((sizes <= 1e-10 * sizes[-1]).sum()), len(sizes) - (most or len(sizes))), None)
    return columns @ (mixes[:, kept] / sizes[kept].clamp(min=1e-300).sqrt())


class OverPairs(nn.Module):
    """One part for every pair of three or more sources: the mean of their values, and the pairs of them all."""

    def __init__(self, num_sources: int, make: Callable[[int, int], nn.Module]) -> None:
        super().__init__()
        self.places = list(combinations(range(num_sources), 2))
        self.parts = nn.ModuleList(make(a, b) for a, b in self.places)

    def forward(self, *sources: Tensor) -> CrossModal:
        """Sources (I, ·) in their order -> s (I, d)."""
        made = [part(sources[a], sources[b]) for (a, b), part in zip(self.places, self.parts, strict=True)]
        values = torch.stack([part.value for part in made])
        return CrossModal(values.mean(dim=0), tuple(pair for part in made for pair in part.pairs))


def over_pairs(num_sources: int, make: Callable[[int, int], nn.Module]) -> nn.Module:
    """``make(0, 1)`` for two sources, and one such part a pair for more."""
    return make(0, 1) if num_sources == 2 else OverPairs(num_sources, make)
