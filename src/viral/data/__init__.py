"""Hop 4 and 5: interactions, filtering, splitting, sampling, and the inputs of a model."""

from viral.data.filtering import k_core
from viral.data.inputs import ModelInputs
from viral.data.interactions import Interactions, Triplets
from viral.data.sampling import TripletSampler
from viral.data.splitting import Split, random_split, sample_users, split
from viral.data.vocabulary import Vocabulary

__all__ = [
    "Interactions",
    "ModelInputs",
    "Split",
    "TripletSampler",
    "Triplets",
    "Vocabulary",
    "k_core",
    "random_split",
    "sample_users",
    "split",
]
