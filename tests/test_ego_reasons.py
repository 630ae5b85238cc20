"""Reasons in words: counts that are right, nothing beyond the data, and no blame."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from ego_worlds import act, follow, make_about, make_export
from scipy import stats

from followkit.covariance import wilson_interval
from followkit.ego import EgoStudy, study_ego
from followkit.ego.features import CONTACTS
from followkit.ego.reasons import compare_contacts

#: Words of blame, of ranking and of advice to act.
UNFAIR = re.compile(
    r"ignor|refus(?!al)|reject|betray|loser|ghost|unfollow|fake|disloyal|should|deserve|never", re.I
)


def study_contacts(**about: str) -> EgoStudy:
    """Ten alters wrote with the ego before its follow, 7 of them answered; 8 had no contact, 2."""
    ties, acts = [], [act("me", "x", "like", "2023-01-01")]
    for k in range(10):
        ties.append(follow("me", f"a{k}", "2024-01-10"))
        acts += [act("me", f"a{k}", "message", "2024-01-01"),
                 act(f"a{k}", "me", "message", "2024-01-02")]  # fmt: skip
        if k < 7:
            ties.append(follow(f"a{k}", "me", "2024-01-12"))
    for k in range(8):
        ties.append(follow("me", f"n{k}", "2024-01-20"))
        if k < 2:
            ties.append(follow(f"n{k}", "me", "2024-01-25"))
    ties.append(follow("me", "one", "2024-01-20"))
    acts.append(act("me", "one", "like", "2024-01-15"))
    data = make_export(ties, make_about(platform="tiktok", **about), interactions=acts)
    return study_ego(data)


def test_contacts_by_hand() -> None:
    table = study_contacts().contacts.set_index("contact")
    assert table["n"].to_dict() == {"wrote_both": 10, "ego_acted": 1, "none": 8}
    # One follow is too few to say anything of a group.
    assert table["answered"].dropna().to_dict() == {"wrote_both": 7, "none": 2}
    assert table.loc["ego_acted", ["rate", "ci_low", "ci_high"]].isna().all()
    row = table.loc["wrote_both"]
    assert (row["ci_low"], row["ci_high"]) == wilson_interval(7, 10)
    study = study_contacts()
    assert study.rate is not None
    assert table["n"].sum() == study.rate.n


def test_groups_are_compared_all_at_once() -> None:
    study = study_contacts()
    table = [[7, 3], [2, 6]]
    # Two groups with both margins given: Fisher's test, which is the same sum of squares here.
    assert study.contacts_p == pytest.approx(stats.fisher_exact(table).pvalue, abs=0.02)
    assert study.contacts_p == study_contacts().contacts_p
    few = pd.DataFrame({"contact": ["ego_acted", "none"], "n": [4, 90], "answered": [4, 9]})
    assert np.isnan(compare_contacts(few))
    past = pd.DataFrame({"contact": ["unknown", "none"], "n": [90, 90], "answered": [80, 9]})
    assert np.isnan(compare_contacts(past))
    none = pd.DataFrame({"contact": ["ego_acted", "none"], "n": [9, 90], "answered": [0, 0]})
    assert np.isnan(compare_contacts(none))


def test_reasons_quote_these_counts() -> None:
    reasons = study_contacts().alters.set_index("alter_id")["reason"]
    wrote = "You had written to each other before; such follows were answered 7 of 10 times within"
    assert wrote in reasons["a9"]
    assert wrote in reasons["a0"]
    assert "no contact before the follow is in the export; such follows were answered 2 of 8" in (
        reasons["n7"].lower()
    )
    # Under five such follows: no share of them, the whole instead.
    assert "too few such follows" in reasons["one"]
    assert "Of all your follows 9 of 19 were answered" in reasons["one"]
    assert reasons["a9"].endswith("Why is not in the export.")
    assert reasons["a0"].startswith("You followed first; they followed back after 2 days.")


def test_every_state_has_its_reason() -> None:
    gone = {"unfollowed_after_at": "2024-03-01", "unfollowed_before_at": "2024-04-01"}
    ties = [
        follow("eve", "me", "2024-02-01"),
        follow("flo", "me", "2024-02-01"), follow("me", "flo", "2024-02-05"),
        follow("me", "gus", None, status="pending", requested_at="2024-01-10"),
        follow("hal", "me", None, status="pending", requested_at="2024-03-10"),
        follow("me", "ida", None, unfollowed_at="2024-06-01"), follow("me", "jo", "2024-01-02"),
        follow("me", "kim", "2024-02-10T10:00:00Z"), follow("kim", "me", "2024-02-10T10:00:02Z"),
        follow("me", "lou", "2024-03-01"), follow("lou", "me", "2024-03-01"),
        follow("me", "max", None), follow("max", "me", "2024-03-02"),
        follow("me", "ned", "2024-06-29"), follow("me", "oz", "2024-01-01"),
        follow("oz", "me", "2024-01-05", **gone), follow("pia", "me", "2024-01-05", **gone),
        follow("me", "quin", "2024-01-01"), follow("me", "ray", None),
    ]  # fmt: skip
    accounts = [{"account_id": "jo", "state": "deleted"}]
    acts = [act("me", "quin", "block", "2024-02-02")]
    study = study_ego(make_export(ties, accounts=accounts, interactions=acts))
    reasons = study.alters.set_index("alter_id")["reason"].to_dict()
    starts = {
        "eve": "They follow you, and you do not follow them.",
        "flo": "They followed first; you followed back after 4 days.",
        "gus": "You asked to follow them on 2024-01-10. A request without an answer is not a",
        "hal": "They asked to follow you",
        "ida": "You withdrew your follow yourself",
        "jo": "The account no longer exists",
        "kim": "You followed first; they followed back within seconds.",
        "lou": "You follow each other, both since the same moment.",
        "max": "You follow each other; who followed first is unknown.",
        "ned": "You followed 2.5 days ago; no answer so far. It is too early to say.",
        "oz": "They followed you and left again, after 2024-03-01 and by 2024-04-01.",
        "pia": "They followed you once and left",
        "quin": "You blocked or removed them",
        "ray": "When you followed them is unknown.",
    }
    assert set(reasons) == set(starts)
    for alter, start in starts.items():
        assert reasons[alter].startswith(start), reasons[alter]
    assert not [text for text in reasons.values() if UNFAIR.search(text)]
    assert not [text for text in study.states["reason"] if UNFAIR.search(text.replace("never", ""))]
    assert (study.alters["suggestion"] == "no action").all()


def test_unknown_contact_is_said() -> None:
    """Follows before the first act in the export have an unknown past."""
    ties = [follow("me", "ana", "2022-01-01"), follow("me", "bo", "2024-01-01")]
    acts = [act("me", "x", "like", "2023-01-01")]
    alters = study_ego(make_export(ties, interactions=acts)).alters
    assert alters["contact"].tolist() == ["unknown", "no_acts"]
    assert "whether there was contact before the follow is unknown" in (
        alters["reason"].iloc[0].lower()
    )


@pytest.mark.parametrize(
    ("acts", "contact"),
    [
        ([("me", "message"), ("ana", "message")], "wrote_both"),
        ([("ana", "message"), ("me", "like")], "alter_wrote"),
        ([("me", "message"), ("ana", "like")], "ego_wrote"),
        ([("ana", "comment"), ("me", "like")], "alter_acted"),
        ([("me", "save")], "ego_acted"),
        ([("me", "mute")], "none"),
    ],
)
def test_the_strongest_contact_counts(acts: list[tuple[str, str]], contact: str) -> None:
    rows = [act("me", "x", "like", "2023-01-01")]
    rows += [
        act(who, "ana" if who == "me" else "me", kind, "2023-06-01") for who, kind in acts
    ]  # fmt: skip
    about = make_about(platform="tiktok")
    study = study_ego(make_export([follow("me", "ana", "2024-01-01")], about, interactions=rows))
    assert study.alters["contact"].tolist() == [contact]
    assert contact in CONTACTS


def test_chances_are_told_of_waiting_ones_only() -> None:
    study = study_contacts()
    told = study.alters["reason"].str.contains("still unanswered at this age")
    assert (told == study.alters["probability_still"].notna()).all()
    assert study.alters.loc[told, "state"].eq("not_following_back").all()


def test_hostile_names_stay_out_of_reasons() -> None:
    """A reason quotes no name, so nothing can be smuggled into it."""
    name = "<script>alert(1)</script>"
    ties = [follow("me", name, "2024-01-01"), follow(name, "me", "2024-01-02")]
    accounts = [{"account_id": name, "display_name": "=1+1", "handle": name}]
    study = study_ego(make_export(ties, accounts=accounts))
    assert study.alters["alter_id"].tolist() == [name]
    assert not study.alters["reason"].str.contains("<|=1", regex=True).any()
    assert "<script>" not in study._repr_html_()
    pd.testing.assert_series_equal(study.alters["display_name"], pd.Series(["=1+1"]),
                                   check_names=False, check_dtype=False)  # fmt: skip
