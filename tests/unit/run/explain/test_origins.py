"""Where a score comes from: parts and neighbours, history, words, and what was measured of the item."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from encoders import BagOfWords
from viral.base.errors import DataError, UsageError
from viral.data.features import FeatureTable
from viral.data.inputs import ModelInputs
from viral.run.bundle import Bundle
from viral.run.bundle_extras import Material
from viral.run.explain import explain, word_effects
from viral.run.explain.information import load
from viral.run.explain.word_attribution import without
from viral.run.retrieval import Retriever
from worlds import SMALL, ZOO, World, class_of, small_model, two_tastes

DESCRIPTIONS = tuple(f"A {('red', 'blue')[n % 2]} thing, thing number {n}" for n in range(12))


def bundle_of(name: str, **config: object) -> Bundle:
    """A model of the two tastes whose descriptions are words, not trained."""
    world = two_tastes(12)
    titles = tuple(f"Title {n}" for n in range(12))
    encoder = BagOfWords()
    values = encoder.encode([". ".join(pair) for pair in zip(titles, DESCRIPTIONS, strict=True)])
    table = FeatureTable(world.split.items.ids, "description", values, f"{encoder.name} of x/1 with prompt plain")
    tables = (*(t for t in world.tables if t.modality != "description"), table)
    inputs = ModelInputs.of(world.split, tables)
    model = small_model(name, World(world.split, tables, inputs), **config)
    material = Material(
        {"description": DESCRIPTIONS, "text": ("",) * 12},
        inputs.features,
        inputs.present,
        {t.modality: t.encoder for t in tables},
        model.state_dict(),
        model.unlinked(),
    )
    about = {"recipe": {"model": ZOO[name][0], "config": {**ZOO[name][1], **config, **_sizes(name)}}}
    return Bundle(model.scorer(), world.split.users, world.split.items, titles, world.split.train, about, material)


def _sizes(name: str) -> dict[str, object]:
    return {key: value for key, value in SMALL.items() if key in {f.name for f in fields(class_of(name).Config)}}


def retriever_of(bundle: Bundle) -> Retriever:
    retriever = Retriever(bundle)
    retriever.encoders.words = BagOfWords()
    return retriever


def test_the_origins_add_up_and_the_neighbours_are_the_item_graphs() -> None:
    bundle = bundle_of("viral-light")
    found = explain(bundle, "u3", "i4")
    assert list(found.origins) == ["text", "synergy", "unique_visual", "neighbours"]
    assert sum(found.origins.values()) == pytest.approx(found.score, abs=1e-9)
    lent = bundle.scorer.items[4] - bundle.material.unlinked[4]
    assert found.origins["neighbours"] == pytest.approx(float(bundle.scorer.users[3] @ lent), abs=1e-5)
    alone = explain(bundle_of("viral-light", item_graph=False), "u3", "i4")
    assert alone.origins["neighbours"] == 0 and alone.origins["text"] == alone.parts["text"]
    assert explain(bundle_of("lightgcn"), "u3", "i4").origins == {}


@pytest.mark.parametrize("name", ZOO)
def test_the_history_adds_up(name: str) -> None:
    bundle = bundle_of(name)
    retriever = retriever_of(bundle)
    found = explain(bundle, "u3", "i4", fold_in=retriever.fold_in if "parts" in dir(bundle.scorer) else None)
    history = [item for item, _ in retriever.history("u3")]
    assert {e.item_id for e in found.evidence} <= set(history)
    shares = [e.share for e in found.evidence]
    assert shares == sorted(shares, reverse=True) and all(share > 0 for share in shares)
    folded = sum(retriever.new_user(history).split(4).values())
    assert found.history == pytest.approx(folded, abs=1e-4)
    assert found.history + found.beyond == pytest.approx(found.score)
    if "parts" not in dir(bundle.scorer):
        assert found.beyond == pytest.approx(0, abs=1e-5)  # item-item weights: nothing else is there
    assert json.loads(json.dumps(found.to_json()))["evidence"] == [
        {"item_id": e.item_id, "title": e.title, "share": e.share} for e in found.evidence
    ]


def test_a_user_without_history_has_no_evidence() -> None:
    world = two_tastes(12, cold=True)
    scorer = small_model("lightgcn", world).scorer()
    bundle = Bundle(scorer, world.split.users, world.split.items, ("",) * 13, world.split.train, {})
    found = explain(bundle, "u12", "i3")
    assert found.evidence == () and found.history == 0 and found.beyond == found.score


@pytest.mark.parametrize("name", ["viral", "viral-light", "freedom", "vbpr"])
def test_a_word_counts_what_the_score_loses_without_it(name: str) -> None:
    config = {} if "viral" in name else {"visual": "description"}
    retriever = retriever_of(bundle_of(name, **config))
    found = word_effects(retriever, "u3", "i4")
    assert {one.word for one in found} == {"A", "red", "thing", "number", "4"}
    assert [one.effect for one in found] == sorted((one.effect for one in found), reverse=True)

    shown = retriever.encoders.words.texts
    assert shown[0] == "Title 4. A red thing, thing number 4" and "Title 4. A red , number 4" in shown
    moved = max(abs(one.effect) for one in found)
    assert moved > 1e-6


def test_words_that_say_nothing_to_the_model_have_no_effect() -> None:
    """With an encoder that is blind to "red", leaving it out changes nothing."""

    class Blind(BagOfWords):
        def _word(self, word: str):
            return super()._word(word) * (word != "red")

    retriever = Retriever(bundle_of("viral-light"))
    retriever.encoders.words = Blind()
    effects = {one.word: one.effect for one in word_effects(retriever, "u3", "i4")}
    assert effects["red"] == pytest.approx(0, abs=1e-6) and abs(effects["number"]) > 1e-6


def test_words_are_left_out_whole() -> None:
    assert without("Red, red: reddish RED-hot red", "red") == ", : reddish RED-hot"
    assert without("l'été d’or", "l'été") == "d’or"


def test_models_and_items_without_words_say_so() -> None:
    with pytest.raises(UsageError, match="reads no such words"):
        word_effects(retriever_of(bundle_of("lightgcn")), "u3", "i4")
    bundle = bundle_of("viral-light")
    with pytest.raises(UsageError, match="has no words of its own"):
        word_effects(retriever_of(bundle), "u3", "i4", modality="image")
    silent = replace(bundle, material=replace(bundle.material, columns={}))
    with pytest.raises(DataError, match="no words beside its title"):
        word_effects(retriever_of(silent), "u3", "i4")
    with pytest.raises(DataError, match="encoded by bag/1 of x/1 with prompt plain, which is not here"):
        word_effects(Retriever(bundle), "u3", "i4")


def test_what_was_measured_of_an_item_is_told(tmp_path: Path) -> None:
    assert load(tmp_path) == {}
    bits = {"redundant": 0.1, "unique_text": 0.2}
    (tmp_path / "information.json").write_text(json.dumps({"items": [{"item_id": "i4", "broja": bits}]}))
    bundle = bundle_of("lightgcn")
    assert explain(bundle, "u3", "i4", information=load(tmp_path)).information == bits
    assert explain(bundle, "u3", "i5", information=load(tmp_path)).information == {}
    (tmp_path / "information.json").write_text('{"items": [{"broja": 3}]}')
    with pytest.raises(DataError, match="not what `viral information") as caught:
        load(tmp_path)
    assert "viral information" in caught.value.hint
