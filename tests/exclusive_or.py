"""A world of exclusive-or: users choose by a ⊕ b, the text tells a, the picture b. What does the synergy tell?

``python tests/exclusive_or.py`` prints R² of linear probes on both kinds of synergy, untrained and trained.
"""

import json
import sys
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions
from viral.data.sampling import TripletSampler
from viral.models.viral.paper import VIRAL, VIRALConfig
from viral.training import build_model

USERS, ITEMS, WIDTH, CHOICES = 200, 400, 16, 20


def exclusive_or(seed: int, agreement: float = 0.5) -> tuple[ModelInputs, dict[str, Tensor]]:
    """Half the users like a ≠ b, half a = b; the bits agree in a share ``agreement`` of the items."""
    g = torch.Generator().manual_seed(seed)
    a = torch.rand(ITEMS, generator=g) < 0.5
    b = a ^ (torch.rand(ITEMS, generator=g) >= agreement)
    features = {}
    for name, bit in (("text", a), ("description", b)):
        meanings = F.normalize(torch.randn(2, WIDTH, generator=g), dim=1)
        features[name] = meanings[bit.long()] + 0.1 * torch.randn(ITEMS, WIDTH, generator=g)
    pairs = []
    for user in range(USERS):
        liked = torch.nonzero((a ^ b) == bool(user % 2)).flatten()
        pairs += [(user, int(i)) for i in liked[torch.randperm(len(liked), generator=g)[:CHOICES]]]
    table = torch.tensor(pairs)
    train = Interactions(table[:, 0], table[:, 1], USERS, ITEMS)
    return ModelInputs(train, features), {"a xor b": (a ^ b).double(), "a": a.double(), "b": b.double()}


def probe(part: Tensor, answer: Tensor) -> float:
    """R² of a ridge regression, fitted on every second item and measured on the others."""
    x = torch.cat([torch.ones(len(part), 1), (part - part.mean(0)) / part.std(0)], dim=1).double()
    fit, held = x[::2], x[1::2]
    weights = torch.linalg.solve(fit.T @ fit + torch.eye(x.shape[1]), fit.T @ answer[::2])
    rest = answer[1::2] - held @ weights
    return 1 - (rest.square().mean() / answer[1::2].var(unbiased=False)).item()


def told(
    synergy: str, epochs: int, seed: int, *, agreement: float = 0.5, weight: float = 0.01
) -> Iterator[dict[str, float]]:
    """What the synergy of a VIRAL tells of a ⊕ b, a and b: before the first epoch and after each."""
    inputs, answers = exclusive_or(seed, agreement)
    config = VIRALConfig(variant="redu2", synergy=synergy, embedding_dim=16, hidden_dim=16, alignment_weight=weight)
    model = build_model(VIRAL, inputs, config, seed)
    optimizer, rng = torch.optim.Adam(model.parameters(), lr=3e-3), torch.Generator().manual_seed(0)
    for epoch in range(epochs + 1):
        with torch.no_grad():
            part = model.decompose()[0]["synergy"]
        yield {name: probe(part, answer) for name, answer in answers.items()}
        for batch in TripletSampler(inputs.train).epoch(1024, rng) if epoch < epochs else ():
            optimizer.zero_grad()
            torch.stack(list(model.loss(batch).values())).sum().backward()
            optimizer.step()


def main() -> None:
    """Three seeds of each."""
    for agreement in (0.5, 0.8):
        for synergy, weight in (("aligned", 0.01), ("aligned", 0.1), ("interaction", 0.01)):
            seeds = [list(told(synergy, 40, seed, agreement=agreement, weight=weight)) for seed in range(3)]
            for epoch in (0, 5, 10, 20, 40):
                row = {name: [round(r2[epoch][name], 2) for r2 in seeds] for name in seeds[0][0]}
                about = {"agreement": agreement, "synergy": synergy, "weight": weight, "epoch": epoch}
                sys.stdout.write(json.dumps(about | row) + "\n")


if __name__ == "__main__":
    main()
