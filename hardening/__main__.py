"""The command line: ``python -m hardening crash|disk|flips|fuzz|attack [--short] [--seed N] [--only NAME]``."""

import argparse
import sys
import time
from collections.abc import Callable


def main() -> int:
    """Run one of them; exit status 1 where something was not borne."""
    from hardening.attack import attack
    from hardening.crash import crash
    from hardening.disk import full_disks
    from hardening.flips import flip_everything
    from hardening.fuzz import fuzz

    parser = argparse.ArgumentParser(prog="python -m hardening")
    parser.add_argument("what", choices=("crash", "disk", "flips", "fuzz", "attack"))
    parser.add_argument("--short", action="store_true", help="a round that CI has time for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="one verb, kind of file, input or attack")
    given = parser.parse_args()
    runs: dict[str, Callable[[], list[str]]] = {
        "crash": lambda: crash(given.short, given.seed, given.only),
        "disk": lambda: full_disks(given.short, given.only),
        "flips": lambda: flip_everything(given.short, given.seed, given.only),
        "fuzz": lambda: fuzz(given.short, given.seed, given.only),
        "attack": lambda: attack(given.short, given.only),
    }
    started = time.monotonic()
    faults = runs[given.what]()
    print(f"{given.what}: {len(faults)} faults in {time.monotonic() - started:.0f} s")
    for fault in faults:
        print(f"  {fault}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
