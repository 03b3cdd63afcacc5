"""The demonstration's report: what was measured and seen, put into the values that the report draws."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from viral.bundle import Bundle
from viral.data import Split
from viral.dataset import Dataset
from viral.demo.stories import LABELS, explanations, shares, sheet, story
from viral.enrich import Descriptions
from viral.evaluation import PairedTest
from viral.provenance import commit
from viral.report import (
    Curve,
    Curves,
    Estimate,
    NextSteps,
    Notes,
    Ranking,
    RankingRow,
    Report,
    Step,
    Users,
)

METRICS = ("recall@10", "recall@20", "ndcg@10", "ndcg@20")


def demo_report(
    dataset: Dataset,
    descriptions: Descriptions,
    parts: Split,
    summaries: Mapping[str, Any],
    bundles: Mapping[str, Bundle],
    test: PairedTest,
    *,
    seed: int,
    seconds: float,
    out: Path,
) -> Report:
    """Put the demonstration together as one report."""
    catalog = dataset.catalog()
    users = [parts.users.ids[user] for user in parts.test.users.unique()[:3].tolist()]
    counts = dataset.manifest["counts"]
    return Report(
        title="VIRAL on the planted shop",
        subtitle="A generated catalogue whose truth is known: what title, picture and both together tell of a taste.",
        lede=_finding(summaries, test),
        facts=(
            ("users", f"{counts['users']:,}"),
            ("items", f"{counts['items']:,}"),
            ("interactions", f"{counts['interactions']:,}"),
            ("pictures described", f"{descriptions.counts['done']:,}"),
            ("made in", f"{seconds:.0f} s"),
        ),
        sections=(
            _ranking(summaries, test, counts, seed),
            _curves(summaries),
            sheet(catalog, descriptions),
            Users(
                heading="Three users",
                stories=tuple(story(user, catalog, parts, bundles) for user in users),
                intro="The first three users with something held out, not chosen: what they took, and what each model"
                " shows them. A mark means that the user did take the item; no model has seen that.",
            ),
            explanations(users, catalog, bundles["viral"]),
            shares(parts, bundles["viral"]),
            _notes(descriptions),
            _next(out, users[0]),
        ),
    )


def _finding(summaries: Mapping[str, Any], test: PairedTest) -> str:
    recall = {name: summary["metrics"]["recall@20"] for name, summary in summaries.items()}
    times = recall["viral"] / recall["popularity"] if recall["popularity"] else float("inf")
    verdict = "better than" if test.p_value < 0.05 and test.difference > 0 else "not clearly better than"
    return (
        f"Of what a user took next, VIRAL has {recall['viral']:.0%} among its first twenty: {times:.1f} times as much"
        f" as popularity, and {verdict} LightGCN ({recall['lightgcn']:.0%}; paired test, p = {test.p_value:.2g})."
    )


def _ranking(summaries: Mapping[str, Any], test: PairedTest, counts: Mapping[str, Any], seed: int) -> Ranking:
    rows = tuple(
        RankingRow(
            model=LABELS[name],
            metrics={metric: Estimate(summary["metrics"][metric]) for metric in METRICS},
            marks={"recall@20": "*"} if name == "viral" and test.p_value < 0.05 else {},
            epochs=summary["epochs"],
            seconds=sum(summary["epoch_seconds"]),
            parameters=summary["num_parameters"],
            highlight=name == "viral",
        )
        for name, summary in summaries.items()
    )
    interval = f"[{test.low:+.4f}, {test.high:+.4f}]"
    return Ranking(
        heading="Ranking",
        rows=rows,
        command=f"viral demo --seed {seed}",
        data=f"planted shop, {counts['train']:,} / {counts['valid']:,} / {counts['test']:,} train / valid / test",
        seeds=(seed,),
        commit=commit(),
        users=next(iter(summaries.values()))["users"],
        mark_legend=(("*", f"against LightGCN, paired per user: p = {test.p_value:.2g}"),),
        notes=(
            f"VIRAL minus LightGCN in recall@20: {test.difference:+.4f}, 95 % interval over users {interval};"
            f" {test.wins} users gain, {test.losses} lose, {test.ties} tie.",
            "Validation chose the epoch; the test set was ranked once. Every item is a candidate; training items are"
            " masked. One seed of one shop: another seed moves the numbers.",
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
                model=LABELS[name],
                epochs=tuple(record["epoch"] for record in history),
                valid=tuple(record["valid"]["recall@20"] for record in history),
                loss=tuple(sum(record["losses"].values()) for record in history),
                best_epoch=summary["valid"]["best_epoch"],
            )
        )
    return Curves(
        heading="Learning curves",
        curves=tuple(curves),
        intro="Validation recall@20 after each epoch. Training stops when it has not risen for a while; the best epoch"
        " is kept.",
    )


def _notes(descriptions: Descriptions) -> Notes:
    failed = sum(count for status, count in descriptions.counts.items() if status != "done")
    return Notes(
        heading="What to keep in mind",
        notes=(
            "The shop is generated: its pictures are drawings and its users follow four planted kinds of taste."
            " It shows that the parts work, not how a model does on your data.",
            "The descriptions come from the pixel describer, which names colours, patterns, shapes, ImageNet classes"
            " and text that it finds in the pixels. It is not a vision-language model.",
            f"{failed} of {len(descriptions.rows)} pictures could not be described."
            if failed
            else "Every picture could be described.",
        ),
    )


def _next(out: Path, user_id: str) -> NextSteps:
    return NextSteps(
        heading="What to type next",
        steps=(
            Step(command=f"viral recommend {out}/runs/viral --user {user_id}", what="recommendations with their parts"),
            Step(command="viral import table MY_FOLDER my-shop", what="your own catalogue and log"),
            Step(command="viral doctor my-shop", what="what is wrong or missing in it, row by row"),
            Step(command="viral enrich my-shop && viral encode my-shop", what="pictures to words, words to vectors"),
            Step(command="viral train my-shop --model viral --out runs/mine", what="train on it"),
        ),
    )
