"""Factor 9, audience targeting: whether the initiator speaks to somebody in particular."""

from __future__ import annotations

from followkit.features.claim import Claim
from followkit.features.context import FeatureFunction
from followkit.features.feature import Feature, Product

FEATURES: dict[str, FeatureFunction] = {}

ENTRIES: tuple[Feature, ...] = ()

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
