"""The parts that a reading of the paper has, by its configuration: what is off is a module that learns nothing.

Shapes: I items, U users, D embedding dimension, F features, d cross-modal width, P branches.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from viral.data.inputs import ModelInputs
from viral.graph import nearest_neighbors
from viral.graph.functions import Projection
from viral.models.families.layers import encoder, linear
from viral.models.viral.fusion.mixing import AttentionSum, KnowledgeFusion, WeightedSum
from viral.models.viral.fusion.redundancy import AnchorAsShared, MaskedRedundancy, Redundancy
from viral.models.viral.fusion.synergy import FixedInteraction, Interaction, NoSynergy, Synergy, over_pairs
from viral.models.viral.fusion.tokens import NeighborEncoder, TokenEncoder
from viral.models.viral.paper_config import VIRALConfig


def free_weights(weights: Tensor) -> Tensor:
    """Users' weights of branches as they are learnt: (U, P) -> (U, P)."""
    return weights


# What the branches count, from the table that is learnt; where there is none, nothing asks for it.
SHARES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "free": free_weights,
    "softmax": partial(torch.softmax, dim=1),
    "off": free_weights,
}


def synergy_of(config: VIRALConfig, x: Sequence[Tensor], width: int) -> nn.Module:
    """One part for two sources (I, F), one for each pair of more."""
    if len(x) == 1 or config.synergy == "off":
        return NoSynergy()
    if config.synergy == "interaction":
        kind = FixedInteraction if config.knowledge is None else Interaction
        return over_pairs(len(x), lambda a, b: kind(x[a], x[b], width))
    tokens = [_tokens(values, config.attention_tokens) for values in x]
    return over_pairs(len(x), lambda a, b: Synergy(width, tokens[a], tokens[b]))


def _tokens(values: Tensor, count: int) -> type[TokenEncoder] | partial[NeighborEncoder]:
    """The encoder of items as one token, or as their nearest neighbours by a source."""
    if count == 1:
        return TokenEncoder
    return partial(NeighborEncoder, neighbors=nearest_neighbors(values, count)[1])


def redundancy_of(config: VIRALConfig, num_sources: int, width: int) -> nn.Module:
    """What all sources share; the anchor where that is not learnt."""
    if num_sources == 1 or not config.redundancy:
        return AnchorAsShared()
    return (MaskedRedundancy if config.mask == "learned" else Redundancy)(width, num_sources)


def projections_of(config: VIRALConfig, widths: Mapping[str, int], width: int) -> nn.ModuleDict:
    """Maps to the common width d, of the sources that have another, where something is formed of them together."""
    together = len(widths) > 1 and (config.synergy == "aligned" or config.redundancy or config.projection)
    return nn.ModuleDict(
        {m: linear(f, width, of=Projection) if together and f != width else nn.Identity() for m, f in widths.items()}
    )


def knowledge_of(config: VIRALConfig, inputs: ModelInputs, widths: Mapping[str, int]) -> nn.Module:
    """What adds the describer's prompt to the visual source."""
    if config.knowledge is None:
        return nn.Identity()
    return KnowledgeFusion(widths["visual"], inputs.feature(config.knowledge))


def encoders_of(
    config: VIRALConfig, carried: Mapping[str, str], widths: Mapping[str, int], width: int
) -> nn.ModuleDict:
    """Features to a branch's D: two layers for the anchor and the synergy, ``unique_layers`` for the others."""
    deep, dim = (next(iter(widths)), "synergy"), config.embedding_dim
    encoders: dict[str, nn.Module] = {}
    for branch, part in carried.items():
        in_dim, first = (widths[part], Projection) if part in widths else (width, nn.Linear)
        if branch in deep or config.unique_layers == 2:
            encoders[branch] = encoder(in_dim, config.hidden_dim, dim, of=first)
        else:
            encoders[branch] = nn.Sequential(first(in_dim, dim), nn.LeakyReLU())
    return nn.ModuleDict(encoders)


def mix_of(config: VIRALConfig, num_sources: int) -> nn.Module:
    """What becomes of the encoded branches: each stays one, or one is made of all."""
    if not config.mixed:
        return nn.Identity()
    return WeightedSum(num_sources) if config.fusion == "weighted" else AttentionSum(config.embedding_dim)


def user_weights_of(config: VIRALConfig, num_users: int, num_branches: int) -> dict[str, nn.Parameter]:
    """What each branch counts to each user, one table (U, P); none where all count alike.

    A softmax over one branch is 1, whatever is learnt.
    """
    if config.user_weights == "off" or (config.user_weights == "softmax" and num_branches == 1):
        return {}
    drawn = nn.init.xavier_normal_(torch.empty(num_users, num_branches))
    return {"branch_weights": nn.Parameter(drawn if config.user_weights == "softmax" else drawn.softmax(dim=1))}
