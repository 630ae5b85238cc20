"""One claim of practitioners: what is said, which contrast tests it, what it is adjusted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Test = Literal[
    "slope", "interaction", "inverted_u", "rival", "difference", "period", "landmark", "none"
]
Grade = Literal["randomised", "observational", "proxy", "none"]

#: What every contrast is adjusted for, where the data can give it: the headline of each factor.
BACKBONE = (
    "decider_ratio_log",
    "initiator_ratio_log",
    "dyad_common_followees_log",
    "dyad_topic_cosine",
    "initiator_posts_per_week_log",
    "dyad_acts_to_decider_log",
    "decider_actions_log",
    "initiator_originality_share",
    "dyad_consumed_cosine",
    "dyad_followees_follow_initiator_share",
    "initiator_hashtag_mix",
)


@dataclass(frozen=True)
class Claim:
    """A claim, and the one contrast that was declared for it before any data were looked at.

    Attributes
    ----------
    id
        Factor and letter, "3a".
    text
        The claim as a sentence about A (the initiator) and B (the decider).
    sign
        +1 or −1, what the claim expects of the contrast; 0 where it has another shape.
    contrast
        Catalogue features that are tested together; the first is the headline.
    test
        slope (Wald; with several features joint, and the sign of the mean marginal effect),
        interaction (the product's slope, both main effects in the model), inverted_u (Sasabuchi;
        Lind & Mehlum), rival (held-out log loss of two shapes), difference (one standardised
        effect less another), period (a change over time), landmark (an outcome of its own, in
        `followkit.meaning`), none (never measurable from such data).
    not_adjusted
        Mediators and near-duplicates of the contrast, which would hide what is asked about.
    grade
        The evidence that the literature has for follow-backs.
    source
        Where that evidence is; empty where none is known.
    needs
        For `none`: what would be needed to measure it.
    """

    id: str
    text: str
    sign: int
    contrast: tuple[str, ...]
    test: Test = "slope"
    not_adjusted: tuple[str, ...] = ()
    grade: Grade = "proxy"
    source: str = ""
    needs: str = ""

    def __post_init__(self) -> None:
        """Refuse a claim that could not be judged."""
        if len(self.id) != 2 or not self.id[0].isdigit() or not self.id[1].isalpha():
            raise ValueError(f"claim {self.id!r}: an id is a digit and a letter, such as 3a")
        if not self.text or self.sign not in (-1, 0, 1):
            raise ValueError(f"claim {self.id}: a text and a sign of −1, 0 or 1 are needed")
        if self.test == "none" and not self.needs:
            raise ValueError(f"claim {self.id}: say what would be needed to measure it")
        if self.test not in ("none", "landmark") and not self.contrast:
            raise ValueError(f"claim {self.id}: a contrast is needed")

    @property
    def factor(self) -> int:
        """The factor, 0 to 9 (0: what an answer means)."""
        return int(self.id[0])

    def choose_adjusters(self) -> tuple[str, ...]:
        """Return the features that the contrast is adjusted for, in order of priority."""
        left_out = {*self.contrast, *self.not_adjusted}
        return tuple(name for name in BACKBONE if name not in left_out)
