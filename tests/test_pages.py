"""The catalogue in print: no row of the page of factors is missing, and every entry is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from followkit.cli import main
from followkit.errors import ParameterError
from followkit.features import CATALOGUE, CLAIMS
from followkit.features.needs import describe_option
from followkit.features.pages import (
    TESTS,
    describe_claims,
    describe_feature,
    list_claims,
)

FACTORS_PAGE = Path(__file__).parents[2] / "shared" / "factors.md"
#: How many claims each factor has, 0 to 9: a, b, c, …
CLAIM_COUNTS = (3, 4, 4, 7, 6, 5, 5, 4, 4, 4)


def spell_ids() -> Iterator[str]:
    for factor, count in enumerate(CLAIM_COUNTS):
        for letter in "abcdefg"[:count]:
            yield f"{factor}{letter}"


def test_no_claim_is_missing() -> None:
    assert sorted(CLAIMS) == list(spell_ids())
    assert list_claims()["claim"].tolist() == list(spell_ids())


def test_claims_are_those_of_the_page_of_factors() -> None:
    if not FACTORS_PAGE.is_file():
        pytest.skip("the page of factors is not beside the project")
    rows = re.findall(r"^\| (\d[a-z]) \|", FACTORS_PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == list(spell_ids())


def test_every_feature_belongs_to_a_claim_and_stands_on_its_page() -> None:
    page = describe_claims()
    assert {entry.claim for entry in CATALOGUE.values()} <= set(CLAIMS)
    assert [name for name in CATALOGUE if f"`{name}`" not in page] == []


def test_every_claim_can_be_judged_or_says_what_it_would_need() -> None:
    for claim in CLAIMS.values():
        assert set(claim.contrast) <= set(CATALOGUE)
        assert claim.test in TESTS
        if claim.test not in ("none", "landmark"):
            assert all(CATALOGUE[name].factor == claim.factor or name.endswith("_count_log")
                       for name in claim.contrast), claim.id  # fmt: skip
            assert not set(claim.contrast) & set(claim.choose_adjusters())
    assert CLAIMS["9d"].test == "none"


def test_headlines_point_where_their_claims_do() -> None:
    for claim in CLAIMS.values():
        if claim.contrast and claim.sign and claim.test in ("slope", "interaction"):
            assert CATALOGUE[claim.contrast[0]].expected_sign == claim.sign, claim.id


def test_a_feature_is_told_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "dyad_topic_cosine"]) == 0
    assert "expected sign +" in capsys.readouterr().out
    assert main(["features", "dyad_topic_cosin"]) == 2
    assert "dyad_topic_cosine" in capsys.readouterr().err
    with pytest.raises(ParameterError, match="no feature is called"):
        describe_feature("nothing")


def test_the_list_holds_every_claim(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["features", "--list"]) == 0
    printed = capsys.readouterr().out
    assert [name for name in spell_ids() if name not in printed] == []


def test_needs_are_grouped_by_table() -> None:
    assert describe_option("account_counts") == "account_counts"
    assert (
        describe_option("posts.posted_at+posts.like_count+posts.counts_at")
        == "posts with times and like_count and counts_at"
    )
