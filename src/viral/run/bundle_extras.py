"""What a bundle keeps beside the tensors that rank: enough to embed an item it never saw, and to be trained on.

Shapes: I items, F features, D the width of an item's vector.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor

from viral.data.catalog import Item
from viral.data.dataset import Dataset
from viral.data.descriptions import IMPORTED, all_descriptions
from viral.data.edits import HUMAN, load_edits
from viral.data.inputs import ModelInputs
from viral.data.modalities import MODALITIES
from viral.data.pictures import PictureError, read_bytes
from viral.encode import FeatureTable, load_features
from viral.models import Recommender

SHOWN = ("category", "price", "colour", "brand", "image_url")  # columns of the catalogue, kept as they are
COLUMNS = ("text", *SHOWN, "description", "picture")
_DESCRIBED = re.compile(r"(?P<encoder>.+?) of (?P<describer>[^/]+)/(?P<revision>.+) with prompt (?P<prompt>.+)")


class DescriptionSource(NamedTuple):
    """Whose words a table of descriptions encodes, by which prompt, and by which encoder."""

    encoder: str
    describer: str
    revision: str
    prompt: str

    @property
    def askable(self) -> bool:
        """Whether there is a describer to ask for more, and not a human or a file."""
        return self.describer != HUMAN and self.revision != IMPORTED


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Words, features and parameters; a part that is empty is not known, and what needs it says so."""

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of ``COLUMNS``, by item; "" is unknown
    features: Mapping[str, Tensor] = field(default_factory=dict)  # modality -> (I, F)
    present: Mapping[str, Tensor] = field(default_factory=dict)  # modality -> (I,) bool: not filled in
    encoders: Mapping[str, str] = field(default_factory=dict)  # modality -> what made its table
    parameters: Mapping[str, Tensor] = field(default_factory=dict)  # the trained model's state
    unlinked: Tensor | None = None  # (I, D): item vectors before the item graph, of models that have them apart

    @property
    def described(self) -> DescriptionSource | None:
        """Whose descriptions the features encode, or None."""
        return described_in(self.encoders)


def described_by(encoder: str) -> DescriptionSource | None:
    """Read the encoder's name of a table of descriptions, as ``viral encode`` writes it."""
    match = _DESCRIBED.fullmatch(encoder)
    return DescriptionSource(*match.groups()) if match else None


def described_in(encoders: Mapping[str, str]) -> DescriptionSource | None:
    """Whose words the tables encode, of what made each table by modality; None where none has any."""
    names = dict.fromkeys((*(one.name for one in MODALITIES.values() if one.of_descriptions), *encoders))
    return next((made for name in names if (made := described_by(encoders.get(name, ""))) is not None), None)


def gather(model: Recommender[Any], inputs: ModelInputs, dataset: Dataset, item_ids: Sequence[str]) -> Material:
    """What a model that was trained on ``inputs`` leaves beside its scorer.

    Features go in whole, as the model had them; the pictures by their hash only, so that an update can tell which have
    changed.
    """
    tables = load_features(dataset.features_folder)
    return Material(
        columns_of(dataset, item_ids, tables),
        dict(inputs.features),
        {name: inputs.given(name) for name in inputs.features},
        {name: table.encoder for name, table in tables.items()},
        {name: value.detach().clone() for name, value in model.state_dict().items()},
        model.unlinked(),
    )


def columns_of(
    dataset: Dataset, item_ids: Sequence[str], tables: Mapping[str, FeatureTable]
) -> Mapping[str, Sequence[str]]:
    """What a bundle keeps in words of each item: ``COLUMNS``, of the catalogue and of what ``tables`` encode."""
    catalog = dataset.catalog()
    items = [catalog[item_id] for item_id in item_ids]
    texts = _descriptions(dataset, tables)
    return {
        "text": [item.text for item in items],
        **{name: [getattr(item, name) or "" for item in items] for name in SHOWN},
        "description": [texts.get(item.id, "") for item in items],
        "picture": [picture_hash(item) for item in items],
    }


def _descriptions(dataset: Dataset, tables: Mapping[str, FeatureTable]) -> Mapping[str, str]:
    """The texts that the table of descriptions (or of words alone) encodes, by item id.

    A human's are in the place of a describer's. Nothing where they are no longer there.
    """
    made = described_in({name: table.encoder for name, table in tables.items()})
    if made is None:
        return {}
    edits, wanted = load_edits(dataset), (f"{made.describer}/{made.revision}", made.prompt)
    found = [one.texts for one in all_descriptions(dataset) if (one.describer, one.prompt) == wanted]
    return {**found[0], **edits} if found else edits if made.describer == HUMAN else {}


def picture_hash(item: Item) -> str:
    """SHA-256 of the item's picture; "" where there is none that can be read."""
    try:
        return "" if item.image is None else hashlib.sha256(read_bytes(item.image)).hexdigest()
    except PictureError:
        return ""
