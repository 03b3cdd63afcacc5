"""The feature table that only an ablation needs: what the describer says without knowing the title."""

from viral.base.errors import DataError, UsageError
from viral.base.files import fingerprint
from viral.base.progress import say
from viral.data.dataset import Dataset
from viral.encode import Encoder, FeatureTable, SentenceEncoder
from viral.encode.cache import encode_cached
from viral.encode.feature_tables import CACHE_FILE
from viral.enrich import Descriptions, load_descriptions

PLAIN = "description-plain"
VERSION = 1  # raised when the same inputs would give another table


def plain_descriptions(dataset: Dataset, *, encoder: Encoder | None = None) -> FeatureTable | None:
    """Encode what the describer said without knowing the title: ``features/description-plain.parquet``.

    The words are ``title. description``, as in ``description``, so that the two tables differ in nothing but the
    prompt; the describer is the one of ``description``, where that table names it. None where no description with the
    plain prompt is there; a table whose inputs are unchanged is not made again.
    """
    encoder = encoder or SentenceEncoder()
    there = _existing(dataset, PLAIN)
    try:
        descriptions = load_descriptions(dataset, _describer(_existing(dataset, "description")), "plain")
    except UsageError as error:
        say(f"{PLAIN}: {error.what}" + ("; the table that is there is used" if there else ""))
        return there
    if descriptions is None:
        return there
    texts = _texts(dataset, descriptions)
    name = f"{encoder.name} of {descriptions.describer} with prompt plain"
    stamp = "experiment:" + fingerprint(VERSION, PLAIN, name, list(texts.items()))
    if there is not None and there.fingerprint == stamp:
        return there
    values = encode_cached(encoder, list(texts.values()), dataset.features_folder / CACHE_FILE, f"encode {PLAIN}")
    table = FeatureTable(tuple(texts), PLAIN, values, name, stamp)
    table.save(dataset.features_folder)
    return table


def _existing(dataset: Dataset, modality: str) -> FeatureTable | None:
    path = dataset.features_folder / f"{modality}.parquet"
    return FeatureTable.load(path) if path.is_file() else None


def _describer(table: FeatureTable | None) -> str | None:
    """The describer's name in ``… of pixel/1 with prompt title``."""
    _, found, rest = (table.encoder if table is not None else "").partition(" of ")
    return rest.partition(" with prompt ")[0].partition("/")[0] if found else None


def _texts(dataset: Dataset, descriptions: Descriptions) -> dict[str, str]:
    texts = {}
    for item in dataset.catalog():
        words = ". ".join(part for part in (item.title.strip(), descriptions.texts.get(item.id, "").strip()) if part)
        if words:
            texts[item.id] = words
    if not texts:
        raise DataError("no item has a title or a plain description", where=str(dataset.path))
    return texts
