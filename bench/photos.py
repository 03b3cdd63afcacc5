"""``python -m bench.photos``: what the pixel describer says of product photos, against the catalogue's own labels.

Read is a folder with ``items.csv`` (``item_id, title, product_type, product_group, pattern, colour_master, image`` and
``text``) and its pictures. Right is a colour if the first colour that the text names is one that ``COLOURS`` allows for
the catalogue's coarse colour; right is a pattern if ``PATTERNS`` allows it. Where the catalogue is silent (metal,
unknown) nothing is counted. Half of the items, every other one, is told apart: what was tuned on all must hold in both.

``--words FILE`` judges texts that were kept by ``--keep FILE`` in the place of describing, so that two versions of the
describer are judged by one and the same program.
"""

import argparse
import csv
import json
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.neighbourhood import neighbours_of

DATA = Path(__file__).parents[2] / "shared" / "data" / "fashion-photos"
Row = Mapping[str, str]
Pairs = Sequence[tuple[str, str]]  # the catalogue's label and what was said

COLOURS: Mapping[str, tuple[str, ...]] = {  # the catalogue's coarse colour → names that are right for it
    "Black": ("black",), "White": ("white",), "Grey": ("grey",), "Blue": ("blue", "navy"), "Beige": ("beige",),
    "Mole": ("beige", "brown", "grey"), "Brown": ("brown",), "Green": ("green",), "Khaki green": ("green", "olive"),
    "Turquoise": ("turquoise", "teal"), "Yellow": ("yellow",), "Orange": ("orange",), "Pink": ("pink",),
    "Red": ("red", "maroon"), "Lilac Purple": ("purple",),
}  # fmt: skip
SAID_COLOURS = re.compile(rf"\b(?:{'|'.join(sorted({name for names in COLOURS.values() for name in names}))})\b")
PATTERNS: Mapping[str, tuple[str, ...]] = {  # a word of the describer → the catalogue's patterns that it is right for
    "striped": ("Stripe",), "dotted": ("Dot",), "checked": ("Check",), "zigzag": ("All over pattern",),
    "two-tone": ("Colour blocking", "Contrast"), "irregular": ("All over pattern",),
    "all-over print": ("All over pattern",), "small pattern": ("All over pattern", "Dot", "Check", "Stripe"),
    "plain": ("Solid", "Denim"),
}  # fmt: skip
HAS_PATTERN = ("Stripe", "Dot", "Check", "All over pattern")
GUESS = re.compile(r"(?:looks like|is probably|may be) (?:an? )?([\w' /-]+)")


def read(folder: Path) -> list[Row]:
    """The catalogue's rows, as it wrote them."""
    with (folder / "items.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def describe(rows: Sequence[Row], folder: Path) -> tuple[list[str], float]:
    """What the describer says of each, with its title, and processor seconds a picture (the first ones load models)."""
    from viral.enrich.pixel import PixelConfig, PixelDescriber
    from viral.enrich.protocol import Answer, Picture, Prompt

    describer: Any = PixelDescriber(PixelConfig(threads=1))
    if hasattr(describer, "for_categories"):  # not before its revision 2
        describer = describer.for_categories([row["product_type"] for row in rows])
    pictures = [Picture(row["item_id"], row["title"], (folder / row["image"]).read_bytes()) for row in rows]
    prompt = Prompt("title", "{title}", "")
    describer.describe(pictures[:4], prompt)
    started = time.process_time()
    answers = describer.describe(pictures, prompt)
    spent = (time.process_time() - started) / max(1, len(rows))
    return [answer.text if isinstance(answer, Answer) else "" for answer in answers], spent


def main_colour(text: str) -> str:
    """The first colour that a text names."""
    found = SAID_COLOURS.search(text.lower())
    return found.group() if found else "nothing"


def colours(rows: Sequence[Row], texts: Sequence[str]) -> dict[str, Any]:
    """Share right, overall, in both halves and by coarse colour, and what was said where it was wrong."""
    judged = [(row["colour_master"], main_colour(text)) for row, text in zip(rows, texts, strict=True)]
    halves = [[pair for pair in judged[start::2] if pair[0] in COLOURS] for start in (0, 1)]
    known = [pair for pair in judged if pair[0] in COLOURS]
    names = [name for name, _ in Counter(name for name, _ in known).most_common()]
    return {
        "right": _right(known),
        "photos": len(known),
        "halves": [_right(half) for half in halves],
        "by_colour": {
            name: {
                "right": _right([pair for pair in known if pair[0] == name]),
                "photos": sum(pair[0] == name for pair in known),
                "instead": dict(Counter(said for label, said in known if label == name and said not in COLOURS[name])),
            }
            for name in names
        },
    }


def _right(pairs: Pairs) -> float:
    return sum(said in COLOURS[label] for label, said in pairs) / max(1, len(pairs))


def patterns(rows: Sequence[Row], texts: Sequence[str]) -> dict[str, Any]:
    """Precision of the patterns that were said, with ``plain`` and without; recall of those that there are."""
    said = [(row["pattern"], word) for row, text in zip(rows, texts, strict=True) if (word := pattern_said(text))]
    told = [(label, word) for label, word in said if word != "plain"]
    there = [row["pattern"] in HAS_PATTERN for row in rows]
    seen = [pattern_said(text) not in ("", "plain") for text in texts]
    return {
        "precision": _precise(told),
        "said": len(told),
        "plain": {"said": len(said) - len(told), "precision": _precise([one for one in said if one[1] == "plain"])},
        "recall": sum(a and b for a, b in zip(there, seen, strict=True)) / max(1, sum(there)),
        "there": sum(there),
        "by_word": {
            word: dict(Counter(label for label, said_word in said if said_word == word))
            for word in dict.fromkeys(word for _, word in said)
        },
    }


def pattern_said(text: str) -> str:
    """The first of ``PATTERNS`` in a text; what is read on a label is none."""
    bare = re.sub(r"“[^”]*”", "", text)
    found = [(bare.find(word), word) for word in PATTERNS if re.search(rf"\b{word}\b", bare)]
    return min(found)[1] if found else ""


def _precise(pairs: Pairs) -> float | None:
    return sum(label in PATTERNS[word] for label, word in pairs) / len(pairs) if pairs else None


def measure(folder: Path, words: Path | None, keep: Path | None) -> dict[str, Any]:
    """All figures of one folder of photos."""
    rows = read(folder)
    if words is not None:
        kept: dict[str, str] = json.loads(words.read_text(encoding="utf-8"))
        texts, seconds = [kept[row["item_id"]] for row in rows], None
    else:
        texts, seconds = describe(rows, folder)
    if keep is not None:
        said = {row["item_id"]: text for row, text in zip(rows, texts, strict=True)}
        keep.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    guesses = Counter(match.group(1).strip() for text in texts if (match := GUESS.search(text)))
    return {
        "photos": len(rows),
        "seconds_a_picture": seconds,
        "colour": colours(rows, texts),
        "pattern": patterns(rows, texts),
        "classes": dict(guesses.most_common()),
        "neighbours": neighbours_of(rows, texts, folder),
    }


def show(found: Mapping[str, Any]) -> str:
    """The figures for people."""
    colour, pattern = found["colour"], found["pattern"]
    first, second = colour["halves"]
    lines = [f"{found['photos']} photos" + (f", {found['seconds_a_picture'] * 1000:.0f} ms of processor time each"
             if found["seconds_a_picture"] else "")]  # fmt: skip
    lines += [f"main colour right: {colour['right']:.3f} of {colour['photos']} (halves {first:.3f}, {second:.3f})"]
    for name, one in colour["by_colour"].items():
        instead = ", ".join(f"{said} {count}" for said, count in one["instead"].items())
        lines.append(
            f"  {name:14s} {one['right']:.2f} of {one['photos']:3d}" + (f"   instead: {instead}" * bool(instead))
        )
    precision = "none said" if pattern["precision"] is None else f"{pattern['precision']:.3f}"
    lines.append(
        f"patterns: precision {precision} of {pattern['said']}, recall {pattern['recall']:.3f} of {pattern['there']}"
    )
    lines += [f"  {word:14s} {labels}" for word, labels in pattern["by_word"].items()]
    lines.append(f"classes named: {found['classes']}")
    lines += [f"neighbours of one {label}: {values}" for label, values in found["neighbours"].items()]
    return "\n".join(lines)


def main() -> None:
    """Print the figures, as text or JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.photos", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with items.csv and its pictures")
    parser.add_argument("--words", type=Path, help="JSON of texts by item id, in the place of describing")
    parser.add_argument("--keep", type=Path, help="write the texts there")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not (arguments.data / "items.csv").is_file():
        parser.error(f"no items.csv in {arguments.data}: name a folder of photos with --data")
    found = measure(arguments.data, arguments.words, arguments.keep)
    print(json.dumps(found, indent=2) if arguments.json else show(found))


if __name__ == "__main__":
    main()
