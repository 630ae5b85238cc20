"""Factor 7, personal preferences of the decider: what it consumes, likes and avoids."""

from __future__ import annotations

from followkit.features.claim import Claim
from followkit.features.context import FeatureFunction
from followkit.features.feature import Feature, Product

FEATURES: dict[str, FeatureFunction] = {}

ENTRIES: tuple[Feature, ...] = ()

PRODUCTS: tuple[Product, ...] = ()

CLAIMS: tuple[Claim, ...] = ()
