"""Write docs/features.md from the catalogue: `python -m followkit.features [path]`."""

from __future__ import annotations

import sys
from pathlib import Path

from followkit.features import describe_catalogue

if __name__ == "__main__":
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/features.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(describe_catalogue(), encoding="utf-8")
