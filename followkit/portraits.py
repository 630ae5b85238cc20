"""One account: its follows and their answers, as initiator and as decider, beside all others.

For looking at one's own data. Nothing here ranks accounts or sorts them by how they answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from followkit.analysis import STATE_LABELS, Analysis, code_dyads
from followkit.covariance import dyadic_rate, wilson_interval
from followkit.dyads import select_dyads
from followkit.errors import InputError, suggest
from followkit.explain import write_value
from followkit.features import CATALOGUE
from followkit.whatif import what_if_table

Role = Literal["initiator", "decider"]
ROLES: tuple[Role, ...] = ("initiator", "decider")
FlagArray = npt.NDArray[np.bool_]

ROLE_WORDS = {"initiator": "follows that it made", "decider": "follows that it received"}


def list_accounts(analysis: Analysis) -> list[str]:
    """Return the ids of all accounts in the dyads, in the order of the ids."""
    rows = analysis.dyads.table
    ids = pd.unique(pd.concat([rows["initiator_id"], rows["decider_id"]]))
    return [str(one) for one in np.sort(ids)]


def find_dyads_of(analysis: Analysis, account: str, role: Role) -> FlagArray:
    """Return which dyads an account has in a role; there may be none."""
    ids = analysis.dyads.table[f"{role}_id"].astype(str)
    return (ids == str(account)).to_numpy(dtype=bool)


def check_account(analysis: Analysis, account: str) -> None:
    """Refuse an account without any dyad.

    Raises
    ------
    InputError
        With the nearest ids.
    """
    if any(find_dyads_of(analysis, account, role).any() for role in ROLES):
        return
    ids = list_accounts(analysis)
    raise InputError(
        f"account: {account!r} is in none of the {len(analysis.dyads.table):,} dyads; "
        f"{suggest(str(account), ids[:2000])}"
    )


def compare_rates(analysis: Analysis, account: str) -> pd.DataFrame:
    """Return the share answered of an account's dyads and of all others, in both roles.

    Its own dyads: each has another account at the other end, so that, given this account, they
    count as independent; Wilson's interval, which holds for this account only. All others: dyadic-
    robust. `expected` is what the model predicts for the same dyads on average.

    Returns
    -------
    pandas.DataFrame
        role, label, is_own, n, answered, rate, ci_low, ci_high, expected (mean P(answered) over the
        dyads that the model can predict; missing without one). Two rows a role, one where nobody
        else or the account itself has no dyad.

    Raises
    ------
    InputError
        If the account has no dyad.
    """
    check_account(analysis, account)
    probability = predict_all(analysis)
    rows = []
    for role in ROLES:
        mine = find_dyads_of(analysis, account, role)
        for is_own, chosen in ((True, mine), (False, ~mine)):
            if mine.any() and chosen.any():
                numbers = _rate_own(analysis, chosen) if is_own else _rate_rest(analysis, chosen)
                known = probability[chosen & np.isfinite(probability)]
                whose = ROLE_WORDS[role] if is_own else "the same of all others"
                expected = float(known.mean()) if len(known) else np.nan
                rows.append((role, whose, is_own, *numbers, expected))
    columns = ["role", "label", "is_own", "n", "answered", "rate", "ci_low", "ci_high", "expected"]
    return pd.DataFrame(rows, columns=columns)


def predict_all(analysis: Analysis) -> npt.NDArray[np.float64]:
    """Return P(answered) of every dyad; missing where there is no model or a feature is unknown."""
    if analysis.model is None:
        return np.full(len(analysis.dyads.table), np.nan)
    return analysis.model.predict_proba(analysis.features.values)


def _rate_own(analysis: Analysis, mine: FlagArray) -> tuple[int, int, float, float, float]:
    outcome = analysis.dyads.table.loc[mine, "outcome"]
    n, answered = len(outcome), int(outcome.sum())
    return n, answered, answered / n, *wilson_interval(answered, n, analysis.confidence)


def _rate_rest(analysis: Analysis, rest: FlagArray) -> tuple[int, int, float, float, float]:
    part = select_dyads(analysis.dyads, rest, "others")
    found = dyadic_rate(part.table["outcome"], code_dyads(part), confidence=analysis.confidence)
    return found.n, found.event_count, found.rate, found.ci_low, found.ci_high


def list_dyads_of(analysis: Analysis, account: str, role: Role) -> pd.DataFrame:
    """Return an account's dyads in a role, in order of time and of the other's id.

    Returns
    -------
    pandas.DataFrame
        other_id, at (UTC; missing where unknown), state (in words), probability (as predicted).
    """
    mine = find_dyads_of(analysis, account, role)
    rows = analysis.dyads.table[mine]
    other = "decider_id" if role == "initiator" else "initiator_id"
    table = pd.DataFrame({
        "other_id": rows[other].astype(str),
        "at": rows["at"],
        "state": rows["state"].map(STATE_LABELS).fillna(rows["state"]),
        "probability": predict_all(analysis)[mine],
    })  # fmt: skip
    return table.sort_values(["at", "other_id"], kind="stable", ignore_index=True)


def place_features(
    analysis: Analysis, account: str, role: Role, *, names: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return where an account stands among all accounts, feature by feature.

    Each account counts once in a role, with the mean of the feature over its dyads in it. The
    percentile is the share of the other accounts below, those at the same value counted half.

    Parameters
    ----------
    analysis, account, role
        Only features of that side, and none about convictions.
    names
        Which features; those of the model and all main ones without.

    Returns
    -------
    pandas.DataFrame
        feature, label, text (its value in words), typical (the median account's, in words),
        percentile (0 to 1), account_count (that it stands among).
    """
    rows = []
    ids = analysis.dyads.table[f"{role}_id"].astype(str).to_numpy()
    for name in _choose_side(analysis, role) if names is None else names:
        means = analysis.features.values[name].groupby(ids).mean().dropna()
        if str(account) not in means.index or len(means) < 2:
            continue
        own, others = float(means[str(account)]), means.drop(str(account)).to_numpy()
        below = float((others < own).mean() + (others == own).mean() / 2)
        typical = write_value(name, float(np.median(others)))
        rows.append((name, CATALOGUE[name].label, write_value(name, own), typical, below,
                     len(means)))  # fmt: skip
    columns = ["feature", "label", "text", "typical", "percentile", "account_count"]
    return pd.DataFrame(rows, columns=columns)


def _choose_side(analysis: Analysis, role: Role) -> list[str]:
    """Return the main features of a side; squares and products say nothing of their own."""
    in_model = set(analysis.model.names) if analysis.model is not None else set()
    return [
        name
        for name in analysis.features.values
        if CATALOGUE[name].side == role
        and (name in in_model or CATALOGUE[name].in_model)
        and not CATALOGUE[name].is_sensitive
        and not CATALOGUE[name].parts
        and not name.endswith("_squared")
    ]


def try_changes(analysis: Analysis, account: str) -> pd.DataFrame:
    """Return what goes with each piece of advice, over the follows that an account made.

    Returns
    -------
    pandas.DataFrame
        As `followkit.whatif.what_if_table`; empty where there is no model, or none of its follows
        has every feature known.
    """
    rows = find_dyads_of(analysis, account, "initiator")
    if analysis.model is None or not np.isfinite(predict_all(analysis)[rows]).any():
        return pd.DataFrame()
    return what_if_table(analysis.model, analysis.features.values, rows=rows,
                         weights=analysis.dyads.table["weight"])  # fmt: skip
