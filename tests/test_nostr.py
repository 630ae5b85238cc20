"""The bundled nostr tables: size, what they hold, and the published census."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from followkit.dyads import DyadSet, make_dyads, select_dyads
from followkit.errors import InputError
from followkit.reciprocity import count_ties, edge_reciprocity
from followkit.tables import Dataset

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="module")
def late(nostr: Dataset) -> DyadSet:
    return make_dyads(nostr, "late_answer")


def counts(dyads: DyadSet) -> dict[str, int]:
    return dict(zip(dyads.census["step"], dyads.census["count"].astype(int), strict=True))


def test_the_files_are_small_and_say_where_they_come_from() -> None:
    folder = DATA / "nostr"
    assert sum(file.stat().st_size for file in folder.iterdir()) < 3_000_000
    assert "MIT" in (folder / "LICENSE.txt").read_text(encoding="utf-8")
    assert "nostr-social-graph" in (folder / "dataset.toml").read_text(encoding="utf-8")
    assert "nostr-social-graph" in (DATA / "README.md").read_text(encoding="utf-8")


def test_ids_are_one_to_n_and_names_are_gone(nostr: Dataset) -> None:
    assert list(nostr.accounts["account_id"]) == list(range(1, 344))
    ties = nostr.follows[["follower_id", "followee_id"]].to_numpy()
    assert (ties.min(), ties.max()) == (1, 343)
    assert set(nostr.accounts) == {"account_id", "list_signed_wave1_at", "list_signed_wave2_at"}


def test_the_crawls_hold_the_published_numbers_of_lists_and_ties(nostr: Dataset) -> None:
    seen = nostr.observation
    sizes = seen.groupby("observed_from_at").size()
    assert list(sizes) == [272, 340]
    cut = ~seen["list_is_complete"].astype(bool)
    assert list(cut.groupby(seen["observed_from_at"]).sum()) == [0, 41]
    first, second = sizes.index
    follows = nostr.follows
    assert (follows["followed_before_at"] == first).sum() == 17_620
    assert (follows["unfollowed_after_at"] == second).sum() == 23_426
    assert not follows.duplicated(["follower_id", "followee_id"]).any()


def test_reciprocity_of_the_first_crawl(nostr: Dataset) -> None:
    assert edge_reciprocity(nostr) == pytest.approx(0.488, abs=5e-4)
    found = count_ties(nostr)
    assert 2 * found.mutual_pair_count + found.one_way_count == 17_620


def test_the_census_of_late_answers(late: DyadSet) -> None:
    count = counts(late)
    assert count["at risk"] == len(late.table) == 8_147
    states = ("one_way", "mutual", "flipped", "gone", "unknown")
    assert [count[state] for state in states] == [7_260, 174, 26, 270, 417]
    answered = late.table[late.table["outcome"] == 1]
    assert (len(answered), answered["decider_id"].nunique()) == (200, 75)
    standing = late.table["state"].isin(["one_way", "mutual"])
    assert (standing.sum(), late.table["outcome"][standing].sum()) == (7_434, 174)


def test_deciders_who_never_signed_again_never_answered(nostr: Dataset, late: DyadSet) -> None:
    accounts = nostr.accounts.set_index("account_id")
    is_same = accounts["list_signed_wave1_at"] == accounts["list_signed_wave2_at"]
    silent = late.table[late.table["decider_id"].map(is_same).to_numpy(dtype=bool)]
    assert silent["decider_id"].nunique() == 62
    assert (len(silent), silent["outcome"].sum()) == (1_715, 0)


def test_the_sensitivity_run_by_length_of_list_at_the_baseline(
    nostr: Dataset, late: DyadSet
) -> None:
    counted = nostr.account_counts
    early = counted[counted["counts_at"] == late.crawl_at].set_index("account_id")
    short = late.table["decider_id"].map(early["followee_count"]) <= 700
    chosen = select_dyads(late, short, "deciders with at most 700 followees at the first crawl")
    assert (len(chosen.table), chosen.table["outcome"].sum()) == (7_275, 178)


def test_the_horizon_is_the_gap_of_ten_months(nostr: Dataset, late: DyadSet) -> None:
    assert late.horizon_days == pytest.approx(300.2, abs=0.05)
    with pytest.raises(InputError, match=r"300\.2 days"):
        make_dyads(nostr, "late_answer", horizon_days=90)


def test_an_answer_needs_a_list_signed_after_the_first_crawl(nostr: Dataset, late: DyadSet) -> None:
    signed = nostr.accounts.set_index("account_id")["list_signed_wave2_at"]
    yes = late.table[late.table["outcome"] == 1]
    assert (yes["decider_id"].map(pd.to_datetime(signed, utc=True)) > late.crawl_at).all()


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_nostr", DATA / "build_nostr.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ties_to_accounts_without_a_list_and_to_oneself_are_left_out(builder: ModuleType) -> None:
    wave = [("k1", ["k2", "unread", "k1"], 10), ("k2", ["unread", "k1"], 20)]
    edges = builder.make_edges(wave, {"k1": 1, "k2": 2})
    assert edges.to_numpy().tolist() == [[1, 2, 0], [2, 1, 1]]  # places in the whole list are kept
    assert np.issubdtype(edges["list_position"].dtype, np.integer)


def test_a_crawl_is_silent_about_accounts_it_did_not_read(builder: ModuleType) -> None:
    number = {"a": 1, "b": 2, "c": 3, "d": 4}
    waves = [
        [("a", ["b", "c", "d"], 10), ("b", ["a"], 10), ("d", [], 10)],
        [("a", ["b", "c"], 20), ("b", [], 20), ("c", [], 20)],
    ]
    edges = [builder.make_edges(wave, number) for wave in waves]
    lists = [builder.make_lists(wave, number, float("inf")) for wave in waves]
    ties = builder.make_follows(edges, lists).set_index(["follower_id", "followee_id"])
    assert ties["followed_after_at"].isna().all()  # a → c stood at the first crawl, unread there
    gone = ties["unfollowed_before_at"].notna()
    assert list(gone[gone].index) == [(2, 1)]  # of a → d the second crawl says nothing
