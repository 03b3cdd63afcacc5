"""What a retriever answers with."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One recommended item; the parts add up to the score."""

    item_id: str
    title: str
    rank: int  # from 1
    score: float
    parts: Mapping[str, float]
    pinned: bool = False  # its place is a rule's, not the score's


@dataclass(frozen=True, slots=True)
class Similar:
    """One item like another."""

    item_id: str
    title: str
    rank: int  # from 1
    similarity: float  # cosine


@dataclass(frozen=True, slots=True)
class AudienceUser:
    """One user of an item's audience: those who are drawn to it most."""

    user_id: str
    rank: int  # from 1
    score: float
