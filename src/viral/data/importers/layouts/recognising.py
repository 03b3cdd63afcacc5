"""Which layout a folder is in, by the files that it has: what an import that does not find its own can say."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from viral.base.errors import UsageError

_MOST = 5_000  # files of a folder that are looked at
_SPLIT_LABEL = b"x_label"
_FILES: Mapping[str, Sequence[Sequence[str]]] = {  # layout -> patterns of files that are all there, in any one group
    "movielens": ((r"ratings\.csv", r"movies\.csv"), (r"ratings\.dat", r"movies\.dat"), (r"u\.data", r"u\.item")),
    "hm": ((r"transactions_train\.(csv|parquet)(\.gz)?", r"articles\.(csv|parquet)(\.gz)?"),),
    "microlens": ((r"MicroLens-.*_pairs\.(csv|tsv)",),),
    "amazon2023": ((r"meta_.*\.jsonl(\.gz)?", r"(?!meta_).*\.(jsonl|csv)(\.gz)?"),),
    "amazon2014": ((r"meta_.*\.json(\.gz)?", r"(reviews|ratings)_.*\.(json|csv)(\.gz)?"),),
    "amazon2018": ((r"meta_.*\.json(\.gz)?", r"(?!meta_|reviews_|ratings_).*\.(json|csv)(\.gz)?"),),
    "mmrec": ((r".*\.inter",),),
    "table": ((r"interactions\.(csv|tsv|jsonl|parquet|xlsx)(\.gz)?",),),
}


def elsewhere(layout: str, source: Path, dataset: Path) -> str:
    """What to type where ``source`` is in another layout than ``layout``, or a folder in it is, or it is packed."""
    folder = source if source.is_dir() else source.parent
    for place in (folder, *_folders(folder)):
        found = _layout_of(place)
        if found is not None and (found[0] != layout or place != folder):
            files = " and ".join(found[1])
            there = f"{files} {'is' if len(found[1]) == 1 else 'are'} of the layout {found[0]!r}"
            return f"{there}: viral import {found[0]} {place} {dataset}"
    archives = sorted(path.name for path in islice(folder.iterdir(), _MOST) if path.suffix.lower() in (".zip", ".7z"))
    return f"unzip {', '.join(archives[:3])} first" if archives else ""


def only(files: Sequence[Path], what: str, where: Path, hint: str = "") -> Path | None:
    """The one file of several candidates, None where there is none; raises ``UsageError`` where there are more."""
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise UsageError(f"several {what}: {names}", where=str(where), hint=hint or "give one of them as the source")
    return files[0] if files else None


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in islice(folder.iterdir(), _MOST) if path.is_dir() and not path.name.startswith("."))


def _layout_of(folder: Path) -> tuple[str, list[str]] | None:
    """The layout of a folder by its files, and those files."""
    names = sorted(path.name for path in islice(folder.iterdir(), _MOST) if path.is_file())
    for layout, groups in _FILES.items():
        for patterns in groups:
            matched = [next((name for name in names if re.fullmatch(pattern, name)), "") for pattern in patterns]
            if all(matched) and (layout != "mmrec" or _has_label(folder / matched[0])):
                return layout, matched
    return None


def _has_label(file: Path) -> bool:
    """Whether an ``.inter`` is MMRec's, whose rows are labelled with their split, and not RecBole's."""
    with file.open("rb") as opened:
        return _SPLIT_LABEL in opened.readline(4096)
