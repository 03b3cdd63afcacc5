"""``--lang`` of the verbs that write a page."""

from contextlib import AbstractContextManager
from typing import Annotated

import typer

from viral.base.errors import UsageError
from viral.base.language import LANGUAGES, using

Lang = Annotated[str, typer.Option("--lang", help="The language of the sentence: en or zh.")]
LangOption = Annotated[str, typer.Option("--lang", help="The language of the page: en or zh.")]


def speaking(lang: str) -> AbstractContextManager[None]:
    """Pages that are written inside the block are in this language; ``UsageError`` for another than ours."""
    if lang not in LANGUAGES:
        raise UsageError(f"there are no pages in {lang!r}", where="--lang", hint=f"--lang {' or '.join(LANGUAGES)}")
    return using(lang)
