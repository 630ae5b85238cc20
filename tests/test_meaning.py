"""What an answer means: counted by hand, in closed form, and planted in simulated follows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from followkit import covariance as cov
from followkit.dyads import DyadSet, make_dyads
from followkit.errors import InputError, ParameterError
from followkit.features import FeatureTable
from followkit.landmark_estimates import fit_line
from followkit.landmarks import covers_acts, make_landmarks, measure_habits
from followkit.meaning import judge_attention, judge_meaning
from followkit.tables import Dataset, make_dataset

START = pd.Timestamp("2025-01-01", tz="UTC")
PLANTED = {"0a": 1.0, "0b": 0.5, "0c": 0.3, "4e": 0.8 * np.log(2)}
NONE = pd.DataFrame(columns=["feature", "claim", "reason"])


def on_day(days) -> pd.Series:
    """Return moments so many days after the start; a missing day is a missing moment."""
    return START + pd.to_timedelta(pd.Series(days, dtype="float64").round(9), unit="D").dt.round(
        "s"
    )


def make_follows(rows) -> pd.DataFrame:
    """Return follows from (follower, followee, day, day withdrawn or None)."""
    follower, followee, since, until = zip(*rows, strict=True)
    return pd.DataFrame({"follower_id": follower, "followee_id": followee,
                         "followed_at": on_day(since), "unfollowed_at": on_day(until)})  # fmt: skip


def make_acts(rows) -> pd.DataFrame:
    """Return likes from (actor, target, day)."""
    actor, target, days = zip(*rows, strict=True)
    return pd.DataFrame(
        {"actor_id": actor, "target_id": target, "kind": "like", "at": on_day(days)}
    )


def watch(accounts, table: str, first: float, last: float | dict, **flags) -> pd.DataFrame:
    """Return the observation of one table; `last` by account where it is a dictionary."""
    ends = [last.get(who, last[None]) if isinstance(last, dict) else last for who in accounts]
    return pd.DataFrame({"account_id": list(accounts), "table_name": table, **flags,
                         "observed_from_at": on_day([first] * len(ends)).to_numpy(),
                         "observed_until_at": on_day(ends).to_numpy()})  # fmt: skip


def give_topics(dyads: DyadSet, cosines) -> FeatureTable:
    """Return a feature table that holds topic similarity only."""
    values = pd.DataFrame({"dyad_topic_cosine": cosines}, index=dyads.table["dyad_id"])
    return FeatureTable(values, NONE)


def judge(dataset: Dataset, cosines=None, **options) -> pd.DataFrame:
    """Return the rows by claim, with dyads of 30 days."""
    dyads = make_dyads(dataset, "follow_back")
    features = None if cosines is None else give_topics(dyads, cosines)
    return judge_meaning(dataset, dyads, features, **options).set_index("claim")


# -- counted by hand ---------------------------------------------------------------------------

#: All of day 10, so the landmark is day 17, withdrawals count to day 73 and acts to day 45.
EIGHT = [
    ("a1", "b1", 10, None), ("b1", "a1", 12, None),  # b1 is watched too briefly for 0c
    ("a2", "b2", 10, 40), ("b2", "a2", 17, None),  # answered on the landmark itself
    ("a3", "b3", 10, 73), ("b3", "a3", 18, None),  # answered after it; withdrawn on the last day
    ("a4", "b4", 10, 74),  # withdrawn after the window
    ("a5", "b5", 10, 17),  # gone at the landmark
    ("a6", "b6", 10, 30),
    ("a7", "b7", 10, None),  # a7 is watched too briefly for 0a
    ("a8", "b8", 10, None), ("b8", "a8", 11, 20),  # answered, and the answer withdrawn
]  # fmt: skip
EIGHT_ACTS = [
    ("a1", "b1", -18), ("a1", "b1", 10), ("a1", "b1", 17),  # the first 28 days before: counts
    ("a1", "b1", 17.5), ("b1", "a1", 45), ("a1", "b1", 45.5),  # the first two come after
    ("b6", "a6", 0), ("b6", "a6", 9), ("b6", "a7", 20),
]  # fmt: skip
EIGHT_IDS = [f"{side}{k}" for side in "ab" for k in range(1, 9)]


def make_eight(**changes: pd.DataFrame) -> Dataset:
    ends = {"b1": 67, "a7": 72, None: 200}
    seen = [
        watch(EIGHT_IDS, "follows", 0, ends, sees_unfollows=True),
        watch(EIGHT_IDS, "interactions", -18, 200),
    ]
    tables = {"follows": make_follows(EIGHT), "interactions": make_acts(EIGHT_ACTS),
              "observation": pd.concat(seen, ignore_index=True)}  # fmt: skip
    return make_dataset(tables | changes)


def test_eight_dyads_at_the_landmark() -> None:
    data = make_eight()
    rows = make_landmarks(data, make_dyads(data, "follow_back")).set_index("initiator_id")
    assert rows.index[rows["is_answered"]].tolist() == ["a1", "a2", "a8"]
    assert rows.index[~rows["is_standing"]].tolist() == ["a5"]
    assert rows["outcome"].tolist() == [1, 1, 1, 0, 0, 0, 0, 1]
    assert rows.index[rows["answer_withdrawn_at"].notna()].tolist() == ["a8"]
    assert rows["initiator_until_at"]["a7"] == START + pd.Timedelta(days=72)


@pytest.fixture(scope="module")
def eight_rows() -> pd.DataFrame:
    return judge(make_eight(), [0.5] * 8)


def test_eight_dyads_by_claim(eight_rows: pd.DataFrame) -> None:
    found = eight_rows
    shown = ["n", "n_answered", "n_unanswered", "rate_answered", "rate_unanswered"]
    # 0a: a1, a2, a8 against a3, a4, a6; a2 and a3, a6 are withdrawn within 56 days.
    assert found.loc["0a", shown].tolist() == [6, 3, 3, 1 / 3, 2 / 3]
    # 0b: a1 has two acts after and one before; a6 has two before; in 4 weeks.
    assert found.loc["0b", shown].tolist() == pytest.approx([7, 3, 4, 1 / 12, -2 / 16])
    # 0c: the answers of b2, b3 and b8, of which the last was withdrawn.
    assert found.loc["0c", shown[:4]].tolist() == [3, 3, 0, 2 / 3]
    # 4e: a3, a4, a6 and a7 were unanswered; b3 answered later.
    assert found.loc["4e", ["n", "n_unanswered", "rate_unanswered"]].tolist() == [4, 4, 1 / 4]
    assert found["estimate"].isna().all()
    assert found["reason"].str.contains("at least 20").all()


def test_attention_counts_one_way_only() -> None:
    """Of a1's acts 17.5 comes after, −18 before; b6's acts are no acts of a6."""
    data = make_eight()
    found = judge_attention(data, make_dyads(data, "follow_back"))
    assert (found.n, found.rate_answered, found.rate_unanswered) == (7, 0.0, 0.0)


def test_a_deleted_decider_ends_the_watch() -> None:
    accounts = pd.DataFrame(
        {"account_id": ["b6", "b2"], "deleted_at": ["2025-01-15", "2025-02-10"]}
    )
    found = judge(make_eight(accounts=accounts), [0.5] * 8)
    # Day 14 is before the landmark: a6 cannot go on; day 40 is before 17 + 56: b2 is not watched.
    assert found["n"].tolist() == [5, 6, 2, 3]


# -- closed forms ------------------------------------------------------------------------------


def make_square(counts: dict[tuple[bool, bool], int]) -> Dataset:
    """Return pairs of two accounts each, all opened on day 40, in the cells of four tables.

    A cell is (answered early, withdrawn). Answers stand unless the pair's number is divisible by
    three; every second unanswered pair sees an act on day 42, and of those with an act two in
    three are answered late, of the others one in three. Every answered pair meets again on day 50.
    """
    follows, acts, number = [], [], 0
    for (early, withdrawn), count in counts.items():
        for place in range(count):
            a, b, number = f"a{number:03d}", f"b{number:03d}", number + 1
            follows.append((a, b, 40, 80 if withdrawn else None))
            is_near = not early and place % 2 == 0
            late = not early and place // 2 % 3 < (2 if is_near else 1)
            if is_near:
                acts.append((a, b, 42))
            if early or late:
                follows.append((b, a, 42 if early else 50, None if number % 3 else 60))
            if early:
                acts.append((b, a, 50 + place % 20))
    ids = [f"{side}{k:03d}" for side in "ab" for k in range(number)]
    seen = [
        watch(ids, "follows", 0, 200, sees_unfollows=True),
        watch(ids, "interactions", 0, 200),
    ]
    return make_dataset({"follows": make_follows(follows), "interactions": make_acts(acts),
                         "observation": pd.concat(seen, ignore_index=True)})  # fmt: skip


SQUARE = {(True, True): 30, (True, False): 90, (False, True): 60, (False, False): 60}


def log_odds_ratio(yes: np.ndarray, flag: np.ndarray) -> tuple[float, float]:
    """Return the log odds ratio of a fourfold table and its error (Woolf 1955)."""
    cells = [float((flag & yes).sum()), float((~flag & ~yes).sum()),
             float((flag & ~yes).sum()), float((~flag & yes).sum())]  # fmt: skip
    ratio = np.log(cells[0] * cells[1] / cells[2] / cells[3])
    return ratio, np.sqrt((1 / np.array(cells)).sum())


def test_fourfold_tables_in_closed_form() -> None:
    """With equal histories the model is a fourfold table: estimates are ad/bc, errors Woolf's."""
    data = make_square(SQUARE)
    dyads = make_dyads(data, "follow_back")
    number = np.arange(240)
    cosine = np.where(number % 5 < 2, 0.7, 0.2)
    found = judge(data, cosine)
    assert found["reason"].tolist() == [""] * 4
    assert found["adjusted_for"].tolist() == ["", "", "", "dyad_topic_cosine"]
    # 60 of 120 unanswered against 30 of 120 answered: (60 · 90) / (60 · 30) = 3.
    assert found.loc["0a", "odds_ratio"] == pytest.approx(3, rel=1e-9)
    assert found.loc["0a", "std_error"] == pytest.approx(
        np.sqrt(2 / 60 + 1 / 90 + 1 / 30), rel=0.03
    )
    # One act in four weeks more than the unanswered, each of whom has none after the landmark.
    assert found.loc["0b", "estimate"] == pytest.approx(1 / 4, rel=1e-9)
    answered = dyads.table["outcome"].to_numpy() == 1
    stands = (number + 1) % 3 > 0
    ratio, error = log_odds_ratio(stands[answered], (cosine > 0.5)[answered])
    assert found.loc["0c", "estimate"] == pytest.approx(ratio / 5, rel=1e-9)
    assert found.loc["0c", "std_error"] == pytest.approx(error / 5, rel=0.03)


def test_acts_since_the_follow_in_closed_form() -> None:
    """One act or none: a doubling of 1 + acts is the difference between them."""
    data = make_square(SQUARE)
    dyads = make_dyads(data, "follow_back")
    row = judge_meaning(data, dyads).set_index("claim").loc["4e"]
    late = dyads.table["outcome"].to_numpy()[120:] == 1
    near = np.tile([True, False], 60)
    ratio, error = log_odds_ratio(late, near)
    assert ratio == pytest.approx(np.log(4), rel=1e-9)
    assert row["estimate"] == pytest.approx(ratio, rel=1e-9)
    assert row["std_error"] == pytest.approx(error, rel=0.03)
    # Acts after the landmark (day 47) of those who had none before it change nothing.
    later = make_acts((f"a{k:03d}", f"b{k:03d}", 48) for k in range(121, 240, 2))
    acts = pd.concat([data.interactions, later], ignore_index=True)
    again = judge_meaning(data.replace(interactions=acts), dyads).set_index("claim").loc["4e"]
    assert again["estimate"] == row["estimate"]


def test_line_equals_hc3_without_shared_accounts() -> None:
    """Each account alone: dyadic CR3 is HC3 times 1 − 1/n (MacKinnon & White 1985)."""
    rng = np.random.default_rng(3)
    values = np.column_stack([rng.random(60) < 0.4, rng.normal(size=60)]).astype(float)
    y = rng.normal(size=60) * (1 + values[:, 0]) + values @ [0.5, -1.0]
    accounts = cov.code_accounts([f"a{k}" for k in range(60)], [f"b{k}" for k in range(60)])
    oracle = sm.OLS(y, sm.add_constant(values)).fit(cov_type="HC3")
    estimate, error = fit_line(values, y, accounts)
    assert estimate == pytest.approx(oracle.params[1], rel=1e-10)
    assert error == pytest.approx(oracle.bse[1] * np.sqrt(1 - 1 / 60), rel=1e-10)


def test_line_covers_the_truth_where_dyads_share_accounts() -> None:
    """Sender and receiver effects in y and x; 95 % intervals miss in at most 1 of 10 worlds."""
    rng = np.random.default_rng(5)
    missed = plain = 0
    for _ in range(200):
        one, two = rng.integers(0, 40, (2, 300))
        one, two = one[one != two], two[one != two]
        moods, leanings = rng.normal(size=(2, 40)), rng.normal(size=(2, 40))
        flag = (leanings[0, one] + leanings[1, two] + rng.normal(size=len(one)) > 0).astype(float)
        y = moods[0, one] + moods[1, two] + rng.normal(size=len(one))
        accounts = cov.code_accounts(one, two)
        estimate, error = fit_line(flag[:, None], y, accounts)
        missed += abs(estimate) > 2.03 * error
        plain += abs(estimate) > 1.97 * sm.OLS(y, sm.add_constant(flag)).fit().bse[1]
    assert missed <= 20
    assert plain > 2 * missed


# -- planted -----------------------------------------------------------------------------------


def draw_world(seed: int, *, planted: float = 1.0, accounts: int = 150, count: int = 4000):
    """Return tables and topic cosines of follows with planted meaning, times `planted`.

    Each dyad has its own pace of contact, of which the acts before the follow are a sample, and
    early answers depend on that sample. Withdrawals also depend on a mood of the initiator.
    """
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(accounts * accounts)
    a, b = pairs // accounts, pairs % accounts
    a, b = a[a < b][:count], b[a < b][:count]
    turned = rng.random(count) < 0.5
    a, b = np.where(turned, b, a), np.where(turned, a, b)
    t, cosine = rng.uniform(30, 90, count), rng.uniform(0, 1, count)
    pace = rng.gamma(0.5, 2.0, count)
    before, since = rng.poisson(pace), rng.poisson(1.0, count)
    early = rng.random(count) < expit(-1.2 + 0.8 * np.log1p(before))
    late = ~early & (rng.random(count) < expit(-1.5 + 0.8 * planted * np.log1p(since)))
    mood = rng.normal(0, 0.3, accounts)[a]
    leaves = rng.random(count) < expit(-1.5 + planted * ~early + mood)
    stays = rng.random(count) < expit(-0.5 + 3 * planted * cosine)
    after = rng.poisson(pace) + rng.poisson(2 * planted * early)
    answer = t + np.where(early, rng.uniform(1, 6, count), rng.uniform(8, 29, count))
    left = np.where(leaves, t + 7 + rng.uniform(1, 55, count), np.nan)
    # Withdrawn first would not be answered, so late answers come before the withdrawal.
    left = np.where(late & leaves, t + 31 + rng.uniform(1, 31, count), left)
    dropped = np.where(stays, np.nan, answer + rng.uniform(1, 55, count))
    back = early | late
    follows = make_follows(
        [*zip(a, b, t, left, strict=True),
         *zip(b[back], a[back], answer[back], dropped[back], strict=True)]
    )  # fmt: skip
    parts = [
        scatter(rng, a, b, before, t - 27, t - 1),
        scatter(rng, a, b, since, t + 1, t + 6),
        scatter(rng, b, a, after, t + 8, t + 34),
    ]
    seen = [
        watch(range(accounts), "follows", 0, 400, sees_unfollows=True),
        watch(range(accounts), "interactions", 0, 400),
    ]
    tables = {"follows": follows, "interactions": pd.concat(parts, ignore_index=True),
              "observation": pd.concat(seen, ignore_index=True)}  # fmt: skip
    topics = pd.Series(cosine, index=pd.MultiIndex.from_arrays([a, b]))
    return tables, topics


def scatter(rng, actor, target, amount, first, last) -> pd.DataFrame:
    """Return so many likes of each pair between two days."""
    row = np.repeat(np.arange(len(actor)), amount)
    days = first[row] + rng.random(len(row)) * (last - first)[row]
    return make_acts(zip(actor[row], target[row], days, strict=True))


def expit(x):
    return 1 / (1 + np.exp(-x))


def judge_world(tables, topics, *, keep_names: bool = True) -> pd.DataFrame:
    data = make_dataset(tables)
    dyads = make_dyads(data, "follow_back")
    pairs = pd.MultiIndex.from_frame(dyads.table[["initiator_id", "decider_id"]])
    features = give_topics(dyads, topics.reindex(pairs).to_numpy())
    return judge_meaning(data, dyads, features).set_index("claim")


@pytest.fixture(scope="module")
def planted_world():
    return draw_world(1)


@pytest.fixture(scope="module")
def planted_rows(planted_world) -> pd.DataFrame:
    return judge_world(*planted_world)


def test_planted_associations_are_recovered(planted_rows: pd.DataFrame) -> None:
    for claim, truth in PLANTED.items():
        row = planted_rows.loc[claim]
        assert abs(row["estimate"] - truth) < 2.5 * row["std_error"], claim
        assert row["p_value"] < 0.001, claim
        assert row["estimate"] > 4 * row["std_error"], claim
    odds = planted_rows[planted_rows["scale"] == "odds ratio"]
    assert np.allclose(np.log(odds["odds_ratio"]), odds["estimate"])
    assert ((odds["ci_low"] > 1) & (odds["ci_low"] < odds["odds_ratio"])).all()
    assert planted_rows.loc["0a", "adjusted_for"].startswith("initiator_withdrawn_share")
    assert planted_rows.loc["4e", "adjusted_for"] == "acts_before_log, dyad_topic_cosine"


def test_without_planting_nothing_is_found() -> None:
    """Contact before t draws answers and then dies down: raw changes differ, adjusted do not."""
    rows = judge_world(*draw_world(2, planted=0.0))
    assert (rows["estimate"].abs() < 2.8 * rows["std_error"]).all()
    raw = rows.loc["0b", "rate_answered"] - rows.loc["0b", "rate_unanswered"]
    assert raw < -4 * rows.loc["0b", "std_error"]


def test_attention_finds_that_unanswered_initiators_turn_away() -> None:
    tables, _ = draw_world(3)
    acts = tables["interactions"]
    # The later acts go from decider to initiator; seen from the other side they are A's.
    follows = tables["follows"].sort_values("followed_at")
    pairs = follows.drop_duplicates(["follower_id", "followee_id"])
    first = pairs.merge(
        pairs, left_on=["follower_id", "followee_id"], right_on=["followee_id", "follower_id"],
        how="left", suffixes=("", "_back"),
    )  # fmt: skip
    opened = first[~(first["followed_at_back"] < first["followed_at"])]
    is_back = pd.MultiIndex.from_frame(acts[["target_id", "actor_id"]]).isin(
        pd.MultiIndex.from_frame(opened[["follower_id", "followee_id"]])
    )
    turned = acts.assign(
        actor_id=acts["target_id"].where(is_back, acts["actor_id"]),
        target_id=acts["actor_id"].where(is_back, acts["target_id"]),
    )
    data = make_dataset(tables | {"interactions": turned})
    found = judge_attention(data, make_dyads(data, "follow_back"))
    assert found.sign == -1
    assert abs(found.estimate + PLANTED["0b"]) < 2.5 * found.std_error
    assert found.p_value < 0.001


# -- invariants --------------------------------------------------------------------------------


def test_row_order_does_not_matter(planted_world, planted_rows: pd.DataFrame) -> None:
    tables, topics = planted_world
    shuffled = {name: frame.sample(frac=1, random_state=1) for name, frame in tables.items()}
    pd.testing.assert_frame_equal(judge_world(shuffled, topics), planted_rows, rtol=0, atol=0)


def test_names_do_not_matter(planted_world, planted_rows: pd.DataFrame) -> None:
    tables, topics = planted_world
    order = np.random.default_rng(9).permutation(150)
    names = {who: f"n{order[who]:03d}" for who in range(150)}
    columns = ["follower_id", "followee_id", "actor_id", "target_id", "account_id"]
    renamed = {
        name: frame.assign(**{c: frame[c].map(names) for c in columns if c in frame})
        for name, frame in tables.items()
    }
    topics = topics.set_axis(topics.index.map(lambda pair: (names[pair[0]], names[pair[1]])))
    pd.testing.assert_frame_equal(judge_world(renamed, topics), planted_rows, rtol=1e-8)


def test_nothing_after_the_windows_matters(planted_world, planted_rows: pd.DataFrame) -> None:
    """By day 90 + 30 + 56 every window is closed; later answers, withdrawals, acts are unseen."""
    tables, topics = planted_world
    rng = np.random.default_rng(4)
    follows, acts = tables["follows"], tables["interactions"]
    late = on_day(rng.uniform(180, 390, len(follows))).set_axis(follows.index)
    ended = follows["unfollowed_at"].mask(
        follows["unfollowed_at"].isna() & (late.dt.day < 15), late
    )
    keys = pd.MultiIndex.from_frame(follows[["followee_id", "follower_id"]])
    single = follows[~keys.isin(pd.MultiIndex.from_frame(follows[["follower_id", "followee_id"]]))]
    answers = pd.DataFrame(
        {"follower_id": single["followee_id"], "followee_id": single["follower_id"],
         "followed_at": late[single.index],
         "unfollowed_at": on_day([395] * len(single)).set_axis(single.index)}
    )  # fmt: skip
    more = acts.assign(at=on_day(rng.uniform(180, 390, len(acts))))
    changed = {
        **tables,
        "follows": pd.concat([follows.assign(unfollowed_at=ended), answers], ignore_index=True),
        "interactions": pd.concat([acts, more], ignore_index=True),
    }
    pd.testing.assert_frame_equal(judge_world(changed, topics), planted_rows, rtol=0, atol=0)


def test_answers_after_the_landmark_do_not_change_the_groups(eight_rows: pd.DataFrame) -> None:
    """Without b3's answer, on the day after the landmark, 0a and 0b stay what they were."""
    early = [row for row in EIGHT if row[:2] != ("b3", "a3")]
    shown = ["n_answered", "n_unanswered", "rate_answered", "rate_unanswered"]
    without = judge(make_eight(follows=make_follows(early)))
    assert eight_rows.loc[["0a", "0b"], shown].equals(without.loc[["0a", "0b"], shown])
    assert without.loc["4e", "rate_unanswered"] == 0


# -- what cannot be measured -------------------------------------------------------------------


def test_unseen_withdrawals_are_not_measurable() -> None:
    tables = {name: make_eight().table(name) for name in ("follows", "interactions", "observation")}
    seen = tables["observation"].assign(sees_unfollows=False)
    found = judge(make_dataset(tables | {"observation": seen}), [0.5] * 8)
    assert found["reason"]["0a"] == "withdrawn follows are not seen in these data"
    assert found["reason"]["0c"] == "withdrawn follows are not seen in these data"
    assert found["n"]["0b"] == 7
    ends = tables["follows"].drop(columns="unfollowed_at")
    found = judge(make_dataset(tables | {"follows": ends}), [0.5] * 8)
    assert found["reason"]["0a"] == "needs follows with unfollowed_at"


def test_missing_tables_give_reasons() -> None:
    data = make_eight()
    bare = judge(data.replace(interactions=None))["reason"]
    assert bare["0b"] == bare["4e"] == "needs interactions with at"
    late = judge(data, landmark_days=30.0)["reason"]
    assert late["0c"] == "needs the feature dyad_topic_cosine"
    assert late["4e"] == "needs a landmark before the horizon"
    dyads = make_dyads(data, "follow_back")
    lacking = NONE.assign(feature=["dyad_topic_cosine"], reason="needs posts with text")
    features = FeatureTable(pd.DataFrame(index=dyads.table["dyad_id"]), lacking)
    assert judge_meaning(data, dyads, features)["reason"][2] == "needs posts with text"
    untimed = dataclasses.replace(give_topics(dyads, 0.5), untimed=("dyad_topic_cosine",))
    assert "post-date" in judge_meaning(data, dyads, untimed)["reason"][2]


def test_follows_without_times_give_reasons() -> None:
    data = make_eight()
    rows = judge_meaning(data, make_dyads(data, "mutuality"))
    assert rows["reason"].tolist() == ["needs follow times"] * 4
    assert rows["claim"].tolist() == ["0a", "0b", "0c", "4e"]


def test_too_few_accounts_give_no_estimate() -> None:
    tables, topics = draw_world(6, accounts=15, count=105)
    rows = judge_world(tables, topics)
    assert (rows["estimate"].isna() == (rows["reason"] != "")).all()
    assert rows["reason"]["0a"].endswith("effective accounts: at least 20 are needed")
    assert rows["n"]["0a"] == 105


def test_separated_groups_give_no_estimate() -> None:
    found = judge(make_square({(True, False): 90, (False, True): 60}), [0.5] * 150)
    assert found["reason"]["0a"].startswith("one feature alone (nearly) decides the outcome")
    assert found["reason"]["0c"] == "too few dyads differ in what is compared"
    assert found["rate_unanswered"]["0a"] == 1


def test_rare_groups_give_no_estimate() -> None:
    found = judge(make_square({(True, False): 15, (False, True): 60, (False, False): 60}))
    assert found["reason"]["0a"] == "too few dyads differ in what is compared"
    assert found["reason"]["0b"].startswith("15 answered and 120 unanswered follows")


def test_contact_that_hardly_changes_gives_no_estimate() -> None:
    data = make_square(SQUARE)
    few = data.interactions.sort_values(["at", "actor_id"]).groupby("actor_id").head(1)
    few = few[few["at"] < START + pd.Timedelta(days=51)]
    found = judge(data.replace(interactions=few))
    assert found["reason"]["0b"] == "contact changed in 7 dyads: at least 20 are needed"


def test_equal_stamps_are_left_out() -> None:
    twins = make_follows([*EIGHT, ("x", "y", 10, None), ("y", "x", 10, None)])
    ids = [*EIGHT_IDS, "x", "y"]
    seen = watch(ids, "follows", 0, 200, sees_unfollows=True)
    data = make_eight(follows=twins, observation=seen)
    dyads = make_dyads(data, "follow_back", keep_equal_stamps=True)
    assert len(dyads.table) == 10
    assert len(make_landmarks(data, dyads)) == 8


def test_bad_arguments_are_refused() -> None:
    data = make_eight()
    dyads = make_dyads(data, "follow_back")
    with pytest.raises(ParameterError, match="watched for the horizon of 30 days"):
        judge_meaning(data, dyads, landmark_days=31)
    with pytest.raises(ParameterError, match="landmark_days: a positive number"):
        judge_attention(data, dyads, landmark_days=0)
    with pytest.raises(ParameterError, match="window_days: a positive number"):
        judge_meaning(data, dyads, window_days=float("nan"))
    with pytest.raises(ParameterError, match="confidence: must lie between 0 and 1"):
        judge_meaning(data, dyads, confidence=95)
    few = FeatureTable(pd.DataFrame({"dyad_topic_cosine": [0.5]}), NONE)
    with pytest.raises(InputError, match="features: they must be those of the dyads"):
        judge_meaning(data, dyads, few)
    with pytest.raises(InputError, match="landmarks need timed follows; got mutuality"):
        make_landmarks(data, make_dyads(data, "mutuality"))
    other = make_eight(follows=make_follows(EIGHT[2:]))
    with pytest.raises(InputError, match="dyads: 1 of them are not in the dataset"):
        judge_meaning(other, dyads)


# -- the parts ---------------------------------------------------------------------------------


def test_habits_by_brute_force() -> None:
    tables, _ = draw_world(7, accounts=20, count=150)
    data = make_dataset(tables)
    rows = make_landmarks(data, make_dyads(data, "follow_back"))
    follows = data.follows
    for side in ("initiator", "decider"):
        found = measure_habits(rows, side, data)
        for row in rows.sample(25, random_state=1).itertuples():
            made = follows[follows["followed_at"] < row.at]
            gone = made[made["unfollowed_at"] < row.at]
            pooled = (len(gone) + 1) / (len(made) + 2)
            own = made["follower_id"] == getattr(row, f"{side}_id")
            left = int((gone["follower_id"] == getattr(row, f"{side}_id")).sum())
            share = (left + 10 * pooled) / (own.sum() + 10)
            expected = [share, np.log1p(own.sum() - left)]
            assert found.loc[row.Index].tolist() == pytest.approx(expected, rel=1e-12)


def test_watched_acts() -> None:
    """Spans that touch are one; a crawl reaches back to the first act; cut-off lists are none."""
    ids = ["joined", "crawled", "gap", "cut", "open"]
    spans = [
        watch(["joined", "gap"], "interactions", 0, {"gap": 4, None: 5}),
        watch(["joined", "gap"], "interactions", 5, 20),
        watch(["crawled"], "interactions", 20, 20),
        watch(["cut"], "interactions", 0, 20, list_is_complete=False),
        watch(["open"], "interactions", 0, {None: None}),
        watch(ids, "follows", 0, 20),
    ]
    data = make_dataset(
        {"follows": make_follows([("joined", "crawled", 3, None)]),
         "interactions": make_acts([("crawled", "joined", 2)]),
         "observation": pd.concat(spans, ignore_index=True)}
    )  # fmt: skip
    rows = pd.DataFrame({"initiator_id": ids})

    def covers(first: float, last: float) -> list[str]:
        limits = on_day([first] * 5), on_day([last] * 5)
        flags = covers_acts(rows, "initiator", *limits, data)
        return rows.loc[flags, "initiator_id"].tolist()

    assert covers(3, 8) == ["joined", "crawled", "open"]
    assert covers(1, 8) == ["joined", "open"]
    assert covers(6, 20) == ["joined", "crawled", "gap", "open"]
    assert covers(6, 21) == []
