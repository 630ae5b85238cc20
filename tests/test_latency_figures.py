"""Pictures of time to follow-back: they draw what the tables say, at every width and scale."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from followkit import latency_figures as draw

DAYS = np.geomspace(0.001, 60, 40)
CURVE = pd.DataFrame({"duration_days": DAYS, "incidence": np.linspace(0, 0.6, 40),
                      "ci_low": np.linspace(0, 0.5, 40), "ci_high": np.linspace(0, 0.7, 40),
                      "at_risk": np.arange(4000, 0, -100)})  # fmt: skip
WAITS = pd.concat([
    pd.DataFrame({"group": name, "duration_days": DAYS,
                  "unanswered": 1 - share * CURVE["incidence"],
                  "ci_low": 0.9 - share * CURVE["incidence"], "ci_high": 1.0})
    for name, share in (("some", 1.0), ("_others$", 0.5))
])  # fmt: skip
PACE = pd.DataFrame({"from_days": [0.0, 0.001, 1.0], "to_days": [0.001, 1.0, 60.0],
                     "answers_per_day": [150.0, 0.3, 0.0], "ci_low": [100.0, 0.2, np.nan],
                     "ci_high": [200.0, 0.4, np.nan], "withdrawn": [0, 7, 2],
                     "withdrawals_per_day": [0.0, 0.01, 0.001]})  # fmt: skip
CHANCES = pd.DataFrame({"landmark_days": [0.0, 1.0, 7.0], "chance": [0.16, 0.12, 0.05],
                        "ci_low": [0.14, 0.1, 0.04], "ci_high": [0.18, 0.14, 0.06],
                        "is_chosen": [False, False, True]})  # fmt: skip
RATIOS = pd.DataFrame({"label": ["a thing, per doubling"], "hazard_ratio": [1.5], "ci_low": [1.2],
                       "ci_high": [1.9]})  # fmt: skip
FIT = pd.DataFrame({"duration_days": DAYS, "predicted": CURVE["incidence"],
                    "observed": CURVE["incidence"] + 0.01})  # fmt: skip

PICTURES = {
    "times": (partial(draw.plot_answer_times, horizon_days=30.0), CURVE),
    "waits": (draw.plot_waits, WAITS),
    "pace": (draw.plot_pace, PACE),
    "chances": (draw.plot_chances, CHANCES),
    "ratios": (draw.plot_hazard_ratios, RATIOS),
    "fit": (draw.plot_fit, FIT),
}


def paint(name: str, width: float = 7.2):
    plot, table = PICTURES[name]
    figure = Figure(figsize=(width, 4), layout="constrained")
    ax = plot(table, ax=figure.add_subplot())
    figure.canvas.draw()
    return ax


@pytest.mark.parametrize("width", [7.2, 4.4])
@pytest.mark.parametrize("name", PICTURES)
def test_words_lie_within_the_picture_and_apart(name, width) -> None:
    ax = paint(name, width)
    page = ax.figure.bbox
    for axis in (ax.xaxis, ax.yaxis):
        boxes = [tick.get_window_extent() for tick in axis.get_ticklabels() if tick.get_text()]
        if axis.get_visible():
            assert not any(one.overlaps(two) for place, one in enumerate(boxes)
                           for two in boxes[place + 1:])  # fmt: skip
    for text in ax.texts:
        box = text.get_window_extent()
        assert box.x0 > page.x0 - 1
        assert box.x1 < page.x1 + 1
    assert ax.get_xlabel()


def test_the_curve_is_that_of_the_table() -> None:
    ax = paint("times")
    curve = max(ax.get_lines(), key=lambda line: len(line.get_xdata()))
    assert np.array_equal(curve.get_ydata(), CURVE["incidence"])
    written = {text.get_text() for text in ax.texts}
    day = int(np.searchsorted(DAYS, 1.0))
    assert f"{CURVE['at_risk'][day]:,}" in written


def test_the_chosen_landmark_stands_out() -> None:
    ax = paint("chances")
    bars = ax.patches
    assert [round(bar.get_width(), 3) for bar in bars] == [0.16, 0.12, 0.05]
    colours = [bar.get_facecolor() for bar in bars]
    assert colours[0] == colours[1] != colours[2]
    assert {"right after the follow", "unanswered after 7 days", "5.0 %"} <= {
        text.get_text() for text in ax.texts
    }


def test_rates_that_rest_on_next_to_nothing_are_not_drawn() -> None:
    ax = paint("pace")
    answers, gone = (line.get_ydata() for line in ax.get_lines())
    assert answers.tolist() == [150.0, 0.3]
    assert np.isfinite(gone).tolist() == [False, True, False]
    assert "10 a minute" in [tick.get_text() for tick in ax.get_yticklabels()]


def test_the_logit_link_has_another_name() -> None:
    assert paint("ratios").get_xlabel() == "hazard ratio (above 1: sooner)"
    figure = Figure()
    ax = draw.plot_hazard_ratios(RATIOS, is_odds=True, ax=figure.add_subplot())
    assert ax.get_xlabel().startswith("odds ratio of the hazard")
