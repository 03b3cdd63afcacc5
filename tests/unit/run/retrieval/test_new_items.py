"""Items that the model never saw: from a title and a picture to recommendations, without training."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from describers import LoggingDescriber, draw
from encoders import BagOfWords, Colours
from viral.base.errors import DataError
from viral.base.recipe import Recipe, TrainConfig
from viral.data.dataset import Dataset, Source, image_name, write_tables
from viral.data.pictures import PictureError
from viral.encode import encode_dataset
from viral.enrich import Ledger, Refused, enrich, load_prompt, save_descriptions
from viral.run.bundle import Bundle
from viral.run.pipeline import train
from viral.run.retrieval import Retriever
from viral.run.retrieval.new_items import embed, extended, nearest_warm, way_of
from worlds import ZOO, World, small_model, two_tastes

SIZES = {"embedding_dim": 4, "hidden_dim": 4, "crossmodal_dim": 4, "num_neighbors": 3}
KINDS = ("red mug", "blue lamp")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Mugs and lamps by turns, all but the last with a picture, and users who like one kind."""
    folder = tmp_path_factory.mktemp("cold") / "data"
    ids = [f"i{n}" for n in range(12)]
    images = [image_name(item_id, ".png") for item_id in ids[:-1]]
    for number, name in enumerate(images):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        draw(folder / name, number)
    titles = [f"{KINDS[n % 2]} number {n}" for n in range(12)]
    items = pl.DataFrame({"item_id": ids, "title": titles, "text": "from Japan", "image": [*images, None]})
    pairs = [(u, i) for u in range(10) for i in range(12) if (u - i) % 2 == 0 and (u + i) % 5]
    log = pl.DataFrame(
        {
            "user_id": [f"u{u}" for u, _ in pairs],
            "item_id": [f"i{i}" for _, i in pairs],
            "split": [("train", "train", "train", "valid", "test")[n % 5] for n in range(len(pairs))],
        }
    )
    made = write_tables(folder, items, log, Source(layout="test"))
    with Ledger(folder / "ledger.sqlite") as ledger:
        descriptions = enrich(made.catalog(), describer(folder), load_prompt("title"), ledger)
    save_descriptions(descriptions, folder)
    encode_dataset(made, descriptions=descriptions, encoder=BagOfWords(), vision=Colours())
    return made


def describer(folder: Path, **answers: object) -> LoggingDescriber:
    return LoggingDescriber(folder / "log.txt", answers)


@pytest.fixture(scope="module")
def bundle(dataset: Dataset) -> Bundle:
    """VIRAL as published, after an epoch."""
    recipe = Recipe(model="viral", config={**SIZES, "variant": "light"}, train=TrainConfig(max_epochs=1))
    train(dataset, recipe, dataset.path.parent / "run")
    return Bundle.load(dataset.path.parent / "run" / "bundle")


def retriever_of(bundle: Bundle, folder: Path, **answers: object) -> Retriever:
    """A retriever with the encoders that made the bundle's features."""
    retriever = Retriever(bundle)
    retriever.encoders.words, retriever.encoders.vision = BagOfWords(), Colours()
    retriever.encoders.describer = describer(folder, **answers)
    return retriever


def test_a_new_item_is_encoded_as_the_catalogue_was(dataset: Dataset, bundle: Bundle, tmp_path: Path) -> None:
    retriever, item = retriever_of(bundle, tmp_path), dataset.catalog()["i3"]
    cold = retriever.cold(item.title, item.image, text=item.text)
    assert cold.description == bundle.material.columns["description"][3] != ""
    assert set(cold.features) == set(bundle.material.features) == {"text", "title", "description", "image"}
    for name, values in cold.features.items():
        assert torch.allclose(values, bundle.material.features[name][3], atol=1e-6), name
        assert retriever.similar(cold, 1, by=name)[0].similarity == pytest.approx(1, abs=1e-5)
    assert retriever.similar(cold, 1, by="image")[0].item_id == "i3"
    assert retriever.encoders.describer.calls == [""]  # the describer saw the picture, once


def test_a_new_item_is_embedded_as_if_it_had_been_there(dataset: Dataset, bundle: Bundle, tmp_path: Path) -> None:
    """VIRAL: a mug is nearer to those who took mugs than to the others."""
    retriever = retriever_of(bundle, tmp_path)
    cold = retriever.cold("red mug number 99", draw(tmp_path / "p.png", 4), text="from Japan")
    assert cold.way == "own" and cold.vector.shape == (12,)
    material = bundle.material
    expected = embed(
        bundle,
        {n: v[None] for n, v in cold.features.items()},
        {n: torch.ones(1, dtype=torch.bool) for n in cold.features},
    )[0]
    assert torch.equal(cold.vector, expected) and material.unlinked is not None
    assert {s.item_id for s in retriever.similar(cold, 3, by="title")} <= {f"i{n}" for n in range(0, 12, 2)}
    assert len(retriever.audience(cold, 4)) == 4
    bigger = extended(bundle, ["new"], [cold.title], cold.vector[None])
    scores = {r.item_id: r.score for r in Retriever(bigger).recommend("u0", 13)}
    assert scores["new"] == pytest.approx(float(bundle.scorer.users[bundle.users.index("u0")] @ cold.vector), abs=1e-5)


def test_a_title_alone_will_do(bundle: Bundle, tmp_path: Path) -> None:
    retriever = retriever_of(bundle, tmp_path)
    cold = retriever.cold("blue lamp")
    assert set(cold.features) == {"text", "title", "description"} and cold.description == ""
    assert torch.equal(cold.features["title"], cold.features["description"])
    with pytest.raises(DataError, match="has no 'image' features"):
        retriever.similar(cold, by="image")


def test_what_cannot_be_used_says_so(bundle: Bundle, tmp_path: Path) -> None:
    retriever = retriever_of(bundle, tmp_path)
    with pytest.raises(DataError, match="nothing of the new item can be encoded"):
        retriever.cold(" ")
    with pytest.raises(PictureError, match="unknown format"):
        retriever.cold("mug", b"not a picture")
    with pytest.raises(PictureError, match="missing"):
        retriever.cold("mug", tmp_path / "none.png")
    good = draw(tmp_path / "p.png", 7)
    refusing = retriever_of(bundle, tmp_path, **{"": Refused("no")})
    assert refusing.cold("mug", good).description == ""
    failing = retriever_of(bundle, tmp_path, **{"": RuntimeError("out of memory")})
    with pytest.raises(DataError, match=r"could not be described \(out of memory\)"):
        failing.cold("mug", good)


def test_a_modality_whose_encoder_is_not_here_is_left_out(bundle: Bundle, tmp_path: Path) -> None:
    retriever = retriever_of(bundle, tmp_path)
    retriever.encoders.vision = Colours(revision="2")
    assert set(retriever.cold("mug", draw(tmp_path / "p.png", 7)).features) == {"text", "title", "description"}
    bare = Retriever(Bundle(bundle.scorer, bundle.users, bundle.items, bundle.titles, bundle.seen, bundle.about))
    with pytest.raises(DataError, match="nothing of the new item"):
        bare.cold("mug")


def world_bundle(name: str, world: World) -> Bundle:
    """A model of the zoo with the world's features, not trained."""
    from viral.run.bundle_extras import Material

    model = small_model(name, world)
    of, config = ZOO[name]
    material = Material(features=world.inputs.features, present=world.inputs.present)
    about = {"recipe": {"model": of, "config": dict(config)}}
    return Bundle(model.scorer(), world.split.users, world.split.items, ("",) * 13, world.split.train, about, material)


@pytest.mark.parametrize("name", ZOO)
def test_every_model_scores_a_new_item_by_its_nearest(name: str) -> None:
    """Nobody took item 12; a new item of like features has the weighted mean of its warm neighbours' scores."""
    world = two_tastes(12, cold=True)
    bundle = world_bundle(name, world)
    new = {m: x[12:] + 0.01 for m, x in world.inputs.features.items()}
    own = {m: torch.ones(1, dtype=torch.bool) for m in new}
    similarities, nearest = nearest_warm(bundle, new, own)
    assert 12 not in nearest and (nearest[0, :5] % 2 == 0).all() and similarities[0, 0] > 0.9
    vectors = embed(bundle, new, own, "neighbors")
    if way_of(bundle) == "neighbors":
        assert torch.equal(embed(bundle, new, own), vectors)
    weights = similarities[0].clamp(min=0) / similarities[0].clamp(min=0).sum()
    assert torch.allclose(vectors[0], (weights[:, None] * bundle.scorer.item_vectors[nearest[0]]).sum(dim=0), atol=1e-5)
    users = torch.arange(13)
    bigger = extended(bundle, ["new"], ["New"], vectors).scorer(users)
    scores = bundle.scorer(users)
    assert torch.allclose(bigger[:, :13], scores, atol=1e-6)
    assert torch.allclose(bigger[:, 13], (scores[:, nearest[0]] * weights).sum(dim=1), atol=1e-4)


def test_only_modalities_that_the_model_reads_say_what_is_near() -> None:
    world = two_tastes(12, cold=True)
    new = {m: x[12:].clone() for m, x in world.inputs.features.items()}
    new["image"] = world.inputs.features["image"][1:2]  # of the other kind
    own = {m: torch.ones(1, dtype=torch.bool) for m in new}
    reads = world_bundle("vbpr", world)
    blind = replace(reads, about={"recipe": {"model": "vbpr", "config": {"visual": "description"}}})
    assert nearest_warm(blind, new, own)[0][0, 0] > 0.9 > nearest_warm(reads, new, own)[0][0, 0]
    with pytest.raises(DataError, match="no features that the bundle's items have"):
        nearest_warm(reads, {"image": new["image"]}, {"image": torch.zeros(1, dtype=torch.bool)})
