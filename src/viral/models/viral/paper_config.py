"""VIRAL's numbers and switches: one frozen config, three published readings of the method, and a lighter one."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Any, ClassVar, Final, Literal

from viral.base.errors import UsageError
from viral.base.recipe import check_least

ByVariant: Final[Any] = type("ByVariant", (), {"__repr__": lambda self: "<as the variant has it>"})()

REDU2: Mapping[str, Any] = {  # the authors' branch of that name: all of PID
    "redundancy": True,
    "mask": "zeros",
    "unique_layers": 1,
    "text_first": True,
    "crossmodal_dim": None,
    "hidden_dim": 256,
    "num_user_neighbors": 40,
    "user_weights": "free",
    "alignment_weight": 0.01,
    "alignment_items": None,
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    # ours, for machines without a GPU: the same parts, narrower, aligned on a sample where there are many items
    "light": {**REDU2, "crossmodal_dim": 32, "hidden_dim": 64, "alignment_items": 512},
    "redu2": REDU2,
    # the branch the authors recommend: the picture enters raw, only the synergy is aligned
    "master": {**REDU2, "redundancy": False, "unique_layers": 2, "text_first": False, "alignment_weight": 0.001},
    "paper": {  # what the paper's text says
        **REDU2,
        "mask": "learned",
        "crossmodal_dim": 64,
        "num_user_neighbors": 10,
        "user_weights": "softmax",
        "alignment_weight": 0.1,
    },
}
RANDOM = "random"  # a source of no information: fixed random features, drawn from the model's seed


@dataclass(frozen=True, kw_only=True)
class VIRALConfig:
    """Every number and switch of the model; fields left out take what ``variant`` says, fields given always win.

    That holds for a copy by ``dataclasses.replace`` as well: with another variant or fusion it takes the numbers of
    that one in every field that was given to neither.

    ``visual=None`` is the text-only model, ``text=None`` the visual-only one. A source is a modality of the data set:
    ``description`` (as published), ``image`` (not enriched), ``title`` (a control: descriptions have it) or ``random``.
    """

    replaced: InitVar["VIRALConfig | None"] = None  # what ``dataclasses.replace`` changes; the first field it copies
    variant: Literal["light", "redu2", "master", "paper"] = "light"
    text: str | None = "text"  # the modality that carries the words of the catalogue: the anchor
    visual: str | None = "description"  # the modality that carries the picture
    others: tuple[str, ...] = ()  # further modalities, each with a unique part of its own
    knowledge: str | None = None  # the modality that holds the describer's prompt, for knowledge fusion: "title"
    fusion: Literal["pid", "concat", "weighted", "attention"] = "pid"  # all but pid fuse the sources as they are
    synergy: Literal["aligned", "interaction", "off"] = ByVariant
    redundancy: bool = ByVariant
    projection: bool = ByVariant  # take the redundant part (without one: the text) from the other sources
    mask: Literal["zeros", "learned"] = ByVariant  # what stands for a masked source
    attention_tokens: int = 1  # of an item, in the synergy: itself, or that many nearest neighbours
    unique_layers: int = ByVariant  # of the encoders of all but text and synergy: 1 or 2
    text_first: bool = ByVariant  # order of the branches: [text | synergy | … visual] or the reverse
    user_weights: Literal["free", "softmax", "off"] = ByVariant  # of each user, for each branch
    item_graph: bool = True
    user_graph: bool = True
    embedding_dim: int = 64  # of each branch
    crossmodal_dim: int | None = ByVariant  # None: the anchor features' own width (384 in the code)
    hidden_dim: int = ByVariant  # of the encoders with two layers
    num_layers: int = 2
    num_neighbors: int = 10  # of the item graph
    visual_weight: float = 0.5  # of the item graph's share that is not the anchor's
    num_user_neighbors: int = ByVariant
    resample_user_graph: bool = True  # pad short neighbour lists anew each epoch, as the code does
    temperature: float = 0.1
    alignment_weight: float = ByVariant  # λ; 0 leaves the InfoNCE terms out
    alignment_items: int | None = ByVariant  # None: contrast all; n: of more than n items, n negatives of the batch
    reg_weight: float = 1e-3  # γ

    given: ClassVar[frozenset[str]] = frozenset()  # the names of the fields that were not left out

    def __new__(cls, **given: Any) -> "VIRALConfig":
        """Note what is given: of ``dataclasses.replace`` the changes, which come before the fields that it copies."""
        self = super().__new__(cls)
        names = list(given)
        changes = names[: names.index("replaced")] if "replaced" in names else names
        object.__setattr__(self, "given", frozenset(changes))
        return self

    def __post_init__(self, replaced: "VIRALConfig | None") -> None:
        """Fill what is left out, here and in the configuration that is ``replaced``."""
        named = self.given | (replaced.given if replaced is not None else frozenset())
        given = frozenset(name for name in named if getattr(self, name) is not ByVariant)
        for name, value in self._defaults(given).items():
            if name not in given:
                object.__setattr__(self, name, value)
        object.__setattr__(self, "given", given)
        object.__setattr__(self, "replaced", self)
        check_least(self, embedding_dim=1, crossmodal_dim=1, hidden_dim=1, num_layers=0, alignment_items=1)
        check_least(self, num_neighbors=1, num_user_neighbors=0, temperature=1e-6, attention_tokens=1, unique_layers=1)
        check_least(self, alignment_weight=0)
        self._check_parts()

    def _defaults(self, given: frozenset[str]) -> dict[str, Any]:
        if self.variant not in VARIANTS:
            known = ", ".join(("beyond", *VARIANTS))
            raise UsageError(f"variant = {self.variant!r} is not one of {known}", where="VIRALConfig")
        defaults = {"synergy": "aligned", **VARIANTS[self.variant]}
        if self.fusion != "pid":  # the authors' ablation by concatenation has no user weights either
            defaults |= {"synergy": "off", "redundancy": False, "user_weights": "off"}
        redundancy = self.redundancy if "redundancy" in given else defaults["redundancy"]
        return {**defaults, "projection": redundancy}

    def _check_parts(self) -> None:
        """Raise ``UsageError`` for parts that have no place, rather than build them and not use them."""
        faults = {
            "unique_layers is 1 or 2": self.unique_layers > 2,
            f'fusion = "{self.fusion}" takes the sources as they are, without synergy, redundancy or projection': (
                self.fusion != "pid" and (self.synergy != "off" or self.redundancy or self.projection)
            ),
            "attention_tokens are tokens of the aligned synergy, which is not there": (
                self.attention_tokens > 1 and self.synergy != "aligned"
            ),
            "knowledge is fused with a visual modality, and there is none": (
                self.knowledge is not None and self.visual is None
            ),
        }
        for fault, holds in faults.items():
            if holds:
                raise UsageError(fault, where="VIRALConfig")

    @property
    def sources(self) -> dict[str, str]:
        """Role to modality, the anchor first: ``{"text": …, "visual": …}`` and the others by their own names."""
        named = {"text": self.text, "visual": self.visual} | {other: other for other in self.others}
        if len(set(self.others) - {"text", "visual"}) < len(self.others):
            raise UsageError(f"others = {self.others} names a source twice", where="VIRALConfig")
        return {role: modality for role, modality in named.items() if modality is not None}

    @property
    def mixed(self) -> bool:
        """Whether all sources become one branch."""
        return self.fusion in ("weighted", "attention") and len(self.sources) > 1
