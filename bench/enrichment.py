"""``python -m bench.enrichment``: what the pipeline itself costs around a describer, and what a large ledger does.

Three measurements, each in a process of its own, as one JSON document.
On a machine that does other things at the same time, the processor's seconds say more than the clock's:

- ``overhead``: a number of pictures through ``enrich`` with a describer that answers at once (no server, one picture
  a batch, eight threads, as the openai describer has it): items a second, and how much memory grew.
- ``server``: the same through the openai describer and the test server, which runs in another process and answers at
  once (so the processor's seconds are of this side alone); and the bare describer on the same pictures.
- ``resume``: a ledger of a number of rows, all of one describer and prompt, and a catalogue of as many items of which
  only the last is new: seconds from opening the ledger to the describer's first call, and how much memory grew
  from the loaded catalogue to that moment; and the same for opening it with a small catalogue.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from viral.base.parallel import ThreadExecutor
from viral.data.catalog import Catalog, Item
from viral.enrich import Answer, Describer, Ledger, Picture, Prompt, enrich, load_prompt
from viral.enrich.ledger_rows import Entry, RequestKey

GOALS = {"items_per_second": 250, "growth_bytes": 300_000_000, "resume_seconds": 5}
SIDE = 480  # pixels of a picture: JPEGs of about 25 kB
SERVER = str(Path(__file__).parent.parent / "tests" / "openai_server.py")
PUT = 5000  # rows of the ledger that are written together


@dataclass(frozen=True)
class AtOnce:
    """Answers at once; or, with ``interrupts``, says that it was called."""

    interrupts: bool = False
    name: str = "bench"
    revision: str = "1"
    batch_size: int = 1
    in_flight: int = 8

    @property
    def parameters(self) -> dict[str, object]:
        return {}

    def describe(self, pictures: Sequence[Picture], prompt: Prompt) -> list[Answer | Exception]:
        if self.interrupts:
            raise KeyboardInterrupt
        return [Answer(f"A thing that is described as number {picture.item_id}.", 900, 60) for picture in pictures]


def resident() -> int:
    """Bytes of this process that are in memory now."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * 4096


def peak() -> int:
    """The most there ever were."""
    line = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def draw(folder: Path, count: int) -> list[Path]:
    """Photos, nearly: coloured noise, blurred, no two the same."""
    import numpy as np
    from PIL import Image

    folder.mkdir(parents=True)
    paths = [folder / f"{n}.jpg" for n in range(count)]
    for n, path in enumerate(paths):
        small = np.random.default_rng(n).integers(0, 256, (60, 60, 3), dtype=np.uint8)
        Image.fromarray(small).resize((SIDE, SIDE)).save(path, quality=85)
    return paths


def overhead(folder: Path, count: int) -> dict[str, object]:
    """Describe ``count`` pictures; and do nothing but call the describer on them, for comparison."""
    catalog = things(folder, count)
    describer, prompt = AtOnce(), load_prompt("title")
    found = pipeline(folder, catalog, describer, prompt)
    started = time.perf_counter()
    for item in catalog:
        describer.describe([Picture(item.id, item.title, b"")], prompt)
    return found | {"bare_seconds": time.perf_counter() - started}


def server(folder: Path, count: int) -> dict[str, object]:
    """Describe ``count`` pictures by a server that answers at once; and call the bare describer on them, as quickly."""
    from viral.enrich.openai import OpenAIConfig, OpenAIDescriber

    catalog, prompt = things(folder, count), load_prompt("title")
    pictures = [Picture(item.id, item.title, item.image.read_bytes()) for item in catalog if item.image]
    with subprocess.Popen([sys.executable, SERVER, "--port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        describer = OpenAIDescriber(OpenAIConfig(url=process.stdout.readline().strip(), model="tiny"))
        found = pipeline(folder, catalog, describer, prompt)
        started = time.perf_counter()
        calls = ThreadExecutor(8).map(lambda one: describer.describe([one], prompt), pictures, in_flight=16)
        found["bare_done"] = sum(isinstance(said, Answer) for batch in calls for said in batch)
        found["bare_seconds"] = time.perf_counter() - started
        process.terminate()
    return found


def things(folder: Path, count: int) -> Catalog:
    """As many items, each with a picture of its own."""
    paths = draw(folder / "images", count)
    return Catalog(tuple(Item(str(n), f"Thing number {n}", "", path) for n, path in enumerate(paths)))


def pipeline(folder: Path, catalog: Catalog, describer: Describer, prompt: Prompt) -> dict[str, object]:
    """What ``enrich`` takes for the catalogue with an empty ledger."""
    with Ledger(folder / "warm.sqlite") as ledger:  # imports and codecs are loaded by the first ones
        enrich(Catalog(catalog.items[:20]), describer, prompt, ledger)
    before, worked, started = resident(), time.process_time(), time.perf_counter()
    with Ledger(folder / "ledger.sqlite") as ledger:
        described = enrich(catalog, describer, prompt, ledger)
    seconds, growth, worked = time.perf_counter() - started, peak() - before, time.process_time() - worked
    rate = len(catalog) / seconds
    return {
        "items": len(catalog),
        "done": described.counts["done"],
        "seconds": seconds,
        "processor_seconds": worked,
        "items_per_second": rate,
        "growth_bytes": growth,
        "within_goal": rate >= GOALS["items_per_second"] and growth < GOALS["growth_bytes"],
    }


def resume(folder: Path, count: int) -> dict[str, object]:
    """Fill a ledger with ``count`` rows, and go on with the one item that has none."""
    prompt, path = load_prompt("title"), folder / "ledger.sqlite"
    (picture,) = draw(folder / "images", 1)
    fill(path, prompt, count)
    catalog = Catalog(tuple(Item(str(n), f"Thing number {n}", "", picture) for n in range(count + 1)))
    results: dict[str, object] = {"rows": count, "ledger_bytes": path.stat().st_size}
    for name, items in (("all_items", catalog), ("one_item", Catalog(catalog.items[-1:]))):
        before, worked, started = resident(), time.process_time(), time.perf_counter()
        with Ledger(path) as ledger:
            try:
                enrich(items, replace(AtOnce(in_flight=1), interrupts=True), prompt, ledger)
            except KeyboardInterrupt:
                results[name] = {
                    "seconds": time.perf_counter() - started,
                    "processor_seconds": time.process_time() - worked,
                    "growth_bytes": resident() - before,
                }
    results["within_goal"] = results["all_items"]["seconds"] < GOALS["resume_seconds"]  # type: ignore[index]
    return results


def fill(path: Path, prompt: Prompt, count: int) -> None:
    """Rows as a run leaves them, of pictures that nobody has any more."""
    key = RequestKey("", "", "", "bench", "1", prompt.name, prompt.sha256, "{}")
    with Ledger(path) as ledger:
        for start in range(0, count, PUT):
            ledger.put(
                Entry(replace(key, item_id=str(n), image_sha256=f"{n:064x}", rendered_sha256=f"{n:064x}"), "done", TEXT)
                for n in range(start, min(start + PUT, count))
            )


TEXT = (
    "A tall ceramic mug in deep red with white stripes, a wide handle and the word SUN printed on its front side. " * 2
)
PARTS = {"overhead": overhead, "server": server, "resume": resume}


def main() -> None:
    """Measure each part in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m bench.enrichment", description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--here", choices=PARTS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    counts = {"overhead": arguments.pictures, "server": arguments.pictures, "resume": arguments.rows}
    if arguments.here:
        with TemporaryDirectory() as folder:
            print(json.dumps(PARTS[arguments.here](Path(folder), counts[arguments.here])))
        return
    found = {}
    for part in PARTS:
        options = ["--pictures", str(arguments.pictures), "--rows", str(arguments.rows), "--here", part]
        command = [sys.executable, "-m", "bench.enrichment", *options]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[part] = json.loads(done.stdout)
    print(json.dumps({"goals": GOALS, **found}, indent=2))
    sys.exit(0 if all(part["within_goal"] for part in found.values()) else 1)


if __name__ == "__main__":
    main()
