"""What the API answers with, as its document has it. Ranked lists are written as JSON without passing through these."""

from pydantic import BaseModel, Field

from viral.retrieval.cold import Way


class Recommended(BaseModel):
    """One recommended item; the parts add up to the score."""

    item_id: str
    title: str
    rank: int
    score: float
    parts: dict[str, float]


class Recommendations(BaseModel):
    """The best items, best first."""

    bundle: str = Field(description="Which bundle answered; another one after a reload.")
    recommendations: list[Recommended]


class SimilarItem(BaseModel):
    """One item like another."""

    item_id: str
    title: str
    rank: int
    similarity: float = Field(description="Cosine.")


class SimilarItems(BaseModel):
    """The items most like one."""

    bundle: str
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


class Explained(BaseModel):
    """One score taken apart; parts and origins each add up to it."""

    bundle: str
    user_id: str
    item_id: str
    title: str
    score: float
    parts: dict[str, float]
    rank: int
    num_items: int
    seen: bool
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
    description: str
    picture: str | None = Field(description="Where its picture is, relative to this server.")


class ItemDetail(ItemOut):
    """An item with how many users took it in training, and the bits its modalities tell, where measured."""

    bundle: str
    users: int
    information: dict[str, float]


class ItemPage(BaseModel):
    """A page of the items that were found."""

    bundle: str
    total: int
    offset: int
    items: list[ItemOut]


class FanOut(BaseModel):
    """A user who would want the item; the score is in standard deviations of their scores."""

    user_id: str
    rank: int
    score: float


class ColdOut(BaseModel):
    """What the model makes of an item that it never saw."""

    bundle: str
    title: str
    description: str
    way: Way = Field(
        description="foretold: embedded by what the known items' features tell of their vectors; own: by the model "
        "itself; neighbors: as the mean of its nearest items."
    )
    similar: dict[str, list[SimilarItem]]
    fans: list[FanOut]


class FeedbackOut(BaseModel):
    """All events are on the disk."""

    accepted: int
    unknown_users: int = Field(description="Events of users the bundle does not know: they will be new users.")
    unknown_items: int = Field(description="Events of items the bundle does not know.")
