"""What the API answers with, as its document has it. Ranked lists are written as JSON without passing through these."""

from typing import Literal

from pydantic import BaseModel, Field

from viral.run.retrieval.new_items import Way

Source = Literal["user", "visit", "user_and_visit", "popular"]


class Stamped(BaseModel):
    """Where an answer comes from."""

    bundle: str = Field(description="Which bundle answered; another one after a reload.")
    model: str
    version: str = Field(description="Of what the model learnt: the bundle's hash.")


class Face(BaseModel):
    """What a shop's page shows of an item, where it is known."""

    category: str | None
    image_url: str | None = Field(description="The catalogue's, or where its picture is on this server.")
    price: str | None = Field(description="As the catalogue writes it.")


class Recommended(Face):
    """One recommended item; the parts add up to the score."""

    item_id: str
    title: str
    rank: int
    score: float
    parts: dict[str, float] = Field(description="Of a popular item, `popularity`: how many users chose it.")
    pinned: bool = Field(description="Its place is a rule's, not the score's.")


class ListAnswer(Stamped):
    """A list of recommended items, best first, and for whom it is."""

    user_id: str | None
    variant: str | None = Field(description="Of an A/B test.")
    offset: int
    unknown_item_ids: list[str] = Field(description="Of the visit, those that the bundle does not know.")
    recommendations: list[Recommended]


class Recommendations(ListAnswer):
    """The best items for one person."""

    source: Source = Field(description="What the list goes by.")


class Fault(BaseModel):
    """Why there is no list for one of many."""

    status: int
    detail: str
    hint: str


class OneOfMany(ListAnswer):
    """The list of one of many, or why there is none."""

    source: Source | None
    error: Fault | None = Field(default=None, description="Null where there is a list.")


class ManyRecommendations(Stamped):
    """An answer for each of those who were asked for, in their order."""

    answers: list[OneOfMany]


class Popular(Stamped):
    """The items with the most interactions, those with the most first."""

    days: int | None = Field(description="Before the log's end; null: all of the training.")
    offset: int
    popular: list[Recommended]


class SimilarItem(Face):
    """One item like another."""

    item_id: str
    title: str
    rank: int
    similarity: float = Field(description="Cosine.")


class SimilarItems(Stamped):
    """The items most like one."""

    item_id: str
    by: str
    similar: list[SimilarItem]


class EvidenceItem(BaseModel):
    """An item of the history and what it adds to the score."""

    item_id: str
    title: str
    share: float


class Word(BaseModel):
    """A word of the description, and what the score loses without it."""

    word: str
    effect: float


class Explained(Stamped):
    """One score decomposed; parts and origins each add up to it."""

    user_id: str
    item_id: str
    title: str
    because: str = Field(description="Why, in one sentence, in the language of `Accept-Language` or `lang`.")
    score: float
    parts: dict[str, float]
    rank: int = Field(description="Among the items that can be recommended to the user.")
    num_items: int
    seen: bool
    taken: int = Field(description="How many items the user's history has.")
    origins: dict[str, float]
    evidence: list[EvidenceItem]
    history: float
    beyond: float
    information: dict[str, float]
    words: list[Word] | None = None


class ItemOut(BaseModel):
    """An item, as the bundle knows it."""

    item_id: str
    title: str
    text: str
    category: str
    description: str = Field(description="A human's since the last training, else what the bundle knows.")
    edited: bool = Field(description="The description is a human's.")
    picture: str | None = Field(description="Where its picture is, relative to this server.")
    image_url: str | None = Field(description="The catalogue's, or the same as `picture`.")
    price: str | None
    colour: str | None
    brand: str | None


class ItemDetail(ItemOut, Stamped):
    """An item with how many users chose it in training, and the bits its modalities tell, where measured."""

    users: int
    information: dict[str, float]


class ItemPage(Stamped):
    """A page of the items that were found."""

    total: int
    offset: int
    items: list[ItemOut]


class FanOut(BaseModel):
    """A user who would want the item; the score is in standard deviations of their scores."""

    user_id: str
    rank: int
    score: float


class ColdOut(Stamped):
    """What the model makes of an item that it never saw."""

    title: str
    description: str
    way: Way = Field(
        description="foretold: predicted from its features by a rule learnt from the known items; own: by the model "
        "itself; neighbors: as the mean of its nearest items."
    )
    similar: dict[str, list[SimilarItem]]
    fans: list[FanOut]


class FeedbackOut(BaseModel):
    """All events are on the disk."""

    accepted: int
    unknown_users: int = Field(description="Events of users the bundle does not know: they will be new users.")
    unknown_items: int = Field(description="Events of items the bundle does not know.")
