"""Which point is tried next: the recipe's own, then random ones, then what TPE proposes; never one that was tried.

TPE: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NeurIPS 2011, as Optuna has it.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from viral.lab.study.tuning.search_space import Space

RANDOM_TRIALS = 10  # before TPE has anything to go by


class UntriedSampler(BaseSampler):
    """Proposes untried points of a finite space.

    A proposal depends on the seed, the trial's number and the trials before it, and on nothing else, so that a study
    that was stopped goes on as if it had not been.
    """

    def __init__(self, space: Space, first: int | None, seed: int) -> None:
        """``first`` is the number of the point that is tried before all others, if any."""
        self.space, self.first, self.seed = space, first, seed

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {name: CategoricalDistribution(values) for name, values in self.space.candidates.items()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        others = [other for other in study.get_trials(deepcopy=False) if other.number != trial.number]
        tried = {number for other in others if (number := self.space.number(other.params)) is not None}
        if self.first is not None and self.first not in tried:
            return self.space.at(self.first)
        rng = np.random.default_rng([self.seed, trial.number])
        measured = [other for other in others if other.state in (TrialState.COMPLETE, TrialState.PRUNED)]
        if len(measured) >= RANDOM_TRIALS:
            tpe = TPESampler(n_startup_trials=0, constant_liar=False, seed=int(rng.integers(2**32)))
            proposed = tpe.sample_relative(study, trial, search_space)
            if self.space.number(proposed) not in {None, *tried}:
                return proposed
        return self.space.at(any_untried(self.space.size, tried, rng))

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        raise ValueError(f"{param_name!r} is not in the space")


def any_untried(size: int, tried: Collection[int], rng: np.random.Generator) -> int:
    """A number in [0, size) that is not in ``tried``, uniformly; there must be one."""
    place = int(rng.integers(size - len(tried)))
    for taken in sorted(tried):
        place += taken <= place
    return place
