"""Clusters of items named by the words that set them apart from the other clusters.

The words of an item are its category, colour and brand, each whole, and the words of its title, each counted once.
They are weighed by class-based TF-IDF (Grootendorst 2022): W(t, c) = share of the items of c that have t ·
log(1 + A / f(t)), A the mean number of words a cluster, f(t) how often t occurs in all of them.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from viral.base.language import marked

UNNAMED, EVERYTHING = marked("unnamed"), marked("all items")
MOST_WORDS = 3
LEAST_SHARE = 0.25  # of a cluster's items have a word that names it
LEAST_LIFT = 1.5  # times the share of the other clusters' items that have it
LEAST_DEVIATIONS = 3.5  # that it is more frequent than the whole would let expect: hundreds of words are tried
MOST_ITEMS = 20_000  # that are read, evenly spaced
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff"
WORD = re.compile(rf"[{HAN}]+|[^\W\d_{HAN}][\w'’-]*", re.UNICODE)


@dataclass(frozen=True, slots=True)
class ItemWords:
    """What is known of an item in words; anything may be empty."""

    title: str = ""
    kinds: tuple[str, ...] = ()  # category, colour, brand

    def terms(self) -> dict[str, str]:
        """Its words, by a form without case, as they are written."""
        found, before = {}, None
        for word in WORD.finditer(self.title):
            for part in _parts(word[0]):
                found[part.casefold()] = part
            if before is not None and self.title[before.end() : word.start()] == " ":
                both = f"{before[0]} {word[0]}"  # "bow tie" is no bow and no tie
                found[both.casefold()] = both
            before = word
        return found | {kind.strip().casefold(): kind.strip() for kind in self.kinds if kind.strip()}


def _parts(word: str) -> Iterable[str]:
    """The word, if it has two letters; of scripts without blanks every two to four neighbouring signs."""
    if not re.match(f"[{HAN}]", word):
        return [word] if len(word) > 1 else []
    return {word[at : at + size] for size in (2, 3, 4) for at in range(len(word) - size + 1)}


def cluster_names(words: Sequence[ItemWords], codes: npt.NDArray[np.integer], count: int) -> list[str]:
    """A name for each of ``count`` clusters of the items (n,) that ``codes`` (n,) tells; other codes are no cluster.

    ``UNNAMED`` where nothing sets a cluster apart, ``EVERYTHING`` where there is but one; no other two are the same.
    """
    if count == 1:
        return [EVERYTHING]
    rows = np.flatnonzero((codes >= 0) & (codes < count))
    rows = rows[:: max(1, -(-len(rows) // MOST_ITEMS))]
    sizes = np.bincount(codes[rows], minlength=count)
    counted: list[Counter[str]] = [Counter() for _ in range(count)]
    written: dict[str, Counter[str]] = {}
    kinds: set[str] = set()
    for row in rows.tolist():
        kinds |= {kind.strip().casefold() for kind in words[row].kinds}
        for key, form in words[row].terms().items():
            counted[int(codes[row])][key] += 1
            written.setdefault(key, Counter())[form] += 1
    total: Counter[str] = sum(counted, Counter())
    mean = sum(total.values()) / max(1, count)
    made = []
    for place, those in enumerate(counted):
        terms = _distinctive(those, total, int(sizes[place]), int(sizes.sum()))
        terms = [key for key in terms if key in kinds or all(word in terms for word in key.split(" "))]
        weight = {key: those[key] * math.log(1 + mean / total[key]) for key in terms}
        ranked = sorted(terms, key=lambda key: (-weight[key], key not in kinds, -len(key), key))
        made.append(", ".join(_form(written[key]) for key in _apart(ranked)) or UNNAMED)
    return _told_apart(made)


def _form(written: Counter[str]) -> str:
    """The usual form of a word; one that also occurs in small letters is no name of somebody or some place."""
    usual = written.most_common(1)[0][0]
    return usual.lower() if usual.lower() in written else usual


def _distinctive(those: Counter[str], total: Counter[str], size: int, items: int) -> list[str]:
    """The words that are frequent in the cluster, and clearly more so than elsewhere."""
    found = []
    for key, number in those.items():
        share, expected = number / size, total[key] / items
        elsewhere = (total[key] - number) / max(1, items - size)
        deviation = math.sqrt(size * expected * (1 - expected))
        clear = number - size * expected >= LEAST_DEVIATIONS * deviation
        if share >= LEAST_SHARE and share >= LEAST_LIFT * elsewhere and clear and number > 1:
            found.append(key)
    return found


def _apart(ranked: Sequence[str]) -> list[str]:
    """The first few, without those that say again what one before them said."""
    chosen: list[str] = []
    for key in ranked:
        if not any(key in one or one in key or set(key.split()) & set(one.split()) for one in chosen):
            chosen.append(key)
    return chosen[:MOST_WORDS]


def _told_apart(names: Sequence[str]) -> list[str]:
    """Equal names get a number; ``UNNAMED`` is none."""
    seen: Counter[str] = Counter()
    made = []
    for name in names:
        seen[name] += 1
        made.append(f"{name} ({seen[name]})" if seen[name] > 1 and name != UNNAMED else name)
    return made
