"""Views for exploring: each shows one thing, and is a plain call with or without controls."""

from __future__ import annotations

import pandas as pd

from followkit import binned, histories, portraits, quality, words
from followkit import describe_explore as say
from followkit import explore_figures as draw
from followkit.analysis import Analysis
from followkit.describe_factors import describe_changes, make_waterfall
from followkit.effects import SQUARED
from followkit.errors import ParameterError, suggest
from followkit.factor_figures import plot_waterfall
from followkit.factor_sections import CLAIM_LABELS, ODDS, show_changes
from followkit.factors import Factors
from followkit.features import CATALOGUE, FACTORS
from followkit.html import Shown, callout, details, figure, heading, lead, show, table
from followkit.sections import INTERVAL_LABELS, NOTHING, RATES, picture
from followkit.sources import describe_dataset, find_data, load_dataset
from followkit.tables import Dataset

SHARES = {"unknown_share": words.percent, "share": words.percent, "percentile": words.percent}
MODEL_WORDS = {"probability": words.percent, "model_low": words.percent,
               "model_high": words.percent, "expected": words.percent}  # fmt: skip
BIN_LABELS = {**INTERVAL_LABELS, "label": "bin", "probability": "model", "model_low": "model from",
              "model_high": "model to"}  # fmt: skip
FACTOR_LABELS = {"label": "feature", "odds_ratio": "odds ratio in the model",
                 "feature": "write as feature"}  # fmt: skip
#: Columns drawn and dyads listed before the rest is folded or cut.
MOST_COLUMNS = 14
MOST_LISTED = 200
MOST_PLACES = 12


# -- the data ----------------------------------------------------------------------------------


def show_data(data: str) -> Shown:
    """Read data and show which tables and columns they hold, and what they can answer.

    Raises
    ------
    InputError
        If there is nothing of that name, or it cannot be read.
    """
    return Shown(load_dataset(find_data(data))._repr_html_())


def show_questions(dataset: Dataset) -> Shown:
    """Show which questions the data can answer."""
    said = say.describe_questions(dataset)
    labels = {"asks": "what it asks", "can_be_answered": "can be answered", "lacks": "lacking"}
    return show(lead(said.text), table(said.table, said.caption, labels=labels))


def show_steps(dataset: Dataset) -> Shown:
    """Show what was read, dropped and kept, table by table."""
    return table(describe_dataset(dataset), "Rows read, dropped and kept", save_as="quality")


def show_table(dataset: Dataset, name: str) -> Shown:
    """Show one table column by column: how much is known, and how it ranges; never texts.

    Raises
    ------
    ParameterError
        If the data have no such table.
    """
    if name not in dataset.tables:
        hint = suggest(name, list(dataset.tables))
        raise ParameterError(f"table: these data have no table {name!r}; {hint}")
    frame = dataset.table(name)
    rows = [(str(column), *_describe_column(frame[column])) for column in frame]
    columns = pd.DataFrame(rows, columns=["column", "kind", "unknown_share", "distinct", "lowest",
                                          "highest"])  # fmt: skip
    labels = {"unknown_share": "unknown", "distinct": "different values"}
    return table(columns, f"{name}: {words.count(len(frame), 'row')}", formats=SHARES,
                 labels=labels, names=["column"])  # fmt: skip


def _describe_column(values: pd.Series) -> tuple[str, float, int, str | None, str | None]:
    unknown = float(values.isna().mean()) if len(values) else 0.0
    known = values.dropna()
    common = (unknown, int(known.nunique()))
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return "time", *common, *_ends(known, "%Y-%m-%d")
    if pd.api.types.is_bool_dtype(values.dtype):
        return "yes or no", *common, None, None
    if pd.api.types.is_numeric_dtype(values.dtype) and not str(values.name).endswith("_id"):
        return "number", *common, *_ends(known, ",")
    return "text or id", *common, None, None


def _ends(known: pd.Series, form: str) -> tuple[str | None, str | None]:
    return (format(known.min(), form), format(known.max(), form)) if len(known) else (None, None)


def show_unknown(dataset: Dataset) -> Shown:
    """Show which columns have unknown values, the fullest gaps first."""
    said = say.describe_unknown(quality.list_unknown(dataset))
    if said.table.empty:
        return show(said.text)
    worst = said.table.sort_values("unknown_share", ascending=False, kind="stable")
    drawn = picture(draw.plot_unknown, worst.head(MOST_COLUMNS), said, row_inches=0.5,
                    caption="Columns with unknown values, most of them first.")  # fmt: skip
    numbers = table(said.table, said.caption, formats=SHARES, names=["column"], save_as="unknown")
    return show(said.text, drawn, details("All of them", numbers))


def show_times(dataset: Dataset) -> Shown:
    """Show when follows, withdrawals, posts and acts happened."""
    said = say.describe_times(quality.count_over_time(dataset))
    caption = "Events in each stretch of time (log scale above 10); the last may be cut short."
    return show(said.text, picture(draw.plot_over_time, said.table, said, caption=caption))


def show_watched(dataset: Dataset) -> Shown:
    """Show when accounts were watched; a follow that nobody could see is no refusal."""
    watched, crawls = quality.count_watched(dataset), quality.list_crawls(dataset)
    said = say.describe_watched(watched, crawls)
    drawn = picture(draw.plot_watched, watched, said, caption="Accounts watched, table by table.")
    listed = table(crawls, "Crawls of follow lists") if len(crawls) else NOTHING
    return show(said.text, drawn, listed)


def show_churn(dataset: Dataset) -> Shown:
    """Show how many follows were withdrawn and made again."""
    said = say.describe_churn(quality.measure_churn(dataset))
    return show(said.text, table(said.table, said.caption, formats=SHARES))


def show_degrees(dataset: Dataset) -> Shown:
    """Show how unequal the numbers of followers and followees are."""
    said = say.describe_degrees(quality.measure_degrees(dataset))
    caption = "Share of the accounts with at least so many followers or followees (log scales)."
    return show(said.text, picture(draw.plot_degrees, said.table, said, caption=caption))


def show_horizons(dataset: Dataset, *, confidence: float = 0.95) -> Shown:
    """Show which horizons the data carry: dyads watched so long, and answers by then."""
    said = say.describe_horizons(quality.try_horizons(dataset, confidence=confidence))
    if said.table.empty:
        return show(said.text)
    drawn = picture(draw.plot_horizons, said.table, said, row_inches=0.55,
                    caption="Share answered within so many days, with its interval.")  # fmt: skip
    numbers = table(said.table, said.caption, formats=RATES, labels=INTERVAL_LABELS,
                    notes=list(said.notes), save_as="horizons")  # fmt: skip
    return show(said.text, drawn, details("The numbers", numbers))


# -- one factor, one feature -------------------------------------------------------------------


def list_features(analysis: Analysis, factor: int = 0) -> list[tuple[str, str]]:
    """Return features to choose from: words and name; of one factor, or of all for 0.

    A square says nothing without its feature, and moves along with it there.
    """
    return [
        (f"{CATALOGUE[name].label} ({CATALOGUE[name].claim})", name)
        for name in analysis.features.values
        if factor in (0, CATALOGUE[name].factor) and not name.endswith(SQUARED)
    ]


def list_factors() -> list[tuple[str, int]]:
    """Return the nine factors to choose from: words and number."""
    return [(f"{number} {title}", number) for number, title in FACTORS.items()]


def show_factor(analysis: Analysis, claims: pd.DataFrame, factor: int) -> Shown:
    """Show what of a factor is measured: features, odds ratios in the model, verdicts.

    Raises
    ------
    ParameterError
        If there is no such factor.
    """
    if factor not in FACTORS:
        raise ParameterError(f"factor: must be a whole number from 1 to 9; got {factor!r}")
    said = say.describe_factor(analysis, claims, factor)
    if said.table.empty:
        return show(said.text)
    shown = table(said.table, said.caption, formats={"known": words.percent},
                  labels=FACTOR_LABELS)  # fmt: skip
    return show(said.text, shown)


def show_feature(analysis: Analysis, claims: pd.DataFrame, feature: str) -> Shown:
    """Show one feature: answers along it, raw and adjusted; its spread, claim and formula.

    Raises
    ------
    ParameterError
        If the feature was not computed.
    """
    look = binned.look_at_feature(analysis, feature)
    said, spread = say.describe_look(look), say.describe_spread(look)
    claim, entry = say.describe_claim_of(claims, feature), say.describe_entry(feature)
    caption = "Share answered in bins of the feature, with its interval, beside the model's curve."
    if look.reason:
        caption = "Share answered in bins of the feature, with its interval."
    numbers = table(look.bins.drop(columns=["low", "high", "middle"]), said.caption,
                    formats={**RATES, **MODEL_WORDS}, labels=BIN_LABELS, notes=list(said.notes),
                    save_as="bins")  # fmt: skip
    contrast = table(claim.table, claim.caption, formats={**ODDS, "p_holm": ".3f"},
                     labels=CLAIM_LABELS)  # fmt: skip
    return show(
        said.text,
        picture(draw.plot_feature, said.table, said, caption=caption),
        claim.text,
        details("The numbers", numbers, contrast),
        details("How it is spread", picture(draw.plot_spread, spread.table, spread)),
        details("How it is computed", table(entry.table, entry.caption)),
    )


# -- one account -------------------------------------------------------------------------------


def name_account(dataset: Dataset, account: str) -> str:
    """Return an account's id, with its handle where there is one."""
    if not dataset.has("accounts", "handle"):
        return account
    accounts = dataset.accounts
    found = accounts.loc[accounts["account_id"].astype(str) == account, "handle"].dropna()
    return f"{account} ({found.iloc[0]})" if len(found) else account


def show_account(analysis: Analysis, account: str) -> Shown:
    """Show one account as initiator and as decider, beside all others.

    Raises
    ------
    InputError
        If the account has no dyad.
    """
    rates = portraits.compare_rates(analysis, account)
    said = say.describe_account(rates, name_account(analysis.dataset, account))
    labels = {**INTERVAL_LABELS, "label": "whose"}
    numbers = table(rates.drop(columns="is_own"), said.caption, formats={**RATES, **MODEL_WORDS},
                    labels=labels, notes=list(said.notes))  # fmt: skip
    return show(
        said.text,
        picture(draw.plot_rates, rates, said, row_inches=0.62,
                caption="Share answered, with its interval; this account in the second colour."),
        details("The numbers", numbers),
        *(_show_role(analysis, account, role) for role in portraits.ROLES),
    )  # fmt: skip


def _show_role(analysis: Analysis, account: str, role: portraits.Role) -> Shown:
    """Show where an account stands among all in a role, and its dyads."""
    listed = portraits.list_dyads_of(analysis, account, role)
    if listed.empty:
        return NOTHING
    said = say.describe_places(portraits.place_features(analysis, account, role), role)
    order = (said.table["percentile"] - 0.5).abs() if len(said.table) else pd.Series(dtype=float)
    most = said.table.loc[order.nlargest(MOST_PLACES).index] if len(order) else said.table
    labels = {"other_id": "other account", "probability": "as predicted"}
    notes = [f"The first {MOST_LISTED:,} of {len(listed):,}."] * (len(listed) > MOST_LISTED)
    dyads = table(listed.head(MOST_LISTED), "Its dyads", formats=MODEL_WORDS, labels=labels,
                  names=["other_id"], notes=notes)  # fmt: skip
    caption = "Where it stands among all accounts, those features first in which it differs most."
    return show(
        heading(f"As {role}", 3),
        said.text,
        picture(draw.plot_percentiles, most, said, row_inches=0.62, caption=caption),
        details(f"Its {words.count(len(listed), 'dyad')}", dyads),
    )


def show_account_changes(analysis: Analysis, account: str) -> Shown:
    """Show what goes with each change, over the follows that an account made."""
    portraits.check_account(analysis, account)
    changes = portraits.try_changes(analysis, account)
    if changes.empty:
        return show("It made no follow that the model can predict, so nothing can be tried.")
    nothing = pd.DataFrame()
    study = Factors(analysis, nothing, 0.01, None, "", None, "", changes, account)
    said = describe_changes(study)
    return show(said.text, show_changes(study, said))


# -- one dyad ----------------------------------------------------------------------------------


def show_dyad(analysis: Analysis, dyad_id: int) -> Shown:
    """Show one dyad: what came of it, and its probability taken apart.

    Raises
    ------
    InputError
        If there is no such dyad.
    """
    found = histories.explain(analysis, dyad_id)
    prediction = histories.predict_dyad(analysis, dyad_id) if found is not None else None
    said = say.describe_dyad(analysis, dyad_id, prediction, found)
    steps = make_waterfall(found) if found is not None else pd.DataFrame()
    caption = "From the average dyad, feature by feature, to this one."
    rows = histories.list_features(analysis, dyad_id)
    labels = {"is_in_model": "in the model", "percentile": "dyads below"}
    features = table(rows, "Features of the dyad", formats=SHARES, labels=labels)
    return show(
        said.text,
        picture(plot_waterfall, steps, said, row_inches=0.62, caption=caption),
        details("All features", features),
        callout(said.notes[0], "caution") if said.notes else NOTHING,
    )


def show_history(analysis: Analysis, days: float, dyad_id: int) -> Shown:
    """Show what the two accounts had done before the follow: counts and moments, no texts.

    Raises
    ------
    ParameterError
        If the days are not above 0.
    """
    if not days > 0:
        raise ParameterError(f"days: must be above 0; got {days}. Twelve weeks are usual.")
    events = histories.list_events(analysis, dyad_id)
    said = say.describe_history(analysis, events, histories.count_windows(events))
    if events.empty:
        return show(said.text)
    lately = events[events["days_before"] <= days]
    order = {what: place for place, what in enumerate(said.table["what"])}
    lately = lately.sort_values("what", key=lambda names: names.map(order), kind="stable")
    caption = f"Events in the {words.days(days)} before the follow; right: how many."
    drawn = NOTHING
    if len(lately):
        height = 0.5 * lately["what"].nunique() + 1.0
        drawn = figure(draw.plot_history, lately.assign(most_days=days), alt=said.text,
                       caption=caption, height=height)  # fmt: skip
    counts = table(said.table, said.caption, labels={"what": "what happened"}, save_as="history")
    return show(said.text, drawn, details("The counts", counts))
