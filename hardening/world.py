"""A small shop and the long verbs over it, one after the other: what each starts from, and what it must leave."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hardening.content import Content, content

USERS, ITEMS, WEEK2 = 40, 24, 4
VIRAL = (sys.executable, "-c", "from viral.apps.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Verb:
    """A command as it is typed in the world's folder, and the paths that it leaves."""

    name: str
    words: tuple[str, ...]
    leaves: tuple[str, ...]


COMMANDS = (  # as they are typed, and the paths that each leaves
    ("import", "import table source shop --images source/pictures --overwrite", "shop"),
    ("enrich", "enrich shop", "shop"),
    ("encode", "encode shop", "shop"),
    ("train", "train shop --model viral --set max_epochs=6 --out runs/mine", "runs/mine"),
    ("recommend", "recommend runs/mine --users users.txt --out recs.parquet", "recs.parquet"),
    ("export", "export runs/mine --out exported --overwrite", "exported"),
    ("compare", "compare shop --models popularity,bpr --seeds 2 --set max_epochs=3 --out study", "study/cells"),
    ("tune", "tune shop --model bpr --trials 3 --epochs 3 --out tuned", "tuned/best.toml"),
    ("append", "import table week2 shop --images week2/pictures --append", "shop"),
    ("update", "update runs/mine shop --out runs/next --epochs 2", "runs/next"),
)
VERBS = tuple(Verb(name, tuple(typed.split()), (leaves,)) for name, typed, leaves in COMMANDS)


@dataclass(frozen=True, slots=True)
class Stage:
    """One verb in its place: the world before it, what it must leave, and how long it took undisturbed."""

    verb: Verb
    before: Path
    expected: Content
    seconds: float


def stages(folder: Path) -> Iterator[Stage]:
    """Go the whole way once, undisturbed, keeping the world as it was before each verb."""
    world = folder / "world"
    draw_shop(world)
    for verb in VERBS:
        before = folder / f"before-{verb.name}"
        shutil.copytree(world, before, symlinks=True)
        started = time.monotonic()
        done = run(world, verb)
        if done.returncode:
            raise SystemExit(f"{verb.name} fails undisturbed:\n{done.stderr}")
        yield Stage(verb, before, content(world, verb.leaves), time.monotonic() - started)


def draw_shop(folder: Path) -> None:
    """Two weeks of a shop's own files: a log, a catalogue, small pictures."""
    from PIL import Image

    for week, items in (("source", range(ITEMS)), ("week2", range(2, ITEMS + WEEK2))):
        pictures = folder / week / "pictures"
        pictures.mkdir(parents=True)
        for item in items:
            changed = week == "week2" and item < 4
            colour = (item * 9 % 256, item * 53 % 256, 200 if changed else 90)
            Image.new("RGB", (48, 48), colour).save(pictures / f"i{item}.png")
        rows = [f"i{item},Thing {item}{' anew' if week == 'week2' and item < 4 else ''},text" for item in items]
        (folder / week / "items.csv").write_text("item_id,title,text\n" + "\n".join(rows) + "\n")
        chosen = [(user, (user * 7 + step * 5 + len(week)) % len(items)) for user in range(USERS) for step in range(6)]
        log = sorted({f"u{user:02},i{items[place]}" for user, place in chosen})
        (folder / week / "interactions.csv").write_text("user_id,item_id\n" + "\n".join(log) + "\n")
    (folder / "users.txt").write_text("".join(f"u{user:02}\n" for user in range(USERS)))


def command(verb: Verb) -> list[str]:
    """The words to start a process with."""
    return [*VIRAL, *verb.words]


def environment() -> dict[str, str]:
    """One thread, nothing from a hub, no colours."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "NO_COLOR": "1"}


def run(world: Path, verb: Verb) -> "subprocess.CompletedProcess[str]":
    """The verb in the world's folder, to its end."""
    return subprocess.run(command(verb), cwd=world, env=environment(), capture_output=True, text=True, timeout=600)
