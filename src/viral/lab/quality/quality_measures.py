"""How good a data set's descriptions are: the numbers of ``viral enrich --report``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from viral.base.errors import DataError, UsageError
from viral.data.catalog import Catalog
from viral.data.dataset import Dataset
from viral.encode import Encoder
from viral.enrich import Description, Descriptions, all_descriptions
from viral.evaluation import PairedTest, paired_test
from viral.lab.quality.modality_vectors import CachedEncoder, sampled
from viral.lab.quality.planted_comparison import Planted, has_truth, planted
from viral.lab.quality.title_agreement import Agreement, agreement, agreement_by_meaning, partners, without_words

MOST = 2000  # items compared: n × n cosines are held at once
PLAIN, TITLE = "plain", "title"  # prompts
MATCHED, MEANING = "as_said", "without_title_words"

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of one describer's sets of descriptions, by prompt, on the items that all of them describe."""

    describers: Mapping[str, str]  # prompt → name and revision
    described: Mapping[str, int]  # prompt → items with a description
    sample: tuple[str, ...]  # the compared items, in the catalogue's order: all, or a seeded sample
    shared: int  # items that every set describes
    planted: Planted | None  # only where the truth is known
    agreement: Mapping[str, Mapping[str, Agreement]]  # prompt → ``MATCHED`` or ``MEANING``; empty without titles
    against_plain: Mapping[str, Mapping[str, PairedTest]]  # prompt → the same: gaps of the items, paired
    seed: int

    def to_json(self) -> dict[str, Any]:
        from dataclasses import asdict

        return {
            "describers": dict(self.describers),
            "described": dict(self.described),
            "shared_items": self.shared,
            "compared_items": len(self.sample),
            "planted": self.planted.to_json() if self.planted is not None else None,
            "agreement": {p: {n: a.to_json() for n, a in found.items()} for p, found in self.agreement.items()},
            "agreement_against_plain": {
                p: {n: asdict(t) for n, t in tests.items()} for p, tests in self.against_plain.items()
            },
            "seed": self.seed,
        }


def descriptions_by_prompt(
    dataset: Dataset, describer: str | None = None, fresh: Descriptions | None = None
) -> dict[str, Descriptions]:
    """Everything that one describer has said, by prompt; plain first, title last. Empty where nothing was described.

    ``describer`` is a name without its revision; ``UsageError`` where it is left out and there are several.
    ``fresh`` takes the place of the file of its prompt.
    """
    there = [one for one in all_descriptions(dataset) if describer in (None, _describer(one))]
    if len(names := sorted({_describer(one) for one in there})) > 1:
        hint = f"name one with --describer: {', '.join(names)}"
        raise UsageError("several describers have described this data set", where=str(dataset.path), hint=hint)
    found = {one.prompt: one for one in [*there, *([fresh] if fresh is not None else [])]}
    order = sorted(found, key=lambda prompt: (prompt != PLAIN, prompt == TITLE, prompt))
    return {prompt: found[prompt] for prompt in order}


def _describer(descriptions: Descriptions) -> str:
    return descriptions.describer.partition("/")[0]


def description_quality(
    dataset: Dataset, sets: Mapping[str, Descriptions], *, seed: int = 0, encoder: Encoder | None = None
) -> Quality:
    """Measure sets of descriptions, by prompt, beside each other.

    Only items that every set describes are compared, at most ``MOST`` (a seeded sample). Against the truth where the
    data set is a planted shop; against the titles where there are titles. Vectors come from, and go to, the data set's
    own cache. ``DataError`` where no item has a description of every set.
    """
    catalog = dataset.catalog()
    rows = {prompt: {row.item_id: row for row in one.rows if row.status == "done"} for prompt, one in sets.items()}
    shared = [item_id for item_id in catalog.ids if all(item_id in found for found in rows.values())]
    if not rows or not shared:
        hint = "describe its pictures with `viral enrich DATASET`, each prompt to its end"
        raise DataError("no item has a description of every prompt", where=str(dataset.path), hint=hint)
    sample = sampled(shared, MOST, seed)
    encode = CachedEncoder.of(dataset, encoder)
    texts = {prompt: [found[item_id].text for item_id in sample] for prompt, found in rows.items()}
    vectors = {prompt: encode(words, f"encode what was said ({prompt})") for prompt, words in texts.items()}
    matched = _agreements(catalog, sample, texts, vectors, encode, seed)
    chosen: dict[str, list[Description]] = {p: [found[item_id] for item_id in sample] for p, found in rows.items()}
    return Quality(
        describers={prompt: one.describer for prompt, one in sets.items()},
        described={prompt: len(found) for prompt, found in rows.items()},
        sample=tuple(sample),
        shared=len(shared),
        planted=planted(dataset, chosen, vectors, baseline=PLAIN, seed=seed) if has_truth(dataset) else None,
        agreement=matched,
        against_plain=_against_plain(matched, seed),
        seed=seed,
    )


def _agreements(
    catalog: Catalog,
    sample: Sequence[str],
    texts: Mapping[str, Sequence[str]],
    vectors: Mapping[str, Vectors],
    encode: CachedEncoder,
    seed: int,
) -> dict[str, dict[str, Agreement]]:
    """Each prompt's agreement with the titles: of what was said, and of its words that stand in neither title."""
    titled = [row for row, item_id in enumerate(sample) if catalog[item_id].title.strip()]
    if len(titled) < 2:
        return {}
    titles = [catalog[sample[row]].title.strip() for row in titled]
    partner = partners(len(titles), seed=seed)
    targets = encode(titles, "encode titles")
    found: dict[str, dict[str, Agreement]] = {}
    for prompt, said in vectors.items():
        pairs = zip(titled, titles, partner.tolist(), strict=True)
        bare = [without_words(texts[prompt][row], title, titles[other]) for row, title, other in pairs]
        left = encode(bare, f"encode without the titles' words ({prompt})")
        found[prompt] = {
            MATCHED: agreement(said[titled], targets, seed=seed),
            MEANING: agreement_by_meaning(left, targets, targets[partner], seed=seed),
        }
    return found


def _against_plain(found: Mapping[str, Mapping[str, Agreement]], seed: int) -> dict[str, dict[str, PairedTest]]:
    """Whether an item's description is nearer to its title than the plain one is, by the gaps of the same items."""
    plain = found.get(PLAIN, {})
    return {
        prompt: {name: paired_test(one.gaps, plain[name].gaps, seed=seed) for name, one in by_name.items()}
        for prompt, by_name in found.items()
        if plain and prompt != PLAIN
    }
