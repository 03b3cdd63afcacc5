"""Hop 3: words and pictures to vectors, a row of :data:`viral.data.modalities.MODALITIES` for each source."""

from viral.data.features import FeatureTable, load_features
from viral.data.modalities import MODALITIES, Modality
from viral.encode.encoders import Encoder, VisionEncoder
from viral.encode.feature_tables import encode_dataset
from viral.encode.sentence import SentenceEncoder

__all__ = [
    "MODALITIES",
    "Encoder",
    "FeatureTable",
    "Modality",
    "SentenceEncoder",
    "VisionEncoder",
    "encode_dataset",
    "load_features",
]
