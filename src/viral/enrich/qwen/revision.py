"""What a local checkpoint is called in the ledger: a digest of everything that is loaded from its folder."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from viral.base.errors import DataError
from viral.base.files import fingerprint, sha256_file
from viral.base.progress import say
from viral.enrich.qwen.weights import check_whole

SUFFIXES = {".json", ".jinja", ".txt", ".model", ".safetensors"}
LARGE = 2_000_000_000  # bytes, from where on the wait is announced


def folder_revision(folder: Path) -> str:
    """``sha256-`` and 16 digits of the names and whole contents of configuration, tokenizer, template and weights.

    Whole, as a fine-tuned model has the same headers and sizes. Four files at a time, at the speed of the disk or of
    SHA-256. Raises ``DataError`` where the folder has no weights in safetensors, or a file of it is not whole.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not any(path.suffix == ".safetensors" for path in files):
        hint = "give the folder of a checkpoint in the hub's layout, with its *.safetensors; other weights are not read"
        raise DataError("no weights in safetensors", where=str(folder), hint=hint)
    check_whole(files)
    size = sum(path.stat().st_size for path in files)
    if size > LARGE:
        say(f"digest of {folder.name}: reading {size / 1e9:,.1f} GB")
    with ThreadPoolExecutor(4) as pool:
        digests = list(pool.map(sha256_file, files))
    parts = [[path.name, digest] for path, digest in zip(files, digests, strict=True)]
    return f"sha256-{fingerprint(parts)[:16]}"
