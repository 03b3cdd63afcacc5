"""Hop 3: words and pictures to vectors."""

from viral.encode.base import Encoder, VisionEncoder
from viral.encode.run import MODALITIES, encode_dataset
from viral.encode.sentence import SentenceEncoder
from viral.encode.table import FeatureTable, load_features

__all__ = [
    "MODALITIES",
    "Encoder",
    "FeatureTable",
    "SentenceEncoder",
    "VisionEncoder",
    "encode_dataset",
    "load_features",
]
