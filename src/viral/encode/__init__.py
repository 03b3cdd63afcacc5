"""Hop 3: words and pictures to vectors."""

from viral.data.features import FeatureTable, load_features
from viral.encode.base import Encoder, VisionEncoder
from viral.encode.feature_tables import MODALITIES, encode_dataset
from viral.encode.sentence import SentenceEncoder

__all__ = [
    "MODALITIES",
    "Encoder",
    "FeatureTable",
    "SentenceEncoder",
    "VisionEncoder",
    "encode_dataset",
    "load_features",
]
