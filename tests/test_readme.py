"""What the README says in numbers is what the bundled data give."""

from __future__ import annotations

from pathlib import Path

from followkit import words
from followkit.analysis import code_dyads
from followkit.covariance import dyadic_rate
from followkit.dyads import make_dyads

ROOT = Path(__file__).parents[1]


def test_headline(nostr) -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").replace("*", "").split())
    dyads = make_dyads(nostr, "late_answer")
    rate = dyadic_rate(dyads.table["outcome"], code_dyads(dyads))
    interval = words.percent_range(rate.ci_low, rate.ci_high)
    assert f"{words.percent(rate.rate)} of {words.count(rate.n)} one-way follows" in text
    assert f"95 % interval {interval}" in text
    answered = dyads.table[dyads.table["outcome"] == 1]
    assert f"{answered['decider_id'].nunique()} people gave all {len(answered)} answers" in text


def test_every_file_that_the_docs_link_to_exists() -> None:
    import re

    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name} links to {link}"
