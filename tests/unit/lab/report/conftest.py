"""A page of every kind of section, over pictures drawn here."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from unit.lab.report.tree import Node, parsed
from viral.lab.report import (
    Bar,
    BarChart,
    Cloud,
    ContactSheet,
    Curve,
    Curves,
    Described,
    Estimate,
    ExplainedScore,
    Explanations,
    Grid,
    GridCell,
    GridRow,
    ModelList,
    NextSteps,
    Notes,
    Part,
    Ranking,
    RankingRow,
    RecommendedItem,
    Report,
    Scatter,
    ShareChart,
    ShareRow,
    ShownItem,
    ShownUser,
    Sweep,
    SweepPoint,
    Table,
    Tradeoff,
    TradeoffPoint,
    Users,
    render_report,
)


@pytest.fixture(scope="session")
def parse() -> Callable[[str], Node]:
    return parsed


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """48 small pictures, each different, in the three formats and several shapes."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for number in range(48):
        size = ((240, 240), (300, 120), (90, 260))[number % 3]
        image = Image.new("RGB", size, (5 * number, 255 - 4 * number, 120))
        draw = ImageDraw.Draw(image)
        draw.ellipse((10, 10, 20 + number, 60), fill=(250, 240, 10 * (number % 20)))
        path = folder / f"{number}.{('png', 'jpg', 'webp')[number % 3]}"
        image.save(path)
        paths.append(path)
    return tuple(paths)


def ranking() -> Ranking:
    def row(model: str, recall: float, width: float | None, **more: object) -> RankingRow:
        def estimate(mean: float) -> Estimate:
            return Estimate(mean) if width is None else Estimate(mean, mean - width, mean + width)

        names = {"recall@10": 0.6, "recall@20": 1.0, "ndcg@10": 0.3, "ndcg@20": 0.4}
        return RankingRow(
            model=model, metrics={name: estimate(recall * factor) for name, factor in names.items()}, **more
        )

    return Ranking(
        heading="Models",
        rows=(
            row(
                "VIRAL",
                0.2,
                0.01,
                marks={"recall@20": "*"},
                epochs=40,
                seconds=125.0,
                parameters=1_234_567,
                highlight=True,
            ),
            row("LightGCN", 0.15, 0.02, epochs=30, seconds=4.26, parameters=9000),
            row("popularity", 0.05, None),
        ),
        command="viral demo --seed 1",
        data="the planted shop",
        seeds=(1, 2, 3),
        commit="abc1234",
        users=600,
        mark_legend=(("*", "better than every other, p < 0.01"),),
    )


def curves() -> Curves:
    return Curves(
        heading="Learning",
        curves=(
            Curve(
                model="VIRAL",
                epochs=(1, 2, 3, 4),
                valid=(0.05, 0.12, 0.181, 0.17),
                loss=(2.5, 1.5, 1.25, 1.0),
                best_epoch=3,
            ),
            Curve(model="LightGCN", epochs=(1, 2, 3), valid=(0.04, 0.1, 0.13), loss=(0.7, 0.6, 0.55), best_epoch=3),
        ),
    )


def shown_users(things: tuple[ShownItem, ...]) -> Users:
    parts = (Part("text", 0.9), Part("synergy", 0.4), Part("unique visual", -0.1))
    return Users(
        heading="Users",
        users=tuple(
            ShownUser(
                name=f"user u{user}",
                history=things[4 * user : 4 * user + 4],
                history_total=9,
                held_out=2,
                lists=(
                    ModelList(
                        model="VIRAL",
                        highlight=True,
                        recommended=tuple(
                            RecommendedItem(
                                thing=things[20 + rank],
                                rank=rank,
                                score=1.2,
                                hit=rank == 2,
                                parts=parts,
                                why="Its words are near.",
                            )
                            for rank in (1, 2, 3)
                        ),
                    ),
                    ModelList(model="LightGCN", recommended=(RecommendedItem(thing=things[30], rank=1, score=3.25),)),
                ),
            )
            for user in range(3)
        ),
    )


@pytest.fixture(scope="session")
def things(pictures: tuple[Path, ...]) -> tuple[ShownItem, ...]:
    return tuple(ShownItem(f"i{number}", f"Thing number {number}", path) for number, path in enumerate(pictures))


@pytest.fixture(scope="session")
def report(things: tuple[ShownItem, ...]) -> Report:
    parts = (Part("text", 0.9), Part("synergy", 0.4), Part("unique visual", -0.1))
    shares = (Part("text", 6.0), Part("synergy", 3.0), Part("unique visual", 1.0))
    return Report(
        title="A small shop",
        subtitle="What the demo made",
        lede="VIRAL ranks best.",
        facts=(("Users", "600"), ("Seeds", "1–3")),
        sections=(
            ranking(),
            curves(),
            BarChart(
                heading="Ablation",
                quantity="recall@20",
                bars=(
                    Bar(label="VIRAL", value=Estimate(0.2, 0.19, 0.21), highlight=True),
                    Bar(label="text only", value=Estimate(0.16)),
                ),
            ),
            Sweep(
                heading="Neighbours",
                parameter="k",
                quantity="recall@20",
                points=(
                    SweepPoint(label="5", value=Estimate(0.17, 0.16, 0.18)),
                    SweepPoint(label="10", value=Estimate(0.2, 0.19, 0.21), highlight=True),
                    SweepPoint(label="20", value=Estimate(0.18)),
                ),
                baseline=Estimate(0.15),
                baseline_label="LightGCN",
                caption="Means of three seeds.",
            ),
            ShareChart(heading="Shares", rows=(ShareRow(label="all", parts=shares),)),
            Scatter(
                heading="Maps",
                groups=("cups", "hats"),
                clouds=(
                    Cloud(label="text", points=((0.0, 1.0), (2.0, 3.0), (1.0, 0.0)), groups=(0, 1, -1), note="purity"),
                    Cloud(label="image", points=((5.0, 5.0),), groups=(1,)),
                ),
                caption="Each by itself.",
            ),
            Table(heading="Segments", columns=("segment", "recall"), rows=(("cold", "0.07"),), numeric=("recall",)),
            Grid(
                heading="Whom it serves",
                columns=(("all", ""), ("cold", "7 users")),
                rows=(
                    GridRow(
                        label="VIRAL",
                        cells=(GridCell(value=Estimate(0.2), mark="▲"), GridCell(value=Estimate(0.1))),
                        highlight=True,
                    ),
                    GridRow(label="LightGCN", cells=(GridCell(value=Estimate(0.15)), GridCell())),
                ),
                caption="Bars by column.",
                mark_legend=(("▲", "higher"),),
            ),
            Tradeoff(
                heading="Accuracy against time",
                points=(
                    TradeoffPoint(label="VIRAL", seconds=40.0, value=Estimate(0.2, 0.19, 0.21)),
                    TradeoffPoint(label="LightGCN", seconds=3.0, value=Estimate(0.15)),
                ),
                quantity="recall@20",
                cost="training time",
            ),
            ContactSheet(
                heading="Seen",
                describer="the pixel describer, not a VLM",
                prompt="title",
                cards=tuple(Described(thing=thing, description=f"Says of {thing.item_id}.") for thing in things),
            ),
            shown_users(things),
            Explanations(
                heading="Why",
                explanations=(
                    ExplainedScore(user="user u1", thing=things[3], score=1.2, parts=parts, sentences=("Because.",)),
                ),
            ),
            Notes(heading="Limits", notes=("It is generated.",)),
            NextSteps(heading="Next", steps=(("viral serve demo/runs/viral", "Browse it."),)),
        ),
    )


@pytest.fixture(scope="session")
def markup(report: Report) -> str:
    return render_report(report)


@pytest.fixture(scope="session")
def page(markup: str) -> Node:
    return parsed(markup)
