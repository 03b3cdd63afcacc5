"""The doctor: what is wrong with a data set, or missing from it, row by row. It reports and never raises.

Meant for data sets that were made or mended by hand as much as for imported ones: what an importer guarantees is
looked at again.
"""

from viral.data.catalog import ITEMS_FILE, OPTIONAL_COLUMNS, REQUIRED_COLUMNS
from viral.data.dataset import INTERACTIONS_FILE, Dataset
from viral.data.doctor.features import check_features
from viral.data.doctor.interactions import check_log, check_split
from viral.data.doctor.items import check_items, check_pictures
from viral.data.doctor.reading import check_hashes, read_table
from viral.data.doctor.report import DoctorReport, Finding, Severity, render

__all__ = ["DoctorReport", "Finding", "Severity", "examine", "render"]


def examine(dataset: Dataset) -> DoctorReport:
    """Look at everything in a data set folder; every picture is decoded, every feature table read."""
    folder = dataset.path
    items, findings = read_table(folder / ITEMS_FILE, REQUIRED_COLUMNS, OPTIONAL_COLUMNS)
    log, faults = read_table(folder / INTERACTIONS_FILE, ("user_id", "item_id"), ("split",))
    findings += faults
    counts: dict[str, int] = {}
    if items is not None:
        findings += [*check_items(items), *check_pictures(items, folder)]
        findings += check_features(dataset.features_folder, items)
        counts |= {"items": items.height, "images": items["image"].drop_nulls().len()}
    if log is not None:
        counts |= {"users": log["user_id"].n_unique(), "interactions": log.height}
    if items is not None and log is not None:
        findings += [*check_log(log, items), *check_split(log, items)]
    findings += check_hashes(dataset)
    return DoctorReport.of(str(folder), findings, counts)
