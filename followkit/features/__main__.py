"""Write docs/features.md and docs/claims.md: `python -m followkit.features [folder]`."""

from __future__ import annotations

import sys
from pathlib import Path

from followkit.features.pages import describe_catalogue, describe_claims

if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in (("features.md", describe_catalogue()), ("claims.md", describe_claims())):
        (folder / name).write_text(page, encoding="utf-8")
