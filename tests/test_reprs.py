"""Short HTML of results in a notebook: right numbers, and nothing in it that could run."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from hostile import PAYLOADS

from followkit import reprs
from followkit.analysis import choose_features, fit_dyads
from followkit.dyads import make_dyads
from followkit.effects import odds_ratios
from followkit.features import CATALOGUE, make_features
from followkit.html import Summary
from followkit.model import fit_follow_back
from followkit.tables import make_dataset


def check_safe(html: str) -> BeautifulSoup:
    """Nothing runs, nothing loads, nothing is styled, and every tag is closed."""
    soup = BeautifulSoup(html, "html.parser")
    kept = {"p", "strong", "bdi", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "div",
            "caption", "span"}  # fmt: skip
    assert {tag.name for tag in soup.find_all(True)} <= kept
    attributes = {name for tag in soup.find_all(True) for name in tag.attrs}
    assert attributes <= {"scope", "colspan", "class", "tabindex", "role", "aria-label", "title"}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", html)
    return soup


@pytest.fixture(scope="module")
def hostile_data():
    rng = np.random.default_rng(3)
    ids = [f"{PAYLOADS[number % len(PAYLOADS)]}{number}" for number in range(60)]
    pairs = [(a, b) for a in ids for b in ids if a != b and rng.random() < 0.3]
    follows = pd.DataFrame(pairs, columns=["follower_id", "followee_id"])
    accounts = pd.DataFrame({"account_id": ids} | {text: [text] * 60 for text in PAYLOADS})
    about = {"title": PAYLOADS[0]}
    return make_dataset({"follows": follows, "accounts": accounts}, name=PAYLOADS[1], about=about)


def test_hostile_names_do_not_run(hostile_data) -> None:
    assert check_safe(hostile_data._repr_html_()).get_text().count("Dataset") == 1
    dyads = make_dyads(hostile_data, "mutuality")
    check_safe(dyads._repr_html_())
    features = make_features(dyads, hostile_data)
    check_safe(features._repr_html_())
    table = features.values[["decider_ratio_log"]].set_axis([PAYLOADS[0]], axis=1)
    rows = dyads.table
    model = fit_follow_back(table.reset_index(drop=True), rows["outcome"],
                            initiator=rows["initiator_id"], decider=rows["decider_id"])  # fmt: skip
    check_safe(model._repr_html_())
    frame = pd.DataFrame({PAYLOADS[0]: list(PAYLOADS)})
    check_safe(Summary(frame, PAYLOADS[2], PAYLOADS[3], notes=[PAYLOADS[4]])._repr_html_())


def test_a_dataset_says_what_it_holds(nostr, town) -> None:
    text = check_safe(nostr._repr_html_()).get_text(" ")
    assert "late_answer: yes" in text
    assert "follow_back: needs follows with followed_at" in text
    assert f"{len(nostr.follows):,}" in text
    assert "2024-09-26 to 2025-07-23" in text
    first, last = town.span
    stamps = pd.concat([town.posts["posted_at"], town.observation["observed_from_at"],
                        town.accounts["created_at"], town.accounts["counts_at"]])  # fmt: skip
    assert first == stamps.min()
    assert last >= town.follows["followed_at"].max()


def test_data_without_times_say_so() -> None:
    ties = pd.DataFrame({"follower_id": ["a", "b"], "followee_id": ["b", "c"]})
    data = make_dataset({"follows": ties})
    assert data.span is None
    assert "no times" in data._repr_html_()


def test_a_model_shows_the_odds_ratios_of_the_report(nostr) -> None:
    dyads = make_dyads(nostr, "late_answer")
    features = make_features(dyads, nostr)
    model = fit_dyads(dyads, features, choose_features(features))
    cells = [[cell.get_text() for cell in row.find_all(["th", "td"])]
             for row in check_safe(model._repr_html_()).find("tbody").find_all("tr")]  # fmt: skip
    steps = {name: CATALOGUE[name].unit_scale for name in model.names}
    told = odds_ratios(model, steps)
    assert [row[0] for row in cells] == [CATALOGUE[name].label for name in model.names]
    assert [row[2] for row in cells] == [f"{value:.2f}" for value in told["odds_ratio"]]
    assert [row[3] for row in cells] == [
        f"{low:.2f} to {high:.2f}"
        for low, high in zip(told["ci_low"], told["ci_high"], strict=True)
    ]
    assert "8,147, 200 answered" in model._repr_html_()
    assert "2.5 % (1.7 to 3.6 %)" in model._repr_html_()
    assert all(note.split(",")[0] in model._repr_html_() for note in model.notes)


def test_a_ridge_model_has_no_intervals() -> None:
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"x": rng.normal(size=300)})
    ids = np.arange(300)
    model = fit_follow_back(x, rng.integers(0, 2, 300), initiator=ids, decider=ids + 300,
                            penalty="ridge")  # fmt: skip
    assert "<bdi>none</bdi>" in model._repr_html_()


def test_dyads_and_features_count_themselves(nostr) -> None:
    dyads = make_dyads(nostr, "late_answer")
    assert "200 (2.5 %)" in dyads._repr_html_()
    assert all(f">{count:,}<" in dyads._repr_html_() for count in dyads.census["count"])
    features = make_features(dyads, nostr)
    rows = check_safe(features._repr_html_()).find("tbody").find_all("tr")
    counts = [int(row.find_all("td")[0].get_text()) for row in rows]
    assert sum(counts) == features.values.shape[1]


def test_long_tables_and_lists_are_cut() -> None:
    html = reprs.make_repr("x", [], ["a"], [[number] for number in range(20)])
    assert html.count("<tr>") == 1 + reprs.MOST_ROWS + 1
    assert "and 8 more" in html
    assert reprs.name_some(range(14)).endswith("11 and 2 more")
