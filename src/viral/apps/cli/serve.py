"""`viral serve`: a run answered by HTTP and shown as web pages."""

from pathlib import Path
from typing import Annotated

import typer

from viral.apps.cli.options import ApproximateAbove, DescriberName, DescriberSettings, PromptName, RunArgument
from viral.apps.cli.output import verb
from viral.base.extras import require

StockFile = Annotated[
    Path | None, typer.Option("--stock", help="What is in stock, an item id a line; read again when it changes.")
]
RulesFile = Annotated[
    Path | None, typer.Option("--rules", help="What is pinned, boosted, buried (TOML); read again when it changes.")
]
Experiments = Annotated[
    list[Path] | None, typer.Option(help="A folder of `viral compare` or `viral ablate`, repeatable.")
]
PageLanguage = Annotated[str | None, typer.Option(help="Of the pages: en or zh (default: what each browser asks for).")]
Variants = Annotated[
    list[str] | None, typer.Option(help="NAME=RUN of an A/B test, repeatable: users are divided among it and RUN.")
]
Origins = Annotated[
    list[str] | None, typer.Option(help="A site whose pages may ask, as https://shop.example; repeatable.")
]
Proxies = Annotated[
    list[str] | None, typer.Option(help="The address of a proxy whose X-Forwarded-For is believed, repeatable.")
]
Kinds = Annotated[list[str] | None, typer.Option(help="A kind of feedback of your own, repeatable.")]


@verb
def serve(
    run: RunArgument,
    dataset: Annotated[Path | None, typer.Option(help="The data set, if it has moved since training.")] = None,
    experiments: Experiments = None,
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only with --tokens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: one that is free.")] = 8000,
    tokens: Annotated[Path | None, typer.Option(help="A file of `viral token`; nobody else is answered.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    rate: Annotated[float, typer.Option(min=0.1, help="Requests a second and token.")] = 100.0,
    feedback: Annotated[Path | None, typer.Option(help="Where feedback goes (default: RUN.feedback.jsonl).")] = None,
    stock: StockFile = None,
    lang: PageLanguage = None,
    rules: RulesFile = None,
    variant: Variants = None,
    cors: Origins = None,
    kind: Kinds = None,
    proxy: Proxies = None,
    approximate_above: ApproximateAbove = None,
    describer: DescriberName = None,
    settings: DescriberSettings = None,
    prompt: PromptName = None,
) -> None:
    """Answer by HTTP and show the web page, until Ctrl-C; a new bundle in RUN is taken up without a dropped request."""
    require("serve", purpose="serving")
    from viral.apps.serve.ab_test import read_variant
    from viral.apps.serve.server import Address, run_server
    from viral.apps.serve.settings import Settings
    from viral.run.retrieval import DescriberOptions

    told = Settings(
        run=run,
        dataset=dataset,
        experiments=tuple(experiments or ()),
        tokens=tokens,
        feedback=feedback,
        workers=workers,
        rate=rate,
        stock=stock,
        rules=rules,
        variants=tuple(read_variant(one) for one in variant or ()),
        cors=tuple(cors or ()),
        kinds=tuple(kind or ()),
        proxies=tuple(proxy or ()),
        language=lang or "",
        warm=True,
        approximate_above=approximate_above,
        describer=DescriberOptions(describer, tuple(settings or ()), prompt),
    )
    run_server(told, Address(host, port))
