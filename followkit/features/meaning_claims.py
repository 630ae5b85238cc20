"""Factor 0, what an answer means: claims with an outcome of their own (`followkit.meaning`)."""

from __future__ import annotations

from followkit.features.claim import Claim

MEANING_CLAIMS: tuple[Claim, ...] = (
    Claim("0a", "An unanswered follow loses its worth to the initiator.", 1, (), "landmark"),
    Claim("0b", "A follow-back announces continued contact.", 1, (), "landmark"),
    Claim("0c", "Answers that rest on relevance last.", 1, (), "landmark"),
)
