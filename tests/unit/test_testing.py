"""The contract as models outside the project are held to it: what keeps it passes, and each way to break it is told."""

import pytest
import torch

from viral.base.recipe import TrainConfig
from viral.models import MODELS
from viral.models.baselines.bpr import BPR
from viral.testing import check_recommender


@pytest.mark.parametrize("name", ["bpr", "lightgcn", "ease"])
def test_models_of_the_zoo_keep_it(name):
    check_recommender(MODELS[name])


class Restless(BPR):
    def scorer(self):
        found = super().scorer()
        found.items.add_(torch.rand(()))
        return found


class Idle(BPR):
    def __init__(self, inputs, config):
        super().__init__(inputs, config)
        self.unused = torch.nn.Parameter(torch.ones(3))


@pytest.mark.parametrize(("model", "said"), [(Restless, "scoring twice"), (Idle, "no gradient reaches unused")])
def test_what_breaks_it_is_told(model, said):
    with pytest.raises(AssertionError, match=said):
        check_recommender(model)


def test_a_model_that_does_not_learn_is_told():
    with pytest.raises(AssertionError, match="two tastes"):
        check_recommender(BPR, train=TrainConfig(learning_rate=1e-9, max_epochs=1))
