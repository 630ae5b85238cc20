"""The catalogue in print: every claim with its features as a table, every feature as an entry."""

from __future__ import annotations

from itertools import chain

import pandas as pd

from followkit.errors import ParameterError, suggest
from followkit.features.catalogue import CATALOGUE, CLAIMS, FACTORS, Feature
from followkit.features.claim import BACKBONE, Claim
from followkit.features.needs import describe_needs

MEANING = "What an answer means"
SIGNS = {1: "+", -1: "−", 0: "none"}
#: What decides about a claim, in words.
TESTS = {
    "slope": "slope",
    "interaction": "interaction",
    "inverted_u": "inverted U",
    "rival": "rival shapes, held out",
    "difference": "difference of two slopes",
    "period": "change over time",
    "landmark": "own outcome, from a landmark",
    "none": "never measurable",
}


def list_claims() -> pd.DataFrame:
    """Return every claim, 0a to 9d, with what measures it.

    Returns
    -------
    pandas.DataFrame
        claim (its id), factor (in words), text, sign, test, headline (the contrast that judges it,
        joined by ", "), details (the other features of the claim), not_adjusted (headlines of
        other claims left out of its adjustment), needs (of the headline),
        evidence (grade of the literature).

    Examples
    --------
    >>> table = list_claims().set_index("claim")
    >>> table.loc["3a", ["sign", "test", "headline"]].tolist()
    ['−', 'slope', 'decider_ratio_log']
    """
    return pd.DataFrame([_list_claim(CLAIMS[name]) for name in sorted(CLAIMS)])


def _list_claim(claim: Claim) -> dict[str, str]:
    measures = [name for name, entry in CATALOGUE.items() if entry.claim == claim.id]
    details = [name for name in measures if name not in claim.contrast]
    needs = describe_needs(CATALOGUE[claim.contrast[0]]) if claim.contrast else claim.needs
    return {
        "claim": claim.id,
        "factor": f"{claim.factor} {FACTORS.get(claim.factor, MEANING)}",
        "text": claim.text,
        "sign": SIGNS[claim.sign],
        "test": TESTS[claim.test],
        "headline": ", ".join(claim.contrast),
        "details": ", ".join(details),
        "not_adjusted": ", ".join(claim.not_adjusted),
        "needs": needs,
        "evidence": claim.grade,
    }


def describe_claims() -> str:
    """Return the table of claims as a Markdown page, factor by factor.

    Examples
    --------
    >>> describe_claims().splitlines()[0]
    '# Claims'
    """
    lines = [
        "# Claims",
        "",
        "Written by `python -m followkit.features` from the catalogue; edit that instead.",
        "A is the initiator, B the decider. The headline alone decides about a claim, by the test",
        "beside it; details refine it. *Evidence* grades what the literature has on follow-backs;",
        "features of claims marked *proxy* stand in for what it says about other outcomes.",
        "How each feature is computed: [features.md](features.md).",
        "",
        "Every contrast is adjusted for the headlines below, as far as the data give them, but for",
        "its own features and for those named under *not adjusted for*: mediators and",
        "near-duplicates, which would hide what is asked about.",
        "",
        f"{_as_code(', '.join(BACKBONE))}.",
    ]
    names = ("id", "claim", "sign", "test", "headline", "details", "not adjusted for", "needs",
             "evidence")  # fmt: skip
    head = ["", f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    for factor, rows in list_claims().groupby("factor", sort=False):
        lines += ["", f"## {factor}", *head]
        for row in rows.itertuples(name="Row"):
            cells = (row.claim, row.text, row.sign, row.test, _as_code(row.headline),
                     _as_code(row.details), _as_code(row.not_adjusted), row.needs,
                     row.evidence)  # fmt: skip
            lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _as_code(names: object) -> str:
    return ", ".join(f"`{name}`" for name in str(names).split(", ") if name)


def describe_catalogue() -> str:
    """Return the catalogue as a Markdown page, factor by factor.

    Examples
    --------
    >>> describe_catalogue().splitlines()[0]
    '# Features'
    """
    lines = [
        "# Features",
        "",
        "Written by `python -m followkit.features` from the catalogue; edit that instead.",
        "A follows B: A is the initiator, B the decider, t the moment of the follow, H the",
        "horizon. Features use only what happened before t, and never the pair's own two ties.",
        "Modes: *timed* (as of t), *crawl* (ties standing at a baseline crawl), *snapshot*",
        "(the graph without the dyad's fold). Sign: what the claim expects.",
        "What each claim says: [claims.md](claims.md).",
    ]
    for factor, title in FACTORS.items():
        entries = [entry for entry in CATALOGUE.values() if entry.factor == factor]
        if entries:
            lines += ["", f"## {factor} {title}"]
            lines += chain.from_iterable(["", *_list_entry(entry)] for entry in entries)
    return "\n".join(lines) + "\n"


def describe_feature(name: str) -> str:
    """Return one entry of the catalogue page.

    Raises
    ------
    ParameterError
        If no feature has the name.

    Examples
    --------
    >>> describe_feature("decider_ratio_log").splitlines()[0]
    '### `decider_ratio_log`'
    """
    if name not in CATALOGUE:
        raise ParameterError(f"name: no feature is called {name!r}; {suggest(name, [*CATALOGUE])}")
    return "\n".join(_list_entry(CATALOGUE[name])) + "\n"


def _list_entry(entry: Feature) -> list[str]:
    modes = [
        f"{mode} (untimed)" if entry.is_untimed_in(mode) else str(mode) for mode in entry.modes
    ]
    if entry.timed_by:
        modes.append(f"dated where {entry.timed_by} says when it was read")
    lines = [
        f"### `{entry.name}`",
        "",
        f"{entry.label[0].upper()}{entry.label[1:]}.",
        "",
        f"- claim {entry.claim}, expected sign {SIGNS[entry.expected_sign]}; side: {entry.side}",
        f"- computed as: {entry.formula}",
        f"- odds ratio {entry.unit} (a step of {entry.unit_scale:.4g})",
        f"- needs {describe_needs(entry)}; modes: {', '.join(modes)}",
    ]
    if not entry.in_model:
        lines.append("- computed on request: it refines a headline, or is made of other features")
    if entry.is_sensitive:
        lines.append("- about convictions: only with allow_sensitive, never shown for a person")
    if entry.source:
        lines.append(f"- source: {entry.source}")
    return lines
