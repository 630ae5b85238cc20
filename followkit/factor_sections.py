"""Parts of a report page about the nine factors: pictures with their tables folded behind them."""

from __future__ import annotations

from followkit import factor_figures as draw
from followkit import words
from followkit.analysis import Analysis
from followkit.describe_factors import PER_DYADS, list_tested_claims, make_waterfall
from followkit.explain import Explanation
from followkit.factors import Factors, Groups
from followkit.html import Shown, Summary, callout, csv_text, details, show, table
from followkit.sections import INTERVAL_LABELS, NOTHING, RATES, picture

ODDS = dict.fromkeys(("odds_ratio", "ci_low", "ci_high"), ".2f")
CHANGES = dict.fromkeys(("effect", "effect_low", "effect_high"), words.points)
CLAIM_LABELS = {
    "text": "what is claimed", "odds_ratio": "odds ratio", "p_holm": "p (Holm)",
    "reason": "why", "label": "contrast", "effect": "change in points", "effect_low": "from",
    "effect_high": "to", "ci_low": "from", "ci_high": "to", "n": "dyads",
}  # fmt: skip
CLAIM_PARTS = ((0, 2), (3, 4), (5, 6), (7, 9))
SNAPSHOT = (
    "In a snapshot nobody knows who followed first. Read “answered” as mutual and “initiator” as "
    "the account where the tie starts; what is said of who answers whom does not carry over."
)


def show_snapshot_caution(analysis: Analysis) -> Shown:
    """Say how the questions are to be read where the initiator is unknown."""
    if analysis.question != "mutuality":
        return NOTHING
    return callout(SNAPSHOT, "caution")


def show_contributions(said: Summary) -> Shown:
    """Show what each factor explains: the picture, and all three readings folded away."""
    if said.table.empty:
        return NOTHING
    caption = "Each factor's share of what is explained on unseen accounts, with its interval."
    drawn = picture(draw.plot_contributions, said.table, said, row_inches=0.62, caption=caption)
    forms = {name: ".2f" for name in said.table if name not in ("label", "feature_count", "share")}
    labels = {
        "label": "factor", "feature_count": "features", "ci_low": "from", "ci_high": "to",
        "alone_low": "alone from", "alone_high": "alone to", "last_low": "last from",
        "last_high": "last to", "cost": "cost added back",
    }  # fmt: skip
    numbers = table(said.table, said.caption, labels=labels, notes=list(said.notes),
                    formats={**forms, "share": words.percent}, save_as="contributions")  # fmt: skip
    return show(drawn, details("The numbers", numbers))


def show_claims(study: Factors, said: Summary) -> Shown:
    """Show the scoreboard: tested claims as a picture, every claim as a table, numbers folded."""
    tested = list_tested_claims(study)
    drawn = []
    # In parts that fit on a page of paper; the axis is the same in all of them.
    for first, last in CLAIM_PARTS:
        part = tested[tested["factor"].between(first, last)]
        caption = f"Factors {first} to {last}: contrasts tested, with unadjusted intervals."
        drawn.append(picture(draw.plot_claims, part, said, row_inches=0.62, caption=caption))
    short = said.table[["claim", "text", "verdict", "interval", "evidence", "reason"]]
    board = table(short, said.caption, labels={**CLAIM_LABELS, "interval": "odds ratio, interval"},
                  notes=list(said.notes), save_as="claims")  # fmt: skip
    columns = ["claim", "label", "unit", "odds_ratio", "ci_low", "ci_high", "effect", "effect_low",
               "effect_high", "p_holm", "n"]  # fmt: skip
    rows = said.table.loc[said.table["p_holm"].notna(), [*columns, "adjusted_for"]]
    numbers = table(rows[columns], "Contrasts of the tested claims", labels=CLAIM_LABELS,
                    formats={**ODDS, **CHANGES, "p_holm": ".3f"},
                    notes=["What each is adjusted for stands in contrasts.csv."])  # fmt: skip
    # A dozen names in every row would fill sheets of paper; the file has them.
    kept = Shown("", {"contrasts": csv_text(rows)})
    return show(*drawn, details("Every claim", board), details("The numbers", numbers), kept)


def show_followers(said: Summary, groups: Groups) -> Shown:
    """Show the probability by followers, and the two groups that were observed."""
    caption = "Mean predicted probability with everybody's followers set to the same number."
    drawn = picture(draw.plot_probability, said.table, said, caption=caption)
    if groups.table.empty:
        return drawn
    numbers = table(groups.table, "Popular but irrelevant, small but relevant",
                    labels={**INTERVAL_LABELS, "label": "initiators"}, formats=RATES,
                    save_as="popularity")  # fmt: skip
    return show(drawn, details("The two groups", numbers))


def show_visibility(said: Summary) -> Shown:
    """Show the effects that should change when factor 4 enters."""
    if said.table.empty:
        return NOTHING
    labels = {
        "label": "feature", "odds_ratio": "with factor 4", "ci_low": "from", "ci_high": "to",
        "odds_ratio_without": "without", "ci_low_without": "from", "ci_high_without": "to",
    }  # fmt: skip
    forms = {name: ".2f" for name in said.table if name not in ("term", "label")}
    return table(said.table.drop(columns="term"), said.caption, labels=labels, formats=forms,
                 save_as="visibility")  # fmt: skip


def show_inactive(said: Summary) -> Shown:
    """Show the probability by days since the last action."""
    caption = (
        "Mean predicted probability with everybody's last action so many days back; posts and acts "
        "within the silence are taken away."
    )
    return picture(draw.plot_probability, said.table, said, caption=caption)


def show_changes(study: Factors, said: Summary) -> Shown:
    """Show what goes with each change, and why others could not be tried."""
    if study.changes.empty:
        return NOTHING
    caption = "Change in the mean predicted probability, with its interval."
    drawn = picture(draw.plot_whatif, said.table, said, row_inches=0.62, caption=caption)
    frame = study.changes.drop(columns="lever")
    labels = {"label": "change", "change": "points", "ci_low": "from", "ci_high": "to",
              "n": "dyads", "outside_count": "left out", "reason": "why not"}  # fmt: skip
    forms = {"before": words.percent, "after": words.percent, "change": words.points,
             "ci_low": words.points, "ci_high": words.points}  # fmt: skip
    numbers = table(frame, said.caption, labels=labels, formats=forms, notes=list(said.notes),
                    save_as="changes")  # fmt: skip
    return show(drawn, details("Every piece of advice", numbers), callout(said.notes[0], "caution"))


def show_carriers(study: Factors, said: Summary) -> Shown:
    """Show what initiator, decider and pair explain, and how residuals move together."""
    if said.table.empty or study.carriers is None:
        return NOTHING
    caption = "Share of the deviance that features of each side explain; the rest is unexplained."
    drawn = picture(draw.plot_carriers, said.table, said, row_inches=0.62, caption=caption)
    habit = study.carriers.comovement
    fine = {name: ".3f" for name in habit if name not in ("relation", "pair_count")}
    moved = table(habit, "Residuals of dyads that share an account", formats=fine,
                  labels={"pair_count": "pairs of dyads", "log_odds_sd": "sd of log odds"},
                  save_as="comovement")  # fmt: skip
    shares = study.carriers.shares.assign(
        **{name: study.carriers.shares[name] * PER_DYADS for name in
           ("deviance", "ci_low", "ci_high")}
    )  # fmt: skip
    forms = {"share": words.percent, "share_low": words.percent, "share_high": words.percent,
             "deviance": words.signed, "ci_low": words.signed,
             "ci_high": words.signed}  # fmt: skip
    carried = table(shares, "Deviance per 100 unseen dyads, and its share", formats=forms,
                    labels={"feature_count": "features"}, save_as="carriers")  # fmt: skip
    return show(drawn, details("The numbers", carried, moved))


def show_surprise(said: Summary, explanation: Explanation | None) -> Shown:
    """Show how the probability of one dyad comes about."""
    if explanation is None:
        return NOTHING
    caption = "From the average dyad, feature by feature, to this one."
    return picture(draw.plot_waterfall, make_waterfall(explanation), said, row_inches=0.62,
                   caption=caption)  # fmt: skip
