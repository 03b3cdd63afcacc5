"""The demonstration's pictures: descriptions, users with their recommendations, and what scores are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from viral.base.language import _, marked
from viral.data.catalog import Catalog
from viral.data.splitting import Split
from viral.enrich import Descriptions
from viral.evaluation import Metrics
from viral.lab.quality.named_attributes import Box
from viral.lab.report import (
    ContactSheet,
    Described,
    ExplainedScore,
    Explanations,
    ModelList,
    Part,
    RecommendedItem,
    ShareChart,
    ShareRow,
    ShownItem,
    ShownUser,
)
from viral.run.bundle import Bundle
from viral.run.explain import explain
from viral.run.explain.sentence import because
from viral.run.retrieval import Retriever

LABELS = {
    "popularity": marked("Popularity"),
    "lightgcn": "LightGCN",
    "viral-text-only": marked("VIRAL, text only"),
    "viral": "VIRAL",
}
SHOWN = ("viral", "lightgcn", "popularity")  # whose recommendations are shown to a user
CARDS, HISTORY, LISTED, SHOWCASED = 48, 12, 8, 3
FRAMED = marked("The dashed frame is where the product was drawn: no model and no describer was told.")


WHY = {
    "text": marked("mostly for its words"),
    "synergy": marked("mostly for words and picture together"),
    "unique_image": marked("mostly for what only the picture shows"),
    "unique_description": marked("mostly for what only the picture shows"),
    "taste": marked("mostly for what such users chose"),
    "memory": marked("mostly for what was chosen together with it"),
}


@dataclass(frozen=True, slots=True)
class PicturedCatalog:
    """The catalogue with the place of the product in each picture, where it is known."""

    catalog: Catalog
    boxes: Mapping[str, Box]

    def thing(self, item_id: str) -> ShownItem:
        """An item as the page shows it."""
        item = self.catalog[item_id]
        return ShownItem(item.id, item.title, item.image, self.boxes.get(item.id))


def sheet(catalog: PicturedCatalog, descriptions: Descriptions) -> ContactSheet:
    """Contact sheet of the first pictures with what was said of each."""
    rows = descriptions.rows[:CARDS]
    return ContactSheet(
        heading=_("What was seen in the pictures"),
        cards=tuple(
            Described(thing=catalog.thing(row.item_id), description=row.text, problem=row.error) for row in rows
        ),
        describer=_(
            "the pixel describer (%(name)s), which is not a vision-language model", name=descriptions.describer
        ),
        prompt=descriptions.prompt,
        caption=_(
            "The first %(count)s items. With the title prompt only the thing that the title names is described.",
            count=len(rows),
        ),
        intro=_(
            "Each picture shows the product among other things. The title says which of them it is; the description"
            " says what can be seen of it."
        )
        + (f" {_(FRAMED)}" if catalog.boxes else ""),
    )


def _parts(parts: Mapping[str, float]) -> tuple[Part, ...]:
    if len(parts) < 2:
        return ()
    return tuple(Part(name.replace("_", " "), value) for name, value in parts.items())


def shown_user(user_id: str, catalog: PicturedCatalog, parts: Split, bundles: Mapping[str, Bundle]) -> ShownUser:
    """One user: their history, and what each model recommends."""
    user = parts.users.index(user_id)
    held_out = {parts.items.ids[item] for item in parts.test.items[parts.test.users == user].tolist()}
    history = [item_id for item_id, _ in Retriever(bundles["viral"]).history(user_id)]
    lists = []
    for name in SHOWN:
        found = Retriever(bundles[name]).recommend(user_id, LISTED)
        lists.append(
            ModelList(
                model=_(LABELS[name]),
                highlight=name == "viral",
                recommended=tuple(
                    RecommendedItem(
                        thing=catalog.thing(r.item_id),
                        rank=r.rank,
                        score=r.score,
                        hit=r.item_id in held_out,
                        parts=_parts(r.parts),
                        why=_why(r.parts),
                    )
                    for r in found
                ),
            )
        )
    return ShownUser(
        name=user_id,
        history=tuple(catalog.thing(item_id) for item_id in history[:HISTORY]),
        lists=tuple(lists),
        history_total=len(history),
        held_out=len(held_out),
    )


def _why(parts: Mapping[str, float]) -> str:
    return _(WHY.get(max(parts, key=lambda name: parts[name]), "")) if len(parts) > 1 else ""


def drawn(users: Sequence[str], seed: int) -> tuple[str, ...]:
    """``SHOWCASED`` of the users, drawn at random: nobody is chosen for being served well or badly."""
    count = min(SHOWCASED, len(users))
    return tuple(users[place] for place in np.random.default_rng(seed).choice(len(users), count, replace=False))


def hits(measured: Metrics, num_items: int) -> int:
    """How many users have one of their held-out items among the first ``LISTED`` places."""
    listed = (measured.ranks > 0) & (measured.ranks <= LISTED)
    return len((measured.pairs[listed] // num_items).unique())


def explanations(users: Sequence[str], catalog: PicturedCatalog, bundle: Bundle) -> Explanations:
    """The best recommendation of each user, its score taken apart."""
    made = []
    for user_id in users:
        best = Retriever(bundle).recommend(user_id, 1)[0]
        found = explain(bundle, user_id, best.item_id)
        made.append(
            ExplainedScore(
                user=user_id,
                thing=catalog.thing(best.item_id),
                score=found.score,
                parts=_parts(found.parts),
                sentences=(because(found, bundle),),
            )
        )
    return Explanations(
        heading=_("Why these"),
        explanations=tuple(made),
        intro=_("A score is a sum of parts; what each part adds is exact, not an approximation."),
    )


def shares(parts: Split, bundle: Bundle) -> ShareChart:
    """Mean absolute contribution of each part to the scores of the items that users chose in the test set."""
    added = bundle.scorer.split_pairs(parts.test.users, parts.test.items)
    shares = tuple(Part(name.replace("_", " "), values.abs().mean().item()) for name, values in added.items())
    return ShareChart(
        heading=_("What the scores are made of"),
        rows=(ShareRow(label=_("VIRAL, test items"), parts=shares),),
        caption=_(
            "Mean absolute contribution of each block to the scores of the items that users chose in the test set."
            " A block's name is its place in the model, not a measurement of information."
        ),
    )
