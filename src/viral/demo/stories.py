"""The demonstration's pictures: descriptions, users with their recommendations, and what scores are made of."""

from collections.abc import Mapping

from viral.bundle import Bundle
from viral.catalog import Catalog, Item
from viral.data import Split
from viral.enrich import Descriptions
from viral.explain import explain
from viral.models.memory import parts_of_pairs
from viral.report import (
    ContactSheet,
    Described,
    Explanation,
    Explanations,
    ModelList,
    Part,
    Recommended,
    ShareChart,
    ShareRow,
    Thing,
    UserStory,
)
from viral.retrieval import Retriever

LABELS = {
    "popularity": "Popularity",
    "lightgcn": "LightGCN",
    "viral-text-only": "VIRAL, text only",
    "viral": "VIRAL",
}
SHOWN = ("viral", "lightgcn", "popularity")  # whose recommendations are shown to a user
CARDS, HISTORY, LISTED = 48, 12, 8


def sheet(catalog: Catalog, descriptions: Descriptions) -> ContactSheet:
    """Contact sheet of the first pictures with what was said of each."""
    rows = descriptions.rows[:CARDS]
    return ContactSheet(
        heading="What was seen in the pictures",
        cards=tuple(
            Described(thing=_thing(catalog[row.item_id]), description=row.text, problem=row.error) for row in rows
        ),
        describer=f"the pixel describer ({descriptions.describer}), which is not a vision-language model",
        prompt=descriptions.prompt,
        caption=f"The first {len(rows)} items. With the title prompt only the thing that the title names is described.",
        intro="Each picture shows the product among other things. The title says which of them it is; the description"
        " says what can be seen of it.",
    )


def _thing(item: Item) -> Thing:
    return Thing(item.id, item.title, item.image)


def _parts(parts: Mapping[str, float]) -> tuple[Part, ...]:
    if len(parts) < 2:
        return ()
    return tuple(Part(name.replace("_", " "), value) for name, value in parts.items())


def story(user_id: str, catalog: Catalog, parts: Split, bundles: Mapping[str, Bundle]) -> UserStory:
    """One user: what they took, and what each model shows them."""
    user = parts.users.index(user_id)
    held_out = {parts.items.ids[item] for item in parts.test.items[parts.test.users == user].tolist()}
    history = [item_id for item_id, _ in Retriever(bundles["viral"]).history(user_id)]
    lists = []
    for name in SHOWN:
        found = Retriever(bundles[name]).recommend(user_id, LISTED)
        lists.append(
            ModelList(
                model=LABELS[name],
                highlight=name == "viral",
                recommended=tuple(
                    Recommended(
                        thing=_thing(catalog[r.item_id]),
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
    return UserStory(
        name=user_id,
        history=tuple(_thing(catalog[item_id]) for item_id in history[:HISTORY]),
        lists=tuple(lists),
        history_total=len(history),
        held_out=len(held_out),
    )


def _why(parts: Mapping[str, float]) -> str:
    words = {
        "text": "mostly for its words",
        "synergy": "mostly for words and picture together",
        "unique_image": "mostly for what only the picture shows",
        "unique_description": "mostly for what only the picture shows",
        "taste": "mostly for what such users chose",
        "memory": "mostly for what was taken together with it",
    }
    return words.get(max(parts, key=lambda name: parts[name]), "") if len(parts) > 1 else ""


def explanations(users: list[str], catalog: Catalog, bundle: Bundle) -> Explanations:
    """The best recommendation of each user, its score taken apart."""
    made = []
    for user_id in users:
        best = Retriever(bundle).recommend(user_id, 1)[0]
        found = explain(bundle, user_id, best.item_id)
        made.append(
            Explanation(
                user=user_id,
                thing=_thing(catalog[best.item_id]),
                score=found.score,
                parts=_parts(found.parts),
                sentences=(found.sentence(),),
            )
        )
    return Explanations(
        heading="Why these",
        explanations=tuple(made),
        intro="A score is a sum of parts; what each part adds is exact, not an approximation.",
    )


def shares(parts: Split, bundle: Bundle) -> ShareChart:
    """Mean absolute contribution of each part to the scores of the items that the users took in the test set."""
    added = parts_of_pairs(bundle.scorer, parts.test.users, parts.test.items)
    shares = tuple(Part(name.replace("_", " "), values.abs().mean().item()) for name, values in added.items())
    return ShareChart(
        heading="What the scores are made of",
        rows=(ShareRow(label="VIRAL, test items", parts=shares),),
        caption="Mean absolute contribution of each block to the scores of what the users took in the test set."
        " A block's name is its place in the model, not a measurement of information.",
    )
