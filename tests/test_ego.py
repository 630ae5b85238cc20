"""Who follows the ego back: states, order, waits and rates, with answers counted by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ego_worlds import EXPORTED, act, follow, make_about, make_export, simulate_ego
from hypothesis import given, settings
from hypothesis import strategies as st

from followkit.covariance import wilson_interval
from followkit.ego import ALTER_COLUMNS, STATE_LABELS, study_ego
from followkit.errors import FollowkitError, InputError, ParameterError
from followkit.snapshots import join_snapshots
from followkit.still_waiting import chance_after
from followkit.tables import Dataset, make_dataset

#: One alter for each thing that can be; the export is of 2024-07-01 12:00.
BY_HAND = [
    follow("me", "ana", "2024-01-01"), follow("ana", "me", "2024-01-03"),  # answered after 2 days
    follow("me", "bo", "2024-01-05"),  # not answered
    follow("me", "cy", "2024-06-21T12:00:00Z"),  # too young by 20 days, not answered
    follow("me", "dee", "2024-06-20"), follow("dee", "me", "2024-06-21"),  # too young, answered
    follow("eve", "me", "2024-02-01"),  # fan
    follow("flo", "me", "2024-02-01"), follow("me", "flo", "2024-02-05"),  # the ego answered
    follow("me", "gus", None, status="pending", requested_at="2024-01-10"),
    follow("hal", "me", None, status="pending", requested_at="2024-03-10"),
    follow("me", "ida", None, unfollowed_at="2024-06-01"),  # withdrawn; when it began is not told
    follow("me", "__deleted__1", "2024-01-02"),  # gone
    follow("me", "jo", "2024-01-20"), follow("jo", "me", "2024-04-20"),  # answered after 91 days
    follow("me", "kim", "2024-02-10T10:00:00Z"), follow("kim", "me", "2024-02-10T10:00:02Z"),
    follow("me", "lou", "2024-03-01"), follow("lou", "me", "2024-03-01"),  # the same moment
    follow("me", "max", None), follow("max", "me", "2024-03-02"),  # order unknown
    follow("me", "ned", None),  # when is unknown
]  # fmt: skip
ACCOUNTS = [
    {"account_id": "__deleted__1", "state": "deleted", "is_close_friend": "false"},
    {"account_id": "ana", "state": "ok", "is_close_friend": "true"},
]


def study_by_hand(**more: float):
    return study_ego(make_export(BY_HAND, accounts=ACCOUNTS), **more)


def test_states_by_hand() -> None:
    study = study_by_hand()
    state = study.alters.set_index("alter_id")["state"].to_dict()
    assert state == {
        "ana": "mutual", "bo": "not_following_back", "cy": "not_following_back", "dee": "mutual",
        "eve": "fan", "flo": "mutual", "gus": "pending", "hal": "received_request",
        "ida": "unfollowed_by_me", "__deleted__1": "deleted", "jo": "mutual", "kim": "mutual",
        "lou": "mutual", "max": "mutual", "ned": "not_following_back",
    }  # fmt: skip
    counts = study.states.set_index("state")["count"]
    assert counts.to_dict() == {
        "mutual": 7, "not_following_back": 3, "fan": 1, "pending": 1, "received_request": 1,
        "unfollowed_by_me": 1, "former_fan": 0, "deleted": 1, "unknown": 0,
    }  # fmt: skip
    assert list(counts.index) == list(STATE_LABELS)
    assert list(study.alters.columns) == ALTER_COLUMNS
    assert study.alters["alter_id"].is_monotonic_increasing


def test_order_and_waits_by_hand() -> None:
    alters = study_by_hand().alters.set_index("alter_id")
    first = alters["who_first"].to_dict()
    assert first == {
        "ana": "ego", "bo": "ego", "cy": "ego", "dee": "ego", "eve": "alter", "flo": "alter",
        "gus": "ego", "hal": "unknown", "ida": "ego", "__deleted__1": "ego", "jo": "ego",
        "kim": "ego", "lou": "same_time", "max": "unknown", "ned": "ego",
    }  # fmt: skip
    answered = alters["answer_days"].dropna()
    assert answered.round(6).to_dict() == {
        "ana": 2.0, "dee": 1.0, "flo": 4.0, "jo": 91.0, "kim": round(2 / 86_400, 6), "lou": 0.0,
    }  # fmt: skip
    waiting = alters["waiting_days"].dropna()
    assert waiting.to_dict() == {"bo": 178.5, "cy": 10.0}
    assert alters.index[alters["is_automatic"]].tolist() == ["kim", "lou"]
    assert alters.index[alters["is_close_friend"]].tolist() == ["ana"]
    assert alters.loc["flo", "followed_at"] == pd.Timestamp("2024-02-01T00:00:00Z")
    # By time: ana, __deleted__1, bo, jo, flo, kim, lou, dee, cy.
    places = alters["position"].dropna().astype(int).sort_values()
    assert places.index.tolist() == ["ana", "__deleted__1", "bo", "jo", "flo", "kim", "lou",
                                     "dee", "cy"]  # fmt: skip
    assert places.tolist() == list(range(1, 10))


def test_rate_by_hand() -> None:
    """In the rate: ana, bo, jo, kim, lou. Within 30 days: ana, kim, lou; jo came after 91."""
    study = study_by_hand()
    rate = study.rate
    assert rate is not None
    assert (rate.n, rate.answered, rate.answered_now) == (5, 3, 4)
    assert (rate.same_time_count, rate.automatic_count, rate.too_young_count) == (1, 2, 2)
    assert (rate.ci_low, rate.ci_high) == wilson_interval(3, 5, 0.95)
    assert (rate.now_low, rate.now_high) == wilson_interval(4, 5, 0.95)
    census = rate.census["count"].tolist()
    assert census[0] == 15
    assert census[0] - sum(census[1:-1]) == census[-1] == 5
    by_step = rate.census.set_index("step")["count"]
    assert by_step["deleted"] == 1
    assert by_step["requests"] == 2
    assert by_step["they followed first"] == 2
    assert by_step["who came first is unknown"] == 1
    assert by_step["without a time"] == 2  # ida and ned
    wider = study_by_hand(horizon_days=100.0).rate
    assert wider is not None
    # jo is in time now, and nobody else is younger than 100 days that was not.
    assert (wider.n, wider.answered) == (5, 4)


def test_young_follows_do_not_enter_whatever_their_outcome() -> None:
    ties = [follow("me", "old", "2024-01-01"), follow("old", "me", "2024-01-02")]
    ties += [follow("me", f"y{k}", "2024-06-15") for k in range(6)]
    ties += [follow(f"y{k}", "me", "2024-06-16") for k in range(3)]
    study = study_ego(make_export(ties))
    assert study.rate is not None
    assert (study.rate.n, study.rate.answered, study.rate.too_young_count) == (1, 1, 6)
    states = study.waiting["state"].value_counts().to_dict()
    assert states == {"answered": 4, "censored": 3}  # but they serve the curve, censored


def test_pending_and_deleted_are_no_refusals() -> None:
    ties = [follow("me", "yes", "2024-01-01"), follow("yes", "me", "2024-01-02")]
    plain = study_ego(make_export(ties))
    gone = [follow("me", f"__deleted__{k}", "2024-01-03") for k in range(4)]
    asked = [
        follow("me", f"p{k}", None, status="pending", requested_at="2024-01-04") for k in range(5)
    ]
    accounts = [{"account_id": f"__deleted__{k}", "state": "deleted"} for k in range(4)]
    study = study_ego(make_export([*ties, *gone, *asked], accounts=accounts))
    assert study.rate is not None
    assert plain.rate is not None
    assert (study.rate.n, study.rate.answered) == (plain.rate.n, plain.rate.answered) == (1, 1)
    pd.testing.assert_frame_equal(study.waiting, plain.waiting)
    assert (study.alters["state"] == "not_following_back").sum() == 0


def test_blocked_and_unreachable_are_unknown() -> None:
    ties = [follow("me", one, "2024-01-01") for one in ("ana", "bo", "cy")]
    acts = [act("me", "ana", "block", "2024-02-01"), act("me", "bo", "mute", "2024-02-01")]
    accounts = [{"account_id": "cy", "state": "unknown"}]
    study = study_ego(make_export(ties, interactions=acts, accounts=accounts))
    assert study.alters["state"].tolist() == ["unknown", "not_following_back", "unknown"]
    assert study.rate is not None
    assert study.rate.n == 1


def test_latency_by_hand() -> None:
    """Answers after 1, 2 and 3 days; one open for 10: half of all are answered by day 2."""
    ties = [follow("me", one, "2024-06-21T12:00:00Z") for one in "abcd"]
    ties += [follow(one, "me", f"2024-06-2{k}T12:00:00Z") for k, one in enumerate("abc", start=2)]
    study = study_ego(make_export(ties))
    assert study.latency is not None
    assert study.latency.median_answered_days == 2.0
    assert study.latency.median_days == 2.0
    assert study.latency.censored_count == 1
    assert study.curve["incidence"].iloc[-1] == pytest.approx(0.75)
    assert study.curve["at_risk"].iloc[0] == 4


def test_chance_left_by_hand() -> None:
    """Ten open at age 40; of 20 unanswered at 40 days, 5 were answered within the next 30."""
    begin = EXPORTED - pd.Timedelta(days=400)
    ties = []
    for k in range(20):
        ties.append(follow("me", f"a{k:02d}", str(begin)))
        if k < 5:
            ties.append(follow(f"a{k:02d}", "me", str(begin + pd.Timedelta(days=50))))
    ties.append(follow("me", "young", str(EXPORTED - pd.Timedelta(days=40.5))))
    study = study_ego(make_export(ties))
    young = study.alters.set_index("alter_id").loc["young"]
    assert young["still_age_days"] == 40.0
    # `young` is at risk at 40 days and censored before any event: 20 are left at day 50.
    assert young["probability_still"] == pytest.approx(5 / 20)
    assert young["still_low"] < 0.25 < young["still_high"]
    by_hand = chance_after(study.waiting, [40.0], horizon_days=70.0).iloc[0]
    assert by_hand["chance"] == pytest.approx(young["probability_still"])
    assert by_hand["ci_high"] == pytest.approx(young["still_high"])
    # Answered ones have no chance left to tell.
    assert study.alters.loc[study.alters["state"] == "mutual", "probability_still"].isna().all()
    at_60 = study.still.set_index("landmark_days").loc[60.0]
    assert (at_60["n"], at_60["chance"]) == (15, 0.0)


def test_without_times_there_are_states_only() -> None:
    ties = [follow("me", "111"), follow("111", "me"), follow("me", "222"), follow("333", "me")]
    acts = [act("me", "222", "message", "2024-01-01"), act("me", "111", "like", None)]
    about = make_about(platform="x", ego="me")
    study = study_ego(make_export(ties, about, interactions=acts))
    assert not study.has_times
    assert study.rate is None
    assert study.latency is None
    assert study.waiting.empty
    assert study.curve.empty
    assert study.model.verdict == "no_times"
    assert "order" in study.model.sentence
    assert study.alters["state"].tolist() == ["mutual", "not_following_back", "fan"]
    assert study.alters.set_index("alter_id").loc["222", "ego_acts_untimed"] == 1
    assert any("carry no times" in limit for limit in study.limits)


def test_numeric_ids_stay_text() -> None:
    """X's ids are numbers, which tables turn to integers; the ego's id stays text."""
    ties = [follow("9007199254740993", "9007199254740995"), follow("5", "9007199254740993")]
    about = make_about(platform="x", ego="9007199254740993")
    study = study_ego(make_export(ties, about))
    assert study.alters["alter_id"].tolist() == ["5", "9007199254740995"]
    assert study.alters["state"].tolist() == ["fan", "not_following_back"]


def cut_lists(platform: str = "instagram", lag_days: int = 200) -> Dataset:
    """Return 12 follows of the ego, and 12 followers that begin so many days later."""
    first = pd.Timestamp("2022-01-01T00:00:00Z")
    ties = [follow("me", f"a{k}", str(first + pd.Timedelta(days=k))) for k in range(12)]
    later = first + pd.Timedelta(days=lag_days)
    ties += [follow(f"a{k}", "me", str(later + pd.Timedelta(days=k))) for k in range(12)]
    return make_export(ties, make_about(platform=platform))


def test_a_range_of_dates_is_refused() -> None:
    study = study_ego(cut_lists())
    assert study.trust.is_refused
    assert "range of dates" in study.trust.refusals[0]
    assert "2022-07-20" in study.trust.refusals[0]
    assert any("All time" in remedy for remedy in study.trust.remedies)
    assert study.alters.empty
    assert list(study.alters.columns) == ALTER_COLUMNS
    assert study.rate is None
    assert study.latency is None
    assert int(study.states["count"].sum()) == 0


@pytest.mark.parametrize(("platform", "lag", "verdict"),
                         [("instagram", 180, "ok"), ("instagram", 181, "refuse"),
                          ("instagram", -60, "ok"), ("bluesky", 181, "warn")])  # fmt: skip
def test_the_detector_of_a_range(platform: str, lag: int, verdict: str) -> None:
    assert study_ego(cut_lists(platform, lag)).trust.verdict == verdict


def test_a_round_span_is_warned_of() -> None:
    """Followers that begin 89.5 days before the export, as if 90 days had been asked for."""
    begin = EXPORTED - pd.Timedelta(days=89.5)
    ties = [follow("me", f"a{k}", "2024-03-01") for k in range(12)]
    ties += [follow(f"b{k}", "me", str(begin + pd.Timedelta(days=k))) for k in range(12)]
    trust = study_ego(make_export(ties)).trust
    assert trust.verdict == "warn"
    assert "90 days before the export" in trust.warnings[0]


@pytest.mark.parametrize("state", ["cut", "absent", "unreadable"])
def test_followers_that_are_not_whole_are_refused(state: str) -> None:
    ties = [follow("me", "ana", "2024-01-01")]
    study = study_ego(make_export(ties, make_about(followers=state)))
    assert study.trust.is_refused
    assert study.alters.empty
    assert "followers" in study.trust.refusals[0]
    assert study.trust.remedies


def test_a_cut_list_of_follows_hides_fans_only() -> None:
    ties = [follow("me", "ana", "2024-01-01"), follow("bo", "me", "2024-01-01")]
    study = study_ego(make_export(ties, make_about(following="cut")))
    assert study.trust.verdict == "warn"
    assert study.alters["state"].tolist() == ["not_following_back", "unknown"]
    refused = study_ego(make_export(ties, make_about(following="absent")))
    assert refused.trust.is_refused


def test_what_the_reader_found_counts() -> None:
    ties = [follow("me", "ana", "2024-01-01")]
    check = {"name": "page", "value": "The page is cut short.", "verdict": "refuse",
             "remedy": "Download it again."}  # fmt: skip
    refused = study_ego(make_export(ties, make_about(checks=[check]))).trust
    assert refused.refusals == ("The page is cut short.",)
    assert refused.remedies == ("Download it again.",)
    warned = study_ego(make_export(ties, make_about(checks=[{**check, "verdict": "warn"}]))).trust
    assert (warned.verdict, warned.warnings) == ("warn", ("The page is cut short.",))
    fragment = {**check, "name": "followers", "value": "not in the file"}
    told = study_ego(make_export(ties, make_about(checks=[fragment]))).trust.refusals
    assert told == ("Followers: not in the file.",)
    # A verdict that is not known must not pass for "ok".
    odd = study_ego(make_export(ties, make_about(checks=[{**check, "verdict": "?"}]))).trust
    assert odd.verdict == "warn"


@pytest.mark.parametrize(("counted", "verdict"), [(10, "ok"), (14, "warn"), (21, "refuse")])
def test_the_platform_counts_more_followers(counted: int, verdict: str) -> None:
    ties = [follow("me", "ana", "2024-01-01"), *(follow(f"f{k}", "me") for k in range(10))]
    accounts = [{"account_id": "me", "follower_count": counted}]
    study = study_ego(make_export(ties, accounts=accounts))
    assert study.trust.verdict == verdict


def test_an_unknown_moment_of_export() -> None:
    ties = [follow("me", "ana", "2024-01-01"), follow("bo", "me", "2024-03-01")]
    study = study_ego(make_export(ties, make_about(exported_at="")))
    assert not study.is_export_time_known
    assert study.exported_at == pd.Timestamp("2024-03-01T00:00:00Z")
    assert study.trust.verdict == "warn"
    assert study.alters.set_index("alter_id").loc["ana", "waiting_days"] == 60.0


def test_no_moment_at_all() -> None:
    """X without a date of the export: neither a stamp nor a moment, yet states are known."""
    ties = [follow("me", "ana"), follow("bo", "me")]
    study = study_ego(make_export(ties, make_about(platform="x", exported_at="")))
    assert pd.isna(study.exported_at)
    assert study.alters["state"].tolist() == ["not_following_back", "fan"]
    assert study.alters["waiting_days"].isna().all()


def test_times_after_the_export_are_unknown() -> None:
    ties = [follow("me", "ana", "2024-01-01"), follow("me", "bo", "2031-01-01")]
    study = study_ego(make_export(ties))
    assert study.trust.verdict == "warn"
    row = study.alters.set_index("alter_id").loc["bo"]
    assert row["state"] == "not_following_back"
    assert pd.isna(row["followed_at"])
    assert np.isnan(row["waiting_days"])


def test_joined_snapshots_show_who_left() -> None:
    """ana followed back and left, cy was a fan and left, bo never came."""
    gone = {"unfollowed_after_at": "2024-03-01", "unfollowed_before_at": "2024-04-01"}
    ties = [
        follow("me", "ana", "2024-01-01"), follow("ana", "me", "2024-01-05", **gone),
        follow("me", "bo", "2024-01-01"), follow("cy", "me", "2024-01-01", **gone),
    ]  # fmt: skip
    study = study_ego(make_export(ties))
    assert study.left["count"].tolist() == [2, 1, 1]
    alters = study.alters.set_index("alter_id")
    assert alters["state"].to_dict() == {
        "ana": "not_following_back", "bo": "not_following_back", "cy": "former_fan",
    }  # fmt: skip
    assert alters.loc["ana", "answer_days"] == 4.0
    assert np.isnan(alters.loc["ana", "waiting_days"])
    assert study.rate is not None
    assert (study.rate.n, study.rate.answered, study.rate.answered_now) == (2, 1, 0)


def test_exports_joined_by_followkit() -> None:
    """dee came, answered and left between the two exports that the store joins."""
    first = [follow("me", "ana", "2024-01-01"), follow("me", "dee", "2024-01-01"),
             follow("dee", "me", "2024-01-03")]  # fmt: skip
    second = [*first[:2], follow("ana", "me", "2024-05-01")]
    exports = [make_export(first, make_about(exported_at="2024-02-01T00:00:00Z")),
               make_export(second, make_about(exported_at="2024-06-01T00:00:00Z"))]  # fmt: skip
    study = study_ego(join_snapshots(exports))
    assert study.left["count"].tolist() == [1, 1, 1]
    alters = study.alters.set_index("alter_id")
    assert alters["state"].to_dict() == {"ana": "mutual", "dee": "not_following_back"}
    assert alters["answer_days"].to_dict() == {"ana": 121.0, "dee": 2.0}
    assert alters.loc["dee", "left_before_at"] == pd.Timestamp("2024-06-01T00:00:00Z")
    assert study.rate is not None
    assert (study.rate.n, study.rate.answered, study.rate.answered_now) == (2, 1, 1)
    assert any("2 exports of yours were joined" in note for note in study.notes)


def test_what_no_later_list_shows_is_unknown() -> None:
    """Seen in an earlier export, and the later list was not whole: neither there nor gone."""
    ties = [
        follow("me", "ana", "2024-01-01"),
        follow("ana", "me", "2024-01-02", unfollowed_after_at="2024-02-01"),
        follow("me", "bo", "2024-01-01", unfollowed_after_at="2024-02-01"),
    ]
    study = study_ego(make_export(ties))
    assert study.alters["state"].tolist() == ["unknown", "unknown"]
    assert study.rate is not None
    assert study.rate.n == 0
    assert study.left.empty


def test_untimed_snapshots_tell_the_order() -> None:
    """X has no times, but ana was seen to come between two exports, after the ego's follow."""
    ties = [
        follow("me", "ana", None, followed_before_at="2024-01-01"),
        follow("ana", "me", None, followed_after_at="2024-01-01", followed_before_at="2024-02-01"),
        follow("me", "bo", None, followed_before_at="2024-02-01"),
        follow("bo", "me", None, followed_before_at="2024-02-01"),
    ]
    study = study_ego(make_export(ties, make_about(platform="x")))
    assert study.alters["who_first"].tolist() == ["ego", "unknown"]
    assert study.rate is None


def test_withdrawn_follows_stay_in_the_rate() -> None:
    ties = [
        follow("me", "ana", "2024-01-01", unfollowed_at="2024-01-10"),
        follow("ana", "me", "2024-01-20"),  # after the withdrawal: no answer to that follow
        follow("me", "bo", "2024-01-01", unfollowed_at="2024-01-10"),
    ]
    study = study_ego(make_export(ties))
    assert study.alters["state"].tolist() == ["fan", "unfollowed_by_me"]
    assert study.rate is not None
    assert (study.rate.n, study.rate.answered) == (2, 0)
    assert study.waiting["state"].tolist() == ["withdrawn", "withdrawn"]
    assert study.waiting["duration_days"].tolist() == [9.0, 9.0]


def test_invitations_are_open_or_accepted() -> None:
    """LinkedIn: an open invitation is not accepted so far; a connection alone tells no asker."""
    ties = [
        follow("me", "ana", "2024-01-01T09:30:00Z"), follow("ana", "me", "2024-01-04"),
        follow("me", "bo", None, status="pending", requested_at="2024-01-02T10:00:00Z"),
        follow("me", "cy", "2024-01-03"), follow("cy", "me", "2024-01-03"),
        follow("me", "dee", "2024-01-03"),  # followed without a connection
    ]  # fmt: skip
    study = study_ego(make_export(ties, make_about(platform="linkedin")))
    assert study.alters["state"].tolist() == ["mutual", "pending", "mutual", "unknown"]
    assert study.rate is not None
    assert (study.rate.n, study.rate.answered) == (2, 1)
    same_day = [follow(*pair, "2024-01-05T08:15:00Z") for pair in (("me", "eve"), ("eve", "me"))]
    bounded = study_ego(make_export([*ties, *same_day], make_about(platform="linkedin")))
    assert "between 50.0 % and 66.7 %" in bounded.notes[0]
    assert not study.notes
    facebook = study_ego(make_export(ties[:5], make_about(platform="facebook")))
    assert facebook.rate is not None
    assert facebook.rate.n == 1  # ana; bo's request is open and cy's friendship tells no asker


def test_minutes_are_not_taken_for_machines() -> None:
    ties = [follow("me", "ana", "2024-01-01T10:05:00Z"), follow("ana", "me", "2024-01-01T10:05:00")]
    study = study_ego(make_export(ties))
    assert study.alters["who_first"].tolist() == ["same_time"]
    assert not study.alters["is_automatic"].any()


def test_since_is_fixed_at_the_landmark() -> None:
    """Acts of the first 7 days make groups; later acts do not."""
    at = pd.Timestamp("2024-01-01T00:00:00Z")
    ties = [follow("me", f"a{k:02d}", str(at)) for k in range(20)]
    ties += [follow(f"a{k:02d}", "me", str(at + pd.Timedelta(days=10))) for k in range(0, 20, 4)]
    acts = [act("me", f"a{k:02d}", "like", "2024-01-03") for k in range(0, 20, 2)]
    acts += [act("me", f"a{k:02d}", "like", "2024-01-20") for k in range(1, 20, 2)]
    late = study_ego(make_export(ties, interactions=acts)).since
    assert late.empty  # what happened before the first act in the export is not known
    acts.append(act("me", "x", "like", "2023-12-01"))
    since = study_ego(make_export(ties, interactions=acts)).since.set_index("label")
    assert since["n"].tolist() == [10, 10]
    assert since["chance"].tolist() == pytest.approx([0.5, 0.0])


@pytest.mark.parametrize("about", [{}, {"export": {"ego": "nobody"}}, {"export": {"ego": ""}},
                                   {"export": 3}])  # fmt: skip
def test_what_is_no_export_is_refused(about: dict) -> None:
    with pytest.raises(InputError, match=r"Load the"):
        study_ego(make_dataset({"follows": pd.DataFrame([follow("a", "b")])}, about=about))


@pytest.mark.parametrize("given_", [{"horizon_days": 0.0}, {"horizon_days": np.nan},
                                    {"confidence": 1.0}])  # fmt: skip
def test_bad_parameters(given_: dict) -> None:
    with pytest.raises(ParameterError):
        study_by_hand(**given_)


def test_rows_in_any_order_give_the_same() -> None:
    data = simulate_ego(3, 150, slopes={"like": 0.6})
    shuffled = data.replace(
        **{name: frame.sample(frac=1, random_state=1).reset_index(drop=True)
           for name, frame in data.tables.items()}
    )  # fmt: skip
    one, two = study_ego(data), study_ego(shuffled)
    pd.testing.assert_frame_equal(one.alters, two.alters)
    pd.testing.assert_frame_equal(one.model.tests, two.model.tests)
    pd.testing.assert_frame_equal(one.still, two.still)


def test_other_names_give_the_same_numbers() -> None:
    data = simulate_ego(4, 150, slopes={"like": 0.6})

    def rename(ids: pd.Series) -> pd.Series:
        return ids.map(lambda one: one if one == "me" else f"z{one[::-1]}")

    follows, acts = data.follows, data.interactions
    renamed = replace(
        data,
        tables={
            "follows": follows.assign(follower_id=rename(follows["follower_id"]),
                                      followee_id=rename(follows["followee_id"])),
            "interactions": acts.assign(target_id=rename(acts["target_id"])),
        },
    )  # fmt: skip
    one, two = study_ego(data), study_ego(renamed)
    assert one.rate is not None
    assert two.rate is not None
    assert (one.rate.n, one.rate.answered) == (two.rate.n, two.rate.answered)
    pd.testing.assert_frame_equal(one.model.tests, two.model.tests, rtol=1e-9)
    pd.testing.assert_frame_equal(one.still, two.still)
    mapped = one.alters.assign(alter_id=rename(one.alters["alter_id"]))
    columns = ["alter_id", "state", "waiting_days", "probability_still", "reason"]
    expected = mapped[columns].sort_values("alter_id", ignore_index=True)
    pd.testing.assert_frame_equal(expected, two.alters[columns], check_dtype=False)


def test_nothing_moves_the_rate_but_its_own_follows() -> None:
    """A fan more, a tie between others, or an act changes no rate."""
    data = make_export(BY_HAND, accounts=ACCOUNTS)
    more = [*BY_HAND, follow("zed", "me", "2023-05-05"), follow("yan", "zed", "2023-05-05")]
    other = make_export(more, accounts=ACCOUNTS, interactions=[act("me", "bo", "like", None)])
    one, two = study_ego(data).rate, study_ego(other).rate
    assert one is not None
    assert two is not None
    assert (one.n, one.answered, one.ci_low) == (two.n, two.answered, two.ci_low)


TIMES = st.sampled_from([None, "2012-01-01", "2024-06-01", "2024-06-30T23:59:59Z", "2031-01-01"])
TIES = st.lists(
    st.fixed_dictionaries(
        {"pair": st.sampled_from([("me", "a"), ("a", "me"), ("me", "b"), ("b", "me"), ("a", "b")]),
         "at": TIMES, "end": TIMES, "status": st.sampled_from(["active", "pending", None])}
    ), min_size=1, max_size=12,
)  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True)
@given(ties=TIES, platform=st.sampled_from(["instagram", "x", "linkedin"]),
       states=st.sampled_from(["whole", "cut", "absent"]))  # fmt: skip
def test_any_ties_give_a_study_or_a_sentence(ties: list, platform: str, states: str) -> None:
    rows = [
        follow(*tie["pair"], tie["at"], unfollowed_at=tie["end"], status=tie["status"])
        for tie in ties
    ]
    try:
        data = make_export(rows, make_about(platform=platform, following=states))
        study = study_ego(data)
    except FollowkitError:
        return
    assert int(study.states["count"].sum()) == len(study.alters)
    if study.rate is not None:
        census = study.rate.census["count"].tolist()
        assert census[0] - sum(census[1:-1]) == census[-1] == study.rate.n
        assert study.rate.answered <= study.rate.n
    assert (study.alters["suggestion"] == "no action").all()
    assert study.alters["reason"].str.len().gt(0).all()
    assert "Personal report" in study._repr_html_()


def test_who_may_be_out_of_reach_is_in_no_rate_answered_or_not() -> None:
    """To keep their answers and drop their silence would raise the rate."""
    ties = [follow("me", one, "2024-01-01") for one in ("ana", "bo", "cy", "di", "eve", "flo")]
    ties += [follow(one, "me", "2024-01-02") for one in ("ana", "cy", "eve")]
    accounts = [{"account_id": "ana", "state": "unknown"}, {"account_id": "bo", "state": "unknown"}]
    acts = [act("me", one, "remove_follower", "2023-06-01") for one in ("cy", "di")]
    study = study_ego(make_export(ties, accounts=accounts, interactions=acts))
    assert study.rate is not None
    assert (study.rate.n, study.rate.answered) == (2, 1)
    assert study.rate.census.set_index("step")["count"]["unknown"] == 4
    assert set(study.waiting["decider_id"]) == {"eve", "flo"}


def test_a_young_follow_is_told_the_chance_of_its_hour() -> None:
    """Half are answered within hours: after 20 hours without an answer little is left."""
    begin = EXPORTED - pd.Timedelta(days=400)
    ties = [follow("me", f"a{k:02d}", str(begin)) for k in range(40)]
    hours = [2] * 20 + [30] * 4
    ties += [
        follow(f"a{k:02d}", "me", str(begin + pd.Timedelta(hours=lag)))
        for k, lag in enumerate(hours)
    ]
    ties.append(follow("me", "young", str(EXPORTED - pd.Timedelta(hours=20.5))))
    young = study_ego(make_export(ties)).alters.set_index("alter_id").loc["young"]
    assert young["still_age_days"] == pytest.approx(20 / 24)
    # 20 of 40 are left after 20 hours, and 4 of these were answered; not 24 of 41.
    assert young["probability_still"] == pytest.approx(4 / 20)


def test_chances_of_a_handful_are_not_told() -> None:
    ties = [follow("me", f"a{k}", "2022-01-01") for k in range(4)]
    ties += [follow("me", f"b{k}", "2024-06-25") for k in range(6)]
    study = study_ego(make_export(ties))
    still = study.still.set_index("landmark_days")
    assert (still.loc[30.0, "n"], still.loc[0.0, "n"]) == (4, 10)
    assert np.isnan(still.loc[30.0, "chance"])
    assert still.loc[0.0, "chance"] == 0.0
    old = study.alters.set_index("alter_id").loc["a0"]
    assert np.isnan(old["probability_still"])
    assert "still unanswered at this age" not in old["reason"]
