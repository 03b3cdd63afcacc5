"""The demonstration's report: the measurements as sections of a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viral.apps.demo.demo_sections import (
    LABELS,
    LISTED,
    SHOWN,
    PicturedCatalog,
    drawn,
    explanations,
    hits,
    shares,
    sheet,
    shown_user,
)
from viral.base.language import _, n_
from viral.base.provenance import commit
from viral.data.dataset import Dataset
from viral.data.splitting import Split
from viral.enrich import Descriptions
from viral.evaluation import Metrics, PairedTest
from viral.lab.quality.named_attributes import product_boxes
from viral.lab.report import (
    Curve,
    Curves,
    Estimate,
    NextSteps,
    Notes,
    Ranking,
    RankingRow,
    Report,
    Users,
)
from viral.lab.report.wording import duration, fixed, percent
from viral.run.bundle import Bundle

METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demonstration made, by model where there are several."""

    dataset: Dataset
    descriptions: Descriptions
    parts: Split
    summaries: Mapping[str, Any]
    measured: Mapping[str, Metrics]
    bundles: Mapping[str, Bundle]
    test: PairedTest  # VIRAL against LightGCN


def demo_report(made: Shown, seed: int, seconds: float, out: Path) -> Report:
    """Put the demonstration together as one report."""
    catalog = PicturedCatalog(made.dataset.catalog(), product_boxes(made.dataset))
    held_out = [made.parts.users.ids[user] for user in made.parts.test.users.unique().tolist()]
    users = drawn(held_out, seed)
    counts = made.dataset.manifest["counts"]
    return Report(
        title=_("VIRAL on the planted shop"),
        subtitle=_(
            "A generated catalogue whose truth is known: what title, picture and both together say about users'"
            " preferences."
        ),
        lede=_finding(made.summaries, made.test),
        facts=(
            (_("users"), f"{counts['users']:,}"),
            (_("items"), f"{counts['items']:,}"),
            (_("interactions"), f"{counts['interactions']:,}"),
            (_("pictures described"), f"{made.descriptions.counts['done']:,}"),
            (_("made in"), duration(seconds)),
        ),
        sections=(
            _ranking(made.summaries, made.test, counts, seed),
            _curves(made.summaries),
            sheet(catalog, made.descriptions),
            Users(
                heading=n_("%(number)s user, drawn at random", "%(number)s users, drawn at random", len(users)),
                users=tuple(shown_user(user, catalog, made.parts, made.bundles) for user in users),
                intro=_drawing(made, len(held_out), seed),
            ),
            explanations(users, catalog, made.bundles["viral"]),
            shares(made.parts, made.bundles["viral"]),
            _notes(made.descriptions),
            _next(out, users[0]),
        ),
    )


def _drawing(made: Shown, users: int, seed: int) -> str:
    """By what rule the users were drawn, and how all of them fare."""
    num_items = len(made.parts.items)
    served = {name: hits(made.measured[name], num_items) for name in SHOWN}
    fared = ", ".join(f"{_(LABELS[name])} {count:,} ({percent(count / users, 0)})" for name, count in served.items())
    return _(
        "Drawn at random with seed %(seed)s from the %(users)s users who have something held out, whether they are"
        " served well or not: their history, and what each model shows them. A mark means that the user did choose the"
        " item; no model has seen that. Of all %(users)s, so many have a hit among their first %(listed)s: %(fared)s.",
        seed=seed, users=f"{users:,}", listed=LISTED, fared=fared,
    )  # fmt: skip


def _finding(summaries: Mapping[str, Any], test: PairedTest) -> str:
    recall = {name: summary["metrics"]["recall@20"] for name, summary in summaries.items()}
    times = recall["viral"] / recall["popularity"] if recall["popularity"] else float("inf")
    values = {
        "viral": percent(recall["viral"], 0), "times": f"{times:.1f}", "lightgcn": percent(recall["lightgcn"], 0),
        "p": f"{test.p_value:.2g}",
    }  # fmt: skip
    if test.p_value < 0.05 and test.difference > 0:
        return _(
            "Of what a user chose next, VIRAL has %(viral)s among its first twenty: %(times)s times as much as"
            " popularity, and better than LightGCN (%(lightgcn)s; paired test, p = %(p)s).",
            **values,
        )
    return _(
        "Of what a user chose next, VIRAL has %(viral)s among its first twenty: %(times)s times as much as"
        " popularity, and not clearly better than LightGCN (%(lightgcn)s; paired test, p = %(p)s).",
        **values,
    )


def _ranking(summaries: Mapping[str, Any], test: PairedTest, counts: Mapping[str, Any], seed: int) -> Ranking:
    rows = tuple(
        RankingRow(
            model=_(LABELS[name]),
            metrics={metric: Estimate(summary["metrics"][metric]) for metric in METRICS},
            marks={"recall@20": "*"} if name == "viral" and test.p_value < 0.05 else {},
            epochs=summary["epochs"],
            seconds=sum(summary["epoch_seconds"]),
            parameters=summary["num_parameters"],
            highlight=name == "viral",
        )
        for name, summary in summaries.items()
    )
    sizes = " / ".join(f"{counts[name]:,}" for name in ("train", "valid", "test"))
    return Ranking(
        heading=_("Ranking"),
        rows=rows,
        command=f"viral demo --seed {seed}",
        data=f"{_('planted shop')}, {sizes} {_('train / valid / test')}",
        seeds=(seed,),
        commit=commit(),
        users=next(iter(summaries.values()))["users"],
        mark_legend=(("*", _("against LightGCN, paired per user: p = %(p)s", p=f"{test.p_value:.2g}")),),
        notes=(
            _(
                "VIRAL minus LightGCN in recall@20: %(difference)s, 95 %% interval over users %(low)s to %(high)s;"
                " %(wins)s users gain, %(losses)s lose, %(ties)s tie.",
                difference=fixed(test.difference, signed=True),
                low=fixed(test.low, signed=True),
                high=fixed(test.high, signed=True),
                wins=test.wins,
                losses=test.losses,
                ties=test.ties,
            ),
            _(
                "Validation chose the epoch; the test set was ranked once. Every item is a candidate; training items"
                " are masked. One seed of one shop: another seed moves the numbers."
            ),
        ),
    )


def _curves(summaries: Mapping[str, Any]) -> Curves:
    curves = []
    for name, summary in summaries.items():
        history = [record for record in summary["history"] if record["valid"]]
        if len(history) < 2:
            continue
        curves.append(
            Curve(
                model=_(LABELS[name]),
                epochs=tuple(record["epoch"] for record in history),
                valid=tuple(record["valid"]["recall@20"] for record in history),
                loss=tuple(sum(record["losses"].values()) for record in history),
                best_epoch=summary["valid"]["best_epoch"],
            )
        )
    return Curves(
        heading=_("Learning curves"),
        curves=tuple(curves),
        intro=_(
            "Validation recall@20 after each epoch. Training stops when it has not risen for a while; the best epoch is"
            " kept."
        ),
    )


def _notes(descriptions: Descriptions) -> Notes:
    failed = sum(count for status, count in descriptions.counts.items() if status != "done")
    return Notes(
        heading=_("What to keep in mind"),
        notes=(
            _(
                "The shop is generated: its pictures are drawings and its users follow four planted kinds of"
                " preference. It shows that the parts work, not how a model does on your data."
            ),
            _(
                "The descriptions come from the pixel describer, which names colours, patterns, shapes, ImageNet"
                " classes and text that it finds in the pixels. It is not a vision-language model."
            ),
            _(
                "%(failed)s of %(pictures)s pictures could not be described.",
                failed=failed,
                pictures=len(descriptions.rows),
            )
            if failed
            else _("Every picture could be described."),
        ),
    )


def _next(out: Path, user_id: str) -> NextSteps:
    return NextSteps(
        heading=_("What to type next"),
        steps=(
            (f"viral recommend {out}/runs/viral --user {user_id}", _("recommendations with their parts")),
            ("viral import table MY_FOLDER my-shop", _("your own catalogue and log")),
            ("viral doctor my-shop", _("what is wrong or missing in it, row by row")),
            ("viral enrich my-shop && viral encode my-shop", _("pictures to words, words to vectors")),
            ("viral train my-shop --model viral --out runs/mine", _("train on it")),
            ("viral serve runs/mine", _("the shop page and the API, in the browser")),
        ),
    )
