"""Bad data through the whole chain: one sentence, the right exit code, no half report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from followkit.cli import main

HEAD = "follower_id,followee_id\n"


def no_follows() -> str:
    return HEAD


def ids_as_decimals() -> str:
    return HEAD + "".join(f"{one}.0,{one + 1}.0\n" for one in range(30))


def nobody_answers() -> str:
    # Doubled, as exports are: repeats are dropped and counted, not refused.
    return HEAD + "".join(f"a{one},b{one}\n" for one in range(40)) * 2


def popularity_decides() -> str:
    """Initiators who are followed by many are always answered, the others never."""
    rows = []
    for one in range(40):
        for place in range(3):
            decider = f"d{(one * 3 + place) % 60}"
            rows.append(f"p{one},{decider}\n")
            rows += [f"{decider},p{one}\n"] * (one < 20)
    return HEAD + "".join(rows)


@pytest.mark.parametrize(
    ("make", "code", "sentence", "is_written"),
    [
        (no_follows, 2, "at least one follow is required", False),
        (ids_as_decimals, 2, "follower_id must be text or whole numbers", False),
        (nobody_answers, 3, "nobody followed back (n = 40", True),
        (popularity_decides, 3, "alone (nearly) decide", True),
        (None, 2, "was not found", False),
    ],
)
def test_one_sentence_one_code_no_half_report(
    make: Callable[[], str] | None,
    code: int,
    sentence: str,
    is_written: bool,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    if make is not None:
        data.mkdir()
        (data / "follows.csv").write_text(make(), encoding="utf-8")
    assert main(["report", "--data", str(data), "--out", str(out)]) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said
    found = {path.name for path in out.iterdir()} if out.exists() else set()
    complete = {"out.html", "out.code.html", "summary.json", "tables"}
    assert found == (complete if is_written else set())
