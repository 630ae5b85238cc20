"""Reasons in words: what the data say about one tie, and no more than that.

A reason names what went before a follow and how often such follows were answered. It never says
what somebody felt or meant, and where nothing is known it says so. The suggestion is always the
same: no action.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from followkit import words
from followkit.covariance import wilson_interval
from followkit.ego.alters import INVITING
from followkit.ego.features import CONTACTS
from followkit.ego.results import EgoRate
from followkit.small_cells import FEWEST_SHOWN

__all__ = ["NO_ACTION", "compare_contacts", "count_contacts", "tell_reasons"]

NO_ACTION = "no action"
#: Draws of the distribution that groups are compared with.
DRAWS = 9_999
WHY_UNKNOWN = "Why is not in the export."
FIXED = {
    "deleted": "The account no longer exists, so nothing can be concluded from its silence.",
    "received_request": "They asked to follow you, and the request waits for your answer.",
    "former_fan": "They followed you once and left; you do not follow them. " + WHY_UNKNOWN,
    "unfollowed_by_me": "You withdrew your follow yourself; what they would have done is unknown.",
}


def count_contacts(alters: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Return how often follows were answered in time, by the contact that went before.

    Parameters
    ----------
    alters
        contact, is_in_rate and is_answered_in_time, as in `EgoStudy.alters`.
    confidence
        Of Wilson's intervals.

    Returns
    -------
    pandas.DataFrame
        contact, label, n, answered, rate, ci_low, ci_high; contacts in the order of `CONTACTS`,
        those without a follow left out. Where n is under 5 all but n is missing: too few to say.

    Examples
    --------
    >>> alters = pd.DataFrame({"contact": ["none"] * 5 + ["ego_wrote"],
    ...     "is_in_rate": True, "is_answered_in_time": [False] * 3 + [True] * 3})
    >>> count_contacts(alters)[["contact", "n", "answered"]].values.tolist()
    [['ego_wrote', 1, <NA>], ['none', 5, 2]]
    """
    rows = alters[alters["is_in_rate"]]
    lines = []
    for contact, label in CONTACTS.items():
        answered = rows.loc[rows["contact"] == contact, "is_answered_in_time"]
        n, count = len(answered), int(answered.sum())
        if n:
            limits = wilson_interval(count, n, confidence)
            lines.append((contact, label, n, count, count / n, *limits))
    columns = ["contact", "label", "n", "answered", "rate", "ci_low", "ci_high"]
    table = pd.DataFrame(lines, columns=columns)
    few = table["n"] < FEWEST_SHOWN
    table["answered"] = table["answered"].astype("Int64").mask(few)
    for name in ("rate", "ci_low", "ci_high"):
        table[name] = table[name].astype(float).mask(few)
    return table


def compare_contacts(contacts: pd.DataFrame, seed: int = 0) -> float:
    """Return how often groups would differ as much if contact had nothing to do with the answer.

    Pearson's chi-squared over all groups at once, so that none is picked out; its distribution is
    drawn with the sizes of the groups and the number of answers as they are. Groups of under 5 and
    those of an unknown past are left out; missing where fewer than two are left.

    Examples
    --------
    >>> table = pd.DataFrame({"contact": ["ego_acted", "none"], "n": [40, 40],
    ...     "answered": [30, 10]})
    >>> compare_contacts(table) < 0.001
    True
    """
    rows = contacts[(contacts["n"] >= FEWEST_SHOWN) & (contacts["contact"] != "unknown")]
    sizes, yes = rows["n"].to_numpy(np.int64), rows["answered"].to_numpy(np.int64)
    total = int(yes.sum())
    if len(rows) < 2 or total in (0, int(sizes.sum())):
        return float("nan")
    draws = np.random.default_rng(seed).multivariate_hypergeometric(sizes, total, size=DRAWS)
    # With both margins given, chi-squared is this sum of squares up to constants.
    expected = sizes * total / sizes.sum()
    seen, drawn = (((one - expected) ** 2 / sizes).sum(axis=-1) for one in (yes, draws))
    return float((1 + np.sum(drawn >= seen * (1 - 1e-9))) / (DRAWS + 1))


def tell_reasons(
    alters: pd.DataFrame,
    contacts: pd.DataFrame,
    rate: EgoRate | None,
    horizon_days: float,
    platform: str = "",
) -> pd.Series:
    """Return a reason in words for each alter.

    Parameters
    ----------
    alters
        As in `EgoStudy.alters`, but for the reasons.
    contacts
        From `count_contacts`.
    rate
        The follow-back rate, for contacts with under 5 follows; None without times.
    horizon_days
        H, within which an answer counts.
    platform
        Where the follows were made: on some an invitation stands for a follow.
    """
    teller = _Teller(contacts, rate, horizon_days, is_inviting=platform in INVITING)
    texts = [teller.tell(row) for row in alters.itertuples(index=False, name="Row")]
    return pd.Series(texts, index=alters.index, dtype=object)


class _Teller:
    """Writes the reasons of one study."""

    def __init__(
        self,
        contacts: pd.DataFrame,
        rate: EgoRate | None,
        horizon_days: float,
        *,
        is_inviting: bool,
    ) -> None:
        self.groups = contacts.set_index("contact").to_dict("index")
        self.rate, self.horizon = rate, words.days(horizon_days)
        self.horizon_days, self.is_inviting = horizon_days, is_inviting

    def tell(self, row: Any) -> str:
        if row.state in FIXED:
            return FIXED[row.state]
        tellers = {
            "mutual": self._tell_mutual, "fan": self._tell_fan, "pending": self._tell_pending,
            "not_following_back": self._tell_unanswered,
        }  # fmt: skip
        return tellers[row.state](row) if row.state in tellers else self._tell_unknown(row)

    def _tell_mutual(self, row: Any) -> str:
        if row.who_first == "same_time":
            return "You follow each other, both since the same moment."
        if row.who_first == "unknown":
            return "You follow each other; who followed first is unknown."
        first, second = ("You", "they") if row.who_first == "ego" else ("They", "you")
        if row.is_automatic:
            told = f"{first} followed first; {second} followed back within seconds."
        elif np.isfinite(row.answer_days):
            span = words.span(float(row.answer_days))
            told = f"{first} followed first; {second} followed back after {span}."
        else:
            told = f"{first} followed first, and {second} followed later."
        return self._join(told, self._tell_contact(row) if row.who_first == "ego" else "")

    def _tell_fan(self, row: Any) -> str:
        if pd.notna(row.unfollowed_at):
            return f"They follow you; you withdrew your own follow on {row.unfollowed_at:%Y-%m-%d}."
        return "They follow you, and you do not follow them. Nothing is owed."

    def _tell_pending(self, row: Any) -> str:
        asked = f" on {row.requested_at:%Y-%m-%d}" if pd.notna(row.requested_at) else ""
        return f"You asked to follow them{asked}. A request without an answer is not a refusal."

    def _tell_unknown(self, row: Any) -> str:
        if row.account_state != "ok":
            return "The account may be out of reach, so nothing can be concluded from its silence."
        if row.is_shut_out:
            return "You blocked or removed them, so they cannot follow you."
        if row.alter_follows:
            return (
                "They follow you; your own list is cut off, so whether you follow them is unknown."
            )
        if self.is_inviting and row.ego_follows:
            return "You follow them without a connection; whether they follow you is not listed."
        return "They stood in an earlier export; the later one does not tell."

    def _tell_unanswered(self, row: Any) -> str:
        if pd.notna(row.left_before_at):
            after = f"after {row.left_after_at:%Y-%m-%d} and " * pd.notna(row.left_after_at)
            return (
                f"They followed you and left again, {after}by {row.left_before_at:%Y-%m-%d}. "
                f"{WHY_UNKNOWN}"
            )
        if pd.isna(row.followed_at):
            return f"When you followed them is unknown. {WHY_UNKNOWN}"
        since = words.span(float(row.waiting_days)) if np.isfinite(row.waiting_days) else ""
        told = f"You followed {since} ago; no answer so far." if since else "No answer so far."
        if row.waiting_days < self.horizon_days:
            told += " It is too early to say."
        return self._join(told, self._tell_contact(row), self._tell_chance(row), WHY_UNKNOWN)

    def _tell_contact(self, row: Any) -> str:
        """Say what went before, and how often such follows were answered."""
        label = CONTACTS[row.contact]
        label = label[0].upper() + label[1:]
        group = self.groups.get(row.contact)
        if group is not None and group["n"] >= FEWEST_SHOWN:
            counts = f"{int(group['answered']):,} of {group['n']:,} times within {self.horizon}"
            return f"{label}; such follows were answered {counts}."
        if self.rate is None or self.rate.n < FEWEST_SHOWN:
            return f"{label}; there are too few such follows to say more."
        counts = f"{self.rate.answered:,} of {self.rate.n:,}"
        return (
            f"{label}; there are too few such follows to say more. Of all your follows {counts} "
            f"were answered within {self.horizon}."
        )

    def _tell_chance(self, row: Any) -> str:
        if not np.isfinite(row.probability_still):
            return ""
        spread = words.percent_range(row.still_low, row.still_high)
        return (
            f"Of your follows still unanswered at this age, {words.percent(row.probability_still)} "
            f"({spread}) were answered within the next {self.horizon}."
        )

    @staticmethod
    def _join(*sentences: str) -> str:
        return " ".join(sentence for sentence in sentences if sentence)
