"""Arguments and options that several verbs have."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from viral.base.errors import UsageError
from viral.base.language import LANGUAGES, using

if TYPE_CHECKING:
    from viral.run.retrieval import Filters, Retriever

DatasetArgument = Annotated[Path, typer.Argument(metavar="DATASET", help="A data set folder.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="A folder that `viral train` left.")]
TrustRun = Annotated[
    bool, typer.Option("--trust-run", help="Run the code of a model outside VIRAL that the run names.")
]
UsersOption = Annotated[int | None, typer.Option(min=1, help="Rank for so many users, drawn at random (default: all).")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, and nothing else.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
ApproximateAbove = Annotated[
    int | None, typer.Option(min=0, help="Search by faiss where there are more items than this (default: exactly).")
]
LessPopularOption = Annotated[
    float, typer.Option("--less-popular", min=0, max=2, help="What being popular costs an item; 0.3 is a beginning.")
]
DescriberName = Annotated[
    str | None, typer.Option("--describer", help="Who described the run's items, to give its settings: as for enrich.")
]
DescriberSettings = Annotated[
    list[str] | None, typer.Option("--set", help="KEY=VALUE of the describer's configuration, repeatable.")
]
PromptName = Annotated[
    str | None, typer.Option("--prompt", help="The file of the prompt of your own that described the run's items.")
]
Lang = Annotated[str, typer.Option("--lang", help="The language of the sentence: en or zh.")]
LangOption = Annotated[str, typer.Option("--lang", help="The language of the page: en or zh.")]
Count = Annotated[int, typer.Option("-k", help="How many.")]
Categories = Annotated[list[str] | None, typer.Option("--category", help="Only items of this category, repeatable.")]
Denied = Annotated[list[str] | None, typer.Option("--deny", help="Not this item, repeatable.")]
AllowFile = Annotated[Path | None, typer.Option("--allow", help="A file of item ids, one a line: only these.")]
StockFile = Annotated[
    Path | None, typer.Option("--in-stock", help="A file of item ids, one a line: what is in stock, and only that.")
]


def speaking(lang: str) -> AbstractContextManager[None]:
    """Pages that are written inside the block are in this language; ``UsageError`` for another than ours."""
    if lang not in LANGUAGES:
        raise UsageError(f"there are no pages in {lang!r}", where="--lang", hint=f"--lang {' or '.join(LANGUAGES)}")
    return using(lang)


def item_filters(
    retriever: "Retriever",
    categories: list[str] | None,
    deny: list[str] | None,
    allow: Path | None,
    in_stock: Path | None,
) -> "Filters":
    """What the options say; ``DataError`` for a file that has no item of the run."""
    from viral.run.retrieval import Filters
    from viral.run.retrieval.filters import check_known, read_ids

    lists = {file: read_ids(file) for file in (allow, in_stock) if file is not None}
    for file, ids in lists.items():
        check_known(ids, retriever.bundle.items, file)
    allowed, stocked = (None if file is None else lists[file] for file in (allow, in_stock))
    return Filters(categories=categories, deny=deny or (), allow=allowed, in_stock=stocked)
