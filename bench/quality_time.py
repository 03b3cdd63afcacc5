"""``python -m bench.quality_time STUDY …``: seconds of training until validation is within 1 % of a row's best.

``STUDY`` is a folder of ``viral compare``; its cells keep every epoch's seconds and validation metrics. Seconds are of
the clock, building included, so that rows compare within one study that was run on one machine, one process a core. Of
a row with several seeds it is the mean. Models in closed form have one figure: building and measuring.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

WITHIN = 0.01
METRIC = "recall@20"


def seconds_to_quality(summary: dict[str, Any]) -> float:
    """Seconds until the monitored metric is for the first time within 1 % of its best over the training."""
    records = [record for record in summary["history"] if record["valid"]]
    best = max(record["valid"][METRIC] for record in records)
    spent = float(summary["build_seconds"])
    for record in summary["history"]:
        spent += record["seconds"] + record["valid_seconds"]
        if record["valid"] and record["valid"][METRIC] >= (1 - WITHIN) * best:
            break
    return spent


def main() -> None:
    """Print one line a row, the quickest first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="+", type=Path)
    for study in parser.parse_args().studies:
        found = defaultdict(list)
        for path in sorted(study.glob("cells/*/result.json")):
            summary = json.loads(path.read_text())
            found[summary["cell"]].append(seconds_to_quality(summary))
        print(study)
        for name, seconds in sorted(found.items(), key=lambda row: sum(row[1]) / len(row[1])):
            print(f"  {name:24s} {sum(seconds) / len(seconds):9.1f} s  ({len(seconds)} seeds)")


if __name__ == "__main__":
    main()
