"""Every picture draws in both looks, whatever the names in it."""

from __future__ import annotations

import inspect
import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from followkit import drawing, factor_figures, figures
from followkit.style import use_style

HOSTILE = ["$_$", r"$\frac$", "_hidden", "zoë 🙂 日本", "x" * 200, "a\x00b\u202ec"]
PLOTS = {
    name: plot
    for module in (figures, factor_figures)
    for name, plot in inspect.getmembers(module, inspect.isfunction)
    if name.startswith("plot_")
}
VERDICTS = ["supported", "contradicted", "negligible", "undecided", "too little data", "supported"]


def make_table(name: str) -> pd.DataFrame:
    count = len(HOSTILE)
    values = np.linspace(0.1, 0.8, count)
    common = pd.DataFrame(
        {"label": HOSTILE, "ci_low": values * 0.8, "ci_high": values * 1.2, "value": values}
    )
    tables = {
        "plot_census": common.assign(count=10, share=values, is_answer=[True, False] * 3),
        "plot_follow_back_curve": common.assign(
            duration_days=np.arange(count), incidence=values, at_risk=range(count, 0, -1)
        ),
        "plot_odds_ratios": common.assign(
            odds_ratio=values, effect=[0.1, np.nan, *[-0.2] * 4], effect_low=0.0, effect_high=0.1
        ),
        "plot_truth": common.assign(estimate=values, truth=values, is_missed=[True, False] * 3),
        "plot_calibration": common.assign(predicted=values, observed=values, count=100),
        "plot_ladder": common.assign(is_model=[False] * 5 + [True], ci_low=np.nan, ci_high=np.nan),
        "plot_gains": common.assign(share_ranked=values, share_found=values),
        "plot_influence": common.assign(rate=values, is_reference=[True] + [False] * 5),
        "plot_contributions": common.assign(shapley=values, share=[0.2, np.nan] * 3),
        "plot_carriers": common.assign(share=values, share_low=values, share_high=values),
        "plot_claims": common.assign(odds_ratio=values, verdict=VERDICTS),
        "plot_probability": common.assign(
            probability=values, series=HOSTILE, axis="$followers$", value=10.0 ** np.arange(count)
        ),
        "plot_whatif": common.assign(change=values),
        "plot_waterfall": common.assign(before=values, after=values[::-1]),
    }
    return tables[name]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.filterwarnings("ignore:Glyph .* missing from font:UserWarning")
def test_draws_hostile_names_in_both_looks(name, dark) -> None:
    """Letters that the measuring font lacks are drawn by the reader's machine (see style)."""
    with use_style(dark=dark):
        figure = Figure(figsize=(4.7, 4), layout="constrained")
        axes = PLOTS[name](make_table(name), ax=figure.add_subplot())
        assert isinstance(axes, Axes)
        figure.savefig(io.BytesIO(), format="svg")


def test_every_plot_is_tried_here() -> None:
    for name in PLOTS:
        assert len(make_table(name)) == len(HOSTILE)


def test_a_missing_interval_leaves_the_dot() -> None:
    axes = figures.plot_ladder(make_table("plot_ladder"), ax=Figure().add_subplot())
    dots = [item for item in axes.collections if len(item.get_offsets()) == len(HOSTILE)]
    assert dots


def test_an_interval_without_an_end_leaves_the_picture() -> None:
    """Firth's fit may find no upper limit; the others are still drawn to scale."""
    table = make_table("plot_odds_ratios")
    table.loc[table.index[0], ["ci_low", "ci_high"]] = [0.0, np.inf]
    axes = figures.plot_odds_ratios(table, ax=Figure().add_subplot())
    low, high = axes.get_xlim()
    assert 0 < low < table["ci_low"].iloc[1:].min()
    assert table["ci_high"].iloc[1:].max() < high < 1e6


def test_numbers_are_written_beside_the_rows() -> None:
    axes = figures.plot_odds_ratios(make_table("plot_odds_ratios"), ax=Figure().add_subplot())
    texts = [text.get_text() for text in axes.texts]
    assert "+10.0 points (0.0 to +10.0)" in texts
    assert not any("nan" in text for text in texts)


def test_labels_hold_no_formula_no_control_and_an_end() -> None:
    assert drawing.label("$a$") == r"\$a\$"
    assert "\x00" not in drawing.label("a\x00b")
    assert len(drawing.label("x" * 200)) == drawing.LABEL_LENGTH
    assert drawing.label("_x").startswith("\u200b")


def test_a_share_that_cannot_be_given_is_left_out() -> None:
    table = make_table("plot_contributions")
    axes = factor_figures.plot_contributions(table, ax=Figure().add_subplot())
    texts = [text.get_text() for text in axes.texts]
    assert texts.count("20.0 %") == 3
    assert texts.count("") == 3


def test_intervals_beyond_the_axis_end_at_it() -> None:
    table = make_table("plot_claims").assign(odds_ratio=30.0, ci_low=20.0, ci_high=50.0)
    axes = factor_figures.plot_claims(table, ax=Figure().add_subplot())
    dots = next(item for item in axes.collections if len(item.get_offsets()) == len(HOSTILE))
    np.testing.assert_allclose(dots.get_offsets()[:, 0], 4.0)


def test_a_waterfall_says_each_step() -> None:
    steps = pd.DataFrame({"label": ["up", "down"], "before": [0.2, 0.5], "after": [0.5, 0.4]})
    axes = factor_figures.plot_waterfall(steps, ax=Figure().add_subplot())
    texts = [text.get_text() for text in axes.texts]
    assert texts == ["up", "+30.0 points", "down", "−10.0 points"]


@pytest.mark.parametrize(
    ("note", "below"), [("−12.3 %", False), ("+7.5 points (+2.5 to +19.1)", True), ("", False)]
)
def test_a_number_stays_beside_its_long_name(note: str, below: bool) -> None:
    ax = Figure(figsize=(4.4, 3)).add_subplot()
    drawing.write_rows(ax, ["x" * 60, "short"], [note, note])
    name, first = ax.texts[0], ax.texts[1]
    assert (first.get_position()[1] > name.get_position()[1]) is below
    room = drawing.count_letters(ax)
    assert len(name.get_text()) == (room if below or not note else room - len(note) - 2)
