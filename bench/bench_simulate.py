"""A town with close to a million follows: how long and how much memory. Writes a study."""

from __future__ import annotations

import os
import platform
import resource
import time
from pathlib import Path

import numpy as np

from followkit.simulate import make_town

STUDY = Path(__file__).resolve().parents[1] / "reports" / "studies" / "simulate.md"


def main() -> None:
    """Simulate once and write the figures."""
    begun = time.perf_counter()
    town = make_town(68_000, seed=1)
    seconds = time.perf_counter() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    counts = {name: len(table) for name, table in town.tables.items()}
    sizes = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    text = (
        "# Simulating a large town\n\n"
        f"Written by `make bench`: {sizes} in {seconds:.0f} seconds, peak memory {memory:.1f} GB, "
        f"checks and conversion included. Python {platform.python_version()}, NumPy "
        f"{np.__version__}, {os.cpu_count()} cores.\n"
    )
    STUDY.parent.mkdir(parents=True, exist_ok=True)
    STUDY.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
