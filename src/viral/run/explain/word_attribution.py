"""Which words of an item's description matter for a score: by leaving each out and encoding the rest again.

The effect of a word is s(x) - s(x without it), s(x) being the score that the item would have if it came new with the
features x (:mod:`viral.run.retrieval.new_items`): encoders, item graph and all, but without what interactions taught of
it. So an effect is what the model makes of the word, not how the score of the item as it stands would change.
"""

import re
from dataclasses import dataclass, replace

import torch

from viral.base.errors import DataError, UsageError, nearest
from viral.data.modalities import MODALITIES
from viral.run.bundle import Bundle
from viral.run.retrieval.new_items import embed, read_by, trained_ways_of
from viral.run.retrieval.retriever import Retriever

WORD = re.compile(r"\w+(?:['’-]\w+)*")
MOST_WORDS = 100  # the first ones of a description
READ = ("description", "text")  # the modalities with words beside the title


@dataclass(frozen=True, slots=True)
class WordEffect:
    """A word, in the form in which it occurs last, and what the score loses without it."""

    word: str
    effect: float


def word_effects(retriever: Retriever, user_id: str, item_id: str, *, modality: str | None = None) -> list[WordEffect]:
    """Every word of the item's description with its effect on the user's score, the largest loss first.

    ``modality`` is ``description`` or ``text``: by default the first of them that the model reads and the item has.
    Raises ``UsageError`` where the model reads no words, ``DataError`` where the item has none or the encoder that read
    them is not here.
    """
    bundle, encoders = retriever.bundle, retriever.encoders
    item = bundle.items.index(item_id)
    name = _modality(bundle, item, modality)
    if name not in encoders.known:
        made = bundle.material.encoders.get(name, "an unknown encoder")
        raise DataError(f"the words were encoded by {made}, which is not here", where=item_id)
    text = bundle.material.columns[name][item]
    ordered = list({word.lower(): word for word in WORD.findall(text)}.values())[:MOST_WORDS]
    variants = [text, *(without(text, word) for word in ordered)]
    texts = [MODALITIES[name].text_of({"title": bundle.titles[item], name: words}) for words in variants]
    scores = _as_new(retriever, user_id, item, name, encoders.encode_words(texts))
    effects = (scores[0] - scores[1:]).tolist()
    found = [WordEffect(word, effect) for word, effect in zip(ordered, effects, strict=True)]
    return sorted(found, key=lambda one: -one.effect)


def without(text: str, word: str) -> str:
    """The text with every occurrence of the word, as a whole word in any case, left out."""
    kept = WORD.sub(lambda match: "" if match.group().lower() == word.lower() else match.group(), text)
    return " ".join(kept.split())


def _as_new(retriever: Retriever, user_id: str, item: int, name: str, vectors: torch.Tensor) -> torch.Tensor:
    """The user's scores of the item as if it came new, once for each row of ``vectors`` (n, F) as its words: (n,).

    Without a model's memory, which says the same for every new item.
    """
    bundle = retriever.bundle
    material, count = bundle.material, len(vectors)
    features = {m: x[item].expand(count, -1) for m, x in material.features.items()} | {name: vectors}
    present = {m: there[item].expand(count) for m, there in material.present.items()}
    present[name] = torch.ones(count, dtype=torch.bool)
    hidden = {m: there.clone() for m, there in material.present.items()}
    for there in hidden.values():
        there[item] = False  # it is not its own neighbour
    without_it = replace(bundle, material=replace(material, present=hidden))
    made = embed(without_it, features, present, trained_ways_of(bundle)[0])  # (n, D)
    return retriever.profile(user_id).by_vectors(made)


def _modality(bundle: Bundle, item: int, asked: str | None) -> str:
    if asked is not None and asked not in READ:
        raise UsageError(f"{asked!r} has no words of its own", hint=nearest(asked, READ))
    sources = read_by(bundle)
    read = [name for name in READ if name in sources and name in bundle.material.features]
    if not read or (asked is not None and asked not in read):
        raise UsageError("the model reads no such words", hint=f"it reads: {', '.join(sources) or 'nothing'}")
    named = [
        name for name in read if asked in (None, name) and bundle.material.columns.get(name, [""] * (item + 1))[item]
    ]
    if not named:
        raise DataError(f"item {bundle.items.ids[item]!r} has no words beside its title", hint="viral enrich DATASET")
    return named[0]
