"""Draw docs/picture.svg for the README: odds ratios in the simulated town. Run after changes."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from followkit.analysis import analyse
from followkit.figures import plot_odds_ratios
from followkit.sections import label_effects
from followkit.sources import load_dataset
from followkit.style import use_style

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Write the picture; on white, because a README may be shown on any ground."""
    analysis = analyse(load_dataset(HERE.parent / "data" / "town"), "follow_back")
    effects = label_effects(analysis.effects)
    clear = effects[(effects["ci_low"] > 1) | (effects["ci_high"] < 1)].head(6)
    with use_style():
        figure = Figure(figsize=(7.5, 4.8), layout="constrained", facecolor="white")
        plot_odds_ratios(clear, ax=figure.add_subplot())
        figure.savefig(HERE / "picture.svg", metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    main()
